import { type Algorithm, hash as hashArgon2 } from "@node-rs/argon2";
import { ValidationError } from "../../core/index.ts";
import type { KeyRing } from "../../crypto/index.ts";
import { PepperedBcrypt } from "./bcrypt.ts";
import { contextWords } from "./context-words.ts";
import { type HashCaller, HashQueue } from "./hash-queue.ts";
import {
  isTooLong,
  type PasswordContext,
  type PasswordPolicy,
  passwordProblems,
} from "./password-policy.ts";
import { type PasswordStrength, passwordStrength } from "./password-strength.ts";
import { RefusalDeadline } from "./refusal-deadline.ts";
import { checkImportedHash, readStoredHash, type StoredHash } from "./stored-hash.ts";
import { isBeyond, standIn, verifyStored } from "./verify-stored.ts";

export interface PasswordServiceOptions {
  /** How new hashes are made. Default argon2id, 19 MiB, two passes, one lane. */
  readonly algorithm?: "argon2id" | "bcrypt" | undefined;
  /** log2 of bcrypt's rounds, 12 to 15. Default 12. */
  readonly bcryptCost?: number | undefined;
  /** What bcrypt's pepper is derived from: needed where bcrypt is chosen, or was chosen earlier. */
  readonly keys?: KeyRing | undefined;
  readonly queue?: HashQueue | undefined;
  /** What new passwords are held against besides length, the common list and the account. */
  readonly policy?: PasswordPolicy | undefined;
  /** How long refusals take. Default: twice what the slowest hashes in use took to verify lately. */
  readonly deadline?: RefusalDeadline | undefined;
  /**
   * One of the slowest hashes that are stored, where others than new ones are: refusals take its time from the start on, and
   * not only after the first of its kind was verified.
   */
  readonly slowestStored?: string | undefined;
}

