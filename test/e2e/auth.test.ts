import type { Page } from "playwright-core";
import { afterAll, beforeEach, expect, test } from "vitest";
import { PASSWORD, startApp } from "../support/app.ts";
import { ownDatabase } from "../system/auth/support.ts";
import {
  fill,
  focusOf,
  heading,
  linkTo,
  originOf,
  press,
  setUpApp,
  signIn,
  told,
  withAuthenticator,
} from "./auth-support.ts";
import { inBrowser, type Open } from "./browser.ts";

const app = await startApp({
  ...(await ownDatabase()),
  emailVerification: "required",
  auth: { magicLink: true },
});
const ORIGIN = originOf(app);
const ADA = { email: "ada@example.com", name: "Ada", password: PASSWORD };
/** What the console says of a refusal, which the page shows too. */
const REFUSED = [/status of 40[014]/];
const TEN_MINUTES = 600_000;
beforeEach(app.reset);
afterAll(app.close);

const account = (page: Page): Promise<void> => heading(page, "Your account");

async function register(page: Page): Promise<void> {
  await page.goto(`${ORIGIN}/auth/register`);
  await heading(page, "Make an account");
  await fill(page, { "E-mail": ADA.email, Name: ADA.name, Password: ADA.password });
  await press(page, "Make the account");
  await heading(page, "Read your mail");
}

/** A person of the application who is signed in, in a browser of their own. */
async function signedIn(
  open: Open,
  person: { readonly email: string; readonly password: string },
): Promise<Page> {
  const page = await open({ expected: REFUSED });
  await signIn(app, page, person);
  await account(page);
  return page;
}

async function signOut(page: Page): Promise<void> {
  await press(page, "Sign out");
  await heading(page, "Sign in");
}

