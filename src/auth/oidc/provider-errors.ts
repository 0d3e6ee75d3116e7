import {
  BaseAPIError,
  ExternalServiceError,
  ForbiddenError,
  UnauthorizedError,
} from "../../core/index.ts";

/** What a provider says when the person, not the protocol, was in the way (RFC 6749 section 4.1.2.1, OIDC Core section 3.1.2.6). */
const PEOPLES: ReadonlySet<string> = new Set([
  "access_denied",
  "account_selection_required",
  "consent_required",
  "interaction_required",
  "login_required",
  "unmet_authentication_requirements",
]);

/** Codes of the library for answers that came, and do not prove who signed in. */
const NOT_PROVED: ReadonlySet<string> = new Set([
  "OAUTH_INVALID_RESPONSE",
  "OAUTH_JWT_CLAIM_COMPARISON_FAILED",
  "OAUTH_JWT_TIMESTAMP_CHECK_FAILED",
  "OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED",
  "OAUTH_KEY_SELECTION_FAILED",
  "OAUTH_UNSUPPORTED_OPERATION",
  "OAUTH_PARSE_ERROR",
]);

/** An error of the library, of which only its names are read: it holds responses, and with them codes and tokens. */
interface Thrown {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly error?: unknown;
  readonly message?: unknown;
  readonly cause?: Thrown | undefined;
}

/** unreachable is the refusal of a provider that cannot be asked, or whose answer is none. */
export const unreachable = (provider: string, thrown: unknown): ExternalServiceError =>
  new ExternalServiceError(`oidc provider ${provider}`, { cause: new Error(reasonOf(thrown)) });

/** exchangeRefusal turns what the library throws at a callback into a refusal that repeats nothing of the provider's text. */
export function exchangeRefusal(provider: string, thrown: unknown): BaseAPIError<string> {
  const { name, code, error } = thrown as Thrown;
  const cause = new Error(reasonOf(thrown));
  if (name === "AuthorizationResponseError" && PEOPLES.has(String(error))) {
    return new ForbiddenError("The sign-in was cancelled or refused at the provider.", { cause });
  }
  if (name === "ResponseBodyError" && error === "invalid_grant") {
    return new BaseAPIError("INVALID_REQUEST", "The provider does not know this sign-in.", {
      cause,
    });
  }
  if (NOT_PROVED.has(String(code))) {
    return new UnauthorizedError("The provider's answer does not prove who signed in.", {
      code: "INVALID_CREDENTIALS",
      cause,
    });
  }
  return unreachable(provider, thrown);
}

/** reasonOf names what went wrong for the log and the audit trail, in the library's own words and codes. */
export function reasonOf(thrown: unknown): string {
  const names: string[] = [];
  for (let each = thrown as Thrown | undefined, depth = 0; each && depth < 4; depth += 1) {
    const { name, code, error, message } = each;
    const isStatic = name === "OperationProcessingError" || name === "UnsupportedOperationError";
    names.push(...[code, error].filter(isCode));
    if (isStatic && typeof message === "string") names.push(message.slice(0, 200));
    if (names.length === 0 && typeof name === "string") names.push(name);
    each = each.cause;
  }
  return [...new Set(names)].join(": ") || "unknown";
}

const isCode = (value: unknown): value is string =>
  typeof value === "string" && /^[A-Za-z_]{1,60}$/.test(value);
