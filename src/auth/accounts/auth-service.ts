import { and, eq } from "drizzle-orm";
import {
  type Clock,
  type EventContext,
  NotFoundError,
  type ProvedFactor,
  systemClock,
  UnauthorizedError,
  type UserPrincipal,
} from "../../core/index.ts";
import { users } from "../../database/index.ts";
import type { PasswordService } from "../passwords/index.ts";
import { type SessionMode, type SessionView, withProved } from "../sessions/index.ts";
import type { AccountGuard } from "./account-guard.ts";
import type { Passkeys } from "./factor-changes.ts";
import type { FactorProof } from "./second-factors.ts";
import type { MfaChallenge, SignedIn, SignIn, SignInParts, SignInRequest } from "./sign-in.ts";
import {
  findByEmail,
  findById,
  invalidCredentials,
  lockById,
  type PublicUser,
  publicUser,
  strangersContext,
  type UserRow,
} from "./users.ts";

export interface AuthServiceOptions extends SignInParts {
  readonly passwords: PasswordService;
  readonly passkeys: Pick<Passkeys, "verifyLogin">;
  readonly signIn: SignIn;
}

export interface Credentials extends SignInRequest {
  readonly email: string;
  readonly password: string;
}

/** What a step-up proves: the password, or a second factor. */
export type StepUpProof = { readonly method: "password"; readonly password: string } | FactorProof;

/** AuthService signs people in and out, renews what they hold, and says who they are. */
export class AuthService {
  readonly #o: AuthServiceOptions;
  readonly #clock: Clock;

