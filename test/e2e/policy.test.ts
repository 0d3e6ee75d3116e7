import { beforeAll, describe, expect, test } from "vitest";
import { testApp } from "../support/app.ts";
import { inBrowser } from "./browser.ts";

const { port, reset } = await testApp();
beforeAll(reset);
const ORIGIN = `http://localhost:${port}`;

inBrowser("the policy of a page", (open) => {
  test("stops a script, a style and markup that are not its own", async () => {
    const said: string[] = [];
    const page = await open({ expected: [/Content Security Policy|Trusted/] });
    page.on("console", (message) => said.push(message.text()));
    await page.goto(`${ORIGIN}/docs`);
    await page.locator(".operation").first().waitFor();
    const outcome = await page.evaluate(() => {
      const attempt = (act: () => void): string => {
        try {
          act();
          return "done";
        } catch (error) {
          return String(error);
        }
      };
      const style = document.createElement("style");
      style.textContent = "body { display: none }";
      document.head.append(style);
      return {
        script: attempt(() => {
          document.createElement("script").src = "https://elsewhere.example/x.js";
        }),
        markup: attempt(() => {
          document.body.innerHTML = "<b>gone</b>";
        }),
        isShown: getComputedStyle(document.body).display !== "none",
      };
    });
    expect(outcome.script).toContain("TrustedScriptURL");
    expect(outcome.markup).toContain("TrustedHTML");
    expect(outcome.isShown).toBe(true);
    expect(said.join()).toContain("Content Security Policy");
  });

  test("a path cannot be left by what stands in it", async () => {
    const page = await open();
    await page.goto(`${ORIGIN}/docs#getProductsById`);
    const view = page.locator("#getProductsById");
    for (const value of ["..", "../../setup", "a//b", "./x"]) {
      await view.getByLabel("id (path)").fill(value);
      await view.getByRole("button", { name: "Send" }).click();
      expect(await view.getByText("This cannot stand in a path.").isVisible(), value).toBe(true);
    }
  });

  test("a page works by the keyboard alone", async () => {
    const page = await open();
    await page.goto(`${ORIGIN}/docs`);
    await page.locator(".operation").first().waitFor();
    await page.keyboard.press("Tab");
    expect(await page.locator(":focus").innerText()).toBe("Skip to the operations");
    await page.locator("#getHealthLive > summary").focus();
    await page.keyboard.press("Enter");
    const view = page.locator("#getHealthLive");
    const button = await view.getByRole("button", { name: "Send" }).elementHandle();
    for (let steps = 0; steps < 20; steps += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate((each) => document.activeElement === each, button)) break;
    }
    await page.keyboard.press("Enter");
    await view.getByText("200 OK").waitFor();
  });
});

describe.each(["/docs", "/setup"])("%s", (path) => {
  test("is written anew for each answer, and holds nothing that the policy would have to allow", async () => {
    for (let time = 0; time < 2; time += 1) {
      const response = await fetch(ORIGIN + path, { headers: { accept: "text/html" } });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(response.headers.get("cache-control")).toBe("no-store");
      const policy = response.headers.get("content-security-policy") ?? "";
      const nonce = /script-src 'nonce-([^']+)' 'strict-dynamic';/.exec(policy)?.[1];
      const html = await response.text();
      expect(html.match(/nonce="([^"]+)"/g)).toEqual(Array(2).fill(`nonce="${nonce}"`));
      expect(html).not.toMatch(/\son\w+=|\sstyle=|(?:src|href)="(?:https?:)?\/\//);
    }
  });

  test("is 406 for a client that takes JSON alone", async () => {
    const response = await fetch(ORIGIN + path, { headers: { accept: "application/json" } });
    expect(response.status).toBe(406);
  });
});

test.each(["docs.js", "setup.js", "dom.js"])("/assets/%s is a script", async (file) => {
  const response = await fetch(`${ORIGIN}/assets/${file}`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(await response.text()).not.toContain("sourceMappingURL");
});

test.each(["scripts.js", "routes.js", "docs.js.map", "..%2froutes.js", "constructor", "docs"])(
  "/assets/%s is nothing",
  async (file) => expect((await fetch(`${ORIGIN}/assets/${file}`)).status).toBe(404),
);
