import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import { ReportStore } from "../../../src/server/report-store.ts";
import { dataOf, testApp } from "../../support/app.ts";
import { signInByCookie } from "../auth/support.ts";
import { expectRefusal } from "../edge/support.ts";
import { breach, type Group, report } from "./support.ts";

const app = await testApp();
const { adminToken, bulwark, call, clock, query, reset, signUp } = app;
const OURS = `http://localhost:${app.port}`;
beforeEach(reset);

const shown = async (search = ""): Promise<readonly Group[]> =>
  dataOf<Group[]>(await call("GET", `/api/admin/reports${search}`, { token: await adminToken() }));

describe("a report", () => {
  test.each<[type: string, body: unknown]>([
    ["application/csp-report", breach(OURS)],
    ["application/json", breach(OURS)],
    [
      "application/reports+json",
      [
        {
          type: "csp-violation",
          age: 1,
          url: `${OURS}/docs`,
          user_agent: "canary-agent",
          body: {
            documentURL: `${OURS}/docs?canary-query`,
            effectiveDirective: "img-src",
            blockedURL: "https://evil.example/i.png",
            disposition: "enforce",
          },
        },
      ],
    ],
  ])("as %s is stored and shown to an administrator", async (type, body) => {
    const answer = await report(app, body, { "content-type": type });
    expect(answer.status).toBe(204);
    expect(answer.text).toBe("");
    expect(await shown()).toMatchObject([
      {
        type: "csp-violation",
        document: `${OURS}/docs`,
        subject: "img-src",
        blocked: "https://evil.example/i.png",
        source: null,
        line: null,
        disposition: "enforce",
        count: 1,
        firstSeenAt: new Date(clock.now()).toISOString(),
      },
    ]);
    expect(await app.dump()).not.toContain("canary");
  });

  test("of another site's page is answered alike, and not kept", async () => {
    for (const origin of ["https://evil.example", "http://localhost:1", "null"]) {
      expect((await report(app, breach(origin))).status).toBe(204);
    }
    expect(await shown()).toEqual([]);
  });

  test("is nobody's: cookies and the word of where it comes from decide nothing", async () => {
    const cookie = await signInByCookie(app, await signUp());
    for (const headers of [{ cookie }, { cookie, "sec-fetch-site": "cross-site" }]) {
      expect((await report(app, breach(OURS), headers)).status).toBe(204);
    }
    expect((await shown())[0]?.count).toBe(2);
  });
});

test("the metrics tell what came, by what became of it", async () => {
  const figures = (): Record<string, number> => {
    const text = bulwark.observability.metrics.text();
    const lines = text.matchAll(/^bulwark_browser_reports_total\{(.*)\} (\d+)$/gm);
    return Object.fromEntries([...lines].map(([, labels, value]) => [labels, Number(value)]));
  };
  const before = figures();
  await report(app, breach(OURS));
  await report(app, breach("https://evil.example"));
  await report(app, breach("https://evil.example"));
  await report(app, { a: 1 });
  await report(app, "{");
  await report(app, breach(OURS), { "content-type": "text/plain" });
  const after = figures();
  const more = Object.keys(after).map((key) => [key, (after[key] ?? 0) - (before[key] ?? 0)]);
  expect(Object.fromEntries(more)).toEqual({
    'outcome="stored",type="csp-violation"': 1,
    'outcome="foreign",type="csp-violation"': 2,
    'outcome="malformed",type="unknown"': 3,
  });
});

