import type { HeaderRecord } from "../core/index.ts";
import {
  apiHeaders,
  createPageHeaders,
  type HeaderOptions,
  type HSTSOptions,
  type PagePolicyOptions,
  pageNonce,
} from "../headers/index.ts";

/** HeaderConfig is what answers and pages say of themselves; what it leaves out is the safe default. */
export interface HeaderConfig extends Omit<HeaderOptions, "hsts"> {
  /** In production alone. Default a year, with all subdomains; `false` where a proxy sends it. */
  readonly hsts?: false | HSTSOptions | undefined;
  /** What the pages of the server have besides. `reports` stands for where browsers send theirs; `false` for nowhere. */
  readonly pages?:
    | (Pick<PagePolicyOptions, "directives" | "insecureSources" | "reportOnly"> & {
        readonly reports?: string | false | undefined;
      })
    | undefined;
}

/** A page's headers, and the nonce that its own scripts and styles carry. */
export interface PageAnswer {
  readonly nonce: string;
  readonly headers: HeaderRecord;
}

export interface WiredHeaders {
  /** Stand on every answer. */
  readonly standing: HeaderRecord;
  /** page makes the headers of one page. */
  readonly page: () => PageAnswer;
}

/** Where the reference server collects what browsers report. */
export const REPORTS_PATH = "/api/reports";

/** wireHeaders makes both profiles of a configuration, once. Throws a TypeError that names the field only if an option is not valid. */
export function wireHeaders({
  cors,
  headers,
  mode,
}: {
  readonly cors: object | undefined;
  readonly headers: HeaderConfig;
  readonly mode: "production" | "development";
}): WiredHeaders {
  const { hsts, pages = {}, ...plain } = headers;
  const { reports = REPORTS_PATH, ...page } = pages;
  const isProduction = mode === "production";
  // A browser that takes HSTS from plain http would be locked out of it: production is https, and nothing else is.
  const options: HeaderOptions = { ...plain, hsts: isProduction && (hsts ?? true) };
  const makePage = createPageHeaders({
    ...options,
    ...page,
    ...(reports === false ? {} : { reportUri: reports }),
    // Over plain http browsers take no Reporting-Endpoints, and would then report nowhere.
    ...(reports === false || !isProduction ? {} : { reportTo: reports }),
  });
  const varied: HeaderRecord = cors === undefined ? {} : { vary: "Origin" };
  return {
    standing: Object.freeze({ ...apiHeaders(options), ...varied }),
    page: () => {
      const nonce = pageNonce();
      return { nonce, headers: makePage(nonce) };
    },
  };
}

/** checkHeaders lists what is wrong with the headers of a configuration. */
export function checkHeaders(headers: HeaderConfig, problems: string[]): void {
  try {
    wireHeaders({ cors: undefined, headers, mode: "production" });
  } catch (error) {
    problems.push(`headers.${(error as Error).message}`);
  }
}
