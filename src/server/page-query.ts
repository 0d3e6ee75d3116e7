import { z } from "zod";

/** A whole number as a query spells it. */
const whole = (least: number, most: number, usual: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "Expected a whole number.")
    .transform(Number)
    .pipe(z.number().min(least).max(most))
    .default(usual)
    .meta({
      type: "integer",
      pattern: undefined,
      minimum: least,
      maximum: most,
      description: `Default ${usual}.`,
    });

/** `page` from 1 (default 1) and `limit` from 1 to 100 (default 20), on every list. */
export const page = {
  page: whole(1, 1_000_000, 1),
  limit: whole(1, 100, 20),
};
