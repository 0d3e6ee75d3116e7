/** BrowserReport is what a browser told of a page, with nothing of the person who read it: no queries, fragments, samples or agents. */
export interface BrowserReport {
  readonly type: ReportType;
  /** The page: origin and path, in which ids and tokens are `:id`. */
  readonly document: string;
  /** What it is about: a directive of the policy, a feature, or the name of a deprecation. */
  readonly subject: string | null;
  /** What was stopped: origin and path, a scheme such as `data:`, or a keyword such as `inline`. */
  readonly blocked: string | null;
  /** The script that did it. */
  readonly source: string | null;
  readonly line: number | null;
  /** Whether it was stopped, or would have been. */
  readonly disposition: "enforce" | "report";
}

const TYPES = [
  "csp-violation",
  "coep",
  "coop",
  "crash",
  "deprecation",
  "document-policy-violation",
  "integrity-violation",
  "intervention",
  "permissions-policy-violation",
] as const;

export type ReportType = (typeof TYPES)[number];

/** Media types in which browsers report, and what `curl` can send. */
export const REPORT_TYPES: readonly string[] = [
  "application/csp-report",
  "application/reports+json",
  "application/json",
];

/** Reports of one body that are read; what stands behind them is not. */
const MAX_REPORTS = 20;

/**
 * parseReports reads a parsed body: one object `csp-report` (CSP Level 2 and 3, `report-uri`), or one or several reports of the
 * Reporting API. A report of an unknown type, or of no page, is left out. Undefined where the body is no report at all.
 */
export function parseReports(body: unknown): readonly BrowserReport[] | undefined {
  const list = Array.isArray(body) ? body.slice(0, MAX_REPORTS) : [body];
  if (!list.every(isRecord)) return undefined;
  const reports: BrowserReport[] = [];
  for (const entry of list) {
    const csp = field(entry, "csp-report");
    const read = isRecord(csp) ? fromCspReport(csp) : fromReport(entry);
    if (read === undefined && !isRecord(csp) && typeof field(entry, "type") !== "string") {
      return undefined;
    }
    if (read !== undefined) reports.push(read);
  }
  return reports;
}

type Fields = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What strangers wrote is read by own names alone. */
const field = (from: Fields, name: string): unknown =>
  Object.hasOwn(from, name) ? from[name] : undefined;

const first = (from: Fields, ...names: readonly string[]): unknown =>
  names.map((name) => field(from, name)).find((value) => value !== undefined && value !== "");

function fromCspReport(report: Fields): BrowserReport | undefined {
  const document = placeOf(field(report, "document-uri"));
  if (document === null) return undefined;
  return {
    type: "csp-violation",
    document,
    subject: wordOf(first(report, "effective-directive", "violated-directive")),
    blocked: placeOf(field(report, "blocked-uri")),
    source: placeOf(field(report, "source-file")),
    line: lineOf(field(report, "line-number")),
    disposition: field(report, "disposition") === "report" ? "report" : "enforce",
  };
}

function fromReport(report: Fields): BrowserReport | undefined {
  const type = TYPES.find((known) => known === field(report, "type"));
  const body = field(report, "body");
  if (type === undefined || !isRecord(body)) return undefined;
  const document = placeOf(first(body, "documentURL") ?? field(report, "url"));
  if (document === null) return undefined;
  return {
    type,
    document,
    subject: wordOf(
      first(body, "effectiveDirective", "featureId", "policyId", "id", "reason", "type"),
    ),
    blocked: placeOf(first(body, "blockedURL", "blockedURI")),
    source: placeOf(field(body, "sourceFile")),
    line: lineOf(field(body, "lineNumber")),
    disposition: field(body, "disposition") === "report" ? "report" : "enforce",
  };
}

const MAX_LENGTH = 500;

/** placeOf keeps of a URL where it leads, and nothing that was said on the way: no user, query or fragment. */
function placeOf(value: unknown): string | null {
  if (typeof value !== "string" || value === "" || value.length > 8_192) return null;
  if (/^[a-z-]{1,32}$/.test(value)) return value;
  if (!URL.canParse(value)) return null;
  const { protocol, origin, pathname } = new URL(value);
  if (protocol !== "https:" && protocol !== "http:")
    return /^[a-z-]{1,32}:$/.test(protocol) ? protocol : null;
  const path = pathname.split("/").map((part) => (isPrivate(part) ? ":id" : part));
  return `${origin}${path.join("/")}`.slice(0, MAX_LENGTH);
}

/** A part of a path that is a number, a UUID or as long as a token tells of one thing or person, and makes a group for each. */
const isPrivate = (part: string): boolean =>
  /^\d+$|^[0-9a-f]{8}-[0-9a-f]{4}-|^[A-Za-z0-9_~.%-]{32,}$|@|%40/i.test(part);

/** The name of a directive or a feature; of an older browser's `script-src 'self'` its first word. */
function wordOf(value: unknown): string | null {
  const word = typeof value === "string" ? value.trim().split(/\s/)[0] : undefined;
  return word !== undefined && /^[A-Za-z][\w.-]{0,99}$/.test(word) ? word : null;
}

const lineOf = (value: unknown): number | null =>
  Number.isSafeInteger(value) && (value as number) > 0 && (value as number) < 2 ** 31
    ? (value as number)
    : null;
