import {
  type AuditSink,
  type Clock,
  ConflictError,
  type CredentialChange,
  type EventContext,
  NotFoundError,
  type ProvedFactor,
  systemClock,
  type UserPrincipal,
} from "../../core/index.ts";
import type { Database, Orm } from "../../database/index.ts";
import {
  type RecoveryCodes,
  secondFactorsOf,
  type TotpEnrolment,
  type TotpService,
} from "../mfa/index.ts";
import { withProved } from "../sessions/index.ts";
import type { AccountCredentials } from "./account-credentials.ts";
import type { AccountGuard } from "./account-guard.ts";
import type { AccountMailer } from "./account-mail.ts";
import type { SecondFactors } from "./second-factors.ts";
import type { SignedIn, SignIn } from "./sign-in.ts";
import { findById, invalidCredentials, lockById, type UserRow } from "./users.ts";

/** A passkey as its owner sees it. */
export interface PasskeyView {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly backedUp: boolean;
}

/** Passkeys keeps WebAuthn credentials; each challenge of its options works once. */
export interface Passkeys {
  registrationOptions(user: {
    readonly id: string;
    readonly email: string;
    readonly name: string;
  }): Promise<Readonly<Record<string, unknown>>>;
  /** Stores the passkey, or resolves to undefined where the response proves none. */
  verifyRegistration(
    userId: string,
    response: unknown,
    name: string,
    tx: Orm,
  ): Promise<PasskeyView | undefined>;
  /** Options of a sign-in: for whoever holds a passkey, or for the passkeys of one user. */
  loginOptions(userId?: string): Promise<Readonly<Record<string, unknown>>>;
  /** Whose passkey signed, of anyone or of one user, or undefined. */
  verifyLogin(
    response: unknown,
    of?: { readonly userId?: string | undefined },
  ): Promise<{ readonly userId: string; readonly passkeyId: string } | undefined>;
  list(userId: string): Promise<readonly PasskeyView[]>;
  rename(userId: string, id: string, name: string): Promise<void>;
  /** Throws a NotFoundError only if the user has no such passkey. */
  remove(userId: string, id: string, tx: Orm): Promise<void>;
}

export interface FactorChangesOptions {
  readonly database: Database;
  readonly signIn: SignIn;
  readonly factors: SecondFactors;
  readonly totp: TotpService;
  readonly recoveryCodes: RecoveryCodes;
  readonly passkeys: Passkeys;
  readonly credentials: AccountCredentials;
  readonly guard: AccountGuard;
  readonly mailer: AccountMailer;
  readonly audit: AuditSink;
  readonly clock?: Clock | undefined;
}

/** A change of factors: the session goes on under a new id, and all others have ended. */
interface Changed {
  readonly signedIn: SignedIn;
}

/** FactorChanges sets up and removes second factors. The owner is told of each by mail. */
export class FactorChanges {
  readonly #o: FactorChangesOptions;
  readonly #clock: Clock;

