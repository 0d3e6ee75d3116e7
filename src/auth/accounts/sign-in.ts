import { and, eq, isNull, sql } from "drizzle-orm";
import {
  type AuditSink,
  type Clock,
  type EventContext,
  type ProvedFactor,
  systemClock,
  UnauthorizedError,
  type UserPrincipal,
} from "../../core/index.ts";
import { accountGuards, type Database, type Orm, sessions, users } from "../../database/index.ts";
import {
  DEVICE_COOKIE,
  type Device,
  type Devices,
  type NewSession,
  provedSecondFactor,
  SESSION_COOKIE,
  type SessionMode,
  type SessionStore,
  setCookie,
} from "../sessions/index.ts";
import type { RefreshTokens, TokenService } from "../tokens/index.ts";
import type { AccountGuard } from "./account-guard.ts";
import type { AccountMailer } from "./account-mail.ts";
import type { OneTimeTokens } from "./one-time-tokens.ts";
import type { FactorMethod, SecondFactors } from "./second-factors.ts";
import {
  agentOf,
  invalidCredentials,
  lockById,
  type PublicUser,
  publicUser,
  strangersContext,
  type UserRow,
} from "./users.ts";

/** How a client asks to be signed in. */
export interface SignInRequest {
  /** Default `token`. */
  readonly mode?: SessionMode | undefined;
  /** Proves a known device; from the body, or from its cookie. */
  readonly deviceToken?: string | undefined;
  /** True where someone whom we believe has proved a second factor. */
  readonly provedSecondFactor?: boolean | undefined;
}

/** TokenSignIn is a session that is carried by tokens. */
export interface TokenSignIn {
  readonly mode: "token";
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Seconds that the access token lives. */
  readonly expiresIn: number;
  readonly user: PublicUser;
  /** Shown at the next sign-in, it keeps strangers' failures from locking this device out. */
  readonly deviceToken: string | undefined;
}

/** CookieSignIn is a session that is carried by cookies: nothing of it stands in a body. */
export interface CookieSignIn {
  readonly mode: "cookie";
  /** Values of Set-Cookie. */
  readonly cookies: readonly string[];
  readonly user: PublicUser;
}

/** MfaChallenge is half a sign-in: nothing of it authenticates. */
export interface MfaChallenge {
  readonly mode: "mfa";
  readonly challengeToken: string;
  readonly methods: readonly FactorMethod[];
}

export type SignedIn = TokenSignIn | CookieSignIn;

/** What every way into an account works with. */
export interface SignInParts {
  readonly database: Database;
  readonly sessions: SessionStore;
  readonly devices: Devices;
  readonly tokens: TokenService;
  readonly refreshTokens: RefreshTokens;
  readonly oneTimeTokens: OneTimeTokens;
  readonly factors: SecondFactors;
  readonly guard: AccountGuard;
  readonly mailer: AccountMailer;
  readonly audit: AuditSink;
  readonly clock?: Clock | undefined;
}

export interface SignInOptions extends SignInParts {
  /** Whether an address must be proved before its first session. */
  readonly verification: "off" | "required";
}

/** SignIn is the one way to a session: every path that proves a first factor ends here, and none goes around the second. */
export class SignIn {
  readonly #o: SignInOptions;
  readonly #clock: Clock;

  constructor(options: SignInOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** mayEnter tells whether an account may sign in at all: not disabled, not locked by an administrator, its address proved where that is demanded. */
  async mayEnter(user: UserRow): Promise<boolean> {
    if (user.disabledAt !== null) return false;
    if (this.#o.verification === "required" && user.emailVerifiedAt === null) return false;
    return !(await this.#o.guard.isLocked(user.id));
  }

  /**
   * complete follows a proved first factor: it begins a session, or asks for the second factor that the account has.
   * Throws only INVALID_CREDENTIALS, where the account may not enter.
   */
  async complete(
    user: UserRow,
    proved: readonly ProvedFactor[],
    request: SignInRequest,
    context: EventContext,
  ): Promise<SignedIn | MfaChallenge> {
    if (!(await this.mayEnter(user))) {
      await this.recordFailure(user, context, proved.map(({ method }) => method).join("+"));
      throw invalidCredentials();
    }
    const device = await this.#o.devices.find(request.deviceToken, user.id);
    const isProved = request.provedSecondFactor === true || provedSecondFactor(proved);
    const methods = isProved ? [] : await this.#o.factors.methodsOf(user.id);
    if (methods.length === 0) return this.finish(user, proved, { ...request, device }, context);
    const { token } = await this.#o.database.transaction((tx) =>
      this.#o.oneTimeTokens.issue(tx, "mfa.challenge", {
        userId: user.id,
        data: { mode: request.mode ?? "token", proved, deviceId: device?.id },
      }),
    );
    return { mode: "mfa", challengeToken: token, methods };
  }

