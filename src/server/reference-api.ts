import type { Bulwark } from "../bulwark/index.ts";
import type { AnyRoute } from "../core/index.ts";
import { adminRoutes } from "./admin-routes.ts";
import { authRoutes } from "./auth-routes.ts";
import { healthRoutes } from "./health-routes.ts";
import { productMigrations, productRoutes } from "./products/index.ts";
import { setupRoutes } from "./setup-routes.ts";

/** The migrations of the reference API's own tables. */
export const referenceMigrations = [productMigrations] as const;

/** referenceRoutes are all routes of the reference API, bound to one application. */
export const referenceRoutes = (bulwark: Bulwark): readonly AnyRoute[] => [
  ...authRoutes(bulwark),
  ...productRoutes(bulwark),
  ...adminRoutes(bulwark),
  ...setupRoutes(bulwark),
  ...healthRoutes(bulwark),
];
