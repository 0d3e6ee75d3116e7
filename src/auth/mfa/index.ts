export { secondFactorsOf } from "./methods.ts";
export { RecoveryCodes, type RecoveryCodesOptions } from "./recovery-codes.ts";
export { otpauthUri, stepAt, totpCode } from "./totp.ts";
export { type TotpEnrolment, TotpService, type TotpServiceOptions } from "./totp-service.ts";
