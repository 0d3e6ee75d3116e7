import axe from "axe-core";
import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import { totpCode } from "../../src/auth/index.ts";
import type { TestApp } from "../support/app.ts";
import { mailTo } from "../system/auth/support.ts";
import type { LOOKS } from "./browser.ts";
import { isSideways, paleTexts, unnamed } from "./looks.ts";

export const heading = (page: Page, name: string): Promise<void> =>
  page.getByRole("heading", { name, exact: true }).waitFor();

export const press = (page: Page, name: string): Promise<void> =>
  page.getByRole("button", { name, exact: true }).click();

/** told waits until the page has said what came of something. */
export const told = (page: Page, text: string): Promise<void> =>
  page.getByRole("status").getByText(text).waitFor();

export const originOf = (app: TestApp): string => `http://localhost:${app.port}`;

/** fill writes into fields by their labels, in the form or dialog that is in sight. */
export async function fill(page: Page, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(fields)) {
    const input = page.locator("input:visible").and(page.getByLabel(label, { exact: true }));
    await input.fill(value);
  }
}

/** linkTo waits for a mail and returns the link in it. */
export async function linkTo(app: TestApp, to: string, kind: string): Promise<string> {
  const mail = await mailTo(app, to, kind);
  const link = mail.links.find((one) => one.includes("#"));
  if (link === undefined) throw new Error(`no link in the mail of kind ${kind}`);
  return link;
}

/** signIn signs in by password; what follows, an account or a second factor, is the caller's to await. */
export async function signIn(
  app: TestApp,
  page: Page,
  person: { readonly email: string; readonly password: string },
): Promise<void> {
  await page.goto(`${originOf(app)}/auth/login`);
  await heading(page, "Sign in");
  await fill(page, { "E-mail": person.email, Password: person.password });
  await press(page, "Sign in");
}

/** setUpApp sets up an authenticator app on the account page; `code` is what it shows now. */
export async function setUpApp(
  app: TestApp,
  page: Page,
): Promise<{ readonly code: () => string; readonly recoveryCodes: readonly string[] }> {
  await press(page, "Set up an app");
  await page.getByRole("img", { name: "QR code with the key below" }).waitFor();
  const secret = fromBase32((await page.locator("#secret").textContent()) ?? "");
  const code = (): string => totpCode(secret, Math.floor(app.clock.now() / 30_000));
  await fill(page, { Code: code() });
  await press(page, "Take the app into use");
  await heading(page, "Your recovery codes");
  return { code, recoveryCodes: await page.locator("#codes code").allTextContents() };
}

/** withAuthenticator gives a page's browser a built-in authenticator that verifies its user. */
export async function withAuthenticator(context: BrowserContext, page: Page): Promise<void> {
  const session = await context.newCDPSession(page);
  await session.send("WebAuthn.enable");
  await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

/** A folder for pictures of every state, to look at; none are taken without one. */
const SHOTS = process.env["BULWARK_SHOTS"];

/** lookAt makes a function that holds each state of a page against what a person needs, and takes its picture. */
export function lookAt(
  page: Page,
  name: string,
  { colorScheme, viewport }: (typeof LOOKS)[number],
): () => Promise<void> {
  let count = 0;
  return async () => {
    count += 1;
    if (SHOTS !== undefined) {
      const path = `${SHOTS}/${name}-${colorScheme}-${viewport.width}-${count}.png`;
      await page.screenshot({ path, fullPage: true });
    }
    await expectReadable(page);
  };
}

interface Axe {
  readonly run: (context: Document, options: object) => Promise<{ violations: Violation[] }>;
}

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** expectReadable holds a state of a page against what a person needs who sees little of it, or none. */
async function expectReadable(page: Page): Promise<void> {
  expect(await isSideways(page)).toBe(false);
  expect(await paleTexts(page)).toEqual([]);
  expect(await unnamed(page)).toEqual([]);
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: Axe }).axe.run(document, {
      resultTypes: ["violations"],
    });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" ")}`);
  });
  expect(found).toEqual([]);
}

/** focusOf says what has the focus: its id, or what it says. */
export const focusOf = (page: Page): Promise<string> =>
  page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent || "");

function fromBase32(text: string): Uint8Array {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = Array.from(text.replaceAll(" ", ""))
    .map((char) => alphabet.indexOf(char).toString(2).padStart(5, "0"))
    .join("");
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}
