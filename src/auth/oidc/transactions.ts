import { and, eq, gt, isNull, sql } from "drizzle-orm";
import { type Clock, parseDuration, uuidv7 } from "../../core/index.ts";
import { randomText, type Sealer, sha256 } from "../../crypto/index.ts";
import { type Database, oneTimeTokens } from "../../database/index.ts";

/** OidcIntent is what a sign-in at a provider is for: a session, or an identity of the account that asks. */
export type OidcIntent = "sign-in" | "link";

/** OidcBegun is what is known of a sign-in while its person is away at the provider. */
export interface OidcBegun {
  readonly provider: string;
  readonly intent: OidcIntent;
  readonly mode: "token" | "cookie";
  /** Of a link: whose account it is, and the session that asked. */
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly returnTo?: string | undefined;
  /** Seconds since the sign-in at the provider that are allowed; undefined where any time will do. */
  readonly maxAge?: number | undefined;
}

export interface OidcTransaction extends OidcBegun {
  readonly nonce: string;
  readonly verifier: string;
}

export interface OidcTransactionsOptions {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly lifetime: string;
}

const PURPOSE = "oidc";

/** OidcTransactions keeps sign-ins that are under way, each for one browser, one provider and one callback. */
export class OidcTransactions {
  readonly #database: Database;
  readonly #sealer: Sealer;
  readonly #clock: Clock;
  readonly #lifetimeMs: number;

  constructor(options: OidcTransactionsOptions) {
    this.#database = options.database;
    this.#sealer = options.sealer;
    this.#clock = options.clock;
    this.#lifetimeMs = parseDuration(options.lifetime, "lifetime");
  }

  /** The life of a transaction and of its cookie, in seconds. */
  get maxAge(): number {
    return Math.floor(this.#lifetimeMs / 1_000);
  }

  /** begin stores a transaction. Of `state` and `browser`, which go out, only the hashes stay; nonce and verifier are sealed. */
  async begin(begun: OidcBegun): Promise<{
    readonly state: string;
    readonly browser: string;
    readonly nonce: string;
    readonly verifier: string;
  }> {
    const now = this.#clock.now();
    const id = uuidv7(now);
    const [state, browser] = [randomText(32), randomText(32)];
    const [nonce, verifier] = [randomText(32), randomText(32)];
    const { userId, ...facts } = begun;
    const sealed = this.#sealer.seal(JSON.stringify({ nonce, verifier }), contextOf(id));
    await this.#database.run((orm) =>
      orm.insert(oneTimeTokens).values({
        id,
        purpose: PURPOSE,
        tokenHash: sha256(state),
        userId: userId ?? null,
        data: { ...facts, browserHash: hashOf(browser), sealed },
        createdAt: new Date(now),
        expiresAt: new Date(now + this.#lifetimeMs),
      }),
    );
    return { state, browser, nonce, verifier };
  }

  /**
   * consume uses a transaction up and returns it, or is undefined where it is unknown, over, used, of another provider or of another
   * browser. Of all who ask at once, one gets it; who is not the browser that began it takes nothing from the one that did.
   */
  async consume(
    provider: string,
    state: string,
    browser: string,
  ): Promise<OidcTransaction | undefined> {
    const now = new Date(this.#clock.now());
    const [row] = await this.#database.run((orm) =>
      orm
        .update(oneTimeTokens)
        .set({ usedAt: now })
        .where(
          and(
            eq(oneTimeTokens.tokenHash, sha256(state)),
            eq(oneTimeTokens.purpose, PURPOSE),
            isNull(oneTimeTokens.usedAt),
            gt(oneTimeTokens.expiresAt, now),
            sql`${oneTimeTokens.data}->>'provider' = ${provider}`,
            sql`${oneTimeTokens.data}->>'browserHash' = ${hashOf(browser)}`,
          ),
        )
        .returning(),
    );
    if (row === undefined) return undefined;
    const { sealed, browserHash: _, ...facts } = row.data as unknown as StoredData;
    const secrets = this.#sealer.openText(sealed, contextOf(row.id));
    const { nonce, verifier } = JSON.parse(secrets) as { nonce: string; verifier: string };
    return { ...facts, userId: row.userId ?? undefined, nonce, verifier };
  }
}

interface StoredData extends OidcBegun {
  readonly browserHash: string;
  readonly sealed: string;
}

const hashOf = (browser: string): string => sha256(browser).toString("base64url");

const contextOf = (row: string) =>
  ({ purpose: PURPOSE, table: "one_time_tokens", column: "data", row }) as const;
