import {
  type Authenticated,
  type Principal,
  type RequestContext,
  type Stage,
  UnauthorizedError,
  type Wrapper,
  wrapper,
} from "../core/index.ts";
import type { Holdings } from "./holdings.ts";
import { explains, refusalOf } from "./refusals.ts";

/** What a stage that also admits keys guarantees: somebody acts. */
export interface Admitted {
  readonly principal: Principal;
}

interface Demand {
  readonly name: string;
  readonly required: readonly string[];
  /** What a refusal says where it is explained, before the list. */
  readonly sentence: string;
  readonly principals?: readonly Principal["kind"][];
  readonly isMet: (principal: Principal) => boolean;
}

/** demand is the stage of a fixed requirement: 401 without a principal, 403 for one that does not meet it. */
function demand(
  { name, required, sentence, principals, isMet }: Demand,
  isExplained: boolean,
): Stage {
  return {
    phase: "authorize",
    policy: { name, options: required },
    principals,
    bind: (kernel) => {
      const refuse = refusalOf(isExplained || explains(kernel));
      const text = `${sentence}: ${required.join(", ")}`;
      return ({ principal }: RequestContext) => {
        if (principal === undefined) return new UnauthorizedError();
        return isMet(principal) ? "pass" : refuse(text);
      };
    },
  };
}

/** Throws a TypeError that names the wrapper only if nothing is required, or something that is not known. */
function checkRequired(name: string, required: readonly unknown[], known: Iterable<string>): void {
  const names = new Set<unknown>(known);
  const unknown = required.find((each) => !names.has(each));
  if (required.length > 0 && unknown === undefined) return;
  const came = required.length === 0 ? "nothing" : String(unknown).slice(0, 64);
  throw new TypeError(`${name}: expected some of ${[...names].join(", ")}, came ${came}`);
}

export const requireRoles = (
  holdings: Holdings,
  isExplained: boolean,
  required: readonly string[],
  isEach: boolean,
): Wrapper<Authenticated> => {
  const name = isEach ? "requireAllRoles" : "requireRoles";
  checkRequired(name, required, holdings.graph.names);
  const has = (principal: Exclude<Principal, { kind: "tenantKey" }>) => (role: string) =>
    holdings.hasRole(principal.roles, role);
  return wrapper<Authenticated>(
    demand(
      {
        name,
        required,
        sentence: isEach ? "Required roles, all of" : "Required roles",
        isMet: (principal) =>
          principal.kind !== "tenantKey" &&
          (isEach ? required.every(has(principal)) : required.some(has(principal))),
      },
      isExplained,
    ),
  );
};

export const requirePermissions = (
  holdings: Holdings,
  isExplained: boolean,
  required: readonly string[],
): Wrapper<Admitted> => {
  checkRequired("requirePermissions", required, holdings.permissions);
  return wrapper<Admitted>(
    demand(
      {
        name: "requirePermissions",
        required,
        sentence: "Required permissions",
        principals: ["userKey"],
        isMet: (principal) => required.every((permission) => holdings.may(principal, permission)),
      },
      isExplained,
    ),
  );
};

export const requireScopes = (
  holdings: Holdings,
  isExplained: boolean,
  required: readonly string[],
): Wrapper<Admitted> => {
  checkRequired("requireScopes", required, holdings.scopes);
  return wrapper<Admitted>(
    demand(
      {
        name: "requireScopes",
        required,
        sentence: "Required scopes",
        principals: ["userKey"],
        isMet: (principal) => required.every((scope) => holdings.hasScope(principal, scope)),
      },
      isExplained,
    ),
  );
};
