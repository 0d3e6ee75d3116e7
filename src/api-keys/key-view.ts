import type { KeyRow } from "./key-entry.ts";
import type { KeyLimit } from "./key-input.ts";
import { hintOf, type KeyEnvironment } from "./key-text.ts";

/** APIKeyView is a key as its owner sees it. */
export interface APIKeyView {
  readonly id: string;
  /** The key without its secret, to tell it by: `bwk_live_...`. */
  readonly hint: string;
  readonly name: string;
  readonly environment: KeyEnvironment;
  readonly tenantId: string | null;
  /** As they were given; of them, those stand that the owner may do at the time of a request. */
  readonly scopes: readonly string[];
  readonly allowedAddresses: readonly string[] | null;
  readonly limits: readonly KeyLimit[];
  readonly monthlyQuota: number | null;
  readonly state: "active" | "disabled" | "expired";
  readonly createdAt: string;
  readonly expiresAt: string;
  /** Written every ten seconds. */
  readonly lastUsedAt: string | null;
  /** The key that takes its place. */
  readonly successorId: string | null;
}

/** APIKeyDetails has the key's requests by day in UTC besides: those of the last 31 days that had any. */
export interface APIKeyDetails extends APIKeyView {
  readonly usage: readonly { readonly day: string; readonly requests: number }[];
}

export function viewOf(row: KeyRow, prefix: string, now: number): APIKeyView {
  const isOver = row.expiresAt.getTime() <= now;
  return {
    id: row.id,
    hint: hintOf(prefix, row.environment, row.id),
    name: row.name,
    environment: row.environment,
    tenantId: row.tenantId,
    scopes: row.scopes,
    allowedAddresses: row.allowedAddresses,
    limits: row.limits,
    monthlyQuota: row.monthlyQuota,
    state: isOver ? "expired" : row.disabledAt === null ? "active" : "disabled",
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    successorId: row.successorId,
  };
}
