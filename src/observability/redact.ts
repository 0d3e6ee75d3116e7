const HIDDEN = "[redacted]";

/** Names whose values are secrets wherever they stand; compared in lower case without dashes and underscores. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  "apikey",
  "code",
  "databaseurl",
  "handle",
  "key",
  "otp",
  "passwordhash",
  "recoverycodes",
  "xapikey",
]);

/** Names that end so are secrets whatever stands before: `clientSecret`, `id_token`, `proxy-authorization`. */
const SECRET_ENDING = /(?:password|passphrase|secret|token|authorization|cookie)$/;

/** Texts that are secrets wherever they stand: JWTs, API keys (cut ones too), credentials in headers and URLs, PHC and bcrypt hashes. */
const SECRET_TEXTS: readonly RegExp[] = [
  /\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*/g,
  /[a-z0-9]{2,16}_(?:live|test)_[0-9A-Za-z]{22}_[0-9A-Za-z]*/g,
  /\b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi,
  /\$(?:argon2(?:id|i|d)|2[aby]|scrypt|pbkdf2[a-z0-9-]*)\$[^\s"']+/g,
  /(?<=:\/\/[^\s/@:]{0,64}:)[^\s/@]{1,256}(?=@)/g,
  /(?<=[?&#](?:token|code|key|secret|password)=)[^&\s"']+/gi,
];

const MAX_DEPTH = 6;
const MAX_ENTRIES = 64;
const MAX_TEXT = 8_192;

/** redactText hides what looks like a secret inside a text. */
export function redactText(text: string): string {
  let result = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
  for (const pattern of SECRET_TEXTS) result = result.replace(pattern, HIDDEN);
  return result;
}

/** redact returns a copy of a value with secrets hidden by name and by pattern, cut where it is deep or long. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return "[deep]";
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return "[bytes]";
  if (Array.isArray(value)) {
    return value.slice(0, MAX_ENTRIES).map((entry) => redact(entry, depth + 1));
  }
  const copy: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(value).slice(0, MAX_ENTRIES)) {
    const plain = name.toLowerCase().replaceAll(/[-_]/g, "");
    const isSecret =
      (SECRET_NAMES.has(plain) || SECRET_ENDING.test(plain)) && typeof entry !== "boolean";
    copy[name] = isSecret && !isErrorCode(name, entry) ? HIDDEN : redact(entry, depth + 1);
  }
  return copy;
}

/** An error's `code` is a name in capitals, a SQLSTATE or the like; a one-time code is digits. */
const isErrorCode = (name: string, value: unknown): boolean =>
  name === "code" && typeof value === "string" && /^[A-Z][A-Z0-9_]+$|^[0-9A-Z]{5}$/.test(value);

function redactError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const facts = redact(Object.fromEntries(Object.entries(error)), depth) as Record<string, unknown>;
  return {
    ...facts,
    type: name,
    message: redactText(message),
    stack: stack === undefined ? undefined : redactText(stack),
    ...(cause === undefined ? {} : { cause: redact(cause, depth + 1) }),
  };
}