/** A refusal on its way: when the request for it began. */
export interface PendingRefusal {
  /** wait resolves at the deadline that all refusals share; at once where it is past. */
  wait(): Promise<void>;
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

const ARGON2_RECIPE = `$argon2id$v=19$m=${PARAMETERS.memoryCost},t=${PARAMETERS.timeCost},p=${PARAMETERS.parallelism}`;
const ARGON2_CURRENT = /^[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/;

/** PasswordService hashes and verifies passwords, off the event loop and through one bounded queue. */
export class PasswordService {
  readonly #queue: HashQueue;
  readonly #policy: PasswordPolicy;
  readonly #deadline: RefusalDeadline;
  readonly #bcrypt: PepperedBcrypt | undefined;
  /** Cost of bcrypt where new hashes are made by it. */
  readonly #bcryptCost: number | undefined;
  /** A hash of nobody's password by recipe: for the current one, and for those that were verified lately. */
  readonly #standIns = new Map<string, StoredHash>();
  readonly #slowestStored: StoredHash | undefined;

  /**
   * Throws a TypeError only if bcrypt is chosen without `keys`, and a RangeError only if its cost is not 12 to 15, or
   * `slowestStored` is a hash that is not verified.
   */
  constructor(options: PasswordServiceOptions = {}) {
    const { algorithm = "argon2id", bcryptCost = 12, keys } = options;
    if (algorithm === "bcrypt" && keys === undefined) {
      throw new TypeError("keys: expected the key ring of bcrypt's pepper, came none");
    }
    if (!Number.isInteger(bcryptCost) || bcryptCost < 12 || bcryptCost > 15) {
      throw new RangeError(`bcryptCost: expected 12 to 15, came ${bcryptCost}`);
    }
    this.#queue = options.queue ?? new HashQueue();
    this.#policy = options.policy ?? {};
    this.#deadline = options.deadline ?? new RefusalDeadline();
    this.#bcrypt = keys === undefined ? undefined : new PepperedBcrypt(keys);
    this.#bcryptCost = algorithm === "bcrypt" ? bcryptCost : undefined;
    this.#slowestStored = this.#statedStandIn(options.slowestStored);
  }

  /**
   * hashPassword returns the hash of a new password: argon2id in PHC form, or bcrypt under a prefix of our own. `from` is
   * the client's address, or who asks. Throws a ValidationError only if the policy refuses the password, and an
   * UnavailableError only if the queue is full, or a breach check that must answer does not.
   */
  async hashPassword(
    password: string,
    context: PasswordContext = {},
    from?: string | HashCaller,
  ): Promise<string> {
    const problems = await passwordProblems(password, context, this.#policy);
    if (problems.length > 0) throw new ValidationError(problems);
    return this.rehashPassword(password, from);
  }

  /**
   * verifyPassword tells whether a password made this hash: argon2, bcrypt, scrypt or PBKDF2 (see checkImportedHash for
   * forms and costs). A hash that is none, or that asks for more work than we would ever do, is a false without work. A
   * hash that cannot be asked is a false at the cost of a verification: a password that its algorithm would not read whole
   * (bcrypt from elsewhere: over 72 bytes), a pepper whose key is gone. Throws an UnavailableError only if the queue is
   * full, and an Error only if @node-rs/bcrypt is needed and not installed.
   */
  async verifyPassword(
    password: string,
    hashedPassword: string,
    from?: string | HashCaller,
  ): Promise<boolean> {
    const stored = readStoredHash(hashedPassword);
    if (stored === undefined || isNoPassword(password)) return false;
    const text = prepare(password);
    // The hash is not asked, yet the time must not tell that this account has one of these.
    if (isBeyond(text, stored, this.#bcrypt)) return this.verifyNothing(password, from);
    return this.#queue.run(() => this.#verify(text, stored), from);
  }

  /**
   * strength is what a meter shows of a new password, with the account and the application known to the attacker. It decides
   * nothing, and what the policy calls common or easy to guess is a 0. Lists of leaked passwords are not asked.
   */
  async strength(
    password: string,
    { email, name }: Pick<PasswordContext, "email" | "name"> = {},
  ): Promise<PasswordStrength> {
    const { product, issuer } = this.#policy;
    const strength = await passwordStrength(
      password,
      contextWords({ email, name, product, issuer }),
    );
    const problems = await passwordProblems(password, { email, name }, { product, issuer });
    const weak = problems.find(({ code }) => WEAK.has(code));
    if (weak === undefined) return strength;
    const { warning, suggestions } = strength;
    return {
      ...strength,
      score: 0,
      warning: weak.message,
      suggestions: warning === null ? suggestions : [warning, ...suggestions],
    };
  }

  /** rehashPassword hashes a password that was proved, whatever today's policy says of it. */
  async rehashPassword(password: string, from?: string | HashCaller): Promise<string> {
    const text = prepare(password);
    const [bcrypt, cost] = [this.#bcrypt, this.#bcryptCost];
    return this.#queue.run(
      () =>
        bcrypt === undefined || cost === undefined
          ? hashArgon2(text, PARAMETERS)
          : bcrypt.hash(text, cost),
      from,
    );
  }

  /**
   * verifyNothing is false, and costs what verifying the slowest of the hashes in use costs: the answer where there is no
   * hash to verify. Throws as verifyPassword.
   */
  async verifyNothing(password: string, from?: string | HashCaller): Promise<false> {
    if (isNoPassword(password)) return false;
    const text = prepare(password);
    const slowest = this.#slowestStandIn();
    const asked = isBeyond(text, slowest, this.#bcrypt) ? "" : text;
    await this.#queue.run(() => this.#verify(asked, slowest), from);
    return false;
  }

  /**
   * refusal marks the beginning of a login, so that its refusal can wait for the one deadline of them all: twice what the
   * slowest stored hashes took to verify lately.
   */
  refusal(): PendingRefusal {
    const startedAt = this.#deadline.now();
    return { wait: () => this.#deadline.wait(startedAt) };
  }

  /** needsRehash is true where a hash was made otherwise than a new one would be: algorithm, cost, or the pepper's key. */
  needsRehash(hashedPassword: string): boolean {
    const recipe = this.#recipe();
    if (this.#bcryptCost !== undefined) return !hashedPassword.startsWith(recipe);
    const parts = hashedPassword.slice(recipe.length + 1);
    return !hashedPassword.startsWith(`${recipe}$`) || !ARGON2_CURRENT.test(parts);
  }

  /** The beginning of a hash made now. */
  #recipe(): string {
    return this.#bcrypt === undefined || this.#bcryptCost === undefined
      ? ARGON2_RECIPE
      : this.#bcrypt.recipe(this.#bcryptCost);
  }

  async #verify(text: string, stored: StoredHash): Promise<boolean> {
    const startedAt = this.#deadline.now();
    const isRight = await verifyStored(text, stored, this.#bcrypt);
    this.#deadline.observe(stored.recipe, this.#deadline.now() - startedAt);
    if (!this.#standIns.has(stored.recipe)) this.#keepStandIn(stored);
    return isRight;
  }

  #statedStandIn(hash: string | undefined): StoredHash | undefined {
    if (hash === undefined) return undefined;
    checkImportedHash(hash);
    const stored = readStoredHash(hash);
    return stored === undefined ? undefined : this.#keepStandIn(stored);
  }

  #keepStandIn(stored: StoredHash): StoredHash {
    const made = standIn(stored);
    const [oldest] = this.#standIns.keys();
    if (this.#standIns.size > 32 && oldest !== undefined) this.#standIns.delete(oldest);
    this.#standIns.set(stored.recipe, made);
    return made;
  }

  /** The stand-in of the slowest recipe that was verified lately, or that is said to be stored; else of the current one. */
  #slowestStandIn(): StoredHash {
    const stated = this.#slowestStored;
    const isStated = stated !== undefined && !this.#deadline.isMeasured(stated.recipe);
    if (isStated) return stated;
    const slowest = this.#standIns.get(this.#deadline.slowest() ?? this.#recipe());
    return slowest ?? this.#standIns.get(this.#recipe()) ?? this.#currentStandIn();
  }

  #currentStandIn(): StoredHash {
    const recipe = this.#recipe();
    const rest =
      this.#bcryptCost === undefined ? `$${"A".repeat(22)}$${"A".repeat(43)}` : ".".repeat(53);
    const current = readStoredHash(`${recipe}${rest}`);
    if (current === undefined)
      throw new TypeError(`recipe: expected a current one, came ${recipe}`);
    return this.#keepStandIn(current);
  }
}

/** What the policy says of a password that is guessed early, however long it is. */
const WEAK: ReadonlySet<string> = new Set(["password_common", "password_guessable"]);

/** One spelling of what was typed (NIST SP 800-63B-4 section 3.1.1.2 recommends normalising before hashing). */
const prepare = (password: string): string => password.normalize("NFC");

/** What was never accepted as a password, and so is not worth a verification, whoever's account it is. */
const isNoPassword = (password: string): boolean => isTooLong(password) || !password.isWellFormed();
