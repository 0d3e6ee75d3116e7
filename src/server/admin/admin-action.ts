import { requireRoles } from "../../access/index.ts";
import type { Bulwark } from "../../bulwark/index.ts";
import type { Authenticated, Wrapper } from "../../core/index.ts";
import { administrator } from "./administrator.ts";

/** adminAction wraps what an administrator does: as {@link administrator}, and with a factor that was proved within ten minutes. */
export function adminAction(bulwark: Bulwark): Wrapper<Authenticated> {
  const role = requireRoles("admin");
  const recent = bulwark.requireRecentAuth({ factor: "any" });
  const admin = administrator(bulwark);
  return (handler) => role(recent(admin(handler)));
}

/** Codes that every administrator's route may answer. */
export const ADMIN_ERRORS = ["MFA_REQUIRED", "REAUTHENTICATION_REQUIRED"] as const;
