import { sql } from "drizzle-orm";
import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { LAMP } from "../products/support.ts";
import { expectRefusal } from "./support.ts";

const { call, query, reset, signUp } = await testApp();
beforeAll(reset);

// CVE-2022-41919, CVE-2025-32442, CVE-2026-25223, CVE-2026-3419: a content type read twice, and differently.
test.each([
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/xml",
  "text/plain; application/json",
  "application/json, text/plain",
  "text/plain, application/json",
  "application/jsonp",
  "application/json;charset=utf-16",
  "application/json; charset=utf-8; charset=latin1",
  "application/json x",
  "application\\/json",
  "json",
])("Content-Type: %s is 415 and writes nothing", async (type) => {
  const { token } = await signUp();
  const headers = { "content-type": type };
  const answer = await call("POST", "/api/products", { token, body: LAMP, headers });
  expectRefusal(answer, 415, "UNSUPPORTED_MEDIA_TYPE");
  expect(await query(sql`SELECT id FROM reference.products`)).toEqual([]);
});

test.each(["zstd", "compress", "gzip, identity", "gzip, gzip", "exi"])(
  "Content-Encoding: %s is 415, and says what is taken",
  async (encoding) => {
    const { token } = await signUp();
    const headers = { "content-encoding": encoding };
    const answer = await call("POST", "/api/products", { token, body: LAMP, headers });
    expectRefusal(answer, 415, "UNSUPPORTED_MEDIA_TYPE");
    expect(answer.headers.get("accept-encoding")).toBe("gzip, deflate, br, identity");
  },
);
