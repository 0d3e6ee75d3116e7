import {
  type Authenticated,
  type AuthenticationMethod,
  ForbiddenError,
  type Principal,
  parseDuration,
  type RequestContext,
  type Stage,
  UnauthorizedError,
  type Wrapper,
  wrapper,
} from "../core/index.ts";
import { isSecondFactor, lastProved } from "./sessions/index.ts";

/** Which factor has to be recent: any, a second factor, a second factor where the account has one, or one method by name. */
export type RecentFactor = "any" | "second" | "strongest" | AuthenticationMethod;

export interface RecentAuthOptions {
  /** How long ago the factor may have been proved. Default 10m; a sign-in counts. */
  readonly maxAge?: string | undefined;
  /** Default `strongest`. */
  readonly factor?: RecentFactor | undefined;
}

/** hasSecondFactor tells whether an account could prove a second factor at all. */
export type HasSecondFactor = (userId: string) => Promise<boolean>;

/** RequireRecentAuth makes the wrapper of routes that need a factor to have been proved a short time ago (step-up). */
export type RequireRecentAuth = (options?: RecentAuthOptions) => Wrapper<Authenticated>;

const METHODS: ReadonlySet<string> = new Set([
  "any",
  "second",
  "strongest",
  "pwd",
  "otp",
  "recovery",
  "passkey",
  "link",
  "oidc",
]);

/**
 * recentAuth makes requireRecentAuth for the accounts of one application. A principal whose factor is too old is refused with 401
 * REAUTHENTICATION_REQUIRED and the challenge of RFC 9470; where a second factor is demanded and the account has none, with 403
 * MFA_REQUIRED. API keys prove no factor and are refused.
 * The wrapper throws, when the route is defined, only if the age is no duration or the factor is unknown.
 */
export function recentAuth(hasSecondFactor: HasSecondFactor): RequireRecentAuth {
  return (options = {}) => {
    const { factor = "strongest", maxAge = "10m" } = options;
    const maxAgeMs = parseDuration(maxAge, "requireRecentAuth.maxAge");
    if (!METHODS.has(factor)) {
      throw new TypeError(`requireRecentAuth.factor: came ${JSON.stringify(factor)}`);
    }
    const stage: Stage = {
      phase: "authorize",
      policy: { name: "requireRecentAuth", options: { factor, maxAge } },
      bind:
        ({ clock }) =>
        (context: RequestContext) =>
          decide(context.principal, { factor, maxAgeMs, now: clock.now() }, hasSecondFactor),
    };
    return wrapper<Authenticated>(stage);
  };
}

async function decide(
  principal: Principal | undefined,
  { factor, maxAgeMs, now }: { factor: RecentFactor; maxAgeMs: number; now: number },
  hasSecondFactor: HasSecondFactor,
): Promise<"pass" | Error> {
  if (principal === undefined) return new UnauthorizedError();
  if (principal.kind !== "user") return new ForbiddenError("A key cannot do this.");
  const isNeeded = factor === "strongest" ? await hasSecondFactor(principal.userId) : factor;
  const counts = countsFor(isNeeded);
  const at = lastProved(principal.methods, counts);
  if (at !== undefined && at <= now && now - at < maxAgeMs) return "pass";
  if (factor === "second" && at === undefined && !(await hasSecondFactor(principal.userId))) {
    return new ForbiddenError("This needs a second factor; set one up first.", {
      code: "MFA_REQUIRED",
    });
  }
  return reauthenticationRequired(maxAgeMs);
}

function countsFor(needed: boolean | RecentFactor): (method: AuthenticationMethod) => boolean {
  if (needed === true || needed === "second") return isSecondFactor;
  if (needed === false || needed === "any") return () => true;
  return (method) => method === needed;
}

/** The challenge says how old a proof may be (RFC 9470 section 3). */
function reauthenticationRequired(maxAgeMs: number): UnauthorizedError {
  const seconds = Math.floor(maxAgeMs / 1_000);
  return new UnauthorizedError("Prove again who you are.", {
    code: "REAUTHENTICATION_REQUIRED",
    headers: {
      "www-authenticate": `Bearer error="insufficient_user_authentication", error_description="A more recent authentication is required", max_age=${seconds}`,
    },
  });
}
