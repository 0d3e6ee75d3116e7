import { pgSchema } from "drizzle-orm/pg-core";

/** Our tables stand in a schema of their own, so that a tool that owns `public` never drops them. */
export const bulwarkSchema = pgSchema("bulwark");