  /** recordFailure notes a sign-in that was refused; undefined where nobody knows whose it was. */
  async recordFailure(
    user: Pick<UserRow, "id"> | undefined,
    context: EventContext,
    method: string,
  ): Promise<void> {
    await this.#o.audit.record(
      {
        type: "auth.login.failed",
        severity: "medium",
        result: "failure",
        resource: user === undefined ? undefined : `user:${user.id}`,
        action: "login",
        metadata: { known: user !== undefined, method },
      },
      strangersContext(context),
    );
  }

  /** finish begins the session of a user who has proved all factors. `work` is done in its transaction. */
  async finish(
    user: UserRow,
    proved: readonly ProvedFactor[],
    request: { readonly mode?: SessionMode | undefined; readonly device?: Device | undefined },
    context: EventContext,
    work?: (tx: Orm) => Promise<void>,
  ): Promise<SignedIn> {
    const { device } = request;
    const agent = agentOf(context);
    const now = this.#clock.now();
    const begun = await this.#o.database.transaction(async (tx) => {
      await work?.(tx);
      await this.#stillAsProved(tx, user);
      const session = await this.#o.sessions.create(tx, {
        userId: user.id,
        mode: request.mode ?? "token",
        methods: proved,
        address: context.address,
        agent,
      });
      const refreshToken = await this.#refreshToken(tx, session);
      const known = await this.#o.devices.remember(tx, user.id, device, agent);
      await this.#o.guard.clearFactors(tx, user.id);
      await this.#o.guard.clearPasswords(tx, user.id, device?.id);
      const methods = proved.map(({ method }) => method);
      await this.#o.audit.record(
        {
          type: "auth.login",
          severity: "low",
          result: "success",
          resource: `user:${user.id}`,
          action: "login",
          metadata: { sessionId: session.id, method: methods.join("+"), newDevice: known.isNew },
        },
        { ...strangersContext(context), userId: user.id },
        tx,
      );
      if (known.isNew) {
        const { address } = context;
        const mail = { to: user.email, name: user.name, at: now, address, agent } as const;
        await this.#o.mailer.send({ kind: "new-device", ...mail }, tx);
      }
      return { session, refreshToken, deviceToken: known.token };
    });
    return this.#answer(user, begun);
  }

  /** A password that was changed, an account that was disabled or taken back meanwhile: what was proved must still stand. */
  async #stillAsProved(tx: Orm, user: UserRow): Promise<void> {
    const [row] = await tx
      .update(users)
      .set({ deleteAt: null })
      .where(
        and(
          eq(users.id, user.id),
          isNull(users.disabledAt),
          sql`${users.passwordHash} IS NOT DISTINCT FROM ${user.passwordHash}`,
        ),
      )
      .returning({ id: users.id });
    if (row === undefined) throw invalidCredentials();
    // A statement of its own, after the row is held: a lock that was set meanwhile is seen.
    const [guard] = await tx
      .select({ lockedAt: accountGuards.lockedAt })
      .from(accountGuards)
      .where(eq(accountGuards.userId, user.id));
    if (guard !== undefined && guard.lockedAt !== null) throw invalidCredentials();
  }

  /**
   * renew puts a new session in the place of the principal's, with the factors that were proved since, and answers as a login does;
   * `work` is done in the same transaction. With `endOthers` all other sessions of the user end too.
   * Throws an UnauthorizedError only if the session has ended meanwhile.
   */
  async renew(
    principal: UserPrincipal,
    change: {
      readonly methods?: readonly ProvedFactor[] | undefined;
      readonly endOthers?: boolean | undefined;
      /** The tenant to act in from now on; null for none. Default: the one before. */
      readonly tenantId?: string | null | undefined;
      readonly work?: ((tx: Orm) => Promise<void>) | undefined;
    },
    context: EventContext,
  ): Promise<SignedIn> {
    const { userId, sessionId } = principal;
    const renewed = await this.#o.database.transaction(async (tx) => {
      await lockById(tx, userId);
      const [old] = await tx.delete(sessions).where(eq(sessions.id, sessionId)).returning();
      if (old === undefined) throw new UnauthorizedError("The session has ended.");
      await change.work?.(tx);
      const [user] = await tx.select().from(users).where(eq(users.id, userId));
      if (user === undefined) throw new UnauthorizedError("The account is gone.");
      if (change.endOthers === true) await this.#o.sessions.revokeAll(userId, {}, tx);
      const session = await this.#o.sessions.create(tx, {
        userId,
        mode: old.mode,
        methods: change.methods ?? principal.methods,
        address: context.address,
        agent: agentOf(context),
        tenantId: change.tenantId === undefined ? old.tenantId : change.tenantId,
        expiresAt: old.expiresAt.getTime(),
      });
      const refreshToken = await this.#refreshToken(tx, session);
      return { user, begun: { session, refreshToken, deviceToken: undefined } };
    });
    this.#o.sessions.forget((session) => session.userId === userId);
    return this.#answer(renewed.user, renewed.begun);
  }

  async #refreshToken(tx: Orm, session: NewSession): Promise<string | undefined> {
    return session.mode === "token" ? this.#o.refreshTokens.issue(tx, session.id) : undefined;
  }

  async #answer(
    user: PublicUser,
    begun: {
      readonly session: NewSession;
      readonly refreshToken: string | undefined;
      readonly deviceToken: string | undefined;
    },
  ): Promise<SignedIn> {
    const { session, refreshToken, deviceToken } = begun;
    if (session.secret !== undefined || refreshToken === undefined) {
      const left = (session.expiresAt - this.#clock.now()) / 1_000;
      const cookies = [setCookie(SESSION_COOKIE, session.secret ?? "", left)];
      if (deviceToken !== undefined) {
        cookies.push(setCookie(DEVICE_COOKIE, deviceToken, this.#o.devices.maxAge));
      }
      return { mode: "cookie", cookies, user: publicUser(user) };
    }
    const accessToken = await this.#o.tokens.generateToken({
      userId: user.id,
      sessionId: session.id,
      expiresAt: session.expiresAt,
    });
    return {
      mode: "token",
      accessToken,
      refreshToken,
      expiresIn: this.#o.tokens.expiresIn,
      user: publicUser(user),
      deviceToken,
    };
  }
}
