import type { Locator, Page } from "playwright-core";
import { beforeEach, describe, expect, test } from "vitest";
import { dataOf, PASSWORD, testApp } from "../support/app.ts";
import { inBrowser, LOOKS, type Open, type OpenOptions } from "./browser.ts";
import { isSideways, paleTexts, unnamed, unseenFocus } from "./looks.ts";

const { call, reset, signUp, port } = await testApp();
const ORIGIN = `http://localhost:${port}`;
beforeEach(reset);

async function docs(open: Open, options?: OpenOptions): Promise<Page> {
  const page = await open(options);
  await page.goto(`${ORIGIN}/docs`);
  await page.locator(".operation").first().waitFor();
  return page;
}

/** openOperation opens one by its address, as a link to it does. */
async function openOperation(page: Page, id: string): Promise<Locator> {
  const view = page.locator(`details#${id}`);
  await view.locator("> summary").click();
  await view.locator(".inside").waitFor();
  return view;
}

const send = (view: Locator): Promise<void> => view.getByRole("button", { name: "Send" }).click();

const WORD = "x".repeat(150);
const PAIR = {
  type: "array",
  prefixItems: [{ type: "string" }, { type: "integer" }],
  items: false,
};
const RECORD = { type: "object", additionalProperties: { type: "number" } };
const bodyOf = (schema: object): object => ({
  required: true,
  content: { "application/json": { schema, example: {} } },
});
const ODD = {
  operationId: "odd",
  tags: ["odd"],
  summary: "An odd one",
  requestBody: bodyOf({}),
  responses: { 200: { description: "Well." } },
  security: [],
  "x-bulwark-policies": [],
};
const DOCUMENT = {
  openapi: "3.1.0",
  info: { title: "Odd", version: "1" },
  tags: [{ name: "odd" }],
  components: { schemas: {} },
};

