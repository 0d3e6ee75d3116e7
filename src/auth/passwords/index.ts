export {
  BreachCheck,
  type BreachCheckOptions,
  type BreachedPasswords,
} from "./breach-check.ts";
export { type HashCaller, HashQueue, type HashQueueOptions } from "./hash-queue.ts";
export {
  MAX_PASSWORD_LENGTH,
  MIN_PASSWORD_LENGTH,
  MIN_PASSWORD_LENGTH_WITH_MFA,
  type PasswordContext,
  type PasswordPolicy,
  passwordProblems,
} from "./password-policy.ts";
export { PasswordSchema } from "./password-schema.ts";
export {
  PasswordService,
  type PasswordServiceOptions,
  type PendingRefusal,
} from "./password-service.ts";
export { type PasswordStrength, passwordStrength } from "./password-strength.ts";
export { RefusalDeadline, type RefusalDeadlineOptions } from "./refusal-deadline.ts";
export { checkImportedHash } from "./stored-hash.ts";
