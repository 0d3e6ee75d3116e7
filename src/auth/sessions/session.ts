import type { ProvedFactor } from "../../core/index.ts";

export type SessionMode = "token" | "cookie";

/** Session is what the store knows of a signed-in user now: what a role change wrote is what the next read says. */
export interface Session {
  readonly id: string;
  readonly mode: SessionMode;
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly methods: readonly ProvedFactor[];
  readonly createdAt: number;
  readonly lastSeenAt: number;
  readonly expiresAt: number;
}
