/** The claims of an access token (RFC 9068 section 2.2), each of its type. */
export interface TokenClaims {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  /** The session, by its public id. */
  readonly sid: string;
  readonly jti: string;
  /** NumericDates: whole seconds since 1970. */
  readonly iat: number;
  readonly nbf: number;
  readonly exp: number;
}

const TEXTS = ["iss", "aud", "sub", "sid", "jti"] as const;
const TIMES = ["iat", "nbf", "exp"] as const;

/**
 * readClaims reads encoded claims that a signature vouches for. It returns undefined unless every claim is there, of its type,
 * and the whole is written to the letter as JSON and base64url write it: no member twice, no white space, no padding. Further claims do
 * not matter, and mean nothing.
 */
export function readClaims(encoded: string): TokenClaims | undefined {
  const claims = parse(Buffer.from(encoded, "base64url").toString());
  if (claims === undefined) return undefined;
  if (Buffer.from(JSON.stringify(claims)).toString("base64url") !== encoded) return undefined;
  if (!TEXTS.every((name) => isText(own(claims, name)))) return undefined;
  if (!TIMES.every((name) => Number.isSafeInteger(own(claims, name)))) return undefined;
  return claims as unknown as TokenClaims;
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return value as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

const own = (claims: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(claims, name) ? claims[name] : undefined;

const isText = (value: unknown): boolean => typeof value === "string" && value !== "";
