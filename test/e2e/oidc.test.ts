import type { Page } from "playwright-core";
import { afterAll, beforeEach, expect, test } from "vitest";
import { freePort, startApp } from "../support/app.ts";
import { type Login, startOidcServer } from "../support/oidc-server.ts";
import { ownDatabase } from "../system/auth/support.ts";
import { fill, heading, lookAt, press, setUpApp, signIn } from "./auth-support.ts";
import { inBrowser, LOOKS } from "./browser.ts";

const CLIENT_SECRET = "the secret of a client";
const port = await freePort();
const issuer = `http://localhost:${port}`;
const redirectUri = `${issuer}/api/auth/oidc/one/callback`;
const server = await startOidcServer({ redirectUri, clientSecret: CLIENT_SECRET });
const one = { issuer: server.issuer, clientId: "bulwark", clientSecret: CLIENT_SECRET };
const app = {
  ...(await startApp({ ...(await ownDatabase()), port, issuer, oidc: { one } })),
  port,
};
beforeEach(async () => {
  await app.reset();
  server.accounts.clear();
});
afterAll(async () => {
  await app.close();
  await server.stop();
});

const START = `${issuer}/api/auth/oidc/one/start?mode=cookie`;
const REFUSED = [/status of 40[0-9]/];

/** The person answers at the provider as the test says: its page reads a header. */
const answering = (page: Page, login: Login): Promise<void> =>
  page.setExtraHTTPHeaders({ "x-test-login": JSON.stringify(login) });

const shown = (page: Page): Promise<string | null> =>
  page.getByRole("alert").filter({ visible: true }).textContent();

inBrowser("a sign-in at a provider", (open) => {
  test("that was cancelled is told on the sign-in page, which takes a password then", async () => {
    const person = await app.signUp();
    const page = await open({ expected: REFUSED });
    await answering(page, { subject: "ada", deny: "<b>no</b>" });
    await page.goto(`${START}&returnTo=/docs`);
    await heading(page, "Sign in");
    expect(page.url()).toBe(`${issuer}/auth/login`);
    expect(await shown(page)).toContain("It was cancelled or refused at the provider");
    await fill(page, { "E-mail": person.email, Password: person.password });
    await press(page, "Sign in");
    await heading(page, "Your account");
  });

  test("of an address that has an account says to link it there", async () => {
    const { email } = await app.signUp();
    server.accounts.set("mallory", { email });
    const page = await open();
    await answering(page, { subject: "mallory" });
    await page.goto(START);
    await heading(page, "Sign in");
    expect(await shown(page)).toContain("link the provider there");
  });

  test("goes to the path that was asked for, by way of the second factor", async () => {
    const page = await open({ expected: REFUSED });
    await answering(page, { subject: "ada" });
    await page.goto(`${START}&returnTo=/auth/account`);
    await heading(page, "Your account");
    const { code } = await setUpApp(app, page);
    await press(page, "Sign out");
    await heading(page, "Sign in");

    app.clock.advance(30_000);
    await page.goto(`${START}&returnTo=/auth/forgot`);
    await heading(page, "Prove that it is you");
    expect(page.url()).toBe(`${issuer}/auth/login`);
    await fill(page, { "Code of your authenticator app": code() });
    await press(page, "Go on");
    await heading(page, "Set a new password");
    await page.goto(`${issuer}/auth/account`);
    await heading(page, "Your account");
  });

  // CVE-2022-31093: a parameter of the sign-in led off the site.
  test.each(["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)"])(
    "is not led away by %s",
    async (returnTo) => {
      const person = await app.signUp();
      const page = await open();
      await page.goto(`${issuer}/auth/login#${new URLSearchParams({ returnTo })}`);
      await heading(page, "Sign in");
      await fill(page, { "E-mail": person.email, Password: person.password });
      await press(page, "Sign in");
      await heading(page, "Your account");
      expect(new URL(page.url()).origin).toBe(issuer);
    },
  );

  test("a code that nobody knows is not shown", async () => {
    const page = await open();
    await page.goto(`${issuer}/auth/login#error=%3Cb%3ECall+this+number%3C/b%3E`);
    await heading(page, "Sign in");
    expect(await shown(page)).toBe("The sign-in at the provider did not work.");
  });

  test("a link that was cancelled is told on the account page", async () => {
    const person = await app.signUp();
    const page = await open();
    await signIn(app, page, person);
    await heading(page, "Your account");
    await answering(page, { subject: "ada", deny: "no" });
    const url = await page.evaluate(async () => {
      const headers = { "content-type": "application/json" };
      const path = "/api/auth/oidc/one/link";
      const answer = await fetch(path, { method: "POST", headers, body: "{}" });
      return ((await answer.json()) as { data: { url: string } }).data.url;
    });
    await page.goto(url);
    await heading(page, "Your account");
    await page.getByRole("status").getByText("It was cancelled or refused").waitFor();
    expect(page.url()).toBe(`${issuer}/auth/account`);
  });

  test.each(LOOKS)("refused, it is readable: $colorScheme, $viewport.width px", async (look) => {
    const page = await open(look);
    const readable = lookAt(page, "oidc", look);
    for (const reason of ["refused", "taken"]) {
      await page.goto(`${issuer}/auth/forgot`);
      await page.goto(`${issuer}/auth/login#error=${reason}`);
      await heading(page, "Sign in");
      await readable();
    }
  });
});
