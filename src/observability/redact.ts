/** What stands in the place of a secret. */
export const HIDDEN = "[redacted]";

/** Names whose values are secrets wherever they stand; compared in lower case, letters and digits alone. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  "bearer",
  "code",
  "databaseurl",
  "handle",
  "key",
  "otp",
  "pass",
  "pin",
  "recoverycodes",
]);

/** Names that end so are secrets whatever stands before: `clientSecret`, `id_token`, `user[password]`, `proxy-authorization`. */
const SECRET_ENDING =
  /(?:(?:password|passphrase|passwd)(?:\d+|hash|confirm|confirmation|repeat)?|pwd|secret|token|authorization|cookie|credential|jwt|pepper|(?:api|private|secret|access|signing|encryption)key|(?:mfa|otp|recovery|totp)code)$/;

const WORDS = "(?:pass(?:word|phrase|wd)|pwd|secret|token|api[_-]?key|private[_-]?key)";

/**
 * Texts that are secrets wherever they stand: JWTs (signed or sealed), API keys (cut ones too), private keys, credentials in
 * headers and URLs, PHC and bcrypt hashes, and what stands behind a secret's name in a query, in JSON or in a header.
 */
const SECRET_TEXTS: readonly RegExp[] = [
  /\beyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){2,4}/g,
  /[a-z0-9]{2,16}_(?:live|test)_[0-9A-Za-z]{22}_[0-9A-Za-z]*/g,
  /-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,32}PRIVATE KEY-----|$)/g,
  /\b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi,
  /\$(?:argon2(?:id|i|d)|2[aby]|scrypt|pbkdf2[a-z0-9-]*)\$[^\s"']+/g,
  /(?<=:\/\/[^\s/@:]{0,256}:)[^\s/]{1,1024}(?=@)/g,
  /(?<=[?&#;](?:code|key)=)[^&\s"'<>]+/gi,
  new RegExp(`(?<=${WORDS}=)(?!\\[redacted)[^&\\s"'<>]+`, "gi"),
  new RegExp(String.raw`(?<=${WORDS}s?\\?["']?\s{0,4}:\s{0,4}\\?")(?:[^"\\]|\\.)+`, "gi"),
  new RegExp(String.raw`(?<=${WORDS}s?["']?\s{0,4}:\s{0,4}')(?:[^'\\]|\\.)+`, "gi"),
  // A message of ours about such a header stays: "cookie: expected ...".
  /(?<=\b(?:cookie|authorization|x-api-key):\s{0,4})(?!expected\b|\[redacted|\s)[^\r\n"']+/gi,
];

const MAX_DEPTH = 6;
const MAX_ENTRIES = 64;
/** Values that one call looks at: what is wide and deep at once would be copied for seconds. */
const MAX_VALUES = 4_096;
const MAX_TEXT = 8_192;
/** Looked at beyond the cut, so that a secret which it runs through is known as one. */
const BEYOND_CUT = 1_280;

/** redactText hides what looks like a secret inside a text. */
export function redactText(text: string): string {
  const isLong = text.length > MAX_TEXT;
  let result = isLong ? text.slice(0, MAX_TEXT + BEYOND_CUT) : text;
  for (const pattern of SECRET_TEXTS) result = result.replace(pattern, HIDDEN);
  return isLong ? `${result.slice(0, MAX_TEXT)}...` : result;
}

/** redact returns a copy of a value with secrets hidden by name and by pattern, cut where it is deep or long. It never throws. */
export function redact(value: unknown): unknown {
  return copyOf(value, 0, { left: MAX_VALUES });
}

interface Budget {
  left: number;
}

function copyOf(value: unknown, depth: number, budget: Budget): unknown {
  budget.left -= 1;
  if (budget.left < 0) return "[long]";
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return value.toString();
  // A function among the copies could be a `toJSON`, and would say in the clear what the copy hides.
  if (typeof value === "function" || typeof value === "symbol") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return "[deep]";
  try {
    return copyOfObject(value, depth, budget);
  } catch {
    // A getter or a proxy that throws.
    return "[unreadable]";
  }
}

function copyOfObject(value: object, depth: number, budget: Budget): unknown {
  if (value instanceof Error) return copyOfError(value, depth, budget);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return redactText(value.href);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return "[bytes]";
  if (Array.isArray(value) || value instanceof Set) {
    return [...value].slice(0, MAX_ENTRIES).map((entry) => copyOf(entry, depth + 1, budget));
  }
  const isListed =
    value instanceof Map || value instanceof Headers || value instanceof URLSearchParams;
  return copyOfEntries(isListed ? [...value] : Object.entries(value), depth, budget);
}

function copyOfEntries(
  entries: readonly (readonly [unknown, unknown])[],
  depth: number,
  budget: Budget,
): Record<string, unknown> {
  return Object.fromEntries(
    entries.slice(0, MAX_ENTRIES).map(([key, entry]) => {
      const name = String(key);
      const shown = isSecret(name, entry) ? HIDDEN : copyOf(entry, depth + 1, budget);
      return [redactText(name), shown];
    }),
  );
}

/**
 * isSecret tells by its name whether a value is hidden. Several of a kind, `tokens`, are secrets too, unless they are counted. A boolean
 * tells whether there is one.
 */
export function isSecret(name: string, value: unknown): boolean {
  if (typeof value === "boolean" || isErrorCode(name, value)) return false;
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  if (SECRET_NAMES.has(plain) || SECRET_ENDING.test(plain)) return true;
  const one = plain.replace(/s$/, "");
  return one !== plain && typeof value !== "number" && SECRET_ENDING.test(one);
}

/** An error's `code` is a name in capitals, a SQLSTATE or the like; a one-time code is digits. */
const isErrorCode = (name: string, value: unknown): boolean =>
  name === "code" && typeof value === "string" && /^[A-Z][A-Z0-9_]+$|^[0-9A-Z]{5}$/.test(value);

function copyOfError(error: Error, depth: number, budget: Budget): Record<string, unknown> {
  // What is thrown may have been made by anybody: none of these need be a text.
  const { name, message, stack, cause } = error as Record<keyof Error, unknown>;
  const own = copyOfEntries(Object.entries(error), depth, budget);
  const errors = error instanceof AggregateError ? error.errors : undefined;
  return {
    ...own,
    type: copyOf(name, depth + 1, budget),
    message: copyOf(message, depth + 1, budget),
    stack: copyOf(stack, depth + 1, budget),
    ...(cause === undefined ? {} : { cause: copyOf(cause, depth + 1, budget) }),
    ...(errors === undefined ? {} : { errors: copyOf(errors, depth + 1, budget) }),
  };
}
