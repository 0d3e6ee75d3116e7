import type { ClientAuth, Configuration, ServerMetadata } from "openid-client";
import { type Clock, ExternalServiceError } from "../../core/index.ts";
import { matchesAccessToken } from "./access-token-hash.ts";
import { boundedFetch } from "./bounded-fetch.ts";
import type { ResolvedOidcProvider } from "./oidc-config.ts";
import { exchangeRefusal, reasonOf, unreachable } from "./provider-errors.ts";

type Library = typeof import("openid-client");

export interface ProviderClientOptions {
  readonly provider: ResolvedOidcProvider;
  readonly clock: Clock;
  /** Allows endpoints on http://localhost and its like. */
  readonly insecureAllowLoopback: boolean;
  readonly timeoutMs: number;
  readonly metadataLifetimeMs: number;
  readonly retryAfterMs: number;
}

/** What the answer to one authorization request has to match. */
export interface AnswerChecks {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Seconds since the person signed in at the provider, at most. */
  readonly maxAge?: number | undefined;
  /** Whether an e-mail address is wanted, for which the provider's UserInfo may have to be asked. */
  readonly wantsEmail: boolean;
}

/** Claims of an ID token that was verified, and of UserInfo for the same subject. */
export type ProvedClaims = Readonly<Record<string, unknown>> & {
  readonly iss: string;
  readonly sub: string;
};

/** loadLibrary loads openid-client, an optional peer. Rejects with an Error that says what to install where it is missing. */
export async function loadLibrary(): Promise<Library> {
  try {
    return await import("openid-client");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND" || !message.includes("'openid-client'")) throw error;
    throw new Error("openid-client is not installed: npm install openid-client", { cause: error });
  }
}

/** ProviderClient speaks with one provider, whose metadata it reads when they are first needed. */
export class ProviderClient {
  readonly #o: ProviderClientOptions;
  #known: { readonly metadata: ServerMetadata; readonly at: number } | undefined;
  #failed: { readonly reason: string; readonly at: number } | undefined;
  #pending: Promise<ServerMetadata> | undefined;
  #configured: Configured | undefined;

  constructor(options: ProviderClientOptions) {
    this.#o = options;
  }

  /** authorizationUrl returns where a browser begins, with the PKCE challenge of `verifier` (RFC 7636, S256). */
  async authorizationUrl(
    parameters: Readonly<Record<string, string>>,
    verifier: string,
  ): Promise<URL> {
    const library = await loadLibrary();
    const configuration = await this.#configuration(library);
    const { provider } = this.#o;
    const code_challenge = await library.calculatePKCECodeChallenge(verifier);
    try {
      return library.buildAuthorizationUrl(configuration, {
        ...parameters,
        response_type: "code",
        scope: provider.scope,
        ...(provider.acrValues === undefined ? {} : { acr_values: provider.acrValues }),
        code_challenge,
        code_challenge_method: "S256",
      });
    } catch (error) {
      throw unreachable(provider.name, error);
    }
  }

  /** issuer returns the name by which the provider calls itself. Rejects with an ExternalServiceError where it cannot be asked. */
  async issuer(): Promise<string> {
    return (await this.#metadata(await loadLibrary())).issuer;
  }

  /**
   * redeem checks an authorization response, exchanges its code and verifies the ID token: state, `iss` (RFC 9207), signature, pinned
   * algorithm, audience, times, nonce, and `at_hash` where it is given. Rejects with a coded refusal.
   */
  async redeem(currentUrl: URL, checks: AnswerChecks): Promise<ProvedClaims> {
    const library = await loadLibrary();
    const configuration = await this.#configuration(library);
    const { name, algorithm } = this.#o.provider;
    const { state, nonce, verifier, maxAge } = checks;
    try {
      const tokens = await library.authorizationCodeGrant(configuration, currentUrl, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
        ...(maxAge === undefined ? {} : { maxAge }),
      });
      const claims = tokens.claims();
      if (claims === undefined || !SUBJECT.test(claims.sub)) throw notProved("no subject");
      if (!matchesAccessToken(claims["at_hash"], tokens.access_token, algorithm)) {
        throw notProved("at_hash");
      }
      if (!checks.wantsEmail || claims["email"] !== undefined) return claims;
      if (configuration.serverMetadata().userinfo_endpoint === undefined) return claims;
      const info = await library.fetchUserInfo(configuration, tokens.access_token, claims.sub);
      return { ...info, ...claims };
    } catch (error) {
      throw exchangeRefusal(name, error);
    }
  }

