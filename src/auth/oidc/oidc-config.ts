/** Algorithms of ID tokens that can be pinned: asymmetric ones alone (RFC 8725 section 3.1). */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

/** @public */
export type OidcAlgorithm = (typeof ALGORITHMS)[number];

/**
 * OidcProviderConfig is one OpenID provider that people may sign in with.
 * @public
 */
export interface OidcProviderConfig {
  /** The issuer, exactly as it names itself; its endpoints are discovered from it. https; in development also http on loopback. */
  readonly issuer: string;
  readonly clientId: string;
  /** Default none: a public client, which PKCE alone protects. */
  readonly clientSecret?: string | undefined;
  /** Default `openid`, `email`, `profile`; `openid` must be among them. */
  readonly scopes?: readonly string[] | undefined;
  /** The one algorithm of its ID tokens that is accepted. Default RS256. */
  readonly algorithm?: OidcAlgorithm | undefined;
  /** `acr_values` of the request, separated by spaces. Default none. */
  readonly acrValues?: string | undefined;
  /** Values of the claims `acr` and `amr`, of which one proves a second factor. Default none: our own second factor is asked for. */
  readonly mfa?:
    | { readonly acr?: readonly string[] | undefined; readonly amr?: readonly string[] | undefined }
    | undefined;
  /** What people are shown. Default the provider's name in the configuration. */
  readonly displayName?: string | undefined;
}

/**
 * OidcConfig lists providers by a name of our own, which stands in the paths of their routes: `^[a-z][a-z0-9-]{0,31}$`.
 * @public
 */
export type OidcConfig = Readonly<Record<string, OidcProviderConfig>>;

/**
 * ResolvedOidcProvider is a provider with its defaults filled in.
 * @public
 */
export interface ResolvedOidcProvider {
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly scope: string;
  readonly algorithm: OidcAlgorithm;
  readonly acrValues: string | undefined;
  readonly mfa: { readonly acr: ReadonlySet<string>; readonly amr: ReadonlySet<string> };
  readonly displayName: string;
}

const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const FIELDS: ReadonlySet<string> = new Set([
  "issuer",
  "clientId",
  "clientSecret",
  "scopes",
  "algorithm",
  "acrValues",
  "mfa",
  "displayName",
]);
/** A scope, or an authentication context, as it may stand in a list separated by spaces (RFC 6749 section 3.3). */
const WORD = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/;
const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

type Refuse = (field: string, expected: string, came: unknown) => void;

/**
 * resolveOidc checks the providers of a configuration and fills in their defaults. Every problem is pushed to `problems` as
 * "field: expected ..., came ..."; a secret's value is never shown. It does not throw.
 * @public
 */
export function resolveOidc(
  config: OidcConfig | undefined,
  mode: "production" | "development",
  problems: string[],
): ReadonlyMap<string, ResolvedOidcProvider> {
  const resolved = new Map<string, ResolvedOidcProvider>();
  const namesByIssuer = new Map<string, string>();
  for (const [name, provider] of Object.entries(config ?? {})) {
    if (!NAME.test(name)) {
      problems.push(`oidc: expected names such as "example-id", came ${show(name)}`);
      continue;
    }
    const refuse: Refuse = (field, expected, came) => {
      problems.push(`oidc.${name}${field}: expected ${expected}, came ${show(came)}`);
    };
    if (typeof provider !== "object" || provider === null) {
      refuse("", "an object", provider);
      continue;
    }
    const one = resolveProvider(name, provider, mode, refuse);
    const other = namesByIssuer.get(one.issuer);
    // A response's `iss` tells two providers apart only while each has its own.
    if (other !== undefined) refuse(".issuer", `another than that of oidc.${other}`, one.issuer);
    namesByIssuer.set(one.issuer, name);
    resolved.set(name, one);
  }
  return resolved;
}

/** isLoopback tells a URL of this very machine. */
export const isLoopback = (url: URL): boolean => LOOPBACK.has(url.hostname);

function resolveProvider(
  name: string,
  provider: OidcProviderConfig,
  mode: "production" | "development",
  refuse: Refuse,
): ResolvedOidcProvider {
  for (const field of Object.keys(provider)) {
    if (!FIELDS.has(field)) refuse("", `one of ${[...FIELDS].join(", ")}`, field);
  }
  const { issuer, clientId, clientSecret, acrValues, displayName = name } = provider;
  const { scopes = ["openid", "email", "profile"], algorithm = "RS256", mfa = {} } = provider;
  checkIssuer(issuer, mode, refuse);
  if (!isText(clientId)) refuse(".clientId", "a text", clientId);
  if (clientSecret !== undefined && !isText(clientSecret)) {
    refuse(".clientSecret", "a text", typeof clientSecret === "string" ? "" : typeof clientSecret);
  }
  if (!isWords(scopes) || !scopes.includes("openid")) {
    refuse(".scopes", 'a list of scopes with "openid"', scopes);
  }
  if (!ALGORITHMS.includes(algorithm)) {
    refuse(".algorithm", `one of ${ALGORITHMS.join(", ")}`, algorithm);
  }
  if (acrValues !== undefined && !(isText(acrValues) && isWords(acrValues.split(" ")))) {
    refuse(".acrValues", "values separated by single spaces", acrValues);
  }
  if (!isText(displayName)) refuse(".displayName", "a text of 1 to 500 characters", displayName);
  return {
    name,
    issuer,
    clientId,
    clientSecret,
    scope: isWords(scopes) ? scopes.join(" ") : "",
    algorithm,
    acrValues,
    mfa: resolveMfa(mfa, refuse),
    displayName,
  };
}

function resolveMfa(
  mfa: NonNullable<OidcProviderConfig["mfa"]>,
  refuse: Refuse,
): ResolvedOidcProvider["mfa"] {
  const { acr = [], amr = [], ...others } = mfa;
  for (const field of Object.keys(others)) refuse(".mfa", "acr and amr alone", field);
  if (!isWords(acr)) refuse(".mfa.acr", "a list of values", acr);
  if (!isWords(amr)) refuse(".mfa.amr", "a list of values", amr);
  return { acr: new Set(isWords(acr) ? acr : []), amr: new Set(isWords(amr) ? amr : []) };
}

function checkIssuer(issuer: unknown, mode: string, refuse: Refuse): void {
  const isDevelopment = mode === "development";
  const url = typeof issuer === "string" && URL.canParse(issuer) ? new URL(issuer) : undefined;
  const isPlain =
    url !== undefined &&
    url.username === "" &&
    url.password === "" &&
    !/[?#]/.test(String(issuer)) &&
    !url.pathname.includes("/.well-known/");
  const isSecure =
    url?.protocol === "https:" || (url?.protocol === "http:" && isDevelopment && isLoopback(url));
  if (isPlain && isSecure) return;
  const also = isDevelopment ? " (or http on loopback)" : "";
  // A user's part of a URL may hold a password: it is not shown.
  const came = typeof issuer === "string" ? issuer.replace(/\/\/[^/]*@/, "//...@") : issuer;
  refuse(".issuer", `an https URL${also} without a query, such as "https://id.example.com"`, came);
}

const isText = (value: unknown): value is string =>
  typeof value === "string" && /^[^\p{Cc}]{1,500}$/u.test(value);

const isWords = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === "string" && WORD.test(each));

const show = (value: unknown): string => JSON.stringify(value) ?? "nothing";
