import { verify } from "node:crypto";
import { and, eq } from "drizzle-orm";
import {
  type AuditSink,
  type Clock,
  type EventContext,
  isUuid,
  UnauthorizedError,
} from "../core/index.ts";
import { sha256 } from "../crypto/index.ts";
import { apiKeys, type Database, type Orm, users } from "../database/index.ts";
import type { KeySettings } from "./key-config.ts";
import { idOf, type KeyText } from "./key-text.ts";

/** A key that was found where everybody could read it. */
export interface LeakedKey {
  readonly token: string;
  /** Where: a URL and a kind of place, in the partner's words. */
  readonly url?: string | undefined;
  readonly source?: string | undefined;
}

/** What the owner of a leaked key is told. */
export interface LeakNotice {
  readonly to: string;
  /** Of the owner. */
  readonly name: string;
  readonly keyName: string;
  readonly at: number;
}

export interface LeakReportsOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: AuditSink;
  readonly settings: KeySettings;
  readonly parse: (text: string) => KeyText | undefined;
  /** Queues a mail in the transaction. */
  readonly notify: (notice: LeakNotice, tx: Orm) => Promise<void>;
  readonly onChange: (keyId: string) => void;
}

const MAX_SIGNATURE = 512;
const MAX_PLACE = 512;

/** LeakReports ends keys that scanning partners found. It needs the partner's signature and the whole key, and tells nobody which keys there are. */
export class LeakReports {
  readonly #o: LeakReportsOptions;

  constructor(options: LeakReportsOptions) {
    this.#o = options;
  }

  /** Whether there is a partner who may report. */
  get isOn(): boolean {
    return this.#o.settings.partners.length > 0;
  }

  /**
   * partnerOf returns the name of the partner that signed a body (ECDSA on P-256 with SHA-256, DER in base64).
   * Throws an UnauthorizedError only if no partner signed it.
   */
  partnerOf(body: Uint8Array, headers: { get(name: string): string | null }): string {
    for (const partner of this.#o.settings.partners) {
      const key = partner.keys.get(headers.get(partner.keyIdHeader) ?? "");
      const signature = headers.get(partner.signatureHeader);
      if (key === undefined || signature === null || signature.length > MAX_SIGNATURE) continue;
      const bytes = Buffer.from(signature, "base64");
      if (verify("sha256", body, { key, dsaEncoding: "der" }, bytes)) return partner.name;
    }
    throw new UnauthorizedError("The report is not signed by a partner.");
  }

  /** revoke ends those of the keys that there are, tells their owners, and alerts. What is no key of ours costs no read. */
  async revoke(keys: readonly LeakedKey[], partner: string, context: EventContext): Promise<void> {
    for (const leaked of keys) {
      const text = this.#o.parse(leaked.token);
      const id = text === undefined ? undefined : idOf(text.idText);
      if (text === undefined || id === undefined || !isUuid(id)) continue;
      const found = await this.#end(id, text.secret, { ...leaked, partner }, context);
      if (found) this.#o.onChange(id);
    }
  }

  #end(
    id: string,
    secret: string,
    found: LeakedKey & { readonly partner: string },
    context: EventContext,
  ): Promise<boolean> {
    const { audit, clock, database, notify } = this.#o;
    return database.transaction(async (tx) => {
      const [row] = await tx
        .delete(apiKeys)
        .where(and(eq(apiKeys.id, id), eq(apiKeys.secretHash, sha256(secret))))
        .returning();
      if (row === undefined) return false;
      const { name, userId, tenantId, createdBy } = row;
      const place = { url: placeOf(found.url), source: placeOf(found.source) };
      await audit.record(
        {
          type: "apikey.leaked",
          severity: "critical",
          result: "success",
          resource: `api-key:${id}`,
          action: "revoke",
          metadata: { partner: found.partner, name, owner: userId, tenant: tenantId, ...place },
        },
        context,
        tx,
      );
      const person = userId ?? createdBy;
      const [owner] =
        person === null ? [] : await tx.select().from(users).where(eq(users.id, person));
      if (owner !== undefined) {
        const notice = { to: owner.email, name: owner.name, keyName: name, at: clock.now() };
        await notify(notice, tx);
      }
      return true;
    });
  }
}

/** Where it was found: without the query, which may hold the key once more. */
const placeOf = (text: string | undefined): string | undefined =>
  text?.replace(/[?#].*$/s, "").slice(0, MAX_PLACE);
