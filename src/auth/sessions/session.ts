import type { ProvedFactor } from "../../core/index.ts";

export type SessionMode = "token" | "cookie";

/** Session is what the store knows of a signed-in user now: what a role change wrote is what the next read says. */
export interface Session {
  readonly id: string;
  readonly mode: SessionMode;
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  /** The tenant that it acts in; undefined outside of any. */
  readonly tenantId: string | undefined;
  readonly roles: readonly string[];
  /** Permissions of roles that were made at run time. */
  readonly permissions: readonly string[];
  /** When its roles are to be read again, since one of them expires then. */
  readonly rolesUntil: number | undefined;
  /** Ids of the keys whose tokens are good at this read; undefined where this process knows them by itself. */
  readonly signingKeys: readonly string[] | undefined;
  readonly methods: readonly ProvedFactor[];
  readonly createdAt: number;
  readonly lastSeenAt: number;
  readonly expiresAt: number;
}
