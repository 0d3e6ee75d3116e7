import { serve } from "../adapters/node/index.ts";
import type { OidcConfig } from "../auth/oidc/index.ts";
import { type Bulwark, createBulwark, type ServerConfig } from "../bulwark/index.ts";
import { createRouter } from "../core/index.ts";
import { loadOidc } from "./load-oidc.ts";
import { referenceMigrations, referenceRoutes } from "./reference-api.ts";

export interface RunningServer {
  readonly bulwark: Bulwark;
  readonly url: string;
  /** The link by which the first administrator is made; development alone, while there is none. */
  readonly setupUrl: string | undefined;
  /** close turns /health/ready to 503, stops listening after the drain delay, lets requests in flight finish, then closes the database. */
  close(): Promise<void>;
}

const SWEEP_MS = 600_000;

/** startServer opens the database and serves the reference API. Rejects before it listens if anything is wrong. */
export async function startServer(
  config: ServerConfig & { readonly oidc?: OidcConfig | undefined },
): Promise<RunningServer> {
  const { host, port, metricsToken, oidc, server: limits, ...application } = config;
  const bulwark = createBulwark({ ...application, migrations: referenceMigrations });
  try {
    const { BaseAPIHandler } = bulwark.handlers;
    const providers = oidc === undefined ? [] : await loadOidc(bulwark, oidc);
    const routes = referenceRoutes(bulwark, { metricsToken, providers });
    const router = createRouter(BaseAPIHandler, routes);
    await bulwark.ready();
    const server = await serve({ handlers: BaseAPIHandler, router, host, port, ...limits });
    const token = bulwark.mode === "development" ? await bulwark.firstAdmin.issue() : undefined;
    // What is over is deleted, and what was put off is done, without anybody asking for it.
    const sweeping = setInterval(() => {
      bulwark.sweep().catch((err: unknown) => bulwark.log.error({ err }, "the sweep failed"));
    }, SWEEP_MS);
    sweeping.unref();
    return {
      bulwark,
      url: bulwark.issuer,
      setupUrl: token === undefined ? undefined : `${bulwark.issuer}/setup#${token}`,
      close: async () => {
        clearInterval(sweeping);
        // Whoever sends requests here by what /health/ready says is told first, and goes elsewhere.
        bulwark.drain();
        await server.close();
        await bulwark.close();
      },
    };
  } catch (error) {
    await bulwark.close();
    throw error;
  }
}
