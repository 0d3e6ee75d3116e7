import type { ErrorDetail } from "../../core/index.ts";
import type { BreachCheck } from "./breach-check.ts";
import { isCommonPassword } from "./common-passwords.ts";
import { contextWords } from "./context-words.ts";
import { isMadeOf, isPredictable } from "./predictable.ts";

/** Shortest password where it is the only factor, in code points (NIST SP 800-63B-4 section 3.1.1.2). */
export const MIN_PASSWORD_LENGTH = 15;
/** Shortest password where a second factor is mandatory, in code points (same section). */
export const MIN_PASSWORD_LENGTH_WITH_MFA = 8;
/** Longest password, in code points. */
export const MAX_PASSWORD_LENGTH = 256;

/** Whose password it is, and how long it must be. */
export interface PasswordContext {
  readonly email?: string | undefined;
  readonly name?: string | undefined;
  /** Fewest code points. Default 15; 8 only where the account must have a second factor, and never fewer. */
  readonly minLength?: number | undefined;
  /** The name of the input in what is reported. Default `password`. */
  readonly field?: string | undefined;
}

/** What every password of an application is held against. */
export interface PasswordPolicy {
  /** The product's name: a password must not be made of it. */
  readonly product?: string | undefined;
  /** The application's public origin: nor of the name of its host. */
  readonly issuer?: string | undefined;
  /** Asks a list of leaked passwords. Default none. */
  readonly breaches?: BreachCheck | undefined;
}

/**
 * passwordProblems returns everything that the policy holds against a new password; nothing for a good one. Length counts
 * in code points of the normalised text (NFC). Codes: `password_too_short`, `password_too_long`, `password_malformed` (half
 * of a surrogate pair, which no two systems store alike), `password_common`, `password_guessable`, `password_breached`. No
 * message holds any of the password. A list of leaked passwords is asked last, and not about a password that is refused
 * already. Throws only what the breach check throws. Sources: NIST SP 800-63B-4 section 3.1.1.2; OWASP ASVS 5.0 V6.2.
 */
export async function passwordProblems(
  password: string,
  context: PasswordContext = {},
  policy: PasswordPolicy = {},
): Promise<ErrorDetail[]> {
  const field = context.field ?? "password";
  const problem = (code: string, message: string): ErrorDetail => ({ field, message, code });
  // Whatever is longer is not looked at any further.
  if (isTooLong(password)) {
    return [problem("password_too_long", `Expected at most ${MAX_PASSWORD_LENGTH} characters.`)];
  }
  if (!password.isWellFormed()) {
    return [problem("password_malformed", "Expected characters that are whole.")];
  }
  const text = password.normalize("NFC");
  const least = Math.max(context.minLength ?? MIN_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH_WITH_MFA);
  const problems: ErrorDetail[] = [];
  if (Array.from(text).length < least) {
    problems.push(problem("password_too_short", `Expected at least ${least} characters.`));
  }
  if (await isCommonPassword(text)) {
    problems.push(problem("password_common", "This password is one of those tried first."));
  }
  if (isPredictable(text, least) || (await isMadeOfContext(text, context, policy, least))) {
    problems.push(problem("password_guessable", "This password is too easy to guess."));
  }
  if (problems.length > 0) return problems;
  const isBreached = (await policy.breaches?.isBreached(text)) ?? false;
  return isBreached
    ? [problem("password_breached", "This password is in a list of leaked passwords.")]
    : [];
}

/** isTooLong tells whether a password has more code points than any that was accepted, normalised (NFC). */
export const isTooLong = (password: string): boolean =>
  password.length > MAX_PASSWORD_LENGTH * 4 ||
  Array.from(password.normalize("NFC")).length > MAX_PASSWORD_LENGTH;

/** A password of a product's name and a common one is as weak as the common one. */
async function isMadeOfContext(
  password: string,
  context: PasswordContext,
  policy: PasswordPolicy,
  least: number,
): Promise<boolean> {
  const { email, name } = context;
  const { product, issuer } = policy;
  const words = contextWords({ email, name, product, issuer });
  const { isMade, left } = isMadeOf(password, words, least);
  return isMade || (left !== undefined && (await isCommonPassword(left)));
}
