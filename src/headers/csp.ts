const FETCH = [
  "default-src",
  "child-src",
  "connect-src",
  "font-src",
  "frame-src",
  "img-src",
  "manifest-src",
  "media-src",
  "object-src",
  "script-src",
  "script-src-attr",
  "script-src-elem",
  "style-src",
  "style-src-attr",
  "style-src-elem",
  "worker-src",
] as const;
const OTHERS = [
  "base-uri",
  "form-action",
  "frame-ancestors",
  "report-to",
  "report-uri",
  "require-trusted-types-for",
  "sandbox",
  "trusted-types",
  "upgrade-insecure-requests",
] as const;

export type Directive = (typeof FETCH)[number] | (typeof OTHERS)[number];

/** Directives of a policy, each with its values as they are written: `'self'` in quotes. An empty list stands for the name alone. */
export type PolicyDirectives = Readonly<Partial<Record<Directive, readonly string[]>>>;

export interface PolicyOptions {
  /** Sources that undo what a policy is for, such as `'unsafe-inline'`, added unchecked to their directives. Default none. */
  readonly insecureSources?: PolicyDirectives | undefined;
}

/** NONCE stands in a directive for the nonce of each answer. */
export const NONCE = "'nonce-{nonce}'";

/** What a policy that names nothing says: nothing is loaded, sent, framed or based elsewhere. */
const CLOSED: PolicyDirectives = {
  "default-src": ["'none'"],
  "base-uri": ["'none'"],
  "form-action": ["'none'"],
  "frame-ancestors": ["'none'"],
};

/**
 * contentSecurityPolicy writes a policy (CSP Level 3). What it does not name of `default-src`, `base-uri`, `form-action` and
 * `frame-ancestors` is `'none'`.
 * Throws a TypeError that names the directive only if one is unknown, a value is malformed, or a source undoes what the policy is for:
 * those are named in `insecureSources`, or not at all.
 */
export function contentSecurityPolicy(
  directives: PolicyDirectives = {},
  { insecureSources = {} }: PolicyOptions = {},
): string {
  // A directive that only insecureSources names is a directive all the same.
  const named: PolicyDirectives = {
    ...directives,
    ...Object.fromEntries(
      entriesOf(insecureSources)
        .filter(([name]) => !Object.hasOwn(directives, name))
        .map(([name]) => [name, []]),
    ),
  };
  const closed = entriesOf(CLOSED).filter(([name]) => !Object.hasOwn(named, name));
  return [...entriesOf(named), ...closed]
    .map(([name, values]) => {
      checkName(name);
      const insecure = own(insecureSources, name) ?? [];
      for (const value of values) checkSource(name, value);
      for (const value of insecure) checkForm(name, value);
      const both = [...values, ...insecure];
      checkTogether(name, both);
      return [name, ...both].join(" ");
    })
    .join("; ");
}

const entriesOf = (directives: PolicyDirectives): [Directive, readonly string[]][] =>
  Object.entries(directives) as [Directive, readonly string[]][];

const own = (directives: PolicyDirectives, name: Directive): readonly string[] | undefined =>
  Object.hasOwn(directives, name) ? directives[name] : undefined;

function checkName(name: string): asserts name is Directive {
  if ((FETCH as readonly string[]).includes(name) || (OTHERS as readonly string[]).includes(name)) {
    return;
  }
  throw new TypeError(`${name}: expected a directive of CSP Level 3, came another name`);
}

const KEYWORD =
  /^(?:self|none|strict-dynamic|report-sample|unsafe-[a-z-]+|wasm-unsafe-eval|nonce-.*|sha(?:256|384|512)-.*)$/;

/** checkForm refuses what would end the value, or say something else than it seems to. */
function checkForm(name: Directive, value: string): void {
  if (!/^[!-+\--:<-~]+$/.test(value)) {
    throw refused(name, "a value without white space, commas and semicolons", value);
  }
  if (KEYWORD.test(value) && isFetch(name)) throw refused(name, `'${value}' in quotes`, value);
}

const isFetch = (name: Directive): boolean =>
  (FETCH as readonly string[]).includes(name) ||
  name === "base-uri" ||
  name === "form-action" ||
  name === "frame-ancestors";

/** What a page cannot be harmed by when it comes from a URL of data, or from any host over HTTPS. */
const PASSIVE: ReadonlySet<Directive> = new Set(["img-src", "media-src", "font-src"]);

/** Sources that are as good as no policy, wherever they stand. */
const OPEN: ReadonlySet<string> = new Set([
  "*",
  "'unsafe-inline'",
  "'unsafe-eval'",
  "'unsafe-hashes'",
  "'wasm-unsafe-eval'",
  "http:",
  "ws:",
  "ftp:",
  "filesystem:",
]);
/** Sources that are so where something can run, be sent or be framed. */
const BROAD: ReadonlySet<string> = new Set(["data:", "blob:", "https:", "wss:"]);

function checkSource(name: Directive, value: string): void {
  checkForm(name, value);
  if (!isFetch(name)) return;
  const lower = value.toLowerCase();
  if (OPEN.has(lower) || (BROAD.has(lower) && !PASSIVE.has(name))) {
    throw refused(name, `a narrower source, or insecureSources`, value);
  }
  // Any host at all, or what anybody on the way can change.
  const isAnyHost = /^(?:[a-z][a-z0-9+.-]*:\/\/)?\*(?:\.\*)*(?:[:/]|$)/.test(lower);
  const isPlain = /^(?:http|ws):\/\/(?!localhost[:/]|localhost$|127\.|\[::1\])/.test(lower);
  if (isAnyHost || isPlain) throw refused(name, `a host over HTTPS, or insecureSources`, value);
  if (
    value.startsWith("'nonce-") &&
    value !== NONCE &&
    !/^'nonce-[A-Za-z0-9+/_-]{22,}={0,2}'$/.test(value)
  ) {
    throw refused(name, "a nonce of at least 128 bits in base64", value);
  }
}

function checkTogether(name: Directive, values: readonly string[]): void {
  if (values.includes("'none'") && values.length > 1) {
    throw refused(name, "'none' alone", values.join(" "));
  }
  const isBound = values.some((value) => /^'(?:nonce|sha(?:256|384|512))-/.test(value));
  if (values.includes("'strict-dynamic'") && !isBound) {
    throw refused(name, "a nonce or hash beside 'strict-dynamic'", values.join(" "));
  }
  if (values.length === 0 && name !== "upgrade-insecure-requests" && name !== "sandbox") {
    throw refused(name, "at least one value", "nothing");
  }
}

const refused = (name: Directive, expected: string, came: string): TypeError =>
  new TypeError(`${name}: expected ${expected}, came ${JSON.stringify(came)}`);