  constructor(options: FactorChangesOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** summary returns what the user can prove, and how many recovery codes are left. */
  async summary(
    userId: string,
  ): Promise<{ readonly methods: readonly string[]; readonly recoveryCodesLeft: number }> {
    const methods = await this.#o.factors.methodsOf(userId);
    const recoveryCodesLeft = await this.#o.recoveryCodes.remaining(userId);
    return { methods, recoveryCodesLeft };
  }

  /** enrollTotp makes a secret that is shown once. Throws a ConflictError only if an app is set up already. */
  async enrollTotp({ userId }: UserPrincipal): Promise<TotpEnrolment> {
    const user = await this.#user(userId);
    return this.#o.totp.enroll(userId, user.email);
  }

  /** confirmTotp takes the app into use, and makes recovery codes. Throws only INVALID_CREDENTIALS. */
  async confirmTotp(
    principal: UserPrincipal,
    code: string,
    context: EventContext,
  ): Promise<Changed & { readonly recoveryCodes: readonly string[] }> {
    await this.#countAttempt(principal.userId);
    let recoveryCodes: readonly string[] = [];
    const signedIn = await this.#change(principal, "totp added", "otp", context, async (tx) => {
      const confirmed = await this.#o.totp.confirm(principal.userId, code, tx);
      if (!confirmed) throw invalidCredentials();
      recoveryCodes = await this.#o.recoveryCodes.regenerate(principal.userId, tx);
    });
    return { signedIn, recoveryCodes };
  }

  /** removeTotp ends the app. Throws a NotFoundError where there is none, and a ConflictError where it may not go. */
  removeTotp(principal: UserPrincipal, context: EventContext): Promise<SignedIn> {
    return this.#change(principal, "totp removed", undefined, context, async (tx, user) => {
      const removed = await this.#o.totp.remove(principal.userId, tx);
      if (!removed) throw new NotFoundError("Authenticator app");
      await this.#afterRemoval(tx, user);
    });
  }

  /** regenerateRecoveryCodes voids the old codes. Throws a ConflictError only if there is no factor that they could stand in for. */
  async regenerateRecoveryCodes(
    principal: UserPrincipal,
    context: EventContext,
  ): Promise<Changed & { readonly recoveryCodes: readonly string[] }> {
    const { userId } = principal;
    if ((await this.#o.factors.methodsOf(userId)).length === 0) {
      throw new ConflictError("Set up a second factor first.");
    }
    let recoveryCodes: readonly string[] = [];
    const what = "recovery codes renewed";
    const signedIn = await this.#change(principal, what, undefined, context, async (tx) => {
      recoveryCodes = await this.#o.recoveryCodes.regenerate(userId, tx);
    });
    return { signedIn, recoveryCodes };
  }

  /** addPasskey stores a passkey; with the first second factor it makes recovery codes. Throws only INVALID_CREDENTIALS and a ConflictError. */
  async addPasskey(
    principal: UserPrincipal,
    input: { readonly credential: unknown; readonly name: string },
    context: EventContext,
  ): Promise<
    Changed & {
      readonly passkey: PasskeyView;
      readonly recoveryCodes: readonly string[] | undefined;
    }
  > {
    const { userId } = principal;
    const isFirst = (await this.#o.factors.methodsOf(userId)).length === 0;
    let passkey: PasskeyView | undefined;
    let recoveryCodes: readonly string[] | undefined;
    const signedIn = await this.#change(
      principal,
      "passkey added",
      "passkey",
      context,
      async (tx) => {
        const { credential, name } = input;
        passkey = await this.#o.passkeys.verifyRegistration(userId, credential, name, tx);
        if (passkey === undefined) throw invalidCredentials();
        if (isFirst) recoveryCodes = await this.#o.recoveryCodes.regenerate(userId, tx);
      },
    );
    if (passkey === undefined) throw invalidCredentials();
    return { signedIn, passkey, recoveryCodes };
  }

  /** removePasskey ends a passkey. Throws a NotFoundError where the user has no such one, and a ConflictError where it may not go. */
  removePasskey(principal: UserPrincipal, id: string, context: EventContext): Promise<SignedIn> {
    return this.#change(principal, "passkey removed", undefined, context, async (tx, user) => {
      await this.#o.passkeys.remove(user.id, id, tx);
      await this.#afterRemoval(tx, user);
    });
  }

  /** With the last factor the recovery codes go; a password that was only good beside it, and a role that demands one, keep it. */
  async #afterRemoval(tx: Orm, user: UserRow): Promise<void> {
    if ((await secondFactorsOf(tx, user.id)).length > 0) return;
    if (this.#o.credentials.needsMfa(user.roles)) {
      throw new ConflictError("Your role needs a second factor: add another one first.");
    }
    if (user.shortPassword) {
      throw new ConflictError("Set a password of at least 15 characters first.");
    }
    if (user.passwordHash === null) {
      throw new ConflictError("Set a password first: this is the last way into the account.");
    }
    await this.#o.recoveryCodes.remove(user.id, tx);
  }

  async #countAttempt(userId: string): Promise<void> {
    const attempt = await this.#o.guard.tryFactor(userId);
    if (attempt === undefined) throw invalidCredentials();
  }

  async #change(
    principal: UserPrincipal,
    what: CredentialChange,
    proved: ProvedFactor["method"] | undefined,
    context: EventContext,
    work: (tx: Orm, user: UserRow) => Promise<void>,
  ): Promise<SignedIn> {
    const { userId } = principal;
    const at = this.#clock.now();
    const methods =
      proved === undefined
        ? principal.methods
        : withProved(principal.methods, { method: proved, at });
    return this.#o.signIn.renew(
      principal,
      {
        methods,
        endOthers: true,
        work: async (tx) => {
          // One change of an account at a time, so that two removals do not both see the other's factor.
          const user = await lockById(tx, userId);
          if (user === undefined) throw new NotFoundError("User", userId);
          await work(tx, user);
          await this.#o.credentials.endAccess(tx, userId);
          await this.#o.guard.clearFactors(tx, userId);
          const [subject, change] = what.split(" ");
          await this.#o.audit.record(
            {
              type: `auth.${subject === "recovery" ? "recovery-codes.renewed" : `${subject}.${change}`}`,
              severity: "medium",
              result: "success",
              resource: `user:${userId}`,
              action: what,
            },
            context,
            tx,
          );
          const { email: to, name } = user;
          await this.#o.mailer.send({ kind: "credential-changed", to, name, what, at }, tx);
        },
      },
      context,
    );
  }

  async #user(id: string): Promise<UserRow> {
    const user = await this.#o.database.run((orm) => findById(orm, id));
    if (user === undefined) throw new NotFoundError("User", id);
    return user;
  }
}
