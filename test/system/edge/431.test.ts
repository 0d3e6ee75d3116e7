import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { STANDING } from "./support.ts";

const { port, raw, reset } = await testApp();
beforeAll(reset);

test.each([
  ["more than 16 KiB of headers", [`x-filler: ${"x".repeat(17_000)}`]],
  ["more than 100 lines of headers", Array.from({ length: 99 }, (_, index) => `x-${index}: 1`)],
])("%s are 431, on any path", async (_what, fields) => {
  for (const path of ["/health/live", "/api/products", "/nothing"]) {
    const head = [`GET ${path} HTTP/1.1`, `host: localhost:${port}`, "connection: close"];
    const [answer] = await raw([...head, ...fields, "", ""].join("\r\n"));
    expect(answer?.status).toBe(431);
    expect(answer?.headers).toMatchObject(STANDING);
    expect(JSON.parse(answer?.body ?? "")).toMatchObject({
      success: false,
      code: "HEADERS_TOO_LARGE",
      statusCode: 431,
    });
  }
});
