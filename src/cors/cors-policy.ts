import {
  ConfigurationError,
  type CrossOriginPolicy,
  type Duration,
  ForbiddenError,
  type HeaderRecord,
  type Preflight,
  parseDuration,
} from "../core/index.ts";
import { isUnderSuffix, originList, originProblem } from "./origins.ts";

export interface CORSOptions {
  /**
   * Whose pages may read answers: exact origins (`https://app.example.com`), host suffixes (`https://*.example.com`, every host below
   * it), or `"*"` alone. Never a regular expression, and never `null`.
   */
  readonly origins: readonly string[];
  /** Whether pages of the exact origins may send cookies; those of suffixes and of `"*"` never may. Default true. */
  readonly credentials?: boolean | undefined;
  /** Headers that a page may set. Default authorization, content-type, x-api-key, x-csrf-token and x-request-id. */
  readonly allowedHeaders?: readonly string[] | undefined;
  /** Headers of an answer that a page may read. Default x-request-id, retry-after, and those of the limits. */
  readonly exposedHeaders?: readonly string[] | undefined;
  /** How long a browser may keep a permission, at most 24h. Default 2h. */
  readonly maxAge?: Duration | undefined;
  /** Whether pages of a more public network may reach this server on a private one. Default false. */
  readonly privateNetwork?: boolean | undefined;
}

const ALLOWED_HEADERS = [
  "authorization",
  "content-type",
  "x-api-key",
  "x-csrf-token",
  "x-request-id",
];
const EXPOSED_HEADERS = [
  "x-request-id",
  "retry-after",
  "ratelimit",
  "ratelimit-policy",
  "x-ratelimit-limit",
  "x-ratelimit-remaining",
  "x-ratelimit-reset",
];
const DAY = 86_400_000;
const TOKEN = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/**
 * createCORSPolicy reads the options once; every request is then a look-up of its Origin, byte for byte.
 * Throws a ConfigurationError that lists every entry that is not valid: an origin with a path, `null`, `*` beside credentials.
 */
export function createCORSPolicy(options: CORSOptions): CrossOriginPolicy {
  const { origins, credentials = true, privateNetwork = false } = options;
  const problems = origins.flatMap((entry, index) => {
    const expected = originProblem(entry);
    const came = JSON.stringify(entry);
    return expected === undefined ? [] : [`origins[${index}]: expected ${expected}, came ${came}`];
  });
  problems.push(...anyOriginProblems(origins, credentials));
  const allowed = namesOf(options.allowedHeaders ?? ALLOWED_HEADERS, "allowedHeaders", problems);
  const exposed = namesOf(options.exposedHeaders ?? EXPOSED_HEADERS, "exposedHeaders", problems);
  const maxAge = maxAgeOf(options.maxAge ?? "2h", problems);
  if (problems.length > 0) throw new ConfigurationError(problems);

  const list = originList(origins);
  const expose: HeaderRecord =
    exposed.length === 0 ? {} : { "access-control-expose-headers": exposed.join(", ") };
  const withCredentials: HeaderRecord = credentials
    ? { "access-control-allow-credentials": "true" }
    : {};
  const exact = new Map(
    list.exact.map((origin): [string, HeaderRecord] => [
      origin,
      { "access-control-allow-origin": origin, ...withCredentials, ...expose },
    ]),
  );
  const toAnyone: HeaderRecord = { "access-control-allow-origin": "*", ...expose };

  const headersFor = (origin: string): HeaderRecord | undefined => {
    const known = exact.get(origin);
    if (known !== undefined) return known;
    // A page without an origin of its own is any page: sandboxed frames and local files say `null`.
    if (list.isAny) return origin === "null" ? undefined : toAnyone;
    if (!isUnderSuffix(origin, list.suffixes)) return undefined;
    return { "access-control-allow-origin": origin, ...expose };
  };

  const permission: HeaderRecord = {
    "access-control-allow-headers": allowed.join(", "),
    "access-control-max-age": String(maxAge / 1_000),
    vary: "Access-Control-Request-Method, Access-Control-Request-Headers",
  };
  const known = new Set(allowed);

  const preflight = (asked: Preflight): HeaderRecord | Error => {
    const headers = headersFor(asked.origin);
    if (headers === undefined) return new ForbiddenError("Pages of this origin are not served.");
    if (asked.privateNetwork && !privateNetwork) {
      return new ForbiddenError("This server is not open to pages of a public network.");
    }
    if (!asked.methods.includes(asked.method)) {
      return new ForbiddenError("This method is not allowed here.");
    }
    if (!areAllowed(asked.headers, known)) {
      return new ForbiddenError("A header that was asked for is not allowed here.");
    }
    return {
      ...headers,
      ...permission,
      "access-control-allow-methods": asked.methods.join(", "),
      ...(asked.privateNetwork ? { "access-control-allow-private-network": "true" } : {}),
    };
  };
  return { headersFor, preflight };
}

function anyOriginProblems(origins: readonly string[], credentials: boolean): string[] {
  if (!origins.includes("*")) return [];
  const problems: string[] = [];
  if (credentials) problems.push('origins: expected exact origins beside credentials, came "*"');
  if (origins.length > 1) problems.push('origins: expected "*" alone, came others beside it');
  return problems;
}

/** Header names, in lower case; `*` is none of them, since it would allow what nobody thought of. */
function namesOf(names: readonly string[], field: string, problems: string[]): readonly string[] {
  const lower = names.map((name) => name.toLowerCase());
  for (const [index, name] of lower.entries()) {
    if (TOKEN.test(name) && name !== "*") continue;
    const came = JSON.stringify(names[index]);
    problems.push(`${field}[${index}]: expected the name of a header, came ${came}`);
  }
  return lower;
}

function maxAgeOf(text: Duration, problems: string[]): number {
  try {
    const milliseconds = parseDuration(text, "maxAge");
    if (milliseconds <= DAY && milliseconds % 1_000 === 0) return milliseconds;
    problems.push(`maxAge: expected whole seconds, at most 24h, came ${text}`);
  } catch (error) {
    problems.push((error as Error).message);
  }
  return 0;
}

/** A list longer than any browser sends is not read. */
const MAX_ASKED = 2_048;

function areAllowed(asked: string | null, known: ReadonlySet<string>): boolean {
  if (asked === null || asked === "") return true;
  if (asked.length > MAX_ASKED) return false;
  return asked.split(",").every((name) => known.has(name.trim().toLowerCase()));
}
