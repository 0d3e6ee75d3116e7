import { and, eq, isNull, or, type SQL } from "drizzle-orm";
import { apiKeys } from "../database/index.ts";

/** Whose a key is: a user's, in a tenant where one is named; or a tenant's own. */
export type KeyOwner =
  | { readonly userId: string; readonly tenantId?: string | undefined }
  | { readonly userId?: undefined; readonly tenantId: string };

/** What the audit log has of an owner. */
export const ownerFacts = (owner: {
  readonly userId?: string | null | undefined;
  readonly tenantId?: string | null | undefined;
}): Readonly<Record<string, unknown>> => ({
  owner: owner.userId ?? undefined,
  tenant: owner.tenantId ?? undefined,
});

/** ownedBy is the condition on an owner's keys: a user's are those outside of any tenant, and those of the tenant that is acted in. */
export function ownedBy(owner: KeyOwner): SQL | undefined {
  const { userId, tenantId } = owner;
  if (userId === undefined) return and(isNull(apiKeys.userId), eq(apiKeys.tenantId, tenantId));
  const here = tenantId === undefined ? undefined : eq(apiKeys.tenantId, tenantId);
  return and(eq(apiKeys.userId, userId), or(isNull(apiKeys.tenantId), here));
}
