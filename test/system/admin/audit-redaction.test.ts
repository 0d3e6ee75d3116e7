import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { testApp } from "../../support/app.ts";

const { bulwark, query } = await testApp();

test("metadata keeps what it says, but for secrets, by their names and by their form", async () => {
  const metadata = {
    reason: "imported",
    ids: Array.from({ length: 100 }, (_, index) => index),
    password: "hunter2",
    nested: [{ client_secret: "s3", apiKeyId: "id-1", hasPassword: true }],
    code: "FORBIDDEN",
    said: "authorization: Bearer abcdefghijkl",
  };
  const event = { type: "test.redaction", severity: "low", result: "success", metadata } as const;
  await bulwark.audit.logSecurityEvent(event, {});
  const [row] = await query(
    sql`SELECT metadata FROM bulwark.audit_events WHERE type = 'test.redaction'`,
  );
  expect(row?.["metadata"]).toEqual({
    ...metadata,
    password: "[redacted]",
    nested: [{ client_secret: "[redacted]", apiKeyId: "id-1", hasPassword: true }],
    said: "authorization: [redacted]",
  });
});

test("so does the data of collected events", async () => {
  const { collector } = bulwark.observability.events;
  await collector.collectEvent("test_collected", "low", "An order was placed", {
    lines: 2,
    cardToken: "tok_1",
  });
  const [row] = await query(
    sql`SELECT metadata FROM bulwark.audit_events WHERE type = 'test.collected'`,
  );
  expect(row?.["metadata"]).toEqual({
    message: "An order was placed",
    lines: 2,
    cardToken: "[redacted]",
  });
});
