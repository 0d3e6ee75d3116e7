import type { Bulwark } from "../bulwark/index.ts";
import type { AnyRoute } from "../core/index.ts";
import { adminRoutes } from "./admin/index.ts";
import { apiKeyRoutes } from "./api-key-routes.ts";
import { authRoutes } from "./auth/index.ts";
import { healthRoutes } from "./health-routes.ts";
import { jwksRoutes } from "./jwks-routes.ts";
import { mailboxRoutes } from "./mailbox-routes.ts";
import { metricsRoutes } from "./metrics-routes.ts";
import { openApiRoutes } from "./openapi-routes.ts";
import { pageRoutes } from "./pages/index.ts";
import { productMigrations, productRoutes } from "./products/index.ts";
import { reportRoutes } from "./report-routes.ts";
import { setupRoutes } from "./setup-routes.ts";

/** The migrations of the reference API's own tables. */
export const referenceMigrations = [productMigrations] as const;

export interface ReferenceOptions {
  /** Bearer that reads /metrics from elsewhere. Default none: a loopback peer alone. */
  readonly metricsToken?: string | undefined;
  /** Routes of sign-in at OpenID providers. Default none. */
  readonly providers?: readonly AnyRoute[] | undefined;
}

/** referenceRoutes are all routes of the reference API, bound to one application; the last of them documents them all. */
export function referenceRoutes(
  bulwark: Bulwark,
  options: ReferenceOptions = {},
): readonly AnyRoute[] {
  const routes = [
    ...authRoutes(bulwark),
    ...(options.providers ?? []),
    ...jwksRoutes(bulwark),
    ...productRoutes(bulwark),
    ...apiKeyRoutes(bulwark),
    ...adminRoutes(bulwark),
    ...reportRoutes(bulwark),
    ...setupRoutes(bulwark),
    ...healthRoutes(bulwark),
    ...metricsRoutes(bulwark, options.metricsToken),
    ...pageRoutes(bulwark),
    ...(bulwark.mailbox === undefined ? [] : mailboxRoutes(bulwark, bulwark.mailbox)),
  ];
  return [...routes, ...openApiRoutes(bulwark, routes)];
}
