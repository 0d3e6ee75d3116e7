import { and, eq } from "drizzle-orm";
import {
  type AuditSink,
  type Clock,
  ConflictError,
  type EventContext,
  NotFoundError,
  systemClock,
  UnauthorizedError,
  type UserPrincipal,
  uuidv7,
  ValidationError,
} from "../../core/index.ts";
import {
  type Database,
  isUniqueViolation,
  type OrmTransaction,
  users,
} from "../../database/index.ts";
import type { PasswordService } from "../passwords/index.ts";
import type { SessionStore } from "../sessions/index.ts";
import type { TokenService } from "../tokens/index.ts";
import { normalizeEmail } from "./email.ts";

export interface AuthServiceOptions {
  readonly database: Database;
  readonly passwords: PasswordService;
  readonly sessions: SessionStore;
  readonly tokens: TokenService;
  readonly audit: AuditSink;
  readonly clock?: Clock | undefined;
}

/** What anyone may be told of a user who is that user. */
export interface PublicUser {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly string[];
}

export interface NewUser {
  readonly email: string;
  readonly password: string;
  readonly name: string;
}

export interface Login {
  readonly accessToken: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly user: PublicUser;
}

type UserRow = typeof users.$inferSelect;

/** AuthService registers people, signs them in and out, and says who they are. */
export class AuthService {
  readonly #database: Database;
  readonly #passwords: PasswordService;
  readonly #sessions: SessionStore;
  readonly #tokens: TokenService;
  readonly #audit: AuditSink;
  readonly #clock: Clock;

