import { and, desc, eq, isNull, sql } from "drizzle-orm";
import {
  type AuditSink,
  type Clock,
  ConflictError,
  type EventContext,
  NotFoundError,
  systemClock,
  uuidv7,
} from "../../core/index.ts";
import { digestsEqual, sha256 } from "../../crypto/index.ts";
import {
  type Database,
  isUniqueViolation,
  type Orm,
  type OrmTransaction,
  oneTimeTokens,
  users,
} from "../../database/index.ts";
import type { AccountCredentials } from "./account-credentials.ts";
import type { AccountMailer } from "./account-mail.ts";
import { normalizeEmail } from "./email.ts";
import type { OneTimeTokens } from "./one-time-tokens.ts";
import {
  findByEmail,
  findById,
  nameOf,
  type PublicUser,
  publicUser,
  strangersContext,
  type UserRow,
} from "./users.ts";

export interface NewUser {
  readonly email: string;
  readonly password: string;
  readonly name: string;
}

export interface RegistrationOptions {
  readonly database: Database;
  readonly credentials: AccountCredentials;
  readonly oneTimeTokens: OneTimeTokens;
  readonly mailer: AccountMailer;
  readonly audit: AuditSink;
  readonly clock?: Clock | undefined;
  readonly verification: "off" | "required";
  /** Whether one more mail may go to an address now. Default: always. */
  readonly mayMail?: ((recipient: string) => Promise<boolean>) | undefined;
  /** Does work that no answer waits for, so that its time tells nothing. */
  readonly background: (work: () => Promise<void>) => void;
}

/** What a proved mailbox brought. */
export interface Verification {
  readonly user: PublicUser;
  /** True where the password was dropped, since who registered was not who proved the mailbox: a new one is to be set. */
  readonly passwordRequired: boolean;
}

/** Registration makes accounts: by people themselves, by invitation, and by operators. */
export class Registration {
  readonly #o: RegistrationOptions;
  readonly #clock: Clock;

