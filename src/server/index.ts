export { referenceMigrations, referenceRoutes } from "./reference-api.ts";
export { type RunningServer, startServer } from "./start-server.ts";
