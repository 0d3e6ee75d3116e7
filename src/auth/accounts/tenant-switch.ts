import { and, asc, eq } from "drizzle-orm";
import {
  type AuditSink,
  type EventContext,
  isUuid,
  NotFoundError,
  type UserPrincipal,
} from "../../core/index.ts";
import { type Database, memberships, tenants } from "../../database/index.ts";
import type { SignedIn, SignIn } from "./sign-in.ts";

export interface TenantSwitchOptions {
  readonly database: Database;
  readonly signIn: SignIn;
  readonly audit: AuditSink;
}

/** MyTenant is a tenant as one of its members sees it. */
export interface MyTenant {
  readonly id: string;
  readonly name: string;
  /** Whether the session acts in it. */
  readonly current: boolean;
}

/** TenantSwitch says which tenants a user belongs to, and lets their session act in another of them. */
export class TenantSwitch {
  readonly #o: TenantSwitchOptions;

  constructor(options: TenantSwitchOptions) {
    this.#o = options;
  }

  /** list returns the tenants of a user, by name. */
  async list({ userId, tenantId }: UserPrincipal): Promise<readonly MyTenant[]> {
    const rows = await this.#o.database.run((orm) =>
      orm
        .select({ id: tenants.id, name: tenants.name })
        .from(memberships)
        .innerJoin(tenants, eq(tenants.id, memberships.tenantId))
        .where(eq(memberships.userId, userId))
        .orderBy(asc(tenants.name), asc(tenants.id)),
    );
    return rows.map((row) => ({ ...row, current: row.id === tenantId }));
  }

  /**
   * switch lets the session act in another tenant, or in none, under a new id, since it has other roles there; it answers as a login does.
   * Throws a NotFoundError only if the user is no member.
   */
  switch(
    principal: UserPrincipal,
    tenantId: string | null,
    context: EventContext,
  ): Promise<SignedIn> {
    const { signIn, audit } = this.#o;
    if (tenantId !== null && !isUuid(tenantId)) {
      return Promise.reject(new NotFoundError("Tenant", tenantId));
    }
    const { userId } = principal;
    return signIn.renew(
      principal,
      {
        tenantId,
        work: async (tx) => {
          if (tenantId !== null) {
            const [member] = await tx
              .select({ id: memberships.id })
              .from(memberships)
              .where(and(eq(memberships.tenantId, tenantId), eq(memberships.userId, userId)))
              .for("share");
            if (member === undefined) throw new NotFoundError("Tenant", tenantId);
          }
          await audit.record(
            {
              type: "auth.tenant.switch",
              severity: "low",
              result: "success",
              resource: `user:${userId}`,
              action: "switch",
              metadata: { from: principal.tenantId ?? null, to: tenantId },
            },
            context,
            tx,
          );
        },
      },
      context,
    );
  }
}
