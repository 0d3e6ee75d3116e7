/**
 * The scoring of Mozilla's HTTP Observatory (version 5): every site begins with 100 points, each result has a modifier, and what is
 * above zero counts only where at least 90 points are left without it.
 */
const MODIFIERS = {
  "csp-implemented-with-no-unsafe-default-src-none": 10,
  "csp-implemented-with-no-unsafe": 5,
  "csp-implemented-with-unsafe-inline-in-style-src-only": 0,
  "csp-implemented-with-insecure-scheme-in-passive-content-only": -10,
  "csp-implemented-with-unsafe-eval": -10,
  "csp-implemented-with-unsafe-inline": -20,
  "csp-implemented-with-insecure-scheme": -20,
  "csp-header-invalid": -25,
  "csp-not-implemented": -25,
  "cookies-secure-with-httponly-sessions-and-samesite": 5,
  "cookies-not-found": 0,
  "cookies-session-without-secure-flag": -40,
  "cross-origin-resource-sharing-not-implemented": 0,
  "cross-origin-resource-sharing-implemented-with-restricted-access": 0,
  "cross-origin-resource-sharing-implemented-with-universal-access": -50,
  "redirection-not-needed-no-http": 0,
  "referrer-policy-private": 5,
  "referrer-policy-not-implemented": 0,
  "referrer-policy-unsafe": -5,
  "hsts-implemented-max-age-at-least-six-months": 0,
  "hsts-implemented-max-age-less-than-six-months": -10,
  "hsts-not-implemented": -20,
  "sri-not-implemented-response-not-html": 0,
  "sri-not-implemented-but-all-scripts-loaded-from-secure-origin": 0,
  "sri-not-implemented-but-external-scripts-loaded-securely": -5,
  "x-content-type-options-nosniff": 0,
  "x-content-type-options-not-implemented": -5,
  "x-frame-options-implemented-via-csp": 5,
  "x-frame-options-sameorigin-or-deny": 0,
  "x-frame-options-not-implemented": -20,
  "cross-origin-resource-policy-implemented-with-same-origin": 10,
  "cross-origin-resource-policy-implemented-with-same-site": 10,
  "cross-origin-resource-policy-implemented-with-cross-origin": 0,
  "cross-origin-resource-policy-not-implemented": 0,
} as const;

type Result = keyof typeof MODIFIERS;
type Headers = Readonly<Record<string, string>>;

const FOR_EXTRA_CREDIT = 90;
const SIX_MONTHS = 15_768_000;

/** observe names the results of an answer's headers, as the Observatory's tests do for a site over HTTPS. */
export function observe(headers: Headers, html: string): readonly Result[] {
  const policy = policyOf(headers["content-security-policy"]);
  return [
    contentSecurityPolicy(policy),
    headers["set-cookie"] === undefined ? "cookies-not-found" : cookies(headers["set-cookie"]),
    crossOriginSharing(headers),
    "redirection-not-needed-no-http",
    referrerPolicy(headers["referrer-policy"]),
    transportSecurity(headers["strict-transport-security"]),
    integrity(headers["content-type"] ?? "", html),
    headers["x-content-type-options"] === "nosniff"
      ? "x-content-type-options-nosniff"
      : "x-content-type-options-not-implemented",
    framing(policy, headers["x-frame-options"]),
    resourcePolicy(headers["cross-origin-resource-policy"]),
  ];
}

/** score adds up what was observed. */
export function score(results: readonly Result[]): number {
  const modifiers = results.map((result) => MODIFIERS[result]);
  const sum = (list: readonly number[]): number => list.reduce((total, each) => total + each, 0);
  const uncurved = 100 + sum(modifiers.filter((modifier) => modifier < 0));
  if (uncurved < FOR_EXTRA_CREDIT) return Math.max(0, uncurved);
  return uncurved + sum(modifiers.filter((modifier) => modifier > 0));
}

type Policy = ReadonlyMap<string, readonly string[]>;

function policyOf(header: string | undefined): Policy | undefined {
  if (header === undefined) return undefined;
  const directives = header.split(";").map((part) => part.trim().split(/\s+/));
  return new Map(directives.map(([name = "", ...values]) => [name, values]));
}

const BROAD = [
  "ftp:",
  "http:",
  "https:",
  "*",
  "http://*",
  "https://*",
  "http://*.*",
  "https://*.*",
];
const UNSAFE = [...BROAD, "'unsafe-inline'", "data:"];
const isBound = (source: string): boolean => /^'(?:nonce|sha(?:256|384|512))-/.test(source);

