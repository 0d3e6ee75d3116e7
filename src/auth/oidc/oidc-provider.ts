import {
  BaseAPIError,
  type Clock,
  NotFoundError,
  parseDuration,
  systemClock,
} from "../../core/index.ts";
import type { Sealer } from "../../crypto/index.ts";
import type { Database } from "../../database/index.ts";
import { expireCookie, readCookie, setCookie } from "../sessions/index.ts";
import { readCallback } from "./callback-parameters.ts";
import type { ResolvedOidcProvider } from "./oidc-config.ts";
import { loadLibrary, type ProvedClaims, ProviderClient } from "./provider-client.ts";
import { type OidcIntent, OidcTransactions } from "./transactions.ts";

/** Binds a sign-in that is under way to the browser that began it. */
const OIDC_COOKIE = "__Host-oidc";
/** Enough to sign in and to read a page of consent; silent sign-ins are older. */
const FRESH_SECONDS = 300;

/** @public */
export interface OidcProviderOptions {
  readonly providers: ReadonlyMap<string, ResolvedOidcProvider>;
  /** Origin of this application; redirect URIs are below it. */
  readonly issuer: string;
  readonly database: Database;
  readonly sealer: Sealer;
  readonly clock?: Clock | undefined;
  /** How long a person may be away at the provider. Default 10m. */
  readonly lifetime?: string | undefined;
  /** Longest wait for one answer of a provider. Default 5s. */
  readonly timeout?: string | undefined;
  /** How long a provider's metadata are used before they are read again. Default 1h. */
  readonly metadataLifetime?: string | undefined;
  /** How long a provider that failed is not asked for its metadata again. Default 5s. */
  readonly retryAfter?: string | undefined;
  /** Allows providers' endpoints over http on loopback, for development. Default false. */
  readonly insecureAllowLoopback?: boolean | undefined;
}

/** @public */
export interface OidcStart {
  readonly intent: OidcIntent;
  readonly mode: "token" | "cookie";
  /** Of a link: whose account it is, and the session that asks. */
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  /** A path on our own origin, as `checkReturnTo` passes it. */
  readonly returnTo?: string | undefined;
  /** Makes the person sign in at the provider anew, which then must not be longer ago than 5 minutes. Default false. */
  readonly fresh?: boolean | undefined;
}

/**
 * OidcProof is who signed in at a provider, and what for.
 * @public
 */
export interface OidcProof {
  readonly provider: string;
  readonly intent: OidcIntent;
  readonly mode: "token" | "cookie";
  readonly userId: string | undefined;
  readonly sessionId: string | undefined;
  readonly returnTo: string | undefined;
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | undefined;
  readonly emailVerified: boolean;
  readonly name: string | undefined;
  /** Whether the configured `acr` or `amr` values were among the claims. */
  readonly provedSecondFactor: boolean;
  /** When the person signed in at the provider, in milliseconds, where the provider says. */
  readonly authTime: number | undefined;
}

/**
 * OidcProvider sends browsers to OpenID providers and checks what they bring back: the authorization code flow with PKCE, state and
 * nonce, bound to one provider and one browser (OpenID Connect Core 1.0, RFC 9700, RFC 9207).
 * @public
 */
export class OidcProvider {
  readonly #providers: ReadonlyMap<string, ResolvedOidcProvider>;
  readonly #issuer: string;
  readonly #clients: ReadonlyMap<string, ProviderClient>;
  readonly #transactions: OidcTransactions;

