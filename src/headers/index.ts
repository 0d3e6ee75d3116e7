export { apiHeaders, type HeaderOptions, type HSTSOptions } from "./api-headers.ts";
export {
  contentSecurityPolicy,
  type Directive,
  NONCE,
  type PolicyDirectives,
  type PolicyOptions,
} from "./csp.ts";
export {
  createPageHeaders,
  type PageHeaderOptions,
  type PagePolicyOptions,
  pageHeaders,
  pageNonce,
} from "./page-headers.ts";
export { type BrowserReport, parseReports, REPORT_TYPES, type ReportType } from "./reports.ts";
export { securityHeaders, setSecurityHeaders } from "./security-headers.ts";
