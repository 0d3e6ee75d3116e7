import { beforeEach, describe, expect, test } from "vitest";
import { createBulwark } from "../../../src/bulwark/index.ts";
import { DevelopmentMailbox } from "../../../src/mail/index.ts";
import { referenceRoutes } from "../../../src/server/index.ts";
import { mailboxRoutes } from "../../../src/server/mailbox-routes.ts";
import { dataOf, SECRET, testApp } from "../../support/app.ts";

const app = await testApp();
beforeEach(app.reset);

const mail = (subject: string, text = "Hello") => ({ to: "ada@example.com", subject, text });

describe("in development", () => {
  test("GET /dev/mailbox.json lists what was sent, the newest first, with its links", async () => {
    const link = `http://localhost:${app.port}/auth/reset#token`;
    await app.bulwark.mailbox?.send(mail("one"));
    app.clock.advance(1_000);
    const two = { ...mail("two", `Open:\n\n${link}\n\nBye`), kind: "reset", html: "<p>Hello</p>" };
    await app.bulwark.mailbox?.send(two);
    const answer = await app.call("GET", "/dev/mailbox.json");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const at = new Date(app.clock.now()).toISOString();
    const id = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;
    expect(dataOf(answer)).toEqual([
      { id, at, ...two, links: [link] },
      { id, at: new Date(app.clock.now() - 1_000).toISOString(), ...mail("one"), links: [] },
    ]);
  });

  test("GET /dev/mailbox is a page under a strict policy, and stored nowhere", async () => {
    const answer = await fetch(`http://localhost:${app.port}/dev/mailbox`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.text()).not.toMatch(/\son\w+=|javascript:/);
  });

  test("a foreign page cannot read it", async () => {
    const headers = { origin: "https://evil.example" };
    const answer = await app.call("GET", "/dev/mailbox.json", { headers });
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    const rebound = await app.raw(
      "GET /dev/mailbox.json HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    );
    expect(rebound.map(({ status }) => status)).toEqual([421]);
  });
});

describe("in production", () => {
  const bulwark = createBulwark({
    issuer: "https://api.example.com",
    secret: SECRET,
    emailVerification: "off",
    database: { insecureInMemory: true },
  });

  test("there is no mailbox, and no route of it", () => {
    expect(bulwark.mailbox).toBeUndefined();
    const paths = referenceRoutes(bulwark).map(({ path }) => path);
    expect(paths).toContain("/docs");
    expect(paths.filter((path) => path.startsWith("/dev"))).toEqual([]);
  });

  test("a mailbox that is handed in all the same is not served", () => {
    const mailbox = new DevelopmentMailbox({ clock: app.clock });
    expect(mailboxRoutes(bulwark, mailbox)).toEqual([]);
    expect(mailboxRoutes(app.bulwark, mailbox).map(({ path }) => path)).toEqual([
      "/dev/mailbox.json",
      "/dev/mailbox",
    ]);
    expect(mailboxRoutes(app.bulwark, undefined)).toEqual([]);
  });
});