describe("what is no report is refused, and nothing of it kept", () => {
  test.each<[what: string, body: unknown, type: string, status: number, code: string]>([
    ["no JSON", "{", "application/csp-report", 400, "INVALID_REQUEST"],
    ["an empty body", "", "application/csp-report", 400, "INVALID_REQUEST"],
    ["another object", { a: 1 }, "application/csp-report", 400, "VALIDATION_ERROR"],
    ["a text", '"x"', "application/reports+json", 400, "VALIDATION_ERROR"],
    ["another type", breach(OURS), "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"],
    ["a form", "a=b", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"],
    [
      "two types",
      breach(OURS),
      "application/csp-report, text/plain",
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    ],
    ["64 KiB and more", " ".repeat(65_537), "application/csp-report", 413, "PAYLOAD_TOO_LARGE"],
  ])("%s", async (_what, body, type, status, code) => {
    expectRefusal(await report(app, body, { "content-type": type }), status, code);
    expect(await shown()).toEqual([]);
  });

  test("a body whose length is not told is counted", async () => {
    const chunk = " ".repeat(16_384);
    const answers = await app.raw(
      `POST /api/reports HTTP/1.1\r\nHost: localhost:${app.port}\r\nContent-Type: application/csp-report\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${`4000\r\n${chunk}\r\n`.repeat(5)}0\r\n\r\n`,
    );
    expect(answers[0]?.status).toBe(413);
  });
});

test("one address has 60 a minute", async () => {
  const answers = await Promise.all(Array.from({ length: 80 }, () => report(app, breach(OURS))));
  const heard = answers.filter(({ status }) => status === 204);
  // Redis decides by its own clock, and lets one more through for every second that the burst takes.
  const most = process.env["BULWARK_TEST_STORE"] === "postgres" ? 66 : 60;
  expect(heard.length).toBeGreaterThanOrEqual(60);
  expect(heard.length).toBeLessThanOrEqual(most);
  for (const answer of answers.filter(({ status }) => status !== 204)) {
    expectRefusal(answer, 429, "RATE_LIMIT_EXCEEDED");
  }
  expect(await shown()).toMatchObject([{ count: heard.length }]);
});

describe("groups", () => {
  const store = (maxGroups?: number) =>
    new ReportStore({ database: bulwark.database, clock, maxGroups });
  const one = (path: string) => ({
    type: "csp-violation" as const,
    document: `${OURS}/${path}`,
    subject: "img-src",
    blocked: null,
    source: null,
    line: null,
    disposition: "enforce" as const,
  });
  const rows = async () =>
    query(sql`SELECT document, count::int AS n FROM bulwark.browser_reports ORDER BY document`);

  test("200 alike at once are one row that counts 200", async () => {
    await Promise.all(Array.from({ length: 200 }, () => store().collect([one("a")])));
    expect(await rows()).toEqual([{ document: `${OURS}/a`, n: 200 }]);
  });

  test("alike ones of one body count together", async () => {
    await store().collect([one("a"), one("b"), one("a")]);
    expect((await rows()).map(({ n }) => n)).toEqual([2, 1]);
  });

  test("there are never more than the cap, under a burst of new ones", async () => {
    const capped = store(10);
    await Promise.all(Array.from({ length: 60 }, (_, index) => capped.collect([one(`p${index}`)])));
    expect(await rows()).toHaveLength(10);
  });

  test("a new one takes the place of the one that was reported least, the oldest of them first", async () => {
    const capped = store(3);
    await capped.collect([one("often"), one("often"), one("often")]);
    await capped.collect([one("old")]);
    clock.advance(1_000);
    await capped.collect([one("young")]);
    clock.advance(1_000);
    await capped.collect([one("new")]);
    expect((await rows()).map(({ document }) => document)).toEqual(
      ["new", "often", "young"].map((path) => `${OURS}/${path}`),
    );
    // One that was always reported often stays through a flood of others.
    for (let index = 0; index < 10; index += 1) await capped.collect([one(`junk${index}`)]);
    expect((await rows()).map(({ document }) => document)).toContain(`${OURS}/often`);
  });

  test("what nobody reported for 30 days goes with the next new one", async () => {
    await store().collect([one("old")]);
    clock.advance(31 * 86_400_000);
    await store().collect([one("new")]);
    expect((await rows()).map(({ document }) => document)).toEqual([`${OURS}/new`]);
  });

  test("the last moment never goes back", async () => {
    await store().collect([one("a")]);
    const behind = new ReportStore({
      database: bulwark.database,
      clock: { now: () => clock.now() - 60_000 },
    });
    await behind.collect([one("a")]);
    expect(await shown()).toMatchObject([
      { count: 2, lastSeenAt: new Date(clock.now()).toISOString() },
    ]);
  });
});

describe("GET /api/admin/reports", () => {
  test.each<[what: string, token: () => Promise<string | undefined>, status: number]>([
    ["nobody", () => Promise.resolve(undefined), 401],
    ["a user", async () => (await signUp()).token, 403],
    ["a moderator", async () => (await signUp(["moderator"])).token, 403],
    ["an administrator", adminToken, 200],
  ])("for %s", async (_what, token, status) => {
    const answer = await call("GET", "/api/admin/reports", { token: await token() });
    expect(answer.status).toBe(status);
  });

  test("shows the last one first, by type and by page", async () => {
    await report(app, breach(OURS));
    clock.advance(1_000);
    const coop = { type: "coop", url: `${OURS}/docs`, body: { type: "navigation-to-response" } };
    await report(app, [coop], { "content-type": "application/reports+json" });
    expect((await shown()).map(({ type }) => type)).toEqual(["coop", "csp-violation"]);
    expect((await shown("?type=csp-violation")).map(({ type }) => type)).toEqual(["csp-violation"]);
    expect((await shown("?limit=1&page=2")).map(({ type }) => type)).toEqual(["csp-violation"]);
    const token = await adminToken();
    const odd = await call("GET", "/api/admin/reports?sort=count", { token });
    expect(odd.status).toBe(400);
  });
});
