import { requireRoles } from "../../access/index.ts";
import type { Bulwark } from "../../bulwark/index.ts";
import type { Authenticated, Wrapper } from "../../core/index.ts";

/**
 * administrator wraps what only an administrator may do: the role, and where it is configured a second factor that was proved within
 * the last 15 minutes.
 */
export function administrator({ adminMfa, requireRecentAuth }: Bulwark): Wrapper<Authenticated> {
  const role = requireRoles("admin");
  if (adminMfa === "off") return role;
  const recent = requireRecentAuth({ factor: "second", maxAge: "15m" });
  return (handler) => role(recent(handler));
}
