import type { Page } from "playwright-core";
import { beforeEach, describe, expect, test } from "vitest";
import { PASSWORD, testApp } from "../support/app.ts";
import { adminCount, issueToken } from "../system/setup/support.ts";
import { inBrowser, isSideways, SIZES, unexpected } from "./support.ts";

const app = await testApp();
beforeEach(app.reset);
const origin = `http://localhost:${app.port}`;

const fill = async (page: Page, email: string, name: string, password: string): Promise<void> => {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Name").fill(name);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
};
const submit = (page: Page): Promise<void> =>
  page.getByRole("button", { name: "Make the administrator" }).click();
const heading = (page: Page, name: string): Promise<void> =>
  page.getByRole("heading", { name }).waitFor();

inBrowser("/setup", (open) => {
  describe.each(SIZES)("at $width px", (viewport) => {
    test.each(["light", "dark"] as const)("makes the administrator, %s", async (colorScheme) => {
      const { page, complaints } = await open({ viewport, colorScheme });
      await page.goto(`${origin}/setup#${await issueToken(app)}`);
      await heading(page, "Make the first administrator");
      expect(page.url()).toBe(`${origin}/setup`);
      expect(await isSideways(page)).toBe(false);

      await submit(page);
      expect(await page.getByText("Fill this in.").count()).toBe(3);
      await fill(page, "ada", "Ada", "too short");
      await submit(page);
      await page.getByText("Expected at least 15 characters, came 9.").waitFor();
      await fill(page, "ada", "Ada", PASSWORD);
      await submit(page);
      await page.getByText("Not an e-mail address.").waitFor();
      expect(await page.getByLabel("E-mail").getAttribute("aria-invalid")).toBe("true");
      await fill(page, "ada@example.com", "Ada", "ada@example.com");
      await submit(page);
      await page.getByText("This password is too easy to guess.").waitFor();
      expect(await isSideways(page)).toBe(false);
      expect(await adminCount(app)).toBe(0);

      await fill(page, "ada@example.com", "Ada", PASSWORD);
      await submit(page);
      await heading(page, "You are the administrator");
      await page.getByText("ada@example.com").waitFor();
      expect(await page.locator("#password").inputValue()).toBe("");
      expect(await adminCount(app)).toBe(1);
      await page.getByRole("link", { name: "POST /api/auth/login" }).click();
      await page.locator("#postAuthLogin[open]").waitFor();
      expect(unexpected(complaints, [400])).toEqual([]);
    });

    test("says that the link is used or expired", async () => {
      const { page, complaints } = await open({ viewport });
      const token = await issueToken(app);
      app.clock.advance(15 * 60_000 + 1);
      await page.goto(`${origin}/setup#${token}`);
      await fill(page, "ada@example.com", "Ada", PASSWORD);
      await submit(page);
      await heading(page, "This link does not work any more");
      expect(await isSideways(page)).toBe(false);
      expect(unexpected(complaints, [404])).toEqual([]);
    });

    test("says that there is no token, and takes one that is pasted over the page", async () => {
      const { page, complaints } = await open({ viewport });
      await page.goto(`${origin}/setup`);
      await heading(page, "Open the link that the server printed");
      expect(await isSideways(page)).toBe(false);
      const token = await issueToken(app);
      await page.goto(`${origin}/setup#${token}`);
      await heading(page, "Make the first administrator");
      expect(page.url()).toBe(`${origin}/setup`);
      expect(unexpected(complaints)).toEqual([]);
    });
  });

  const [viewport] = SIZES;

  test("shows the password and counts its characters", async () => {
    const { page } = await open({ viewport });
    await page.goto(`${origin}/setup#${await issueToken(app)}`);
    const password = page.getByRole("textbox", { name: "Password" });
    await page.getByText("At least 15 characters.").waitFor();
    await password.fill("fourteen chars");
    await page.getByText("14 of at least 15 characters.").waitFor();
    await password.fill("fifteen chars!!");
    await page.getByText("15 characters: long enough.").waitFor();
    expect(await password.getAttribute("type")).toBe("password");
    await page.getByRole("button", { name: "Show password" }).click();
    expect(await password.getAttribute("type")).toBe("text");
  });

  test("says that the server did not answer, and can try again with the same link", async () => {
    const { page } = await open({ viewport });
    await page.goto(`${origin}/setup#${await issueToken(app)}`);
    await fill(page, "ada@example.com", "Ada", PASSWORD);
    await page.route("**/setup", (route) => route.abort());
    await submit(page);
    await page.getByRole("alert").getByText("The server did not answer.").waitFor();
    await page.unroute("**/setup");
    await submit(page);
    await heading(page, "You are the administrator");
  });

  test("leaves the token in no history, and sends it nowhere but to /setup", async () => {
    const { page } = await open({ viewport });
    const token = await issueToken(app);
    const seen: string[] = [];
    page.on("request", (request) => {
      const told = `${request.url()} ${JSON.stringify(request.headers())} ${request.postData()}`;
      if (told.includes(token)) seen.push(`${request.method()} ${request.url()}`);
    });
    await page.goto(`${origin}/setup#${token}`);
    await heading(page, "Make the first administrator");
    await fill(page, "ada@example.com", "Ada", PASSWORD);
    await submit(page);
    await heading(page, "You are the administrator");
    await page.getByRole("link", { name: "GET /api/admin/audit" }).click();
    await page.locator("#getAdminAudit[open]").waitFor();
    await page.goBack();
    await heading(page, "Open the link that the server printed");
    expect(page.url()).toBe(`${origin}/setup`);
    expect(seen).toEqual([`POST ${origin}/setup`]);
  });
});