function contentSecurityPolicy(policy: Policy | undefined): Result {
  if (policy === undefined) return "csp-not-implemented";
  const fallback = policy.get("default-src") ?? ["*"];
  const sourcesOf = (name: string): readonly string[] => {
    const sources = policy.get(name) ?? fallback;
    return sources.some(isBound) ? sources.filter((each) => each !== "'unsafe-inline'") : sources;
  };
  let scripts = sourcesOf("script-src");
  const styles = sourcesOf("style-src");
  if (scripts.includes("'strict-dynamic'")) {
    if (!scripts.some(isBound)) return "csp-header-invalid";
    scripts = scripts.filter(
      (source) => source !== "'self'" && !BROAD.some((broad) => source.startsWith(broad)),
    );
  }
  const active = [...policy].filter(([name]) => !/^(?:img|media|script)-src$/.test(name));
  const loaded = [...active.flatMap(([, sources]) => sources), ...scripts];
  const passive = [...sourcesOf("img-src"), ...sourcesOf("media-src")];
  const isPlain = (source: string): boolean => /^(?:http|ftp):/.test(source);
  const objects = sourcesOf("object-src");
  if (scripts.some((each) => UNSAFE.includes(each)) || objects.some((each) => BROAD.includes(each)))
    return "csp-implemented-with-unsafe-inline";
  if (loaded.some(isPlain)) return "csp-implemented-with-insecure-scheme";
  if ([...scripts, ...styles].includes("'unsafe-eval'")) return "csp-implemented-with-unsafe-eval";
  if (passive.some(isPlain)) return "csp-implemented-with-insecure-scheme-in-passive-content-only";
  if (styles.some((each) => UNSAFE.includes(each)))
    return "csp-implemented-with-unsafe-inline-in-style-src-only";
  const isClosed = fallback.length === 1 && fallback[0] === "'none'";
  return isClosed
    ? "csp-implemented-with-no-unsafe-default-src-none"
    : "csp-implemented-with-no-unsafe";
}

const cookies = (header: string): Result =>
  /;\s*secure/i.test(header) &&
  /;\s*httponly/i.test(header) &&
  /;\s*samesite=(?:lax|strict)/i.test(header)
    ? "cookies-secure-with-httponly-sessions-and-samesite"
    : "cookies-session-without-secure-flag";

function crossOriginSharing(headers: Headers): Result {
  const origin = headers["access-control-allow-origin"];
  if (origin === undefined) return "cross-origin-resource-sharing-not-implemented";
  return headers["access-control-allow-credentials"] === "true"
    ? "cross-origin-resource-sharing-implemented-with-universal-access"
    : "cross-origin-resource-sharing-implemented-with-restricted-access";
}

function referrerPolicy(value: string | undefined): Result {
  if (value === undefined) return "referrer-policy-not-implemented";
  return /^(?:no-referrer|same-origin|strict-origin|strict-origin-when-cross-origin)$/.test(value)
    ? "referrer-policy-private"
    : "referrer-policy-unsafe";
}

function transportSecurity(value: string | undefined): Result {
  const seconds = /^max-age=(\d+)/.exec(value ?? "")?.[1];
  if (seconds === undefined) return "hsts-not-implemented";
  return Number(seconds) >= SIX_MONTHS
    ? "hsts-implemented-max-age-at-least-six-months"
    : "hsts-implemented-max-age-less-than-six-months";
}

function integrity(type: string, html: string): Result {
  if (!type.startsWith("text/html")) return "sri-not-implemented-response-not-html";
  const isElsewhere = /<script[^>]*\ssrc="(?:https?:)?\/\//.test(html);
  return isElsewhere
    ? "sri-not-implemented-but-external-scripts-loaded-securely"
    : "sri-not-implemented-but-all-scripts-loaded-from-secure-origin";
}

function framing(policy: Policy | undefined, value: string | undefined): Result {
  const ancestors = policy?.get("frame-ancestors");
  if (ancestors?.some((each) => BROAD.includes(each)) === false) {
    return "x-frame-options-implemented-via-csp";
  }
  return /^(?:deny|sameorigin)$/i.test(value ?? "")
    ? "x-frame-options-sameorigin-or-deny"
    : "x-frame-options-not-implemented";
}

function resourcePolicy(value: string | undefined): Result {
  if (value === "same-origin") return "cross-origin-resource-policy-implemented-with-same-origin";
  if (value === "same-site") return "cross-origin-resource-policy-implemented-with-same-site";
  return value === "cross-origin"
    ? "cross-origin-resource-policy-implemented-with-cross-origin"
    : "cross-origin-resource-policy-not-implemented";
}
