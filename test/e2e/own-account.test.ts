import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeEach, expect, test } from "vitest";
import { startApp } from "../support/app.ts";
import { login, ownDatabase } from "../system/auth/support.ts";
import {
  fill,
  focusOf,
  heading,
  originOf,
  press,
  signIn,
  told,
  withAuthenticator,
} from "./auth-support.ts";
import { inBrowser, type Open } from "./browser.ts";
import { isSideways } from "./looks.ts";

const app = await startApp({ ...(await ownDatabase()), auth: { deletionGrace: "36h" } });
const ORIGIN = originOf(app);
/** What the console says of a refusal, which the page shows too. */
const REFUSED = [/status of 40[014]/];
beforeEach(app.reset);
afterAll(app.close);

async function signedIn(
  open: Open,
  person: { readonly email: string; readonly password: string },
): Promise<Page> {
  const page = await open({ expected: REFUSED });
  await signIn(app, page, person);
  await heading(page, "Your account");
  return page;
}

/** Makes the next change ask who it is, and answers. */
async function proveAnew(page: Page, password: string): Promise<void> {
  await page.getByRole("dialog", { name: "Prove that it is you" }).waitFor();
  await fill(page, { Password: password });
  await press(page, "Go on");
}

inBrowser("what people do with what is theirs", (open) => {
  test("the longest name and a long address stay in their place on a phone", async () => {
    const person = {
      email: `${"a".repeat(60)}@${"b".repeat(60)}.example`,
      name: "N".repeat(100),
      password: "a rather long password",
    };
    await app.call("POST", "/api/auth/register", { body: person });
    const page = await open({ viewport: { width: 390, height: 844 } });
    await signIn(app, page, person);
    await heading(page, "Your account");
    await page.getByText(person.name).waitFor();
    expect(await isSideways(page)).toBe(false);
  });

  test("a passkey is renamed, in a dialog that says what is wrong with the name", async () => {
    const page = await signedIn(open, await app.signUp());
    await withAuthenticator(page.context(), page);
    await fill(page, { "Name of the new passkey": "Laptop" });
    await press(page, "Add a passkey");
    await told(page, "The passkey is added.");
    await press(page, "Rename the passkey Laptop");
    const dialog = page.getByRole("dialog", { name: "Rename the passkey" });
    await dialog.waitFor();
    expect(await focusOf(page)).toBe("rename-name");
    expect(await page.locator("#rename-name").inputValue()).toBe("Laptop");
    await fill(page, { "New name": "  " });
    await press(page, "Rename");
    await dialog.getByText("Fill this in.").waitFor();
    await fill(page, { "New name": "a\u0007b" });
    await press(page, "Rename");
    await dialog.getByText("Expected 1 to 100 characters on one line.").waitFor();
    await press(page, "Cancel");
    expect(await dialog.isVisible()).toBe(false);

    await press(page, "Rename the passkey Laptop");
    expect(await dialog.locator(".field-error:visible").count()).toBe(0);
    await fill(page, { "New name": "<b>Phone</b>" });
    await press(page, "Rename");
    await told(page, "The passkey is renamed.");
    expect(await page.locator("#passkeys").getByText("<b>Phone</b>").isVisible()).toBe(true);
    await press(page, "Remove the passkey <b>Phone</b>");
    await told(page, "The passkey is removed.");
  });

  test("one's own data comes as a file, after a proof", async () => {
    const person = await app.signUp();
    const page = await signedIn(open, person);
    app.clock.advance(601_000);
    await press(page, "Download your data");
    await page.getByRole("dialog", { name: "Prove that it is you" }).waitFor();
    await press(page, "Cancel");
    await told(page, "Nothing was changed");

    await press(page, "Download your data");
    const coming = page.waitForEvent("download");
    await proveAnew(page, person.password);
    const download = await coming;
    expect(download.suggestedFilename()).toBe("my-data.json");
    const text = await readFile(await download.path(), "utf8");
    expect(JSON.parse(text)).toMatchObject({ account: { id: person.id, email: person.email } });
    expect(text).not.toContain(person.password);
    await told(page, "Your data is in the file my-data.json.");
  });

  test("the account is deleted after a question and a proof, and taken back by signing in", async () => {
    const person = await app.signUp();
    const page = await signedIn(open, person);
    app.clock.advance(601_000);
    const dialog = page.getByRole("dialog", { name: "Delete your account?" });
    const ask = page.locator("#delete");
    const go = dialog.getByRole("button", { name: "Delete the account" });
    expect(await page.getByText("after 36 hours the account is deleted").first().isVisible()).toBe(
      true,
    );
    await ask.click();
    await dialog.waitFor();
    expect(await focusOf(page)).toBe("delete-cancel");
    await press(page, "Keep the account");
    expect(await dialog.isVisible()).toBe(false);
    await ask.click();
    await page.keyboard.press("Escape");
    expect(await dialog.isVisible()).toBe(false);
    await ask.click();
    await go.click();
    await page.getByRole("dialog", { name: "Prove that it is you" }).waitFor();
    await press(page, "Cancel");
    await told(page, "Nothing was changed");
    expect((await app.call("GET", "/api/auth/me", { token: person.token })).status).toBe(200);

    await ask.click();
    await go.click();
    await proveAnew(page, person.password);
    await heading(page, "Your account will be deleted");
    expect(await focusOf(page)).toBe("Your account will be deleted");
    const when = await page.locator("#deleted-when time").getAttribute("datetime");
    expect(when).toBe(new Date(app.clock.now() + 36 * 3_600_000).toISOString());
    expect(await page.getByText(person.email).count()).toBe(0);
    expect((await app.call("GET", "/api/auth/me", { token: person.token })).status).toBe(401);
    await page.goto(`${ORIGIN}/auth/account`);
    await heading(page, "Sign in");
    await signIn(app, page, person);
    await heading(page, "Your account");
    app.clock.advance(37 * 3_600_000);
    await app.bulwark.sweep();
    const { email, password } = person;
    expect((await login(app, { email, password })).status).toBe(200);
  });
});

