import type { Page } from "playwright-core";
import { beforeEach, expect, test } from "vitest";
import type { MailNotice } from "../../src/core/index.ts";
import { composeMail, type DevelopmentMailbox } from "../../src/mail/index.ts";
import { testApp } from "../support/app.ts";
import { inBrowser, LOOKS, type Open, type OpenOptions } from "./browser.ts";
import { isSideways, paleTexts, unnamed, unseenFocus } from "./looks.ts";

const app = await testApp();
beforeEach(app.reset);
const ORIGIN = `http://localhost:${app.port}`;
const TOKEN = "canary-canary-canary-canary-canary-canary-c";

function mailbox(): DevelopmentMailbox {
  if (app.bulwark.mailbox === undefined) throw new Error("the application has no mailbox");
  return app.bulwark.mailbox;
}

const notice = (): MailNotice => ({
  kind: "reset",
  to: "ada@example.com",
  name: "Ada",
  token: TOKEN,
  expiresAt: app.clock.now() + 600_000,
});

async function deliver(): Promise<void> {
  const site = { issuer: ORIGIN, productName: "Example" };
  await mailbox().send({ ...composeMail(notice(), site), kind: "reset" });
}

async function opened(open: Open, options?: OpenOptions): Promise<Page> {
  const page = await open(options);
  await page.goto(`${ORIGIN}/dev/mailbox`);
  await page.getByText(/^\d+ mails?$/).waitFor();
  return page;
}

const expectReadable = async (page: Page): Promise<void> => {
  expect(await isSideways(page)).toBe(false);
  expect(await paleTexts(page)).toEqual([]);
  expect(await unnamed(page)).toEqual([]);
};

inBrowser("GET /dev/mailbox", (open) => {
  test("shows the newest mail open, with its link", async () => {
    await deliver();
    const page = await opened(open);
    expect(await page.getByRole("heading", { name: "Example: set a new password" }).count()).toBe(
      1,
    );
    const link = page.getByRole("link", { name: `${ORIGIN}/auth/reset#${TOKEN}` });
    expect(await link.getAttribute("href")).toBe(`${ORIGIN}/auth/reset#${TOKEN}`);
    expect(await page.getByText("ada@example.com").isVisible()).toBe(true);
  });

  test("says so while there is none, and shows one that comes", async () => {
    const page = await opened(open);
    expect(await page.getByText("No mail yet").isVisible()).toBe(true);
    await deliver();
    await page.getByRole("button", { name: "Look again" }).click();
    await page.getByText("1 mail", { exact: true }).waitFor();
    expect(await page.getByText("No mail yet").isVisible()).toBe(false);
  });

  test("keeps what is open when another comes, and puts that above it", async () => {
    await deliver();
    const page = await opened(open);
    await mailbox().send({ to: "eve@example.com", subject: "Another", text: "Hello" });
    await page.getByRole("button", { name: "Look again" }).click();
    await page.getByText("2 mails").waitFor();
    const isOpen = (mails: Element[]): boolean[] => mails.map((mail) => mail.hasAttribute("open"));
    expect(await page.locator("details").evaluateAll(isOpen)).toEqual([false, true]);
    expect(await page.locator("h2").allTextContents()).toEqual([
      "Another",
      "Example: set a new password",
    ]);
  });

  test("what a mail says is text, and links lead to this server alone", async () => {
    const lines = [
      "<img src=x onerror=alert(1)><script>alert(1)</script>",
      "http://evil.example/auth/reset#x",
      `${ORIGIN}.evil.example/`,
      `http://${new URL(ORIGIN).host}@evil.example/`,
      "javascript:alert(1)",
      `${ORIGIN}/auth/login`,
    ];
    const html = "<script>alert(1)</script>";
    await mailbox().send({
      to: "ada@example.com",
      subject: "<b>x</b>",
      text: lines.join("\n"),
      html,
    });
    const page = await opened(open);
    expect(await page.locator("#mails").getByRole("link").allTextContents()).toEqual([
      `${ORIGIN}/auth/login`,
    ]);
    expect(await page.locator("#mails").locator("img, script, b").count()).toBe(0);
    expect(await page.locator("pre").textContent()).toBe(lines.join("\n"));
  });

  test("says that the server did not answer", async () => {
    const page = await opened(open, { expected: [/net::ERR_/] });
    await page.route("**/dev/mailbox.json", (route) => route.abort());
    await page.getByRole("button", { name: "Look again" }).click();
    await page.getByRole("alert").getByText("The server did not answer.").waitFor();
  });

  test.each(LOOKS)("is readable: $colorScheme, $viewport.width px", async (look) => {
    const empty = await opened(open, look);
    await expectReadable(empty);
    await deliver();
    await mailbox().send({
      to: `${"a".repeat(64)}@example.com`,
      subject: "A ".repeat(90),
      text: "-".repeat(300),
    });
    await deliver();
    const page = await opened(open, look);
    expect(await unseenFocus(page, 5)).toEqual([]);
    await expectReadable(page);
  });
});
