import type { ErrorDetail } from "../../core/index.ts";

/** Shortest password where it is the only factor, in code points (NIST SP 800-63B-4 section 3.1.1.2). */
const MIN_PASSWORD_LENGTH = 15;
/** Longest password, in code points. */
export const MAX_PASSWORD_LENGTH = 256;

/** What a password must not be made of, because an attacker tries it first. */
export interface PasswordContext {
  readonly email?: string | undefined;
  readonly name?: string | undefined;
}

/** passwordProblems returns what the default policy holds against a new password; none for a good one. */
export function passwordProblems(
  password: string,
  context: PasswordContext = {},
  field = "password",
): ErrorDetail[] {
  const length = Array.from(password).length;
  if (length < MIN_PASSWORD_LENGTH) {
    const message = `Expected at least ${MIN_PASSWORD_LENGTH} characters.`;
    return [{ field, message, code: "password_too_short" }];
  }
  if (length > MAX_PASSWORD_LENGTH) {
    const message = `Expected at most ${MAX_PASSWORD_LENGTH} characters.`;
    return [{ field, message, code: "password_too_long" }];
  }
  const lower = password.toLowerCase();
  const isGuessed =
    new Set(lower).size < 4 ||
    lower === context.email?.toLowerCase() ||
    lower === context.name?.toLowerCase();
  if (!isGuessed) return [];
  return [{ field, message: "This password is too easy to guess.", code: "password_guessable" }];
}
