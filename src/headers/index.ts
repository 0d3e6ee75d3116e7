export { apiHeaders, type HeaderOptions } from "./api-headers.ts";
export { type PageHeaderOptions, pageHeaders, pageNonce } from "./page-headers.ts";
export { securityHeaders, setSecurityHeaders } from "./security-headers.ts";
