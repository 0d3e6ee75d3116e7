export { crossSiteDecision, isSafeMethod, type SiteFacts } from "./cross-site.ts";
export { CSRFProtection, type CSRFProtectionOptions } from "./csrf-protection.ts";
export { withCSRFProtection } from "./with-csrf-protection.ts";