  constructor(options: AuthServiceOptions) {
    this.#database = options.database;
    this.#passwords = options.passwords;
    this.#sessions = options.sessions;
    this.#tokens = options.tokens;
    this.#audit = options.audit;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * register makes an account with the role `user`, and no session. Throws only a ValidationError (address, name, password),
   * a ConflictError (the address is taken) and an UnavailableError (no room for a hash).
   */
  register(input: NewUser, context: EventContext): Promise<PublicUser> {
    return this.createUser(input, { roles: ["user"], verified: false }, context);
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
    const passwordHash = await this.#passwords.hashPassword(
      input.password,
      { email, name },
      context.address,
    );
    const now = new Date(this.#clock.now());
    const user = { id: uuidv7(now.getTime()), email, name, roles: [...as.roles] };
    try {
      await this.#database.transaction(async (tx) => {
        await before?.(tx);
        await tx.insert(users).values({
          ...user,
          passwordHash,
          emailVerifiedAt: as.verified ? now : null,
          createdAt: now,
          updatedAt: now,
        });
        await this.#audit.record(
          {
            type: "auth.register",
            severity: as.roles.includes("admin") ? "high" : "low",
            result: "success",
            resource: `user:${user.id}`,
            action: "create",
            metadata: { roles: user.roles },
          },
          { ...contextOf(context), userId: user.id },
          tx,
        );
      });
    } catch (error) {
      if (isUniqueViolation(error, "users_email_key")) {
        throw new ConflictError("This address has an account already.");
      }
      throw error;
    }
    return user;
  }

  /**
   * login proves the password and begins a session. Every refusal is the same INVALID_CREDENTIALS and costs one
   * verification; only an UnavailableError (no room for one) differs, and comes before any work.
   */
  async login(
    credentials: { readonly email: string; readonly password: string },
    context: EventContext,
  ): Promise<Login> {
    const found = await this.#find(credentials.email);
    const { address } = context;
    const { password } = credentials;
    const good =
      found === undefined || found.passwordHash === null
        ? await this.#passwords.verifyNothing(password, address)
        : await this.#passwords.verifyPassword(password, found.passwordHash, address);
    if (!good || found === undefined || found.disabledAt !== null) {
      await this.#recordFailure(found, context);
      throw new UnauthorizedError("The e-mail address or the password is not right.", {
        code: "INVALID_CREDENTIALS",
      });
    }
    await this.#rehash(found, password, address);
    return this.#begin(found, context);
  }

  async #begin(user: UserRow, context: EventContext): Promise<Login> {
    const session = await this.#database.transaction(async (tx) => {
      const begun = await this.#sessions.create(tx, {
        userId: user.id,
        mode: "token",
        methods: [{ method: "pwd", at: this.#clock.now() }],
        address: context.address,
        agent: context.request?.headers.get("user-agent") ?? undefined,
      });
      await this.#audit.record(
        {
          type: "auth.login",
          severity: "low",
          result: "success",
          resource: `user:${user.id}`,
          action: "login",
          metadata: { sessionId: begun.id, method: "pwd" },
        },
        { ...contextOf(context), userId: user.id },
        tx,
      );
      return begun;
    });
    const accessToken = await this.#tokens.generateToken({
      userId: user.id,
      sessionId: session.id,
      expiresAt: session.expiresAt,
    });
    return { accessToken, expiresIn: this.#tokens.expiresIn, user: publicUser(user) };
  }

  /** logout ends the session of the principal, with all its tokens. */
  async logout(principal: UserPrincipal, context: EventContext): Promise<void> {
    await this.#database.transaction(async (tx) => {
      await this.#sessions.revoke(principal.sessionId, tx);
      await this.#audit.record(
        {
          type: "auth.logout",
          severity: "low",
          result: "success",
          resource: `user:${principal.userId}`,
          action: "logout",
        },
        context,
        tx,
      );
    });
    // Between the delete and the commit a read may have put the session back.
    this.#sessions.forget((session) => session.id === principal.sessionId);
  }

  /** me returns the user behind a principal. Throws a NotFoundError only if the account is gone. */
  async me(userId: string): Promise<PublicUser> {
    const [row] = await this.#database.run((orm) =>
      orm.select().from(users).where(eq(users.id, userId)),
    );
    if (row === undefined) throw new NotFoundError("User", userId);
    return publicUser(row);
  }

  /** A text that is no address finds nobody, and is refused like a wrong password. */
  async #find(email: string): Promise<UserRow | undefined> {
    let address: string;
    try {
      address = normalizeEmail(email);
    } catch {
      return undefined;
    }
    const [row] = await this.#database.run((orm) =>
      orm.select().from(users).where(eq(users.email, address)),
    );
    return row;
  }

  async #rehash(user: UserRow, password: string, address: string | undefined): Promise<void> {
    const proved = user.passwordHash;
    if (proved === null || !this.#passwords.needsRehash(proved)) return;
    const passwordHash = await this.#passwords.rehashPassword(password, address);
    // Only over the hash that was verified: a password that was changed meanwhile stands.
    await this.#database.run((orm) =>
      orm
        .update(users)
        .set({ passwordHash })
        .where(and(eq(users.id, user.id), eq(users.passwordHash, proved))),
    );
  }

  async #recordFailure(user: UserRow | undefined, context: EventContext): Promise<void> {
    await this.#audit.record(
      {
        type: "auth.login.failed",
        severity: "medium",
        result: "failure",
        resource: user === undefined ? undefined : `user:${user.id}`,
        action: "login",
        metadata: { known: user !== undefined },
      },
      contextOf(context),
    );
  }
}

/** An event of a person who is not signed in yet is not an event of whoever else the request may stand for. */
const contextOf = ({ requestId, address, request }: EventContext): EventContext => ({
  requestId,
  address,
  request,
});

const publicUser = ({ id, email, name, roles }: PublicUser): PublicUser => ({
  id,
  email,
  name,
  roles,
});

function nameOf(text: string): string {
  const name = text.normalize("NFC").trim();
  const isName = name.length >= 1 && name.length <= 100 && !/\p{Cc}/u.test(name);
  if (isName && name.isWellFormed()) return name;
  throw new ValidationError([
    { field: "name", message: "Expected 1 to 100 characters on one line.", code: "invalid_name" },
  ]);
}