  constructor(options: AuthServiceOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * login proves the password, and begins a session or asks for the second factor. Every refusal is the same
   * INVALID_CREDENTIALS, at the same time after the call; only an UnavailableError (no room for a verification) differs, and
   * comes before any work.
   */
  async login(credentials: Credentials, context: EventContext): Promise<SignedIn | MfaChallenge> {
    const refusal = this.#o.passwords.refusal();
    const found = await findByEmail(this.#o.database, credentials.email);
    const proved = await this.#provePassword(found, credentials, context);
    if (!proved || found === undefined || !(await this.#o.signIn.mayEnter(found))) {
      await this.#o.signIn.recordFailure(found, context, "password");
      await refusal.wait();
      throw invalidCredentials();
    }
    await this.#rehash(found, credentials.password, context.address);
    const user = (await this.#o.database.run((orm) => findById(orm, found.id))) ?? found;
    const factor = { method: "pwd", at: this.#clock.now() } as const;
    return this.#o.signIn.complete(user, [factor], credentials, context);
  }

  /** True where the password is right and an attempt was left. Whatever is wrong costs one verification. */
  async #provePassword(
    user: UserRow | undefined,
    { password, deviceToken }: Credentials,
    context: EventContext,
  ): Promise<boolean> {
    const { passwords, guard } = this.#o;
    const device =
      user === undefined ? undefined : await this.#o.devices.find(deviceToken, user.id);
    const from = { address: context.address, knownDevice: device !== undefined };
    const attempt =
      user === undefined || user.passwordHash === null
        ? undefined
        : await (device === undefined ? guard.tryPassword(user.id) : guard.tryDevice(device.id));
    if (attempt === undefined || user === undefined || user.passwordHash === null) {
      return passwords.verifyNothing(password, from);
    }
    const isRight = await passwords.verifyPassword(password, user.passwordHash, from);
    if (isRight) await guard.passed(user.id, device?.id);
    else if (attempt.locks) await this.#tellOfLock(user, context);
    return isRight;
  }

  async #tellOfLock(user: UserRow, context: EventContext): Promise<void> {
    const { address } = context;
    await this.#o.database.transaction(async (tx) => {
      await this.#o.audit.record(
        {
          type: "auth.account.locked",
          severity: "high",
          result: "blocked",
          resource: `user:${user.id}`,
          action: "login",
        },
        strangersContext(context),
        tx,
      );
      const at = this.#clock.now();
      await this.#o.mailer.send(
        { kind: "locked", to: user.email, name: user.name, at, address },
        tx,
      );
    });
  }

  /**
   * answerChallenge proves the second factor of a half sign-in. A wrong proof does not use the challenge up, and counts on the account.
   * `checkMode` is told how the session would be carried before anything is verified. Throws only INVALID_CREDENTIALS,
   * and what `checkMode` throws.
   */
  async answerChallenge(
    input: { readonly challengeToken: string; readonly proof: FactorProof },
    context: EventContext,
    checkMode: (mode: SessionMode) => void,
  ): Promise<SignedIn> {
    const { oneTimeTokens, database, factors, signIn } = this.#o;
    const row = await oneTimeTokens.find("mfa.challenge", input.challengeToken);
    const user =
      row?.userId == null
        ? undefined
        : await database.run((orm) => findById(orm, row.userId as string));
    if (row === undefined || user === undefined) throw invalidCredentials();
    const data = row.data as {
      readonly mode: SessionMode;
      readonly proved: readonly ProvedFactor[];
      readonly deviceId?: string | undefined;
    };
    checkMode(data.mode);
    const factor = await factors.prove(user.id, input.proof, this.#clock.now());
    if (factor === undefined || !(await signIn.mayEnter(user))) {
      await this.#o.signIn.recordFailure(user, context, input.proof.method);
      throw invalidCredentials();
    }
    const device = data.deviceId === undefined ? undefined : { id: data.deviceId, userId: user.id };
    return signIn.finish(
      user,
      withProved(data.proved, factor),
      { mode: data.mode, device },
      context,
      async (tx) => {
        const used = await oneTimeTokens.consume(tx, "mfa.challenge", input.challengeToken);
        if (used === undefined) throw invalidCredentials();
      },
    );
  }

  /** userOfChallenge returns whose half sign-in a challenge is, for the options of a passkey. Throws only INVALID_CREDENTIALS. */
  async userOfChallenge(challengeToken: string): Promise<string> {
    const row = await this.#o.oneTimeTokens.find("mfa.challenge", challengeToken);
    if (row?.userId == null) throw invalidCredentials();
    return row.userId;
  }

  /** signInByPasskey signs in by a passkey alone, which proves two factors in one. Throws only INVALID_CREDENTIALS. */
  async signInByPasskey(
    credential: unknown,
    request: SignInRequest,
    context: EventContext,
  ): Promise<SignedIn | MfaChallenge> {
    const proved = await this.#o.passkeys.verifyLogin(credential);
    const user =
      proved === undefined
        ? undefined
        : await this.#o.database.run((orm) => findById(orm, proved.userId));
    if (user === undefined || !(await this.#o.signIn.mayEnter(user))) {
      await this.#o.signIn.recordFailure(user, context, "passkey");
      throw invalidCredentials();
    }
    const factor = { method: "passkey", at: this.#clock.now() } as const;
    return this.#o.signIn.complete(user, [factor], request, context);
  }

  /**
   * refresh exchanges a refresh token for a new pair. Throws only an UnauthorizedError: the token is unknown, was used before
   * (which ends its session), or its session is over.
   */
  async refresh(
    token: string,
    context: EventContext,
  ): Promise<{ accessToken: string; refreshToken: string; expiresIn: number }> {
    const refused = (): UnauthorizedError =>
      new UnauthorizedError("The refresh token is not valid.");
    const rotated = await this.#o.refreshTokens.rotate(token, strangersContext(context));
    if (rotated.outcome === "refused" || rotated.outcome === "reused") throw refused();
    const session = await this.#o.sessions.read(rotated.sessionId);
    if (session === undefined) throw refused();
    const accessToken = await this.#o.tokens.generateToken({
      userId: session.userId,
      sessionId: session.id,
      expiresAt: session.expiresAt,
    });
    const { expiresIn } = this.#o.tokens;
    return { accessToken, refreshToken: rotated.token, expiresIn };
  }

  /** logout ends the session of the principal, with all its tokens. */
  async logout(principal: UserPrincipal, context: EventContext): Promise<void> {
    await this.#o.database.transaction(async (tx) => {
      await this.#o.sessions.revoke(principal.sessionId, tx);
      await this.#o.audit.record(
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
    this.#o.sessions.forget((session) => session.id === principal.sessionId);
  }

  /** me returns the user behind a principal. Throws a NotFoundError only if the account is gone. */
  async me(userId: string): Promise<PublicUser> {
    const row = await this.#o.database.run((orm) => findById(orm, userId));
    if (row === undefined) throw new NotFoundError("User", userId);
    return publicUser(row);
  }

  /** sessionsOf lists the live sessions of a user, the newest first. */
  sessionsOf(userId: string): Promise<readonly SessionView[]> {
    return this.#o.sessions.list(userId);
  }

  /** endSession ends one session of the user. Throws a NotFoundError only if the user has no such session. */
  async endSession(
    principal: UserPrincipal,
    sessionId: string,
    context: EventContext,
  ): Promise<void> {
    const own = await this.#o.sessions.list(principal.userId);
    if (!own.some(({ id }) => id === sessionId)) throw new NotFoundError("Session", sessionId);
    await this.#endSessions(principal, { only: sessionId }, context);
  }

  /** endOtherSessions ends all sessions of the user but the one that asks, and returns how many. */
  endOtherSessions(principal: UserPrincipal, context: EventContext): Promise<number> {
    return this.#endSessions(principal, { except: principal.sessionId }, context);
  }

  async #endSessions(
    { userId }: UserPrincipal,
    which: { readonly only: string } | { readonly except: string },
    context: EventContext,
  ): Promise<number> {
    const { sessions } = this.#o;
    const ended = await this.#o.database.transaction(async (tx) => {
      await lockById(tx, userId);
      const count =
        "only" in which
          ? Number(await sessions.revoke(which.only, tx))
          : await sessions.revokeAll(userId, which, tx);
      const event = {
        type: "auth.sessions.revoked",
        severity: "low",
        result: "success",
        resource: `user:${userId}`,
        action: "revoke",
        metadata: { ...which, count },
      } as const;
      await this.#o.audit.record(event, context, tx);
      return count;
    });
    sessions.forget((session) => session.userId === userId);
    return ended;
  }

  /**
   * stepUp proves a factor again within a session, which goes on under a new id. Failures count on the account like those of second
   * factors. Throws only INVALID_CREDENTIALS.
   */
  async stepUp(
    principal: UserPrincipal,
    proof: StepUpProof,
    context: EventContext,
  ): Promise<SignedIn> {
    const factor = await this.prove(principal, proof, context);
    const { type, severity } = { type: "auth.step-up", severity: "low" } as const;
    const { userId } = principal;
    const work = async (tx: Parameters<AccountGuard["clearFactors"]>[0]): Promise<void> => {
      await this.#o.guard.clearFactors(tx, userId);
      const resource = `user:${userId}`;
      const metadata = { method: factor.method };
      const event = { type, severity, result: "success", resource, action: "prove", metadata };
      await this.#o.audit.record({ ...event, result: "success" }, context, tx);
    };
    const methods = withProved(principal.methods, factor);
    return this.#o.signIn.renew(principal, { methods, work }, context);
  }

  /** prove checks one factor of a signed-in user. Throws only INVALID_CREDENTIALS, where it is wrong or locked. */
  async prove(
    principal: UserPrincipal,
    proof: StepUpProof,
    context: EventContext,
  ): Promise<ProvedFactor> {
    const { userId } = principal;
    const now = this.#clock.now();
    const factor =
      proof.method === "password"
        ? (await this.#isPassword(userId, proof.password, context))
          ? ({ method: "pwd", at: now } as const)
          : undefined
        : await this.#o.factors.prove(userId, proof, now);
    if (factor !== undefined) return factor;
    const user = await this.#o.database.run((orm) => findById(orm, userId));
    await this.#o.signIn.recordFailure(user, context, proof.method);
    throw invalidCredentials();
  }

  async #isPassword(userId: string, password: string, context: EventContext): Promise<boolean> {
    const { passwords, guard, database } = this.#o;
    const user = await database.run((orm) => findById(orm, userId));
    const from = { address: context.address, knownDevice: true };
    const attempt = await guard.tryFactor(userId);
    if (attempt === undefined || user === undefined || user.passwordHash === null) {
      return passwords.verifyNothing(password, from);
    }
    return passwords.verifyPassword(password, user.passwordHash, from);
  }

  async #rehash(user: UserRow, password: string, address: string | undefined): Promise<void> {
    const proved = user.passwordHash;
    if (proved === null || !this.#o.passwords.needsRehash(proved)) return;
    const passwordHash = await this.#o.passwords.rehashPassword(password, address);
    // Only over the hash that was verified: a password that was changed meanwhile stands.
    await this.#o.database.run((orm) =>
      orm
        .update(users)
        .set({ passwordHash })
        .where(and(eq(users.id, user.id), eq(users.passwordHash, proved))),
    );
  }
}
