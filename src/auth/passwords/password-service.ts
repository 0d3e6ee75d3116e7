import { randomBytes } from "node:crypto";
import { type Algorithm, hash, verify } from "@node-rs/argon2";
import { ValidationError } from "../../core/index.ts";
import { HashQueue } from "./hash-queue.ts";
import { MAX_PASSWORD_LENGTH, type PasswordContext, passwordProblems } from "./password-policy.ts";

export interface PasswordServiceOptions {
  readonly queue?: HashQueue | undefined;
}

/** The library's enum has no value at run time under isolated modules: 2 is argon2id. */
const ARGON2ID = 2 as Algorithm;

/** argon2id with 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet). */
const PARAMETERS = {
  algorithm: ARGON2ID,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
  outputLen: 32,
} as const;

const CURRENT = `$argon2id$v=19$m=${PARAMETERS.memoryCost},t=${PARAMETERS.timeCost},p=${PARAMETERS.parallelism}$`;
const ARGON2 = /^\$argon2(?:id|i|d)\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$/;

/** The most that a stored hash may ask of a verification. */
const MOST = { memoryCost: 262_144, timeCost: 10, parallelism: 8 };

/** PasswordService hashes and verifies passwords, off the event loop and through one bounded queue. */
export class PasswordService {
  readonly #queue: HashQueue;
  #dummy: Promise<string> | undefined;

  constructor(options: PasswordServiceOptions = {}) {
    this.#queue = options.queue ?? new HashQueue();
  }

  /**
   * hashPassword returns the argon2id hash of a new password, in PHC form. Throws a ValidationError only if the policy
   * refuses the password, and an UnavailableError only if the queue is full.
   */
  async hashPassword(
    password: string,
    context: PasswordContext = {},
    address?: string,
  ): Promise<string> {
    const problems = passwordProblems(password, context);
    if (problems.length > 0) throw new ValidationError(problems);
    return this.#queue.run(() => hash(prepare(password), PARAMETERS), address);
  }

  /**
   * verifyPassword tells whether a password made this hash. A hash that is none, or that asks for more work than we
   * would ever do, is a false. Throws an UnavailableError only if the queue is full.
   */
  async verifyPassword(
    password: string,
    hashedPassword: string,
    address?: string,
  ): Promise<boolean> {
    if (password.length > MAX_PASSWORD_LENGTH * 2 || !isAffordable(hashedPassword)) return false;
    return this.#queue.run(async () => {
      try {
        return await verify(hashedPassword, prepare(password));
      } catch {
        // A hash that the library cannot read verifies nothing.
        return false;
      }
    }, address);
  }

  /** rehashPassword hashes a password that was proved, whatever today's policy says of it. */
  rehashPassword(password: string, address?: string): Promise<string> {
    return this.#queue.run(() => hash(prepare(password), PARAMETERS), address);
  }

  /** verifyNothing costs what a verification costs and is false: the answer where there is no hash to verify. */
  async verifyNothing(password: string, address?: string): Promise<false> {
    this.#dummy ??= hash(randomBytes(32), PARAMETERS);
    await this.verifyPassword(password, await this.#dummy, address);
    return false;
  }

  /** needsRehash is true where a hash was made otherwise than a new one would be. */
  needsRehash(hashedPassword: string): boolean {
    return !hashedPassword.startsWith(CURRENT);
  }
}

/** One spelling of what was typed (NIST SP 800-63B-4 section 3.1.1.2 recommends normalising before hashing). */
const prepare = (password: string): string => password.normalize("NFC");

function isAffordable(hashedPassword: string): boolean {
  const [, memory, time, lanes] = ARGON2.exec(hashedPassword) ?? [];
  return (
    memory !== undefined &&
    Number(memory) <= MOST.memoryCost &&
    Number(time) <= MOST.timeCost &&
    Number(lanes) <= MOST.parallelism
  );
}