  /** The library reads the system's clock: where ours goes otherwise, it is told by how much. */
  async #configuration(library: Library): Promise<Configuration> {
    const metadata = await this.#metadata(library);
    const skew = Math.round((this.#o.clock.now() - Date.now()) / 1_000);
    if (this.#configured?.metadata === metadata && this.#configured.skew === skew) {
      return this.#configured.configuration;
    }
    const configuration = this.#configure(library, metadata, skew);
    this.#configured = { configuration, metadata, skew };
    return configuration;
  }

  #configure(library: Library, metadata: ServerMetadata, skew: number): Configuration {
    const { provider, insecureAllowLoopback, timeoutMs } = this.#o;
    const configuration = new library.Configuration(
      metadata,
      provider.clientId,
      {
        id_token_signed_response_alg: provider.algorithm,
        [library.clockSkew]: skew,
      },
      clientAuthentication(library, provider, metadata),
    );
    configuration.timeout = timeoutMs / 1_000;
    configuration[library.customFetch] = boundedFetch(insecureAllowLoopback);
    if (insecureAllowLoopback) library.allowInsecureRequests(configuration);
    // Without this the library trusts the connection for the ID token, and verifies no signature (OIDC Core section 3.1.3.7).
    library.enableNonRepudiationChecks(configuration);
    return configuration;
  }

  async #metadata(library: Library): Promise<ServerMetadata> {
    const { clock, metadataLifetimeMs, retryAfterMs, provider } = this.#o;
    const now = clock.now();
    if (this.#known !== undefined && now - this.#known.at < metadataLifetimeMs) {
      return this.#known.metadata;
    }
    // A provider that is down is not asked again by everyone who comes meanwhile.
    if (this.#failed !== undefined && now - this.#failed.at < retryAfterMs) {
      throw new ExternalServiceError(`oidc provider ${provider.name}`, {
        cause: new Error(this.#failed.reason),
      });
    }
    this.#pending ??= this.#discover(library).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #discover(library: Library): Promise<ServerMetadata> {
    const { provider, insecureAllowLoopback, timeoutMs, clock } = this.#o;
    try {
      const found = await library.discovery(
        new URL(provider.issuer),
        provider.clientId,
        undefined,
        undefined,
        {
          timeout: timeoutMs / 1_000,
          execute: insecureAllowLoopback ? [library.allowInsecureRequests] : [],
          [library.customFetch]: boundedFetch(insecureAllowLoopback),
        },
      );
      const metadata = found.serverMetadata();
      // The library lets some providers name themselves otherwise; a name that is a pattern is nobody's.
      if (new URL(metadata.issuer).href !== new URL(provider.issuer).href) {
        throw Object.assign(new Error(), { code: "ISSUER_MISMATCH" });
      }
      this.#known = { metadata, at: clock.now() };
      this.#failed = undefined;
      return metadata;
    } catch (error) {
      this.#failed = { reason: reasonOf(error), at: clock.now() };
      throw unreachable(provider.name, error);
    }
  }
}

/** At most 255 characters of ASCII (OIDC Core section 2). */
const SUBJECT = /^[\x20-\x7e]{1,255}$/;

const notProved = (what: string): Error =>
  Object.assign(new Error(what), { code: "OAUTH_INVALID_RESPONSE" });

interface Configured {
  readonly configuration: Configuration;
  readonly metadata: ServerMetadata;
  readonly skew: number;
}

/** The method that the provider says it takes; client_secret_basic where it says nothing (OIDC Discovery section 3). */
function clientAuthentication(
  library: Library,
  { clientSecret }: ResolvedOidcProvider,
  metadata: ServerMetadata,
): ClientAuth {
  if (clientSecret === undefined) return library.None();
  const methods = metadata.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
  return methods.includes("client_secret_basic")
    ? library.ClientSecretBasic(clientSecret)
    : library.ClientSecretPost(clientSecret);
}
