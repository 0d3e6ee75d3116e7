import type { Bulwark } from "../../bulwark/index.ts";
import type { AnyRoute } from "../../core/index.ts";
import { auditRoutes } from "./audit-routes.ts";
import { limitRoutes } from "./limit-routes.ts";
import { roleRoutes } from "./role-routes.ts";
import { tenantAdminRoutes } from "./tenant-routes.ts";
import { adminUserRoutes } from "./user-routes.ts";

export { administrator } from "./administrator.ts";

/** adminRoutes are all routes under /api/admin. */
export const adminRoutes = (bulwark: Bulwark): readonly AnyRoute[] => [
  ...auditRoutes(bulwark),
  ...limitRoutes(bulwark),
  ...adminUserRoutes(bulwark),
  ...roleRoutes(bulwark),
  ...tenantAdminRoutes(bulwark),
];
