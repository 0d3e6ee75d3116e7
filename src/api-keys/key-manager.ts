import { and, count, desc, eq, gt, gte, isNull, lt, type SQL, sql } from "drizzle-orm";
import {
  type AuditSink,
  type Clock,
  ConflictError,
  type EventContext,
  ForbiddenError,
  isUuid,
  NotFoundError,
  parseDuration,
  uuidv7,
  ValidationError,
} from "../core/index.ts";
import { sha256 } from "../crypto/index.ts";
import {
  apiKeys,
  apiKeyUsage,
  type Database,
  type Orm,
  readUserAccess,
  tenants,
  userAccess,
  users,
} from "../database/index.ts";
import { BaseAPIService } from "../observability/index.ts";
import type { KeySettings } from "./key-config.ts";
import type { KeyAccess, KeyRow } from "./key-entry.ts";
import { checkNewKey, keyName, lifetimeOf, type NewAPIKey } from "./key-input.ts";
import { type KeyOwner, ownedBy, ownerFacts } from "./key-owner.ts";
import { createKeyText } from "./key-text.ts";
import { type APIKeyDetails, type APIKeyView, viewOf } from "./key-view.ts";

/** Grantor is who makes or rotates a key of a user, as far as it decides which scopes the key can have. */
export interface Grantor {
  readonly roles: readonly string[];
  readonly permissions?: readonly string[] | undefined;
}

/** CreatedAPIKey is a new key, the only time that it is shown. */
export interface CreatedAPIKey {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expiresAt: string;
}

export interface KeyManagerOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: AuditSink;
  readonly access: KeyAccess;
  readonly settings: KeySettings;
}

/** How long a key that is over stays in lists, so that its owner can see why it is refused. */
const KEPT_MS = parseDuration("30d");
/** How long the use by day is kept. */
const USAGE_KEPT_MS = parseDuration("400d");
const USAGE_DAYS = 31;

/** KeyManager makes keys, and changes and ends those of an owner; those of anybody else are not found. */
export abstract class KeyManager extends BaseAPIService {
  readonly #o: KeyManagerOptions;

  constructor(options: KeyManagerOptions) {
    super();
    this.#o = options;
  }

  /** changed hears of every key that was changed, once it is committed. */
  protected abstract changed(keyId: string): void;

