import { createServer, type Server } from "node:http";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type Account,
  dataOf,
  freePort,
  PASSWORD,
  startApp,
  type TestApp,
} from "../support/app.ts";
import { inBrowser } from "./browser.ts";

/** An empty page on a port of its own: an origin that is not the API's. */
function servePage(port: number): Promise<Server> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>p</title>");
  });
  return new Promise((resolve) => {
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

const [listed, foreign] = [await freePort(), await freePort()];
const servers = await Promise.all([servePage(listed), servePage(foreign)]);
const LISTED = `http://localhost:${listed}`;
const FOREIGN = `http://localhost:${foreign}`;
let app: TestApp;
let api: string;

beforeAll(async () => {
  app = await startApp({ origins: [LISTED] });
  api = `http://localhost:${app.port}`;
});
afterAll(async () => {
  await app.close();
  for (const server of servers) server.close();
});

interface Said {
  /** 0 where the browser kept the answer from the page. */
  readonly status: number;
  readonly text: string;
  readonly requestId: string | null;
}

/** What a page's own fetch tells it. */
const ask = (page: Page, url: string, init: RequestInit = {}): Promise<Said> =>
  page.evaluate(
    async ({ url: to, init: how }) => {
      try {
        const answer = await fetch(to, how);
        const requestId = answer.headers.get("x-request-id");
        return { status: answer.status, text: await answer.text(), requestId };
      } catch {
        return { status: 0, text: "", requestId: null };
      }
    },
    { url, init },
  );

const json = (method: string, body: object): RequestInit => ({
  method,
  headers: { "content-type": "application/json" },
  credentials: "include",
  body: JSON.stringify(body),
});
const LAMP = { name: "Lamp", price: 1, category: "home" };
const loginOf = ({ email }: Account): RequestInit =>
  json("POST", { email, password: PASSWORD, mode: "cookie" });

/** The refusals that a browser tells its console of. */
const REFUSALS = [/CORS policy/, /Failed to load resource/];

inBrowser("a page of another origin", (open) => {
  test("that is listed reads, signs in and acts with cookies", async () => {
    const account = await app.signUp();
    const page = await open();
    await page.goto(LISTED);
    const read = await ask(page, `${api}/health/live`);
    expect(read.status).toBe(200);
    expect(read.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect((await ask(page, `${api}/api/auth/login`, loginOf(account))).status).toBe(200);
    const me = await ask(page, `${api}/api/auth/me`, { credentials: "include" });
    expect(me.text).toContain(account.email);
    expect((await ask(page, `${api}/api/products`, json("POST", LAMP))).status).toBe(201);
  });

  test("that is listed sets no header that is not, and uses no method that a path does not take", async () => {
    const page = await open({ expected: REFUSALS });
    await page.goto(LISTED);
    const other = { headers: { "x-other": "1" } };
    expect((await ask(page, `${api}/health/live`, other)).status).toBe(0);
    expect((await ask(page, `${api}/health/live`, { method: "DELETE" })).status).toBe(0);
  });

  test("that is not listed reads nothing, signs nobody in, and changes nothing with a person's cookies", async () => {
    const account = await app.signUp();
    const page = await open({ expected: REFUSALS });
    await page.goto(LISTED);
    expect((await ask(page, `${api}/api/auth/login`, loginOf(account))).status).toBe(200);
    await page.goto(FOREIGN);
    for (const init of [{}, { credentials: "include" }, json("POST", LAMP)] as RequestInit[]) {
      expect((await ask(page, `${api}/api/products`, init)).status).toBe(0);
    }
    // Without a preflight: sent with the cookies, since both are one site, and refused by what the browser says of it.
    const sent = await ask(page, `${api}/api/products`, {
      method: "POST",
      mode: "no-cors",
      credentials: "include",
      body: JSON.stringify(LAMP),
    });
    expect(sent.status).toBe(0);
    const again = { ...loginOf(account), mode: "no-cors", headers: {} } as RequestInit;
    await ask(page, `${api}/api/auth/login`, again);
    const { token } = account;
    const products = await app.call("GET", "/api/products?limit=100", { token });
    const mine = dataOf<{ ownerId: string }[]>(products).filter(
      ({ ownerId }) => ownerId === account.id,
    );
    expect(mine).toEqual([]);
  });

  test("that is not listed submits no form in a person's name", async () => {
    const account = await app.signUp();
    const page = await open({ expected: [/Failed to load resource/] });
    await page.goto(LISTED);
    expect((await ask(page, `${api}/api/auth/login`, loginOf(account))).status).toBe(200);
    await page.goto(FOREIGN);
    const [answer] = await Promise.all([
      page.waitForResponse(`${api}/api/auth/logout`),
      page.evaluate((action) => {
        const form = document.createElement("form");
        form.method = "POST";
        form.action = action;
        document.body.append(form);
        form.submit();
      }, `${api}/api/auth/logout`),
    ]);
    expect(answer.status()).toBe(403);
    await page.waitForURL(`${api}/api/auth/logout`);
    await page.goto(LISTED);
    const me = await ask(page, `${api}/api/auth/me`, { credentials: "include" });
    expect(me.status).toBe(200);
  });

  test("cannot frame a page of ours, nor open one that it keeps a hold of", async () => {
    const page = await open({
      expected: [/frame-ancestors|Refused to frame|ERR_BLOCKED_BY_RESPONSE/i],
    });
    await page.goto(LISTED);
    await page.evaluate((src) => {
      const frame = document.createElement("iframe");
      frame.src = src;
      document.body.append(frame);
    }, `${api}/docs`);
    await page.waitForFunction(() => document.querySelector("iframe")?.contentDocument === null);
    const [popup] = await Promise.all([
      page.waitForEvent("popup"),
      page.evaluate((url) => {
        (globalThis as { held?: Window | null }).held = window.open(url);
      }, `${api}/docs`),
    ]);
    await popup.locator(".operation").first().waitFor();
    const isClosed = await page.evaluate(() => (globalThis as { held?: Window }).held?.closed);
    expect(isClosed).toBe(true);
    expect(await popup.evaluate(() => window.opener === null)).toBe(true);
  });
});

inBrowser("what a page of ours stops", (open) => {
  test("is reported, stored and shown to an administrator", async () => {
    await app.reset();
    const page = await open({ expected: [/Content Security Policy/] });
    await page.goto(`${api}/docs?canary=1`);
    await page.locator(".operation").first().waitFor();
    const [reported] = await Promise.all([
      page.waitForResponse(`${api}/api/reports`),
      page.evaluate((port) => {
        new Image().src = `http://localhost:${port}/canary.png?canary-query`;
      }, foreign),
    ]);
    expect(reported.status()).toBe(204);
    const token = await app.adminToken();
    const shown = await app.call("GET", "/api/admin/reports", { token });
    expect(dataOf<object[]>(shown)).toMatchObject([
      {
        type: "csp-violation",
        document: `${api}/docs`,
        subject: "img-src",
        blocked: `${FOREIGN}/canary.png`,
        disposition: "enforce",
        count: 1,
      },
    ]);
    expect(shown.text).not.toContain("canary-query");
  });
});
