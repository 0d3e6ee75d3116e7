import { sql } from "drizzle-orm";
import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";

const { call, port, query, raw, reset } = await testApp();
beforeAll(reset);

test.each(["abcdefgh", "A1b2.C3-d4_e5", "0".repeat(64), "01890a5d-ac96-774b-bcce-b302099a8057"])(
  "%s is echoed in the header, the body and the audit row",
  async (id) => {
    const answer = await call("GET", "/api/products", { headers: { "x-request-id": id } });
    expect(answer.headers.get("x-request-id")).toBe(id);
    expect(answer.json["meta"]).toMatchObject({ requestId: id });
    const rows = await query(sql`SELECT seq FROM bulwark.audit_events WHERE request_id = ${id}`);
    expect(rows).toHaveLength(1);
  },
);

// CVE-2026-54511, GHSA-674p: text of a request that a log or a header reads as its own.
test.each([
  ["7 characters", "abcdefg"],
  ["65 characters", "a".repeat(65)],
  ["a space", "abcd efgh"],
  ["a quote", 'abcd"efgh'],
  ["markup", "<script>alert(1)</script>"],
  ["a comma, as two headers make it", "abcdefgh, ijklmnop"],
  ["a dash in front", "-abcdefgh"],
  ["an escape sequence", "abcd\u001b[31mefgh"],
  ["letters beyond ASCII", "\u00FC".repeat(8)],
  ["a percent sign", "abcd%0aefgh"],
  ["nothing", ""],
])("%s is not taken, and another id is made", async (_name, id) => {
  const [answer] = await raw(
    Buffer.from(
      `GET /nothing HTTP/1.1\r\nhost: localhost:${port}\r\nx-request-id: ${id}\r\nconnection: close\r\n\r\n`,
      "latin1",
    ),
  );
  const made = answer?.headers["x-request-id"] ?? "";
  expect(made).toMatch(/^[0-9a-f-]{36}$/);
  expect(answer?.body).toContain(made);
});

test("no two requests have the same id", async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, () => call("GET", "/health/live")));
  expect(new Set(answers.map(({ headers }) => headers.get("x-request-id"))).size).toBe(200);
});
