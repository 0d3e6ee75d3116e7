import type { Bulwark } from "../../bulwark/index.ts";
import type { Authenticated, Wrapper } from "../../core/index.ts";
import { administrator } from "./administrator.ts";

/** adminAction wraps what an administrator does: as {@link administrator}, and with a factor that was proved within ten minutes. */
export function adminAction(bulwark: Bulwark): Wrapper<Authenticated> {
  const admin = administrator(bulwark);
  const recent = bulwark.requireRecentAuth({ factor: "any" });
  return (handler) => admin(recent(handler));
}

/** Codes that every administrator's route may answer. */
export const ADMIN_ERRORS = ["MFA_REQUIRED", "REAUTHENTICATION_REQUIRED"] as const;
