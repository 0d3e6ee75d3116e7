import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe } from "vitest";

const CHROMIUM = "/usr/bin/chromium";
const hasChromium = existsSync(CHROMIUM);

/** Without a network of its own, a browser that looks for updates only waits. */
const ARGUMENTS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The sizes at which every page must work: a desk and a phone. */
export const SIZES = [
  { width: 1280, height: 900 },
  { width: 390, height: 844 },
] as const;

/** A page under watch: whatever its console complains of is kept, refused content among it. */
export interface WatchedPage {
  readonly page: Page;
  readonly complaints: readonly string[];
}

export interface OpenOptions {
  readonly viewport: { readonly width: number; readonly height: number };
  readonly colorScheme?: "light" | "dark";
}

/** inBrowser runs a suite in Chromium; it is skipped, in words, where there is none, unless services are required. */
export function inBrowser(
  name: string,
  suite: (open: (options: OpenOptions) => Promise<WatchedPage>) => void,
): void {
  const isRequired = process.env["BULWARK_REQUIRE_SERVICES"] === "1";
  if (!hasChromium && !isRequired) {
    describe.skip(`${name} (skipped: ${CHROMIUM} is not installed)`, () => suite(neverOpened));
    return;
  }
  describe(name, () => {
    let browser: Browser;
    const contexts: BrowserContext[] = [];
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
    });
    afterAll(async () => {
      for (const context of contexts) await context.close();
      await browser.close();
    });
    suite(async (options) => {
      const context = await browser.newContext(options);
      contexts.push(context);
      return watch(await context.newPage());
    });
  });
}

const neverOpened = (): Promise<never> => Promise.reject(new Error("there is no browser"));

function watch(page: Page): WatchedPage {
  const complaints: string[] = [];
  page.setDefaultTimeout(10_000);
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()}`));
  return { page, complaints };
}

/** isSideways tells whether a page is wider than its window, so that a phone would scroll it to the side. */
export const isSideways = (page: Page): Promise<boolean> =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

/**
 * unexpected are the complaints but for those of refusals that a test asked for: a browser complains of every answer of 400
 * and above, whatever the page makes of it.
 */
export const unexpected = (
  complaints: readonly string[],
  statuses: readonly number[] = [],
): readonly string[] =>
  complaints.filter((text) => {
    const status = /^Failed to load resource: the server responded with a status of (\d+)/.exec(
      text,
    );
    return status === null || !statuses.includes(Number(status[1]));
  });
