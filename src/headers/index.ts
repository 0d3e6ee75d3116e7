export { apiHeaders, type HeaderOptions } from "./api-headers.ts";
export { securityHeaders, setSecurityHeaders } from "./security-headers.ts";
