import { sql } from "drizzle-orm";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { type Answer, testApp } from "../../support/app.ts";
import { LAMP } from "../products/support.ts";
import { expectRefusal } from "./support.ts";

const { bulwark, call, log, query, reset, signUp } = await testApp();
beforeAll(reset);
afterEach(() => vi.restoreAllMocks());

/** The lines that were logged for an answer. */
const linesOf = (answer: Answer): string[] =>
  log.filter((line) => line.includes(String(answer.headers.get("x-request-id"))));

test("a statement that fails is 500 with nothing internal, and the line of its id has the cause", async () => {
  const { token } = await signUp();
  await query(sql`ALTER TABLE reference.products RENAME TO products_away`);
  try {
    const body = { ...LAMP, name: "canary-parameter" };
    const answer = await call("POST", "/api/products", { token, body });
    expectRefusal(answer, 500, "DATABASE_ERROR");
    expect(answer.text).not.toMatch(/products|relation|42P01|select|insert|\bat \w|\.ts|stack/i);
    const lines = linesOf(answer);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("42P01");
    expect(lines[0]).toContain("reference.products");
    expect(lines[0]).not.toContain("canary-parameter");
  } finally {
    await query(sql`ALTER TABLE reference.products_away RENAME TO products`);
  }
});

test("an error that nobody expected is 500 INTERNAL_ERROR, and only its line tells more", async () => {
  const { token } = await signUp();
  vi.spyOn(bulwark.auth, "me").mockRejectedValue(new RangeError("canary-detail"));
  const answer = await call("GET", "/api/auth/me", { token });
  expectRefusal(answer, 500, "INTERNAL_ERROR");
  expect(answer.text).not.toMatch(/canary|RangeError/);
  expect(linesOf(answer)[0]).toContain("canary-detail");
});

test("a value that is thrown and is no error is 500 too", async () => {
  const { token } = await signUp();
  vi.spyOn(bulwark.auth, "me").mockImplementation(() => Promise.reject("canary-text" as never));
  const answer = await call("GET", "/api/auth/me", { token });
  expectRefusal(answer, 500, "INTERNAL_ERROR");
  expect(answer.text).not.toContain("canary");
});

test("as problem+json it tells nothing more", async () => {
  const { token } = await signUp();
  vi.spyOn(bulwark.auth, "me").mockRejectedValue(new RangeError("canary-detail"));
  const headers = { accept: "application/problem+json" };
  const answer = await call("GET", "/api/auth/me", { token, headers });
  expect(answer.status).toBe(500);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.text).not.toMatch(/canary|RangeError/);
});