inBrowser("the pages of accounts", (open) => {
  test("register, verify, sign in, authenticator app, recovery code, passkey", async () => {
    const page = await open();
    await withAuthenticator(page.context(), page);
    await register(page);
    await linkTo(app, ADA.email, "verify");
    await page.goto(`${ORIGIN}/dev/mailbox`);
    await page.getByRole("link", { name: "/auth/verify#" }).click();
    const tabs = page.context().pages();
    const verifying = tabs[tabs.length - 1] ?? page;
    await heading(verifying, "Confirm your address");
    expect(verifying.url()).toBe(`${ORIGIN}/auth/verify`);
    await press(verifying, "Confirm");
    await verifying.getByText("Your address is confirmed.").waitFor();

    await verifying.getByRole("link", { name: "Sign in" }).click();
    await signIn(app, page, ADA);
    await account(page);
    expect(await page.getByText("Ada, ada@example.com").isVisible()).toBe(true);

    const { code, recoveryCodes } = await setUpApp(app, page);
    expect(new Set(recoveryCodes).size).toBe(10);
    expect(await focusOf(page)).toBe("Your recovery codes");
    expect(await page.locator("#secret").textContent()).toBe("");
    expect(await page.getByText("An app is set up.").isVisible()).toBe(true);
    await signOut(page);

    app.clock.advance(30_000);
    await signIn(app, page, ADA);
    await heading(page, "Prove that it is you");
    await fill(page, { "Code of your authenticator app": code() });
    await press(page, "Go on");
    await account(page);
    expect(await page.locator("#codes").textContent()).toBe("");
    await signOut(page);

    await signIn(app, page, ADA);
    await page.getByText("Use a recovery code").click();
    await fill(page, { "Recovery code": recoveryCodes[0] ?? "" });
    await press(page, "Go on with the recovery code");
    await account(page);
    await page.getByText("9 of 10 recovery codes are left.").waitFor();

    await fill(page, { "Name of the new passkey": "Laptop" });
    await press(page, "Add a passkey");
    await told(page, "The passkey is added.");
    expect(await page.getByText("Laptop").isVisible()).toBe(true);
    await signOut(page);

    await press(page, "Sign in with a passkey");
    await account(page);
    await signOut(page);

    await signIn(app, page, ADA);
    await heading(page, "Prove that it is you");
    await press(page, "Use a passkey");
    await account(page);
    await press(page, "Remove the passkey Laptop");
    await told(page, "The passkey is removed.");
    expect(await page.getByText("There is none yet.").isVisible()).toBe(true);
  });

  test("a session that another browser ended is signed out at its next request", async () => {
    const person = await app.signUp();
    const mine = await signedIn(open, person);
    const other = await signedIn(open, person);
    await mine.reload();
    await mine.getByText("This session.").waitFor();
    expect(await mine.locator("#sessions > li").count()).toBe(3);
    const rows = mine.locator("#sessions > li", { hasText: "Chrome on Linux" });
    await rows.filter({ hasNotText: "This session." }).getByRole("button").click();
    await told(mine, "The session has ended.");
    expect(await mine.locator("#sessions > li").count()).toBe(2);
    await press(mine, "End all other sessions");
    await told(mine, "All other sessions have ended.");
    expect(await mine.locator("#sessions > li").count()).toBe(1);

    const refused = other.waitForResponse((response) => response.status() === 401);
    await press(other, "Set up an app");
    await refused;
    await heading(other, "Sign in");
    await mine.reload();
    await account(mine);
  });

  test("after ten minutes a change asks who it is, in a dialog that keeps the focus", async () => {
    const page = await signedIn(open, await app.signUp());
    app.clock.advance(TEN_MINUTES + 1_000);
    await press(page, "Set up an app");
    const dialog = page.getByRole("dialog", { name: "Prove that it is you" });
    await dialog.waitFor();
    expect(await focusOf(page)).toBe("step-up-password");
    for (let step = 0; step < 8; step += 1) {
      await page.keyboard.press("Tab");
      const isBehind = await page.evaluate(
        () => document.activeElement?.closest("#account") !== null,
      );
      expect(isBehind).toBe(false);
    }
    await page.keyboard.press("Escape");
    await told(page, "Nothing was changed");
    expect(await page.locator("#totp-confirm").isVisible()).toBe(false);

    await press(page, "Set up an app");
    await fill(page, { Password: "not the password at all" });
    await press(page, "Go on");
    await dialog.getByRole("alert").getByText("This does not prove it.").waitFor();
    await fill(page, { Password: PASSWORD });
    await press(page, "Go on");
    await page.getByRole("img", { name: "QR code with the key below" }).waitFor();
    expect(await dialog.isVisible()).toBe(false);
  });

  test("where a second factor is set up, the dialog asks for it", async () => {
    const page = await signedIn(open, await app.signUp());
    const { code } = await setUpApp(app, page);
    app.clock.advance(TEN_MINUTES + 1_000);
    await press(page, "Make new codes");
    expect(await page.locator("#step-up-password").isVisible()).toBe(false);
    await fill(page, { "Code of your authenticator app": code() });
    await press(page, "Go on");
    await told(page, "The old recovery codes are void.");
    expect(await page.locator("#codes code").count()).toBe(10);
  });

  test("where a passkey is all there is, the dialog asks for that", async () => {
    const page = await signedIn(open, await app.signUp());
    await withAuthenticator(page.context(), page);
    await fill(page, { "Name of the new passkey": "Key ring" });
    await press(page, "Add a passkey");
    await heading(page, "Your recovery codes");
    app.clock.advance(TEN_MINUTES + 1_000);
    await press(page, "Remove the passkey Key ring");
    const dialog = page.getByRole("dialog", { name: "Prove that it is you" });
    await dialog.waitFor();
    expect(await dialog.locator("input:visible").count()).toBe(0);
    await press(page, "Use a passkey");
    await told(page, "The passkey is removed.");
    expect(await page.locator("#new-codes").isVisible()).toBe(false);
  });

  test("a change of password ends the other sessions", async () => {
    const person = await app.signUp();
    const page = await signedIn(open, person);
    const newPassword = "another rather long one";
    await fill(page, { "Current password": "not my password today", "New password": newPassword });
    await press(page, "Change the password");
    await page.getByText("This is not your password.").waitFor();
    expect(await focusOf(page)).toBe("currentPassword");
    await fill(page, { "Current password": PASSWORD, "New password": "short" });
    await press(page, "Change the password");
    await page.locator("#newPassword-error:visible").waitFor();
    expect(await focusOf(page)).toBe("newPassword");
    await fill(page, { "New password": newPassword });
    await press(page, "Change the password");
    await told(page, "The password is changed.");
    expect(await page.locator("#newPassword").inputValue()).toBe("");
    expect((await app.call("GET", "/api/auth/me", { token: person.token })).status).toBe(401);
    await signOut(page);
    await signIn(app, page, { ...person, password: newPassword });
    await account(page);
  });

  test("a forgotten password is set anew by mail, once", async () => {
    const person = await app.signUp();
    const page = await open();
    await page.goto(`${ORIGIN}/auth/login`);
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    await heading(page, "Set a new password");
    await fill(page, { "E-mail": person.email });
    await press(page, "Mail the link");
    await heading(page, "Read your mail");
    const link = await linkTo(app, person.email, "reset");
    const password = "a newer rather long one";
    await page.goto(link);
    await fill(page, { "New password": password });
    await press(page, "Set the password");
    await page.getByText("The password is set.").waitFor();
    await signIn(app, page, { ...person, password });
    await account(page);
  });

  test("a change of address is confirmed in both mailboxes", async () => {
    const person = await app.signUp();
    const page = await signedIn(open, person);
    const email = "new@example.com";
    await fill(page, { "New address": email });
    await press(page, "Change the address");
    await told(page, "A mail is on its way to both addresses.");
    await page.goto(await linkTo(app, person.email, "confirm-change"));
    await heading(page, "Confirm the new address");
    await press(page, "Confirm");
    await heading(page, "Half done");
    await page.goto(await linkTo(app, email, "confirm-change"));
    await press(page, "Confirm");
    await page.getByText("Your address is changed.").waitFor();
    await signIn(app, page, { ...person, email });
    await account(page);
  });

  test("an invitation makes an account", async () => {
    const token = await app.adminToken();
    const body = { email: ADA.email, name: "Ada" };
    expect((await app.call("POST", "/api/admin/users/invite", { token, body })).status).toBe(201);
    const page = await open();
    await page.goto(await linkTo(app, ADA.email, "invite"));
    await heading(page, "Accept the invitation");
    await fill(page, { Name: ADA.name, "New password": PASSWORD });
    await press(page, "Accept");
    await page.getByText("Your account is ready.").waitFor();
    await page.getByRole("link", { name: "Sign in" }).click();
    await signIn(app, page, ADA);
    await account(page);
  });

  test("a link that did not come is mailed again, and the older one is void", async () => {
    const page = await open({ expected: REFUSED });
    await register(page);
    const first = await linkTo(app, ADA.email, "verify");
    app.bulwark.mailbox?.clear();
    await page.getByRole("link", { name: "have it mailed again" }).click();
    await heading(page, "Open the link from the mail");
    await fill(page, { "E-mail": ADA.email });
    await press(page, "Mail the link again");
    await heading(page, "Read your mail");
    const second = await linkTo(app, ADA.email, "verify");
    await page.goto(first);
    await press(page, "Confirm");
    await heading(page, "This link does not work any more");
    expect(await page.getByRole("link", { name: "another link mailed" }).isVisible()).toBe(true);
    await page.goto(second);
    await press(page, "Confirm");
    await page.getByText("Your address is confirmed.").waitFor();
    await signIn(app, page, ADA);
    await account(page);
  });

  test("the sign-in leads to what is asked for there: another link, a link that signs in", async () => {
    const page = await open();
    for (const [link, title] of [
      ["Mail it again", "Open the link from the mail"],
      ["Sign in by mail", "Sign in by mail"],
    ] as const) {
      await page.goto(`${ORIGIN}/auth/login`);
      await page.getByRole("link", { name: link }).click();
      await heading(page, title);
    }
  });

  test("a link from another browser proves the mailbox, and drops the password", async () => {
    const page = await open();
    await register(page);
    const other = await open({ expected: REFUSED });
    await other.goto(await linkTo(app, ADA.email, "verify"));
    await press(other, "Confirm");
    await other.getByText("the password that was chosen there does not count").waitFor();
    await signIn(app, other, ADA);
    await other.getByRole("alert").filter({ visible: true }).waitFor();
    await other.getByRole("link", { name: "Forgot your password?" }).click();
    await heading(other, "Set a new password");
  });

  test("a mailed link does not go around the second factor", async () => {
    const person = await app.signUp();
    const page = await signedIn(open, person);
    const { code } = await setUpApp(app, page);
    await signOut(page);
    await page.goto(`${ORIGIN}/auth/magic-link`);
    await fill(page, { "E-mail": person.email });
    await press(page, "Mail the link");
    await heading(page, "Read your mail");
    await page.goto(await linkTo(app, person.email, "magic-link"));
    await press(page, "Sign in");
    await heading(page, "Prove that it is you");
    app.clock.advance(30_000);
    await fill(page, { "Code of your authenticator app": code() });
    await press(page, "Go on");
    await account(page);
  });

  test("a mailed link signs in, in the browser that asked for it", async () => {
    const person = await app.signUp();
    const page = await open();
    await page.goto(`${ORIGIN}/auth/magic-link`);
    await heading(page, "Sign in by mail");
    await fill(page, { "E-mail": person.email });
    await press(page, "Mail the link");
    await heading(page, "Read your mail");
    const link = await linkTo(app, person.email, "magic-link");

    const stranger = await open({ expected: [/status of 401/] });
    await stranger.goto(link);
    await press(stranger, "Sign in");
    await heading(stranger, "This link does not work any more");

    await page.goto(link);
    await press(page, "Sign in");
    await account(page);
  });
});
