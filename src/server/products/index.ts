export { productRoutes } from "./routes.ts";
export { productMigrations } from "./table.ts";
