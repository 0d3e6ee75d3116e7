import { customType, timestamp } from "drizzle-orm/pg-core";

/** Bytes, as PostgreSQL's bytea. */
export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => "bytea",
});

/** A moment, to the millisecond. */
export const at = (name: string) =>
  timestamp(name, { withTimezone: true, mode: "date", precision: 3 });
