import { serve } from "../adapters/node/index.ts";
import { type Bulwark, createBulwark, type ServerConfig } from "../bulwark/index.ts";
import { createRouter } from "../core/index.ts";
import { referenceMigrations, referenceRoutes } from "./reference-api.ts";

export interface RunningServer {
  readonly bulwark: Bulwark;
  readonly url: string;
  /** The link by which the first administrator is made; development alone, while there is none. */
  readonly setupUrl: string | undefined;
  /** close lets requests in flight finish, then closes the database. */
  close(): Promise<void>;
}

/** startServer opens the database and serves the reference API. Rejects before it listens if anything is wrong. */
export async function startServer(config: ServerConfig): Promise<RunningServer> {
  const { host, port, metricsToken, ...application } = config;
  const bulwark = createBulwark({ ...application, migrations: referenceMigrations });
  try {
    const { BaseAPIHandler } = bulwark.handlers;
    const router = createRouter(BaseAPIHandler, referenceRoutes(bulwark, { metricsToken }));
    await bulwark.ready();
    const server = await serve({ handlers: BaseAPIHandler, router, host, port });
    const token = bulwark.mode === "development" ? await bulwark.firstAdmin.issue() : undefined;
    return {
      bulwark,
      url: bulwark.issuer,
      setupUrl: token === undefined ? undefined : `${bulwark.issuer}/setup#${token}`,
      close: async () => {
        await server.close();
        await bulwark.close();
      },
    };
  } catch (error) {
    await bulwark.close();
    throw error;
  }
}