inBrowser("GET /docs", (open) => {
  test("comes with a policy of its own, a new nonce each time, and nothing from elsewhere", async () => {
    const page = await open();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    const nonces = [];
    for (let time = 0; time < 2; time += 1) {
      const response = await page.goto(`${ORIGIN}/docs`);
      await page.locator(".operation").first().waitFor();
      const policy = response?.headers()["content-security-policy"] ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain("unsafe");
      nonces.push(/'nonce-([^']+)'/.exec(policy)?.[1]);
    }
    expect(new Set(nonces).size).toBe(2);
    const elsewhere = asked.filter(
      (url) => !url.startsWith(`${ORIGIN}/`) && !url.startsWith("data:"),
    );
    expect(elsewhere).toEqual([]);
  });

  test("lists the operations by tag", async () => {
    const page = await docs(open);
    const tags = await page.locator("main h2").allTextContents();
    expect(tags).toEqual(expect.arrayContaining(["auth", "products", "admin", "health"]));
    const products = page.locator(".group", {
      has: page.getByRole("heading", { name: "products" }),
    });
    expect(await products.locator(".operation").count()).toBe(5);
  });

  test("searches, says when there is no hit, and takes the search back", async () => {
    const page = await docs(open);
    const all = await page.locator(".operation:visible").count();
    await page.getByLabel("Search the operations").fill("post auth password/");
    const shown = page.locator(".operation:visible h3");
    expect(await shown.allTextContents()).toEqual([
      "POST/api/auth/password/forgot",
      "POST/api/auth/password/reset",
      "POST/api/auth/password/change",
      "POST/api/auth/password/strength",
    ]);
    await page.getByLabel("Search the operations").fill("zebra");
    expect(await shown.count()).toBe(0);
    expect(await page.getByText('No operation matches "zebra".').isVisible()).toBe(true);
    await page.getByRole("button", { name: "Clear the search" }).click();
    expect(await shown.count()).toBe(all);
  });

  test("shows what an operation is for, takes, answers, and who may call it", async () => {
    const page = await docs(open);
    const list = await openOperation(page, "getProducts");
    for (const text of ["Signed in, by a bearer token", "Parameters", "category", "Answers"]) {
      expect(await list.getByText(text).first().isVisible(), text).toBe(true);
    }
    const remove = await openOperation(page, "deleteProductsById");
    expect(await remove.getByText("Role: admin or moderator").isVisible()).toBe(true);
    const create = await openOperation(page, "postProducts");
    expect(await create.getByRole("heading", { name: "Body" }).isVisible()).toBe(true);
    expect(await create.locator(".status").allTextContents()).toContain("201");
  });

  test("an address that names an operation opens it", async () => {
    const page = await open();
    await page.goto(`${ORIGIN}/docs#postAuthLogin`);
    await page.locator("#postAuthLogin[open] .inside").waitFor();
  });

  test("signs in, and calls with the token that came", async () => {
    const { email } = await signUp();
    const page = await docs(open);
    const login = await openOperation(page, "postAuthLogin");
    expect(JSON.parse(await login.getByLabel("body").inputValue())).toHaveProperty("password");
    await login.getByLabel("body").fill(JSON.stringify({ email, password: PASSWORD }));
    await send(login);
    await login.getByText("200 OK").waitFor();
    await login.getByRole("button", { name: "Use this token" }).click();
    const me = await openOperation(page, "getAuthMe");
    await send(me);
    await me.getByText("200 OK").waitFor();
    expect(await me.locator("pre").textContent()).toContain(email);
    await me.getByText(/^Headers/).click();
    expect(await me.getByRole("rowheader", { name: "x-request-id" }).isVisible()).toBe(true);
  });

  test("sends no cookie, and keeps the token in the memory of the page alone", async () => {
    const { token } = await signUp();
    const page = await docs(open);
    await page.context().addCookies([{ name: "taste", value: "sweet", url: ORIGIN }]);
    await page.getByLabel("Bearer token").fill(token);
    const me = await openOperation(page, "getAuthMe");
    const [request] = await Promise.all([page.waitForRequest("**/api/auth/me"), send(me)]);
    const headers = await request.allHeaders();
    expect(headers).not.toHaveProperty("cookie");
    expect(headers["authorization"]).toBe(`Bearer ${token}`);
    await me.getByText("200 OK").waitFor();
    const kept = await page.evaluate(() => [localStorage.length, sessionStorage.length]);
    expect(kept).toEqual([0, 0]);
    await page.reload();
    expect(await page.getByLabel("Bearer token").inputValue()).toBe("");
  });

  test("fills path and query, and asks for what is missing before it calls", async () => {
    const { token } = await signUp();
    const body = { name: "A lamp & more", price: 3, category: "home" };
    const made = await call("POST", "/api/products", { token, body });
    const { id } = dataOf<{ id: string }>(made);
    const page = await docs(open);
    await page.getByLabel("Bearer token").fill(token);
    const list = await openOperation(page, "getProducts");
    await list.getByLabel("search (query").fill("lamp & more");
    const [request] = await Promise.all([page.waitForRequest("**/api/products?*"), send(list)]);
    expect(new URL(request.url()).searchParams.get("search")).toBe("lamp & more");
    await list.getByText("200 OK").waitFor();
    expect(await list.locator("pre").textContent()).toContain(id);
    const one = await openOperation(page, "getProductsById");
    await send(one);
    expect(await one.getByText("Fill this in.").isVisible()).toBe(true);
    await one.getByLabel("id (path)").fill(id);
    await send(one);
    await one.getByText("200 OK").waitFor();
    expect(await one.getByText("Fill this in.").isVisible()).toBe(false);
  });

  test("a body that is no JSON is refused where it stands", async () => {
    const page = await docs(open);
    const login = await openOperation(page, "postAuthLogin");
    await login.getByLabel("body").fill("{ email");
    await send(login);
    expect(await login.getByText(/This is not JSON/).isVisible()).toBe(true);
    expect(await login.getByLabel("body").getAttribute("aria-invalid")).toBe("true");
  });

  test("shows a refusal, and says that no token was sent", async () => {
    const page = await docs(open, { expected: [/status of 401/] });
    const me = await openOperation(page, "getAuthMe");
    await send(me);
    await me.getByText("401 Unauthorized").waitFor();
    expect(await me.locator("pre").textContent()).toContain("UNAUTHORIZED");
    expect(await me.getByText(/No token was sent/).isVisible()).toBe(true);
  });

  test("says when no answer came", async () => {
    const page = await docs(open, { expected: [/net::ERR_/] });
    await page.route("**/health/live", (route) => route.abort());
    const live = await openOperation(page, "getHealthLive");
    await send(live);
    await live.getByText(/No answer came/).waitFor();
    expect(await live.getByRole("button", { name: "Send" }).isEnabled()).toBe(true);
  });

  test("says when there is no document, and tries again", async () => {
    const page = await open({ expected: [/status of 404/] });
    await page.route("**/openapi.json", (route) => route.fulfill({ status: 404, body: "{}" }));
    await page.goto(`${ORIGIN}/docs`);
    await page
      .getByRole("alert")
      .getByText(/The server answered 404/)
      .waitFor();
    await page.unroute("**/openapi.json");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(".operation").first().waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  test("what data says is text, in the document and in an answer", async () => {
    const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    const { token } = await signUp();
    await call("POST", "/api/products", {
      token,
      body: { name: markup, price: 1, category: "home" },
    });
    const page = await open();
    await page.route("**/openapi.json", async (route) => {
      const response = await route.fetch();
      const text = await response.text();
      await route.fulfill({ response, body: text.replace('"Sign in"', JSON.stringify(markup)) });
    });
    await page.goto(`${ORIGIN}/docs`);
    await page.locator("#postAuthLogin").getByText(markup).waitFor();
    await page.getByLabel("Bearer token").fill(token);
    const list = await openOperation(page, "getProducts");
    await send(list);
    await list.getByText("200 OK").waitFor();
    expect(await list.locator("pre").textContent()).toContain("<script>");
    expect(await page.locator("main img, main script").count()).toBe(0);
    expect(await page.title()).not.toMatch(/^\d$/);
  });

  test("an address that names nothing, or is malformed, does no harm", async () => {
    for (const hash of ["#nothing", "#%", "#%E0%A4%A"]) {
      const page = await open();
      await page.goto(`${ORIGIN}/docs${hash}`);
      await page.locator(".operation").first().waitFor();
      expect(await page.getByRole("alert").count()).toBe(0);
    }
  });

  test("says by what a caller signs in, and what a key needs", async () => {
    const page = await docs(open);
    const create = await openOperation(page, "postProducts");
    const who = create.locator(".policies");
    expect(await who.getByText("Signed in, by a bearer token or an API key").count()).toBe(1);
    expect(await who.getByText("A key needs products:write").count()).toBe(1);
  });

  describe("a document of long words", () => {
    /** Puts one operation in the place of all. */
    async function withDocument(page: Page, operation: object): Promise<Locator> {
      await page.route("**/openapi.json", (route) =>
        route.fulfill({ json: { ...DOCUMENT, paths: { "/odd/{id}": { post: operation } } } }),
      );
      await page.goto(`${ORIGIN}/docs#odd`);
      const view = page.locator("#odd[open]");
      await view.locator(".inside").waitFor();
      return view;
    }

    test("tells parameters of one name apart, and the body too", async () => {
      const page = await open({ expected: [/status of 404/] });
      const string = { type: "string" };
      const view = await withDocument(page, {
        ...ODD,
        parameters: [
          { name: "id", in: "path", required: true, schema: string },
          { name: "id", in: "query", required: false, schema: string },
          { name: "body", in: "query", required: true, schema: string },
        ],
      });
      await send(view);
      expect(await view.locator("[aria-invalid]").count()).toBe(2);
      await view.getByLabel("id (path)").fill("one");
      await view.getByLabel("id (query").fill("two");
      await view.getByLabel("body (query)").fill("three");
      const [request] = await Promise.all([page.waitForRequest("**/odd/**"), send(view)]);
      expect(request.url()).toBe(`${ORIGIN}/odd/one?id=two&body=three`);
      expect(request.postData()).toBe("{}");
    });

    test("shows the fields of each alternative, of a tuple, of a record", async () => {
      const page = await open();
      const view = await withDocument(page, {
        ...ODD,
        requestBody: bodyOf({
          oneOf: [
            { type: "object", properties: { kind: { const: "a" }, size: { type: "integer" } } },
            { type: "object", properties: { kind: { const: "b" }, pair: PAIR, rest: RECORD } },
          ],
        }),
      });
      for (const text of ['always "a"', "size", 'always "b"', "list of exactly: string, integer"]) {
        expect(await view.getByText(text, { exact: true }).isVisible(), text).toBe(true);
      }
      expect(await view.getByText("object, each value: number").isVisible()).toBe(true);
    });

    test.each(LOOKS)("is readable: $colorScheme, $viewport.width px", async (look) => {
      const page = await open(look);
      await withDocument(page, {
        ...ODD,
        summary: WORD,
        parameters: [{ name: WORD, in: "query", required: true, schema: { enum: [WORD] } }],
        requestBody: bodyOf({ type: "object", properties: { [WORD]: { description: WORD } } }),
        "x-bulwark-policies": [{ name: WORD, options: WORD }],
      });
      expect(await isSideways(page)).toBe(false);
    });
  });

  test.each(LOOKS)("is readable: $colorScheme, $viewport.width px", async (look) => {
    const page = await docs(open, { ...look, expected: [/status of 401/] });
    expect(await unseenFocus(page, 12)).toEqual([]);
    for (const id of ["postProducts", "getProducts"]) {
      const view = await openOperation(page, id);
      await send(view);
      await view.getByText("401 Unauthorized").waitFor();
    }
    expect(await isSideways(page)).toBe(false);
    expect(await paleTexts(page)).toEqual([]);
    expect(await unnamed(page)).toEqual([]);
  });
});
