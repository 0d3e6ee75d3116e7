import type { Bulwark } from "../../bulwark/index.ts";
import type { AnyRoute } from "../../core/index.ts";
import { accountRoutes } from "./account-routes.ts";
import { factorRoutes } from "./factor-routes.ts";
import { passwordStrengthRoute } from "./password-strength-route.ts";
import { sessionRoutes } from "./session-routes.ts";
import { tenantRoutes } from "./tenant-routes.ts";

/** authRoutes are all routes under /api/auth that need no provider of someone else's. */
export const authRoutes = (bulwark: Bulwark): readonly AnyRoute[] => [
  ...accountRoutes(bulwark),
  ...sessionRoutes(bulwark),
  ...factorRoutes(bulwark),
  ...tenantRoutes(bulwark),
  passwordStrengthRoute(bulwark),
];
