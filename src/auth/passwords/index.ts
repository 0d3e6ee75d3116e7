export { HashQueue, type HashQueueOptions } from "./hash-queue.ts";
export { type PasswordContext, passwordProblems } from "./password-policy.ts";
export { PasswordSchema } from "./password-schema.ts";
export { PasswordService, type PasswordServiceOptions } from "./password-service.ts";
