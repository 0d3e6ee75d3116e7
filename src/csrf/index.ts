export { crossSiteDecision, type SiteFacts } from "./cross-site.ts";
export { CSRFProtection, type CSRFProtectionOptions } from "./csrf-protection.ts";
