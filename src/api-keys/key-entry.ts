import {
  addressRanges,
  type LimitPolicy,
  type LimitRequest,
  limitPolicy,
  type TenantKeyPrincipal,
  type UserKeyPrincipal,
} from "../core/index.ts";
import { digestsEqual } from "../crypto/index.ts";
import { type apiKeys, readUserAccess, type UserAccess, type users } from "../database/index.ts";
import type { KeyEnvironment } from "./key-text.ts";

export type KeyRow = typeof apiKeys.$inferSelect;
type OwnerRow = Pick<typeof users.$inferSelect, "roles" | "disabledAt" | "deleteAt">;

/** KeyAccess is what the access model tells about scopes. */
export interface KeyAccess {
  /** The scopes that there are; a key can have no other. */
  readonly scopes: readonly string[];
  /** Whether a key may hold a role of its owner's: not one that asks for a second factor, which no key can prove. Default: it may. */
  holdsRole?(role: string): boolean;
  /** permissionsOf returns what an owner with these roles, and these permissions besides, may do. */
  permissionsOf(owner: {
    readonly roles: readonly string[];
    readonly permissions: readonly string[];
  }): ReadonlySet<string>;
}

/** Why a key is refused; the caller is told none of it, the audit log is. */
export type KeyRefusal = "unknown" | "secret" | "expired" | "disabled" | "owner" | "address";

/** APIKeyData is a key that was found good: who it acts for, and what it may do now. */
export interface APIKeyData {
  readonly keyId: string;
  /** Undefined for a tenant's own key. */
  readonly userId: string | undefined;
  readonly tenantId: string | undefined;
  /** Of the key's scopes those that its owner may do at this moment. */
  readonly scopes: readonly string[];
  /** Decided together, all or none. */
  readonly limits: readonly LimitPolicy[];
  readonly environment: KeyEnvironment;
}

/** KeyEntry is a key and its owner as one read found them. */
export interface KeyEntry {
  readonly data: APIKeyData;
  readonly principal: UserKeyPrincipal | TenantKeyPrincipal;
  readonly secretHash: Uint8Array;
  readonly expiresAt: number;
  /** When it is to be read again, since a role of its owner expires. */
  readonly until: number;
  readonly refusal: "disabled" | "owner" | undefined;
  readonly isAllowedFrom: ((address: string | undefined) => boolean) | undefined;
  readonly limitRequests: readonly LimitRequest[];
  readonly monthlyQuota: number | undefined;
}

/** entryOf joins a key with its owner. `read` is what {@link userAccess} found. */
export function entryOf(
  row: KeyRow,
  owner: OwnerRow | null,
  read: unknown,
  parts: { readonly access: KeyAccess; readonly ceiling: LimitPolicy },
): KeyEntry {
  const holds = (role: string): boolean => parts.access.holdsRole?.(role) !== false;
  const access = owner === null ? undefined : readUserAccess(owner.roles, read, holds);
  const limits = [
    parts.ceiling,
    ...row.limits.map((limit) => limitPolicy(`key:${limit.name}`, { ...limit, onFailure: "deny" })),
  ];
  const scopes = scopesOf(row, access, parts.access);
  const data: APIKeyData = {
    keyId: row.id,
    userId: row.userId ?? undefined,
    tenantId: row.tenantId ?? undefined,
    scopes,
    limits,
    environment: row.environment,
  };
  return {
    data,
    principal: principalOf(data, access),
    secretHash: row.secretHash,
    expiresAt: row.expiresAt.getTime(),
    until: access?.until ?? Number.POSITIVE_INFINITY,
    refusal: refusalOf(row, owner, access),
    isAllowedFrom:
      row.allowedAddresses === null
        ? undefined
        : addressRanges(row.allowedAddresses, "allowedAddresses"),
    limitRequests: limits.map((policy) => ({ policy, key: `key:${row.id}` })),
    monthlyQuota: row.monthlyQuota ?? undefined,
  };
}

/** A user who is gone, disabled, about to be deleted, or no member of the key's tenant any more opens nothing. */
function refusalOf(
  row: KeyRow,
  owner: OwnerRow | null,
  access: UserAccess | undefined,
): KeyEntry["refusal"] {
  if (row.disabledAt !== null) return "disabled";
  if (row.userId === null) return row.tenantId === null ? "owner" : undefined;
  const isGone = owner === null || owner.disabledAt !== null || owner.deleteAt !== null;
  return isGone || access === undefined ? "owner" : undefined;
}

function scopesOf(
  row: KeyRow,
  access: UserAccess | undefined,
  model: KeyAccess,
): readonly string[] {
  const known = row.scopes.filter((scope) => model.scopes.includes(scope));
  if (row.userId === null) return known;
  if (access === undefined) return [];
  const permitted = model.permissionsOf(access);
  return known.filter((scope) => permitted.has(scope));
}

function principalOf(data: APIKeyData, access: UserAccess | undefined): KeyEntry["principal"] {
  const { keyId, userId, tenantId, scopes, limits } = data;
  if (userId === undefined) {
    return { kind: "tenantKey", tenantId: tenantId ?? "", keyId, via: "key", scopes, limits };
  }
  const { roles, permissions } = access ?? { roles: [], permissions: [] };
  return {
    kind: "userKey",
    userId,
    keyId,
    via: "key",
    scopes,
    tenantId,
    roles,
    permissions,
    limits,
  };
}

/**
 * refusalFor decides on a key that was shown: `digest` is the SHA-256 of its secret. The secret is judged first, so that who has none
 * can tell nothing else apart.
 */
export function refusalFor(
  entry: KeyEntry | undefined,
  shown: {
    readonly digest: Uint8Array;
    readonly now: number;
    readonly address: string | undefined;
  },
): KeyRefusal | undefined {
  if (entry === undefined) return "unknown";
  if (!digestsEqual(entry.secretHash, shown.digest)) return "secret";
  if (entry.expiresAt <= shown.now) return "expired";
  if (entry.refusal !== undefined) return entry.refusal;
  if (entry.isAllowedFrom?.(shown.address) === false) return "address";
  return undefined;
}
