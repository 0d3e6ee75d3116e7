import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { PASSWORD, startApp } from "../../support/app.ts";
import { countOf, login, mailTo } from "../../system/auth/support.ts";

const many = { requests: 1_000, window: "1m" };
const app = await startApp({
  emailVerification: "required",
  auth: { magicLink: true },
  limits: { login: many, register: many },
});
const { call, reset } = app;
beforeEach(reset);
afterAll(app.close);

/** Addresses that one reader takes for another mailbox than the next. */
const SPELLINGS: readonly string[] = [
  '"a b"@example.com',
  '"victim@example.com,"@evil.example',
  "victim@example.com,me@evil.example",
  "victim@example.com;me@evil.example",
  "me@evil.example@example.com",
  "victim@example.com\uFF20evil.example",
  "victim\uFF20example.com",
  "victim@example.com\r\nBcc: me@evil.example",
  "victim@example.com\n",
  "victim@example.com\u0000",
  " victim@example.com",
  "<victim@example.com>",
  "Victim <victim@example.com>",
  "victim(comment)@example.com",
  "victim@[127.0.0.1]",
  "victim@localhost",
  "victim@example.com\u2028",
  "",
];

const REFUSING = [
  ["/api/auth/register", { password: PASSWORD, name: "Eve" }],
  ["/api/auth/email/change", {}],
  ["/api/admin/users/invite", { name: "Eve" }],
] as const;

/** They say the same of every address, so that what counts is that nothing is sent. */
const SILENT = [
  ["/api/auth/password/forgot", "reset"],
  ["/api/auth/email/resend", "verify"],
  ["/api/auth/magic-link", "magic-link"],
] as const;

// GHSA-5jpx, GHSA-7rqj: the check and the mailer read an address differently.
describe("an address that can be read in two ways is no address", () => {
  test.each(REFUSING)("%s", async (path, rest) => {
    for (const email of SPELLINGS) {
      const token = path.endsWith("register") ? undefined : await app.adminToken();
      const before = await countOf(app, "users");
      const answer = await call("POST", path, { token, body: { ...rest, email } });
      expect([answer.status, answer.json["code"]], JSON.stringify(email)).toEqual([
        400,
        "VALIDATION_ERROR",
      ]);
      expect(await countOf(app, "users")).toBe(before);
    }
    await app.bulwark.outbox.flush();
    expect(app.bulwark.mailbox?.list()).toEqual([]);
  });

  test.each(SILENT)("%s", async (path, kind) => {
    await app.bulwark.registration.createUser(
      { email: "victim@example.com", password: PASSWORD, name: "Victim" },
      { roles: ["user"], verified: !path.endsWith("resend") },
      {},
    );
    for (const email of SPELLINGS) {
      const answer = await call("POST", path, { body: { email } });
      expect(answer.status, JSON.stringify(email)).toBe(202);
    }
    // The address itself is mailed to, and after what would have been mailed before it.
    await call("POST", path, { body: { email: "victim@example.com" } });
    await mailTo(app, "victim@example.com", kind);
    expect(app.bulwark.mailbox?.list()).toHaveLength(1);
  });

  test("/api/auth/login", async () => {
    for (const email of SPELLINGS) {
      const { status } = await login(app, { email, password: PASSWORD });
      expect([400, 401], JSON.stringify(email)).toContain(status);
    }
  });
});

test.each(["ADA@example.com", "ada@EXAMPLE.com", "Ada@Example.Com"])(
  "%s is the account of ada@example.com everywhere",
  async (email) => {
    const input = { email: "ada@example.com", password: PASSWORD, name: "Ada" };
    await app.bulwark.registration.createUser(input, { roles: ["user"], verified: true }, {});
    const answer = await call("POST", "/api/auth/register", { body: { ...input, email } });
    expect(answer.status).toBe(202);
    await mailTo(app, "ada@example.com", "address-taken");
    expect(await countOf(app, "users")).toBe(1);
    expect((await login(app, { email, password: PASSWORD })).status).toBe(200);
  },
);
