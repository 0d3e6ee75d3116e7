import type { Page } from "playwright-core";
import { beforeEach, expect, test } from "vitest";
import { PASSWORD, testApp } from "../support/app.ts";
import { ADMIN, adminCount, issueToken } from "../system/setup/support.ts";
import { inBrowser, LOOKS, type Open, type OpenOptions } from "./browser.ts";
import { isSideways, paleTexts, unnamed, unseenFocus } from "./looks.ts";

const app = await testApp();
beforeEach(app.reset);
const PAGE = `http://localhost:${app.port}/setup`;

/** linked opens the page by a link that is good. */
async function linked(open: Open, options?: OpenOptions): Promise<Page> {
  const page = await open(options);
  await page.goto(`${PAGE}#${await issueToken(app)}`);
  await heading(page, "Make the first administrator");
  return page;
}

async function send(page: Page, fields: Partial<typeof ADMIN> = {}): Promise<void> {
  const { email, name, password } = { ...ADMIN, ...fields };
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Name").fill(name);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Make the administrator" }).click();
}

const heading = (page: Page, name: string): Promise<void> =>
  page.getByRole("heading", { name }).waitFor();

const expectReadable = async (page: Page): Promise<void> => {
  expect(await isSideways(page)).toBe(false);
  expect(await paleTexts(page)).toEqual([]);
  expect(await unnamed(page)).toEqual([]);
};

inBrowser("GET /setup", (open) => {
  test("makes the administrator, says what to do next, and leads there", async () => {
    const page = await linked(open);
    await send(page);
    await heading(page, "You are the administrator");
    expect(await page.getByText(ADMIN.email).isVisible()).toBe(true);
    expect(await adminCount(app)).toBe(1);
    await page.getByRole("link", { name: "POST /api/auth/login" }).click();
    await page.locator("#postAuthLogin[open] .inside").waitFor();
  });

  test("shows an address of any length in its place", async () => {
    const page = await linked(open, { viewport: { width: 390, height: 844 } });
    const email = `${"a".repeat(60)}@example.com`;
    await send(page, { email });
    await heading(page, "You are the administrator");
    expect(await page.getByText(email).isVisible()).toBe(true);
    expect(await isSideways(page)).toBe(false);
  });

  test("takes the token out of the address and the history, and sends it to POST /setup alone", async () => {
    const page = await open();
    const token = await issueToken(app);
    const told: string[] = [];
    page.on("request", (request) => {
      const all = `${request.url()} ${JSON.stringify(request.headers())} ${request.postData()}`;
      if (all.includes(token)) told.push(`${request.method()} ${request.url()}`);
    });
    await page.goto(`${PAGE}#${token}`);
    await heading(page, "Make the first administrator");
    expect(page.url()).toBe(PAGE);
    await send(page);
    await heading(page, "You are the administrator");
    expect(await page.locator("#password").inputValue()).toBe("");
    await page.getByRole("link", { name: "GET /api/admin/audit" }).click();
    await page.locator("#getAdminAudit[open]").waitFor();
    await page.goBack();
    await heading(page, "Open the link that the server printed");
    expect(page.url()).toBe(PAGE);
    expect(told).toEqual([`POST ${PAGE}`]);
  });

  test("asks for what is missing or short, all of it at once, before it calls", async () => {
    const page = await linked(open);
    await page.getByRole("button", { name: "Make the administrator" }).click();
    expect(await page.getByText("Fill this in.").count()).toBe(3);
    await send(page, { name: "", password: "too short" });
    expect(await page.getByText("Fill this in.").count()).toBe(1);
    const short = page.getByText("Expected at least 15 characters, came 9.");
    expect(await short.isVisible()).toBe(true);
    expect(await page.locator(":focus").getAttribute("id")).toBe("name");
  });

  test.each([
    ["email", { email: "ada" }, "Not an e-mail address."],
    ["name", { name: "a".repeat(101) }, "Expected 1 to 100 characters on one line."],
    ["password", { password: ADMIN.email }, "This password is too easy to guess."],
  ])("shows under %s what the server says of it, and keeps the link", async (id, fields, text) => {
    const page = await linked(open, { expected: [/status of 400/] });
    await send(page, fields);
    await page.getByText(text).waitFor();
    expect(await page.locator(`#${id}`).getAttribute("aria-invalid")).toBe("true");
    expect(await page.locator(":focus").getAttribute("id")).toBe(id);
    expect(await adminCount(app)).toBe(0);
    await send(page);
    await heading(page, "You are the administrator");
  });

  test("says that the link does not work any more: used, or too old", async () => {
    const page = await open({ expected: [/status of 404/] });
    const token = await issueToken(app);
    app.clock.advance(15 * 60_000 + 1);
    await page.goto(`${PAGE}#${token}`);
    await send(page);
    await heading(page, "This link does not work any more");
    expect(await adminCount(app)).toBe(0);
  });

  test("says that there is no token, and takes one that is pasted over the page", async () => {
    const page = await open();
    await page.goto(PAGE);
    await heading(page, "Open the link that the server printed");
    await page.goto(`${PAGE}#${await issueToken(app)}`);
    await heading(page, "Make the first administrator");
    expect(page.url()).toBe(PAGE);
  });

  test("says that the server did not answer, and can be sent again", async () => {
    const page = await linked(open, { expected: [/net::ERR_/] });
    await page.route("**/setup", (route) => route.abort());
    await send(page);
    await page.getByRole("alert").getByText("The server did not answer.").waitFor();
    await page.unroute("**/setup");
    await send(page);
    await heading(page, "You are the administrator");
  });

  test("shows the password, and counts its characters", async () => {
    const page = await linked(open);
    const password = page.getByRole("textbox", { name: "Password" });
    expect(await page.getByText("At least 15 characters.").isVisible()).toBe(true);
    await password.fill("fourteen chars");
    expect(await page.getByText("14 of at least 15 characters.").isVisible()).toBe(true);
    await password.fill("fifteen chars!!");
    expect(await page.getByText("15 characters: long enough.").isVisible()).toBe(true);
    expect(await password.getAttribute("type")).toBe("password");
    await page.getByRole("button", { name: "Show password" }).click();
    expect(await password.getAttribute("type")).toBe("text");
    expect(await password.inputValue()).toBe("fifteen chars!!");
  });

  test.each(LOOKS)("is readable: $colorScheme, $viewport.width px", async (look) => {
    const page = await open({ ...look, expected: [/status of 40[04]/] });
    await page.goto(PAGE);
    await heading(page, "Open the link that the server printed");
    await expectReadable(page);
    const token = await issueToken(app);
    await page.goto(`${PAGE}#${token}`);
    await heading(page, "Make the first administrator");
    expect(await unseenFocus(page, 5)).toEqual([]);
    await send(page, { email: "ada" });
    await page.getByText("Not an e-mail address.").waitFor();
    await expectReadable(page);
    await send(page, { password: PASSWORD });
    await heading(page, "You are the administrator");
    await expectReadable(page);
    await page.goto(`${PAGE}#${token}`);
    await send(page);
    await heading(page, "This link does not work any more");
    await expectReadable(page);
  });
});