  /**
   * create makes a key of an owner. A key of a user can have no scope that the user has no permission for, nor one that `grantor`, the
   * session that asks, has none for; an operator's command has no grantor. Throws a ValidationError, a ForbiddenError (scopes), a
   * NotFoundError (no such owner) or a ConflictError (too many keys) only.
   */
  async create(
    input: NewAPIKey,
    owner: KeyOwner,
    grantor: Grantor | undefined,
    context: EventContext,
  ): Promise<CreatedAPIKey> {
    refuseKeys(context);
    const { settings, access, clock } = this.#o;
    const { lifetimeMs, ...checked } = checkNewKey(input, settings, access.scopes);
    const now = clock.now();
    const id = uuidv7(now);
    const { key, secret } = createKeyText(settings.prefix, settings.environment, id);
    const expiresAt = new Date(now + lifetimeMs);
    await this.#o.database.transaction(async (tx) => {
      const permitted = await this.#holdOwner(tx, owner, grantor);
      if (permitted !== undefined && !checked.scopes.every((scope) => permitted.has(scope))) {
        throw new ForbiddenError("A key can do no more than its owner.");
      }
      await this.#checkRoom(tx, owner, settings.maxPerOwner);
      await tx.insert(apiKeys).values({
        ...checked,
        scopes: [...checked.scopes],
        allowedAddresses: checked.allowedAddresses === null ? null : [...checked.allowedAddresses],
        id,
        userId: owner.userId ?? null,
        tenantId: owner.tenantId ?? null,
        environment: settings.environment,
        secretHash: sha256(secret),
        createdAt: new Date(now),
        createdBy: actorOf(context),
        expiresAt,
      });
      const facts = { name: checked.name, scopes: checked.scopes, expiresAt };
      await this.#record(tx, "create", id, context, { ...ownerFacts(owner), ...facts });
    });
    const { name, scopes } = checked;
    return { id, key, name, scopes, expiresAt: expiresAt.toISOString() };
  }

  /** list returns the keys of an owner, the newest first, those that are over for up to 30 days. */
  async list(owner: KeyOwner, context: EventContext): Promise<readonly APIKeyView[]> {
    refuseKeys(context);
    const rows = await this.#o.database.run((orm) =>
      orm
        .select()
        .from(apiKeys)
        .where(ownedBy(owner))
        .orderBy(desc(apiKeys.createdAt), desc(apiKeys.id)),
    );
    const now = this.#o.clock.now();
    return rows.map((row) => viewOf(row, this.#o.settings.prefix, now));
  }

  /** get returns one key with its use by day. Throws a NotFoundError only if the owner has none of this id. */
  async get(id: string, owner: KeyOwner, context: EventContext): Promise<APIKeyDetails> {
    refuseKeys(context);
    if (!isUuid(id)) throw notFound(id);
    const now = this.#o.clock.now();
    const from = new Date(now - (USAGE_DAYS - 1) * 86_400_000).toISOString().slice(0, 10);
    const [row, usage] = await this.#o.database.run(async (orm) => {
      const [found] = await orm
        .select()
        .from(apiKeys)
        .where(and(eq(apiKeys.id, id), ownedBy(owner)));
      if (found === undefined) throw notFound(id);
      const days = await orm
        .select({ day: apiKeyUsage.day, requests: apiKeyUsage.requests })
        .from(apiKeyUsage)
        .where(and(eq(apiKeyUsage.keyId, id), gte(apiKeyUsage.day, from)))
        .orderBy(apiKeyUsage.day);
      return [found, days] as const;
    });
    return { ...viewOf(row, this.#o.settings.prefix, now), usage };
  }

  /** ownerOf returns whose a key is, for an operator who has only its id. Throws a NotFoundError only if there is none. */
  async ownerOf(id: string): Promise<KeyOwner> {
    const [row] = isUuid(id)
      ? await this.#o.database.run((orm) => orm.select().from(apiKeys).where(eq(apiKeys.id, id)))
      : [];
    if (row === undefined) throw notFound(id);
    const { userId, tenantId } = row;
    return userId === null
      ? { tenantId: tenantId ?? "" }
      : { userId, tenantId: tenantId ?? undefined };
  }

  /**
   * rotate makes the successor of a key, with what the key has and what of its scopes may be granted now. Both are good for `overlap`
   * (default 0: the old one ends at once), and never beyond the old one's end. The successor ends when the old one would have, unless
   * `expiresIn` asks for another end. A key has one successor: of several who rotate it at once, one does, and the others get a
   * ConflictError. Throws a NotFoundError only if the owner has no such key.
   */
  async rotate(
    id: string,
    owner: KeyOwner,
    grantor: Grantor | undefined,
    how: { readonly overlap?: string | undefined; readonly expiresIn?: string | undefined },
    context: EventContext,
  ): Promise<CreatedAPIKey> {
    refuseKeys(context);
    if (!isUuid(id)) throw notFound(id);
    const { settings, clock } = this.#o;
    const now = clock.now();
    const overlapMs = overlapOf(how.overlap);
    const lifetimeMs =
      how.expiresIn === undefined ? undefined : lifetimeOf(how.expiresIn, settings);
    const successorId = uuidv7(now);
    const { key, secret } = createKeyText(settings.prefix, settings.environment, successorId);
    const made = await this.#o.database.transaction(async (tx) => {
      const permitted = await this.#holdOwner(tx, owner, grantor);
      // With what overlaps there may be twice as many, for a time.
      await this.#checkRoom(tx, owner, 2 * settings.maxPerOwner);
      const [old] = await tx
        .select()
        .from(apiKeys)
        .where(and(eq(apiKeys.id, id), ownedBy(owner)));
      const ended = await tx
        .update(apiKeys)
        .set({
          successorId,
          expiresAt: sql`least(${apiKeys.expiresAt}, ${new Date(now + overlapMs).toISOString()}::timestamptz)`,
        })
        .where(and(eq(apiKeys.id, id), ownedBy(owner), isRotatable(now)))
        .returning();
      const [row] = ended;
      if (old === undefined) throw notFound(id);
      if (row === undefined) {
        throw new ConflictError("This key was rotated already, is over or is disabled.");
      }
      const expiresAt = lifetimeMs === undefined ? old.expiresAt : new Date(now + lifetimeMs);
      const scopes = row.scopes.filter((scope) => permitted?.has(scope) ?? true);
      await tx.insert(apiKeys).values({
        ...successorOf(row),
        id: successorId,
        environment: settings.environment,
        secretHash: sha256(secret),
        scopes,
        createdAt: new Date(now),
        createdBy: actorOf(context),
        expiresAt,
      });
      const facts = { successor: successorId, oldExpiresAt: row.expiresAt, expiresAt };
      await this.#record(tx, "rotate", id, context, { ...ownerFacts(row), ...facts });
      return { name: row.name, scopes, expiresAt: expiresAt.toISOString() };
    });
    this.changed(id);
    return { id: successorId, key, ...made };
  }

  /** revoke ends a key for good. Throws a NotFoundError only if the owner has none of this id. */
  async revoke(id: string, owner: KeyOwner, context: EventContext): Promise<void> {
    refuseKeys(context);
    if (!isUuid(id)) throw notFound(id);
    await this.#o.database.transaction(async (tx) => {
      const [row] = await tx
        .delete(apiKeys)
        .where(and(eq(apiKeys.id, id), ownedBy(owner)))
        .returning();
      if (row === undefined) throw notFound(id);
      await this.#record(tx, "revoke", id, context, { ...ownerFacts(row), name: row.name });
    });
    this.changed(id);
  }

  /** update renames a key, disables it, or enables it again. Throws a NotFoundError only if the owner has none of this id. */
  async update(
    id: string,
    owner: KeyOwner,
    change: { readonly name?: string | undefined; readonly enabled?: boolean | undefined },
    context: EventContext,
  ): Promise<APIKeyView> {
    refuseKeys(context);
    if (!isUuid(id)) throw notFound(id);
    const { clock, database, settings } = this.#o;
    const now = clock.now();
    const name = change.name === undefined ? undefined : keyName(change.name);
    const { enabled } = change;
    const row = await database.transaction(async (tx) => {
      const disabledAt = enabled
        ? null
        : sql`coalesce(${apiKeys.disabledAt}, ${new Date(now).toISOString()}::timestamptz)`;
      const [changed] = await tx
        .update(apiKeys)
        .set({
          // Without any change of its own the statement still tells whether the key is there.
          name: name ?? sql`${apiKeys.name}`,
          ...(enabled === undefined ? {} : { disabledAt }),
        })
        .where(and(eq(apiKeys.id, id), ownedBy(owner)))
        .returning();
      if (changed === undefined) throw notFound(id);
      const what = enabled === undefined ? "rename" : enabled ? "enable" : "disable";
      await this.#record(tx, what, id, context, { ...ownerFacts(changed), name: changed.name });
      return changed;
    });
    this.changed(id);
    return viewOf(row, settings.prefix, now);
  }

  /** sweep deletes keys that have been over for a month, and old use by day. */
  async sweep(): Promise<void> {
    const now = this.#o.clock.now();
    const oldest = new Date(now - USAGE_KEPT_MS).toISOString().slice(0, 10);
    await this.#o.database.run(async (orm) => {
      await orm.delete(apiKeys).where(lt(apiKeys.expiresAt, new Date(now - KEPT_MS)));
      await orm.delete(apiKeyUsage).where(lt(apiKeyUsage.day, oldest));
    });
  }

  /**
   * Holds the owner's row, so that no key is made for one who is ending meanwhile, and returns what its keys may do; undefined where
   * everything that there is.
   */
  async #holdOwner(
    tx: Orm,
    owner: KeyOwner,
    grantor: Grantor | undefined,
  ): Promise<ReadonlySet<string> | undefined> {
    const { userId, tenantId } = owner;
    if (userId === undefined) {
      const [row] = isUuid(tenantId)
        ? await tx.select().from(tenants).where(eq(tenants.id, tenantId)).for("update")
        : [];
      if (row === undefined) throw new NotFoundError("Tenant", tenantId);
      return undefined;
    }
    const now = new Date(this.#o.clock.now());
    const living = and(eq(users.id, userId), isNull(users.disabledAt), isNull(users.deleteAt));
    const [row] = isUuid(userId)
      ? await tx
          .select({ roles: users.roles, read: userAccess(tenantId ?? null, now) })
          .from(users)
          .where(living)
          .for("update")
      : [];
    const holds = (role: string): boolean => this.#o.access.holdsRole?.(role) !== false;
    const access = row === undefined ? undefined : readUserAccess(row.roles, row.read, holds);
    if (access === undefined) throw new NotFoundError("User", userId);
    const permitted = this.#o.access.permissionsOf(access);
    if (grantor === undefined) return permitted;
    const { roles, permissions = [] } = grantor;
    const granted = this.#o.access.permissionsOf({ roles, permissions });
    return new Set([...permitted].filter((permission) => granted.has(permission)));
  }

  async #checkRoom(tx: Orm, owner: KeyOwner, most: number): Promise<void> {
    const all = owner.userId === undefined ? ownedBy(owner) : eq(apiKeys.userId, owner.userId);
    const [counted] = await tx
      .select({ total: count() })
      .from(apiKeys)
      .where(and(all, gt(apiKeys.expiresAt, new Date(this.#o.clock.now()))));
    if ((counted?.total ?? 0) < most) return;
    throw new ConflictError(`There are ${most} keys already; revoke one first.`);
  }

  async #record(
    tx: Orm,
    what: string,
    id: string,
    context: EventContext,
    metadata: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const event = {
      type: `apikey.${what}`,
      severity: "medium",
      result: "success",
      resource: `api-key:${id}`,
      action: what,
      metadata,
    } as const;
    await this.#o.audit.record(event, context, tx);
  }
}

const notFound = (id: string): NotFoundError => new NotFoundError("API key", id);

/** A key that could make keys would outlive its own end. */
function refuseKeys({ principal }: EventContext): void {
  if (principal !== undefined && principal.kind !== "user") {
    throw new ForbiddenError("A key cannot do this.");
  }
}

const actorOf = ({ principal, userId }: EventContext): string | null =>
  userId ?? (principal?.kind === "user" ? principal.userId : null);

const isRotatable = (now: number): SQL | undefined =>
  and(
    isNull(apiKeys.successorId),
    isNull(apiKeys.disabledAt),
    gt(apiKeys.expiresAt, new Date(now)),
  );

/** What a successor has of the key whose place it takes; its quota begins where that one's stands. */
const successorOf = (row: KeyRow) => ({
  userId: row.userId,
  tenantId: row.tenantId,
  name: row.name,
  allowedAddresses: row.allowedAddresses,
  limits: row.limits,
  monthlyQuota: row.monthlyQuota,
  quotaMonth: row.quotaMonth,
  quotaUsed: row.quotaUsed,
});

function overlapOf(text: string | undefined): number {
  if (text === undefined || text === "0") return 0;
  try {
    return parseDuration(text);
  } catch {
    const message = 'Expected a duration such as "1h", or "0".';
    throw new ValidationError([{ field: "overlap", message, code: "invalid_value" }]);
  }
}