  constructor(options: RegistrationOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** True where an address is proved before its first session. */
  get isMailboxProved(): boolean {
    return this.#o.verification === "required";
  }

  /**
   * register makes an account with the role `user`, and no session. Where verification is required it returns undefined and does as
   * much for a taken address as for a free one: the mailbox learns which it was. `browser` is a secret that the registering browser
   * keeps. Throws only a ValidationError (address, name, password), an UnavailableError (no room for a hash) and, where
   * verification is off, a ConflictError (the address is taken).
   */
  async register(
    input: NewUser,
    context: EventContext,
    browser?: string,
  ): Promise<PublicUser | undefined> {
    if (!this.isMailboxProved) {
      return this.createUser(input, { roles: ["user"], verified: false }, context);
    }
    const email = normalizeEmail(input.email);
    const name = nameOf(input.name);
    const password = await this.#o.credentials.newPassword(
      input.password,
      { email, name, roles: ["user"] },
      context.address,
    );
    const taken = await findByEmail(this.#o.database, email);
    const registration = { email, name, password, browser: browser && hashOf(browser) };
    this.#o.background(() => this.#registerQuietly(registration, taken, context));
    return undefined;
  }

  async #registerQuietly(
    { email, name, password, browser }: QuietRegistration,
    taken: UserRow | undefined,
    context: EventContext,
  ): Promise<void> {
    const mayMail = (await this.#o.mayMail?.(email)) ?? true;
    if (taken !== undefined && taken.emailVerifiedAt !== null) {
      if (!mayMail) return;
      const mail = { kind: "address-taken", to: email, name: taken.name } as const;
      await this.#o.database.transaction((tx) => this.#o.mailer.send(mail, tx));
      return;
    }
    try {
      await this.#o.database.transaction(async (tx) => {
        const pending =
          taken === undefined
            ? await this.#insert(tx, { email, name, roles: ["user"], verified: false }, password)
            : await this.#replacePending(tx, taken, name, password);
        if (pending === undefined) return;
        await this.#recordRegistration(pending, context, tx);
        if (mayMail) await this.#mailVerification(tx, pending, browser);
      });
    } catch (error) {
      // Somebody was faster with the same address, and got the mail.
      if (!isUniqueViolation(error, "users_email_key")) throw error;
    }
  }

  /** createUser is register for those who may say the roles: an operator, or the first-admin link. `before` runs first in the transaction. */
  async createUser(
    input: NewUser,
    as: { readonly roles: readonly string[]; readonly verified: boolean },
    context: EventContext,
    before?: (tx: OrmTransaction) => Promise<void>,
  ): Promise<PublicUser> {
    const email = normalizeEmail(input.email);
    const name = nameOf(input.name);
    const facts = { email, name, roles: as.roles };
    const password = await this.#o.credentials.newPassword(input.password, facts, context.address);
    return this.#create(async (tx) => {
      await before?.(tx);
      const user = await this.#insert(tx, { ...facts, verified: as.verified }, password);
      await this.#recordRegistration(user, context, tx);
      return user;
    });
  }

  /** createFromIdentity makes the account of someone who signs in elsewhere; it has no password. Throws only a ValidationError and a ConflictError. */
  createFromIdentity(
    identity: { readonly email: string; readonly emailVerified: boolean; readonly name: string },
    context: EventContext,
    work?: (tx: OrmTransaction, user: PublicUser) => Promise<void>,
  ): Promise<PublicUser> {
    const email = normalizeEmail(identity.email);
    const name = nameOf(identity.name);
    const facts = { email, name, roles: ["user"], verified: identity.emailVerified };
    return this.#create(async (tx) => {
      const user = await this.#insert(tx, facts, undefined);
      await work?.(tx, user);
      await this.#recordRegistration(user, context, tx);
      return user;
    });
  }

  /** invite makes an account without a password and mails its owner a link. Throws only a ValidationError and a ConflictError. */
  invite(
    input: { readonly email: string; readonly name: string; readonly roles: readonly string[] },
    context: EventContext,
  ): Promise<PublicUser> {
    const email = normalizeEmail(input.email);
    const name = nameOf(input.name);
    return this.#create(async (tx) => {
      const facts = { email, name, roles: input.roles, verified: false };
      const user = await this.#insert(tx, facts, undefined);
      const { token, expiresAt } = await this.#o.oneTimeTokens.issue(tx, "invite", {
        userId: user.id,
      });
      await this.#o.mailer.send({ kind: "invite", to: email, name, token, expiresAt }, tx);
      await this.#o.audit.record(
        {
          type: "auth.invite",
          severity: "medium",
          result: "success",
          resource: `user:${user.id}`,
          action: "invite",
          metadata: { roles: user.roles },
        },
        context,
        tx,
      );
      return user;
    });
  }

  /** acceptInvite sets the invited person's name and password, and proves the mailbox. Throws a NotFoundError where the link does not work. */
  async acceptInvite(
    input: { readonly token: string; readonly password: string; readonly name: string },
    context: EventContext,
  ): Promise<PublicUser> {
    const name = nameOf(input.name);
    const invited = await this.#ownerOf("invite", input.token, "Invitation");
    const password = await this.#o.credentials.newPassword(
      input.password,
      { ...invited, name },
      context.address,
    );
    return this.#o.database.transaction(async (tx) => {
      const used = await this.#o.oneTimeTokens.consume(tx, "invite", input.token);
      if (used === undefined) throw new NotFoundError("Invitation");
      const now = new Date(this.#clock.now());
      const [user] = await tx
        .update(users)
        .set({ ...password, name, emailVerifiedAt: now, updatedAt: now })
        .where(and(eq(users.id, invited.id), isNull(users.passwordHash)))
        .returning();
      if (user === undefined) throw new NotFoundError("Invitation");
      await this.#recordRegistration(user, context, tx);
      return publicUser(user);
    });
  }

  /** resend mails another verification link to a pending account, and does nothing for every other address; both look alike. */
  async resend(email: string): Promise<void> {
    if (!this.isMailboxProved) return;
    const user = await findByEmail(this.#o.database, email);
    this.#o.background(async () => {
      if (user === undefined || user.emailVerifiedAt !== null || user.disabledAt !== null) return;
      await this.#resend(user);
    });
  }

  async #resend(user: UserRow): Promise<void> {
    if (!((await this.#o.mayMail?.(user.email)) ?? true)) return;
    await this.#o.database.transaction(async (tx) => {
      // Who asks now need not be who registered: the link stays bound to the browser that did.
      const [last] = await tx
        .select({ data: oneTimeTokens.data })
        .from(oneTimeTokens)
        .where(and(eq(oneTimeTokens.userId, user.id), eq(oneTimeTokens.purpose, "email.verify")))
        .orderBy(desc(oneTimeTokens.createdAt))
        .limit(1);
      await this.#mailVerification(tx, user, last?.data["browser"] as string | undefined);
    });
  }

  /**
   * verify proves the mailbox. From another browser than the one that registered, whatever that one had set is dropped first, since
   * it may be a stranger's. Throws only a NotFoundError, where the link does not work.
   */
  async verify(
    token: string,
    browser: string | undefined,
    context: EventContext,
  ): Promise<Verification> {
    const verified = await this.#o.database.transaction(async (tx) => {
      const row = await this.#o.oneTimeTokens.consume(tx, "email.verify", token);
      if (row === undefined || row.userId === null) throw new NotFoundError("Link");
      const { userId } = row;
      const isSameBrowser = isBrowser(row.data["browser"], browser);
      const [pending] = await tx
        .select({ id: users.id })
        .from(users)
        .where(and(eq(users.id, userId), isNull(users.emailVerifiedAt)))
        .for("update");
      // What was set after the mailbox had been proved is its owner's.
      if (pending !== undefined && !isSameBrowser) await this.#o.credentials.dropAll(tx, userId);
      const now = new Date(this.#clock.now());
      const [user] = await tx
        .update(users)
        .set({
          emailVerifiedAt: sql`coalesce(${users.emailVerifiedAt}, ${now.toISOString()}::timestamptz)`,
          updatedAt: now,
        })
        .where(eq(users.id, userId))
        .returning();
      if (user === undefined) throw new NotFoundError("Link");
      await this.#o.audit.record(
        {
          type: "auth.email.verified",
          severity: "low",
          result: "success",
          resource: `user:${userId}`,
          action: "verify",
          metadata: { sameBrowser: isSameBrowser },
        },
        { ...strangersContext(context), userId },
        tx,
      );
      return user;
    });
    this.#o.credentials.forget(verified.id);
    return { user: publicUser(verified), passwordRequired: verified.passwordHash === null };
  }

  async #ownerOf(purpose: "invite", token: string, what: string): Promise<UserRow> {
    const row = await this.#o.oneTimeTokens.find(purpose, token);
    const userId = row?.userId;
    const user =
      userId == null ? undefined : await this.#o.database.run((orm) => findById(orm, userId));
    if (user === undefined || user.disabledAt !== null) throw new NotFoundError(what);
    return user;
  }

  async #create(work: (tx: OrmTransaction) => Promise<PublicUser>): Promise<PublicUser> {
    try {
      return publicUser(await this.#o.database.transaction(work));
    } catch (error) {
      if (!isUniqueViolation(error, "users_email_key")) throw error;
      throw new ConflictError("This address has an account already.");
    }
  }

  async #insert(
    tx: Orm,
    facts: {
      readonly email: string;
      readonly name: string;
      readonly roles: readonly string[];
      readonly verified: boolean;
    },
    password: NewPassword | undefined,
  ): Promise<PublicUser> {
    const now = new Date(this.#clock.now());
    const { email, name, roles } = facts;
    const user = { id: uuidv7(now.getTime()), email, name, roles: [...roles] };
    await tx.insert(users).values({
      ...user,
      ...(password ?? { passwordHash: null }),
      emailVerifiedAt: facts.verified ? now : null,
      createdAt: now,
      updatedAt: now,
    });
    return user;
  }

  /** The newest registration of an address that nobody has proved yet stands; nothing of an older one is left. */
  async #replacePending(
    tx: Orm,
    taken: UserRow,
    name: string,
    password: NewPassword,
  ): Promise<PublicUser | undefined> {
    await this.#o.credentials.dropAll(tx, taken.id);
    const [user] = await tx
      .update(users)
      .set({ ...password, name, updatedAt: new Date(this.#clock.now()) })
      .where(and(eq(users.id, taken.id), isNull(users.emailVerifiedAt), isNull(users.disabledAt)))
      .returning();
    return user;
  }

  async #mailVerification(tx: Orm, user: PublicUser, browser: string | undefined): Promise<void> {
    const { token, expiresAt } = await this.#o.oneTimeTokens.issue(tx, "email.verify", {
      userId: user.id,
      data: browser === undefined ? {} : { browser },
      replace: true,
    });
    const { email, name } = user;
    await this.#o.mailer.send({ kind: "verify", to: email, name, token, expiresAt }, tx);
  }

  async #recordRegistration(user: PublicUser, context: EventContext, tx: Orm): Promise<void> {
    await this.#o.audit.record(
      {
        type: "auth.register",
        severity: user.roles.includes("admin") ? "high" : "low",
        result: "success",
        resource: `user:${user.id}`,
        action: "create",
        metadata: { roles: user.roles },
      },
      { ...strangersContext(context), userId: user.id },
      tx,
    );
  }
}

interface NewPassword {
  readonly passwordHash: string;
  readonly shortPassword: boolean;
}

interface QuietRegistration {
  readonly email: string;
  readonly name: string;
  readonly password: NewPassword;
  /** The hash of the registering browser's secret. */
  readonly browser: string | undefined;
}

/** hashOf is what is stored of a browser's secret. */
export const hashOf = (browser: string): string => sha256(browser).toString("base64url");

/** isBrowser tells whether a secret is the one whose hash was stored; without either it is not. */
export function isBrowser(stored: unknown, browser: string | undefined): boolean {
  if (typeof stored !== "string" || browser === undefined) return false;
  return digestsEqual(Buffer.from(stored, "base64url"), sha256(browser));
}