inBrowser("the meter beside a new password", (open) => {
  const asked = (page: Page): unknown[] => {
    const bodies: unknown[] = [];
    page.on("request", (request) => {
      if (request.url().endsWith("/api/auth/password/strength")) {
        bodies.push(request.postDataJSON());
      }
    });
    return bodies;
  };
  const strength = (page: Page, word: string): Promise<void> =>
    page.getByRole("status").getByText(`Strength: ${word}.`).waitFor();

  test("asks once the keys rest, with what is known of the person, and only about what is long enough", async () => {
    const page = await open();
    const bodies = asked(page);
    await page.goto(`${ORIGIN}/auth/register`);
    await heading(page, "Make an account");
    await fill(page, { Name: "Zuzanna Kowalska", Password: "fourteen chars" });
    await page.waitForTimeout(800);
    expect(await page.locator(".strength").isVisible()).toBe(false);
    await page.locator("#password").pressSequentially("!zuzanna", { delay: 5 });
    await strength(page, "strong");
    await fill(page, { Password: "zuzannakowalska" });
    await page.getByText("It should not hold what is known of you or of this site.").waitFor();
    expect(bodies).toEqual([
      { name: "Zuzanna Kowalska", password: "fourteen chars!zuzanna" },
      { name: "Zuzanna Kowalska", password: "zuzannakowalska" },
    ]);
    await fill(page, { Password: "short" });
    expect(await page.locator(".strength").isVisible()).toBe(false);
  });

  test("stands on every page where a password is chosen, and on none where one is proved", async () => {
    const person = await app.signUp();
    const page = await signedIn(open, person);
    const bodies = asked(page);
    const strong = "correct horse battery staple";
    await fill(page, { "New password": strong });
    await strength(page, "strong");
    await fill(page, { "Current password": strong });
    for (const path of ["auth/reset#x", "auth/invite#x", "setup#x"]) {
      await page.goto(`${ORIGIN}/${path}`);
      await page.locator("input[autocomplete=new-password]:visible").fill(strong);
      await strength(page, "strong");
    }
    await page.goto(`${ORIGIN}/auth/login`);
    await fill(page, { Password: strong });
    await page.waitForTimeout(800);
    const { email } = person;
    const name = expect.stringContaining("Person");
    expect(bodies).toEqual([
      { name, email, password: strong },
      ...Array(3).fill({ password: strong }),
    ]);
  });

  test("says nothing where it has no answer, and keeps nobody from going on", async () => {
    const page = await open({ expected: [/status of 429/] });
    await page.route("**/password/strength", (route) =>
      route.fulfill({ status: 429, json: { success: false, error: "Too many." } }),
    );
    await page.goto(`${ORIGIN}/auth/register`);
    await fill(page, { "E-mail": "ada@example.com", Name: "Ada", Password: "a rather long one!" });
    await page.waitForResponse("**/password/strength");
    expect(await page.locator(".strength").isVisible()).toBe(false);
    await press(page, "Make the account");
    await heading(page, "Your account is made");
  });
});

inBrowser("links that are not in use here", (open) => {
  test("are not offered", async () => {
    const page = await open({ expected: REFUSED });
    await page.goto(`${ORIGIN}/auth/login`);
    await heading(page, "Sign in");
    const targets = await page
      .getByRole("link")
      .evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    expect(targets).toEqual(["/auth/forgot", "/auth/register"]);
    await page.goto(`${ORIGIN}/auth/verify`);
    await heading(page, "Open the link from the mail");
    expect(await page.locator("form:visible").count()).toBe(0);
    const answer = await fetch(`${ORIGIN}/auth/magic-link`, { headers: { accept: "text/html" } });
    expect(answer.status).toBe(404);
  });
});
