import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";

const CHROMIUM = "/usr/bin/chromium";
const hasChromium = existsSync(CHROMIUM);

/** No sandbox, since tests run as root in containers; the rest keeps the browser from calling home. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface OpenOptions {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: "light" | "dark";
  /** What the console may say in this test, such as that a refusal was answered. Default nothing. */
  readonly expected?: readonly RegExp[];
}

/** open gives a page in a profile of its own. */
export type Open = (options?: OpenOptions) => Promise<Page>;

/** The sizes and colours in which every page must work: a desk and a phone, by day and by night. */
export const LOOKS = (["light", "dark"] as const).flatMap((colorScheme) =>
  [
    { width: 1280, height: 900 },
    { width: 390, height: 844 },
  ].map((viewport) => ({ viewport, colorScheme })),
);

/** Over HTTPS with a certificate of a test's own, and reports sent at once instead of by the minute. */
export const ANY_CERTIFICATE = ["--ignore-certificate-errors", "--short-reporting-delay"];

/**
 * inBrowser runs a suite in Chromium, with more arguments where it has to. A test fails by whatever the console of its pages complains of, a breach of the
 * Content-Security-Policy among it. Without Chromium the suite is skipped, and fails where services are required.
 */
export function inBrowser(
  name: string,
  suite: (open: Open) => void,
  more: readonly string[] = [],
): void {
  if (!hasChromium && process.env["BULWARK_REQUIRE_SERVICES"] !== "1") {
    const reason = `${name} (skipped: ${CHROMIUM} is not installed)`;
    describe.skip(reason, () => suite(() => Promise.reject(new Error(reason))));
    return;
  }
  describe(name, () => {
    let browser: Browser;
    let contexts: BrowserContext[] = [];
    let complaints: string[] = [];

    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: CHROMIUM, args: [...ARGUMENTS, ...more] });
    });
    afterEach(async () => {
      const [opened, said] = [contexts, complaints];
      contexts = [];
      complaints = [];
      for (const context of opened) await context.close();
      expect(said).toEqual([]);
    });
    afterAll(() => browser.close());

    suite(async ({ expected = [], ...look } = {}) => {
      const context = await browser.newContext(look);
      contexts.push(context);
      context.setDefaultTimeout(10_000);
      const page = await context.newPage();
      const complain = (text: string): void => {
        if (!expected.some((pattern) => pattern.test(text))) complaints.push(text);
      };
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complain(message.text());
      });
      page.on("pageerror", (error) => complain(String(error)));
      return page;
    });
  });
}
