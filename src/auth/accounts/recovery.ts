import { and, eq, sql } from "drizzle-orm";
import {
  type AuditSink,
  type Clock,
  ConflictError,
  type CredentialChange,
  type EventContext,
  NotFoundError,
  parseDuration,
  systemClock,
  type UserPrincipal,
  uuidv7,
} from "../../core/index.ts";
import {
  type Database,
  isUniqueViolation,
  type Orm,
  oneTimeTokens,
  users,
} from "../../database/index.ts";
import type { SessionMode } from "../sessions/index.ts";
import type { AccountCredentials } from "./account-credentials.ts";
import type { AccountGuard } from "./account-guard.ts";
import type { AccountMailer } from "./account-mail.ts";
import type { AuthService } from "./auth-service.ts";
import { normalizeEmail } from "./email.ts";
import type { OneTimeTokens, TokenPurpose } from "./one-time-tokens.ts";
import { hashOf, isBrowser } from "./registration.ts";
import type { MfaChallenge, SignedIn, SignIn, SignInRequest } from "./sign-in.ts";
import {
  findByEmail,
  findById,
  invalidCredentials,
  lockById,
  type PublicUser,
  strangersContext,
  type UserRow,
} from "./users.ts";

export interface RecoveryOptions {
  readonly database: Database;
  readonly auth: AuthService;
  readonly signIn: SignIn;
  readonly credentials: AccountCredentials;
  readonly oneTimeTokens: OneTimeTokens;
  readonly guard: AccountGuard;
  readonly mailer: AccountMailer;
  readonly audit: AuditSink;
  readonly clock?: Clock | undefined;
  readonly mayMail?: ((recipient: string) => Promise<boolean>) | undefined;
  /** Does work that no answer waits for, so that its time tells nothing. */
  readonly background: (work: () => Promise<void>) => void;
  readonly verification: "off" | "required";
  /** Sign-in by a mailed link. Default off. */
  readonly magicLink?: boolean | undefined;
  /** How long an account that its owner deleted can be taken back. Default 30d. */
  readonly deletionGrace?: string | undefined;
}

/** Recovery changes what an account is entered with: by its owner, or by whoever proves its mailbox. */
export class Recovery {
  readonly #o: RecoveryOptions;
  readonly #clock: Clock;
  readonly #graceMs: number;

  constructor(options: RecoveryOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
    this.#graceMs = parseDuration(options.deletionGrace ?? "30d", "deletionGrace");
  }

  /** True where people can sign in by a mailed link. */
  get isMagicLinkOn(): boolean {
    return this.#o.magicLink === true;
  }

  /** How long an account that its owner deleted can be taken back, in milliseconds. */
  get deletionGraceMs(): number {
    return this.#graceMs;
  }

