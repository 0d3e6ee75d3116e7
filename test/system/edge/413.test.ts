import { sql } from "drizzle-orm";
import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { LAMP } from "../products/support.ts";
import { expectRefusal } from "./support.ts";

const { call, reset, signUp, query } = await testApp();
beforeAll(reset);

const MIB = 1_048_576;

/** A product in exactly so many bytes. */
function bodyOf(bytes: number): string {
  const empty = JSON.stringify({ ...LAMP, description: "" });
  return JSON.stringify({ ...LAMP, description: "x".repeat(bytes - empty.length) });
}

test("1 MiB is read, and one byte more is 413 and writes nothing", async () => {
  const { token } = await signUp();
  const most = await call("POST", "/api/products", { token, body: bodyOf(MIB) });
  expectRefusal(most, 400, "VALIDATION_ERROR");
  const over = await call("POST", "/api/products", { token, body: bodyOf(MIB + 1) });
  expectRefusal(over, 413, "PAYLOAD_TOO_LARGE");
  expect(await query(sql`SELECT id FROM reference.products`)).toEqual([]);
});

test("bytes count, not characters", async () => {
  const { token } = await signUp();
  const body = JSON.stringify({ ...LAMP, description: "\u{1F600}".repeat(300_000) });
  expectRefusal(await call("POST", "/api/products", { token, body }), 413, "PAYLOAD_TOO_LARGE");
});

test("who may not write learns that first", async () => {
  expectRefusal(
    await call("POST", "/api/products", { body: bodyOf(MIB + 1) }),
    401,
    "UNAUTHORIZED",
  );
});