  constructor(options: OidcProviderOptions) {
    const { providers, database, sealer, clock = systemClock } = options;
    const { lifetime = "10m", insecureAllowLoopback = false } = options;
    const rest = {
      clock,
      insecureAllowLoopback,
      timeoutMs: parseDuration(options.timeout ?? "5s", "timeout"),
      metadataLifetimeMs: parseDuration(options.metadataLifetime ?? "1h", "metadataLifetime"),
      retryAfterMs: parseDuration(options.retryAfter ?? "5s", "retryAfter"),
    };
    this.#providers = providers;
    this.#issuer = options.issuer;
    this.#transactions = new OidcTransactions({ database, sealer, clock, lifetime });
    this.#clients = new Map(
      [...providers].map(([name, provider]) => [name, new ProviderClient({ provider, ...rest })]),
    );
  }

  /** open loads the library where a provider is configured, so that a missing one is known at the start. Rejects with an Error that says what to install. */
  async open(): Promise<void> {
    if (this.#providers.size > 0) await loadLibrary();
  }

  /** list names the providers, in the order of the configuration. */
  list(): readonly { readonly name: string; readonly displayName: string }[] {
    return [...this.#providers.values()].map(({ name, displayName }) => ({ name, displayName }));
  }

  /**
   * start begins a sign-in: where the browser has to go, and the Set-Cookie that binds it. Rejects with a NotFoundError (no such
   * provider) and an ExternalServiceError (it cannot be asked).
   */
  async start(
    name: string,
    start: OidcStart,
  ): Promise<{ readonly url: string; readonly cookie: string }> {
    const { client } = this.#named(name);
    const { fresh, ...begun } = start;
    // Asked first: a provider that is gone leaves no row behind.
    await client.issuer();
    const maxAge = fresh === true ? FRESH_SECONDS : undefined;
    const { state, browser, nonce, verifier } = await this.#transactions.begin({
      provider: name,
      ...begun,
      maxAge,
    });
    const renewal = maxAge === undefined ? {} : { prompt: "login", max_age: String(maxAge) };
    const redirect_uri = this.#redirectUri(name);
    const url = await client.authorizationUrl({ redirect_uri, state, nonce, ...renewal }, verifier);
    const cookie = setCookie(OIDC_COOKIE, browser, this.#transactions.maxAge);
    return { url: url.href, cookie };
  }

  /** The Set-Cookie that ends a browser's part in a sign-in. */
  get expiredCookie(): string {
    return expireCookie(OIDC_COOKIE);
  }

  /**
   * callback checks what a browser brought back: `search` is the query of its URL, `cookies` its Cookie header. A transaction is used
   * up before its code is exchanged. Rejects with a NotFoundError (no such provider), INVALID_REQUEST (malformed, unknown, used,
   * over, of another browser or provider, or a wrong `iss`), FORBIDDEN (refused at the provider), INVALID_CREDENTIALS (the answer
   * proves nothing) and an ExternalServiceError (the provider cannot be asked); nothing of the provider's text is in them.
   */
  async callback(name: string, search: string, cookies: string | null): Promise<OidcProof> {
    const { provider, client } = this.#named(name);
    const { state, iss } = readCallback(search);
    const browser = readCookie(cookies, OIDC_COOKIE);
    if (browser === undefined || browser === "ambiguous") throw unknownSignIn();
    const transaction = await this.#transactions.consume(name, state, browser.value);
    if (transaction === undefined) throw unknownSignIn();
    if (iss !== undefined && iss !== (await client.issuer())) {
      throw new BaseAPIError("INVALID_REQUEST", "The answer is another provider's.");
    }
    const currentUrl = new URL(this.#redirectUri(name));
    currentUrl.search = search;
    const { nonce, verifier, maxAge, intent, mode, userId, sessionId, returnTo } = transaction;
    const wantsEmail = intent === "sign-in";
    const claims = await client.redeem(currentUrl, { state, nonce, verifier, maxAge, wantsEmail });
    return {
      provider: name,
      intent,
      mode,
      userId,
      sessionId,
      returnTo,
      ...factsOf(claims, provider),
    };
  }

  #named(name: string): { provider: ResolvedOidcProvider; client: ProviderClient } {
    const provider = this.#providers.get(name);
    const client = this.#clients.get(name);
    if (provider === undefined || client === undefined) throw new NotFoundError("Provider", name);
    return { provider, client };
  }

  /** From the configuration, never from a Host header. */
  #redirectUri(name: string): string {
    return `${this.#issuer}/api/auth/oidc/${name}/callback`;
  }
}

const unknownSignIn = (): BaseAPIError<string> =>
  new BaseAPIError("INVALID_REQUEST", "This sign-in is not known here, or is over. Begin again.");

function factsOf(
  claims: ProvedClaims,
  { mfa }: ResolvedOidcProvider,
): Pick<
  OidcProof,
  "issuer" | "subject" | "email" | "emailVerified" | "name" | "provedSecondFactor" | "authTime"
> {
  const { iss, sub, email, email_verified, name, acr, amr, auth_time } = claims;
  const methods: readonly unknown[] = Array.isArray(amr) ? amr : [];
  return {
    issuer: iss,
    subject: sub,
    email: textOf(email),
    // Some providers write it as a text.
    emailVerified: email_verified === true || email_verified === "true",
    name: textOf(name) ?? textOf(claims["preferred_username"]),
    provedSecondFactor:
      (typeof acr === "string" && mfa.acr.has(acr)) ||
      methods.some((method) => typeof method === "string" && mfa.amr.has(method)),
    authTime: typeof auth_time === "number" ? auth_time * 1_000 : undefined,
  };
}

const textOf = (claim: unknown): string | undefined =>
  typeof claim === "string" && claim !== "" && claim.length <= 1_000 ? claim : undefined;