  /** forgot mails a link that sets a new password, where the address has an account; for the caller every address is alike. */
  async forgot(email: string, context: EventContext): Promise<void> {
    const user = await this.#enabled(email);
    this.#o.background(async () => {
      if (user !== undefined) await this.#mailReset(user, context);
    });
  }

  async #mailReset(user: UserRow, context: EventContext): Promise<void> {
    if (!(await this.#mayMailTo(user.email))) return;
    await this.#o.database.transaction(async (tx) => {
      const { token, expiresAt } = await this.#o.oneTimeTokens.issue(tx, "password.reset", {
        userId: user.id,
        replace: true,
      });
      const { email: to, name } = user;
      await this.#o.mailer.send({ kind: "reset", to, name, token, expiresAt }, tx);
      await this.#record("auth.password.forgot", user.id, context, tx);
    });
  }

  /**
   * reset sets a new password by a mailed token. All sessions and known devices end, locks of the password are lifted, and second
   * factors stay. A password that is refused leaves the token good. Throws only a ValidationError and a NotFoundError.
   */
  async reset(token: string, password: string, context: EventContext): Promise<void> {
    const { oneTimeTokens: tokens, credentials, database, guard } = this.#o;
    const user = await this.#ownerOf("password.reset", token);
    const made = await credentials.newPassword(password, user, context.address);
    await database.transaction(async (tx) => {
      if ((await tokens.consume(tx, "password.reset", token)) === undefined) {
        throw new NotFoundError("Link");
      }
      const now = new Date(this.#clock.now());
      await tx
        .update(users)
        .set({
          ...made,
          emailVerifiedAt: sql`coalesce(${users.emailVerifiedAt}, ${now.toISOString()}::timestamptz)`,
          updatedAt: now,
        })
        .where(eq(users.id, user.id));
      await credentials.endAccess(tx, user.id);
      await guard.clearPasswords(tx, user.id);
      await this.#record("auth.password.reset", user.id, context, tx);
      await this.#tell(tx, user, "password");
    });
    credentials.forget(user.id);
  }

  /**
   * changePassword sets a new password for one who proves the old one. All other sessions end, and this one goes on under a new id.
   * Throws only a ValidationError and INVALID_CREDENTIALS.
   */
  async changePassword(
    principal: UserPrincipal,
    input: { readonly currentPassword: string; readonly newPassword: string },
    context: EventContext,
  ): Promise<SignedIn> {
    const { credentials, auth, signIn } = this.#o;
    const user = await this.#user(principal.userId);
    const proof = { method: "password", password: input.currentPassword } as const;
    const factor = await auth.prove(principal, proof, context);
    const made = await credentials.newPassword(
      input.newPassword,
      user,
      context.address,
      "newPassword",
    );
    const work = async (tx: Orm): Promise<void> => {
      const changed = await tx
        .update(users)
        .set({ ...made, updatedAt: new Date(this.#clock.now()) })
        .where(
          and(
            eq(users.id, user.id),
            sql`${users.passwordHash} IS NOT DISTINCT FROM ${user.passwordHash}`,
          ),
        )
        .returning({ id: users.id });
      if (changed.length === 0) throw invalidCredentials();
      await credentials.endAccess(tx, user.id);
      await this.#o.guard.clearFactors(tx, user.id);
      await this.#record("auth.password.changed", user.id, context, tx);
      await this.#tell(tx, user, "password");
    };
    const methods = [...principal.methods.filter(({ method }) => method !== "pwd"), factor];
    return signIn.renew(principal, { methods, endOthers: true, work }, context);
  }

  /** requestEmailChange mails a link to the old and to the new address; both have to be followed. A taken address looks the same. */
  async requestEmailChange(
    principal: UserPrincipal,
    newAddress: string,
    context: EventContext,
  ): Promise<void> {
    const newEmail = normalizeEmail(newAddress);
    const user = await this.#user(principal.userId);
    this.#o.background(() => this.#mailEmailChange(user, newEmail, context));
  }

  async #mailEmailChange(user: UserRow, newEmail: string, context: EventContext): Promise<void> {
    const { database, oneTimeTokens: tokens, mailer } = this.#o;
    if (newEmail === user.email || !(await this.#mayMailTo(newEmail))) return;
    const taken = await findByEmail(database, newEmail);
    const { name } = user;
    await database.transaction(async (tx) => {
      await this.#record("auth.email.change-requested", user.id, context, tx);
      await tokens.revoke(tx, user.id, "email.change");
      if (taken !== undefined) {
        await mailer.send({ kind: "address-taken", to: newEmail, name: taken.name }, tx);
        return;
      }
      const changeId = uuidv7(this.#clock.now());
      for (const side of ["old", "new"] as const) {
        const data = { changeId, side, newEmail };
        const made = await tokens.issue(tx, "email.change", { userId: user.id, data });
        const to = side === "old" ? user.email : newEmail;
        await mailer.send({ kind: "confirm-change", to, name, side, newEmail, ...made }, tx);
      }
    });
  }

  /**
   * confirmEmailChange proves one of the two mailboxes; with the second one the address changes, and all sessions end.
   * Resolves to undefined where the token is none of an address change. Throws only a ConflictError (the address was taken meanwhile).
   */
  async confirmEmailChange(
    token: string,
    context: EventContext,
  ): Promise<{ readonly changed: boolean } | undefined> {
    const { database, oneTimeTokens: tokens, credentials } = this.#o;
    const found = await tokens.find("email.change", token);
    const userId = found?.userId;
    if (userId == null) return undefined;
    try {
      const changed = await database.transaction(async (tx) => {
        // One at a time: of two links that are followed at once, the second sees the first.
        const user = await lockById(tx, userId);
        const row = await tokens.consume(tx, "email.change", token);
        if (row === undefined || user === undefined) throw new NotFoundError("Link");
        const sides = await tx
          .select({ usedAt: oneTimeTokens.usedAt })
          .from(oneTimeTokens)
          .where(
            and(
              eq(oneTimeTokens.userId, userId),
              sql`${oneTimeTokens.data}->>'changeId' = ${String(row.data["changeId"])}`,
            ),
          );
        if (sides.length !== 2 || sides.some(({ usedAt }) => usedAt === null)) return false;
        const now = new Date(this.#clock.now());
        const email = String(row.data["newEmail"]);
        await tx
          .update(users)
          .set({ email, emailVerifiedAt: now, updatedAt: now })
          .where(eq(users.id, userId));
        await credentials.endAccess(tx, userId);
        await this.#record("auth.email.changed", userId, context, tx);
        await this.#tell(tx, user, "email");
        return true;
      });
      if (changed) credentials.forget(userId);
      return { changed };
    } catch (error) {
      if (!isUniqueViolation(error, "users_email_key")) throw error;
      throw new ConflictError("This address has an account already.");
    }
  }

  /** requestMagicLink mails a link that signs in from the browser that asks, where the address has an account that may enter. */
  async requestMagicLink(
    email: string,
    ask: { readonly browser: string; readonly mode?: SessionMode | undefined },
    context: EventContext,
  ): Promise<void> {
    if (!this.isMagicLinkOn) throw new NotFoundError("Path");
    const user = await this.#enabled(email);
    this.#o.background(async () => {
      if (user === undefined) return;
      if (this.#o.verification === "required" && user.emailVerifiedAt === null) return;
      await this.#mailMagicLink(user, ask, context);
    });
  }

  async #mailMagicLink(
    user: UserRow,
    ask: { readonly browser: string; readonly mode?: SessionMode | undefined },
    context: EventContext,
  ): Promise<void> {
    if (!(await this.#mayMailTo(user.email))) return;
    await this.#o.database.transaction(async (tx) => {
      const made = await this.#o.oneTimeTokens.issue(tx, "magic-link", {
        userId: user.id,
        data: { browser: hashOf(ask.browser), mode: ask.mode ?? "token" },
        replace: true,
      });
      const { email: to, name } = user;
      await this.#o.mailer.send({ kind: "magic-link", to, name, ...made }, tx);
      await this.#record("auth.magic-link.requested", user.id, context, tx);
    });
  }

  /** signInByLink signs in by a mailed link, from the browser that asked for it; a second factor is asked for all the same. */
  async signInByLink(
    token: string,
    browser: string | undefined,
    request: SignInRequest,
    context: EventContext,
    checkMode: (mode: SessionMode) => void,
  ): Promise<SignedIn | MfaChallenge> {
    const { oneTimeTokens: tokens, database, signIn } = this.#o;
    const found = await tokens.find("magic-link", token);
    if (found === undefined || !isBrowser(found.data["browser"], browser)) {
      const owner = found?.userId == null ? undefined : { id: found.userId };
      await signIn.recordFailure(owner, context, "link");
      throw invalidCredentials();
    }
    const mode = found.data["mode"] === "cookie" ? "cookie" : "token";
    checkMode(mode);
    const row = await database.transaction((tx) => tokens.consume(tx, "magic-link", token));
    if (row?.userId == null) throw invalidCredentials();
    const user = await this.#user(row.userId);
    const factor = { method: "link", at: this.#clock.now() } as const;
    return signIn.complete(user, [factor], { ...request, mode }, context);
  }

  /** requestDeletion ends all sessions and deletes the account after the grace period; signing in before takes it back. */
  async requestDeletion(
    principal: UserPrincipal,
    context: EventContext,
  ): Promise<{ readonly deleteAt: string }> {
    const { database, credentials, mailer } = this.#o;
    const deleteAt = this.#clock.now() + this.#graceMs;
    const user = await this.#user(principal.userId);
    await database.transaction(async (tx) => {
      await tx
        .update(users)
        .set({ deleteAt: new Date(deleteAt) })
        .where(eq(users.id, user.id));
      await credentials.endAccess(tx, user.id);
      await this.#record("auth.account.deletion-requested", user.id, context, tx);
      const { email: to, name } = user;
      await mailer.send({ kind: "deletion-scheduled", to, name, deleteAt }, tx);
    });
    credentials.forget(user.id);
    return { deleteAt: new Date(deleteAt).toISOString() };
  }

  async #enabled(email: string): Promise<UserRow | undefined> {
    const user = await findByEmail(this.#o.database, email);
    return user === undefined || user.disabledAt !== null ? undefined : user;
  }

  async #mayMailTo(recipient: string): Promise<boolean> {
    return (await this.#o.mayMail?.(recipient)) ?? true;
  }

  async #ownerOf(purpose: TokenPurpose, token: string): Promise<UserRow> {
    const row = await this.#o.oneTimeTokens.find(purpose, token);
    if (row?.userId == null) throw new NotFoundError("Link");
    const user = await this.#user(row.userId);
    if (user.disabledAt !== null) throw new NotFoundError("Link");
    return user;
  }

  async #user(id: string): Promise<UserRow> {
    const user = await this.#o.database.run((orm) => findById(orm, id));
    if (user === undefined) throw new NotFoundError("User", id);
    return user;
  }

  async #tell(tx: Orm, user: PublicUser, what: CredentialChange): Promise<void> {
    const { email: to, name } = user;
    const at = this.#clock.now();
    await this.#o.mailer.send({ kind: "credential-changed", to, name, what, at }, tx);
  }

  async #record(type: string, userId: string, context: EventContext, tx: Orm): Promise<void> {
    const resource = `user:${userId}`;
    const action = type.split(".").at(-1);
    await this.#o.audit.record(
      { type, severity: "medium", result: "success", resource, action },
      { ...strangersContext(context), userId },
      tx,
    );
  }
}
