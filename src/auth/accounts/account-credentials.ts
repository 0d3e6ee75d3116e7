import { eq } from "drizzle-orm";
import {
  type Database,
  devices,
  identities,
  type Orm,
  oneTimeTokens,
  passkeys,
  recoveryCodes,
  totpCredentials,
  users,
} from "../../database/index.ts";
import { MIN_PASSWORD_LENGTH, type PasswordService } from "../passwords/index.ts";
import type { SessionStore } from "../sessions/index.ts";

export interface AccountCredentialsOptions {
  readonly database: Database;
  readonly passwords: PasswordService;
  readonly sessions: SessionStore;
  /** Roles whose accounts must have a second factor: a shorter password is enough beside it. Default none. */
  readonly rolesThatNeedMfa?: readonly string[] | undefined;
}

/** Length that is enough where a second factor is mandatory (NIST SP 800-63B-4 section 3.1.1.2). */
const MIN_BESIDE_MFA = 8;

/** AccountCredentials makes new passwords by the policy of an account, and ends what an account was entered with. */
export class AccountCredentials {
  readonly #passwords: PasswordService;
  readonly #sessions: SessionStore;
  readonly #needMfa: ReadonlySet<string>;

  constructor(options: AccountCredentialsOptions) {
    this.#passwords = options.passwords;
    this.#sessions = options.sessions;
    this.#needMfa = new Set(options.rolesThatNeedMfa);
  }

  /** needsMfa tells whether an account with these roles must have a second factor. */
  needsMfa(roles: readonly string[]): boolean {
    return roles.some((role) => this.#needMfa.has(role));
  }

  /**
   * newPassword checks a password by the policy of its account and returns what is stored of it. Throws a ValidationError only if the
   * policy refuses it, under the name of `field`, and an UnavailableError only if there is no room for a hash.
   */
  async newPassword(
    password: string,
    user: { readonly email: string; readonly name: string; readonly roles: readonly string[] },
    address: string | undefined,
    field = "password",
  ): Promise<{ readonly passwordHash: string; readonly shortPassword: boolean }> {
    const minLength = this.needsMfa(user.roles) ? MIN_BESIDE_MFA : MIN_PASSWORD_LENGTH;
    const context = { email: user.email, name: user.name, minLength, field };
    const passwordHash = await this.#passwords.hashPassword(password, context, address);
    return { passwordHash, shortPassword: Array.from(password).length < MIN_PASSWORD_LENGTH };
  }

  /** endAccess ends what a changed credential had opened: sessions, known devices, half sign-ins and links on their way. */
  async endAccess(tx: Orm, userId: string, except?: string): Promise<void> {
    await this.#sessions.revokeAll(userId, { except }, tx);
    await tx.delete(devices).where(eq(devices.userId, userId));
    await tx.delete(oneTimeTokens).where(eq(oneTimeTokens.userId, userId));
  }

  /** dropFactors removes all second factors of an account. */
  async dropFactors(tx: Orm, userId: string): Promise<void> {
    await tx.delete(totpCredentials).where(eq(totpCredentials.userId, userId));
    await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId));
    await tx.delete(passkeys).where(eq(passkeys.userId, userId));
  }

  /** dropAll removes everything by which an account could be entered. */
  async dropAll(tx: Orm, userId: string): Promise<void> {
    await this.endAccess(tx, userId);
    await this.dropFactors(tx, userId);
    await tx.delete(identities).where(eq(identities.userId, userId));
    await tx.update(users).set({ passwordHash: null }).where(eq(users.id, userId));
  }

  /** forget drops what memory knows of a user's sessions; to be called when the transaction that ended them has committed. */
  forget(userId: string): void {
    this.#sessions.forget((session) => session.userId === userId);
  }
}
