import {
  type AuditSink,
  BaseAPIError,
  type Clock,
  ConflictError,
  type EventContext,
  ForbiddenError,
  type ProvedFactor,
  systemClock,
} from "../../core/index.ts";
import type { Orm, users } from "../../database/index.ts";
import type { Identities } from "./identities.ts";
import type { OidcProof, OidcProvider } from "./oidc-provider.ts";

type UserRow = typeof users.$inferSelect;

/**
 * OidcAccounts makes the account of someone who is new here.
 * @public
 */
export interface OidcAccounts {
  /**
   * createFromIdentity makes an account without a password; `work` runs in its transaction. Throws only a ValidationError and, where
   * the address or what `work` inserts is taken, a ConflictError or the database's error.
   */
  createFromIdentity(
    identity: { readonly email: string; readonly emailVerified: boolean; readonly name: string },
    context: EventContext,
    work: (tx: Orm, user: { readonly id: string }) => Promise<void>,
  ): Promise<unknown>;
}

/** @public */
export interface OidcSignInOptions {
  readonly provider: OidcProvider;
  readonly identities: Identities;
  readonly accounts: OidcAccounts;
  readonly audit: AuditSink;
  readonly clock?: Clock | undefined;
  /** Where addresses must be proved, a provider has to say that it did so before it makes an account. */
  readonly verification: "off" | "required";
}

/**
 * OidcOutcome is a callback that went well: a first factor of a user, or an identity that is linked now.
 * @public
 */
export type OidcOutcome =
  | {
      readonly intent: "sign-in";
      readonly user: UserRow;
      readonly proved: readonly ProvedFactor[];
      /** Whether the provider has proved a second factor, so that ours need not be asked for. */
      readonly provedSecondFactor: boolean;
      readonly mode: "token" | "cookie";
      readonly returnTo: string | undefined;
    }
  | {
      readonly intent: "link";
      readonly mode: "token" | "cookie";
      readonly returnTo: string | undefined;
    };

/**
 * OidcSignIn turns what a provider proved into a user of ours.
 * @public
 */
export class OidcSignIn {
  readonly #o: OidcSignInOptions;
  readonly #clock: Clock;

  constructor(options: OidcSignInOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * finish checks a callback and finds, makes or links the account. An address of an existing account opens nothing: its owner signs in
   * and links. Rejects as `OidcProvider.callback` does, and with a ConflictError (address or identity taken), FORBIDDEN (no address
   * from the provider, or none that it has proved) and an UnauthorizedError (the session that began a link has ended). Refusals of
   * sign-ins are recorded.
   */
  async finish(
    name: string,
    search: string,
    cookies: string | null,
    context: EventContext,
  ): Promise<OidcOutcome> {
    try {
      const proof = await this.#o.provider.callback(name, search, cookies);
      return proof.intent === "link"
        ? await this.#link(proof, context)
        : await this.#signIn(proof, context);
    } catch (error) {
      if (error instanceof BaseAPIError && error.statusCode < 500) {
        await this.#recordRefusal(name, error, context);
      }
      throw error;
    }
  }

  async #link(proof: OidcProof, context: EventContext): Promise<OidcOutcome> {
    const { userId, sessionId, mode, returnTo } = proof;
    if (userId === undefined || sessionId === undefined) throw new ForbiddenError();
    await this.#o.identities.link({ userId, sessionId }, proof, context);
    return { intent: "link", mode, returnTo };
  }

  async #signIn(proof: OidcProof, context: EventContext): Promise<OidcOutcome> {
    const user = (await this.#o.identities.findUser(proof)) ?? (await this.#create(proof, context));
    const { provedSecondFactor, mode, returnTo, authTime } = proof;
    const now = this.#clock.now();
    // A session at the provider may be days old: what it proves is as old.
    const proved = [{ method: "oidc", at: Math.min(now, authTime ?? now) }] as const;
    return { intent: "sign-in", user, proved, provedSecondFactor, mode, returnTo };
  }

  async #create(proof: OidcProof, context: EventContext): Promise<UserRow> {
    const { email, emailVerified } = proof;
    if (email === undefined) {
      throw new ForbiddenError("The provider gives no e-mail address, so no account can be made.");
    }
    // Said before anybody looks for the address, so that nothing is learned of it.
    if (!emailVerified && this.#o.verification === "required") {
      throw new ForbiddenError("The provider has not verified your e-mail address.");
    }
    const identity = { email, emailVerified, name: nameFor(proof.name, email) };
    let refusal: unknown;
    try {
      await this.#o.accounts.createFromIdentity(identity, context, (tx, { id }) =>
        this.#o.identities.insert(tx, id, proof),
      );
    } catch (error) {
      refusal = error;
    }
    // Of two first sign-ins at once one makes the account, and both enter it.
    const user = await this.#o.identities.findUser(proof);
    if (user !== undefined) return user;
    if (!(refusal instanceof ConflictError)) throw refusal;
    throw new ConflictError(
      emailVerified
        ? "Your e-mail address has an account here. Sign in to it, and link this provider there."
        : "No account can be made with this e-mail address.",
    );
  }

  async #recordRefusal(
    provider: string,
    error: BaseAPIError<string>,
    { requestId, address, request }: EventContext,
  ): Promise<void> {
    const { cause } = error;
    const reason = cause instanceof Error ? cause.message : error.message;
    await this.#o.audit.record(
      {
        type: "auth.login.failed",
        severity: "medium",
        result: "failure",
        action: "login",
        metadata: { method: "oidc", provider: provider.slice(0, 64), code: error.code, reason },
      },
      { requestId, address, request },
    );
  }
}

/** A provider's name for a person, as one may stand here: on one line, of 1 to 100 characters. */
function nameFor(name: string | undefined, email: string): string {
  const given = name ?? email.slice(0, email.lastIndexOf("@"));
  const line = given
    .toWellFormed()
    .normalize("NFC")
    .replaceAll(/\p{Cc}+/gu, " ")
    .trim();
  const short = line.slice(0, 100).toWellFormed().trim();
  return short === "" ? "New user" : short;
}
