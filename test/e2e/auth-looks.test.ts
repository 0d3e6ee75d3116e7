import { afterAll, beforeEach, expect, test } from "vitest";
import { PASSWORD, startApp } from "../support/app.ts";
import { ownDatabase } from "../system/auth/support.ts";
import {
  fill,
  focusOf,
  heading,
  linkTo,
  lookAt,
  originOf,
  press,
  setUpApp,
  signIn,
  withAuthenticator,
} from "./auth-support.ts";
import { inBrowser, LOOKS } from "./browser.ts";
import { unseenFocus } from "./looks.ts";

const app = await startApp({
  ...(await ownDatabase()),
  emailVerification: "required",
  auth: { magicLink: true },
});
const ORIGIN = originOf(app);
beforeEach(app.reset);
afterAll(app.close);

const REFUSED = [/status of 40[0-9]/];

inBrowser("the pages of accounts, where something is wrong", (open) => {
  test("a wrong password says no more than that, also of an account that is locked", async () => {
    const person = await app.signUp();
    const page = await open({ expected: REFUSED });
    const texts = [];
    for (let time = 0; time < 6; time += 1) {
      await signIn(app, page, { ...person, password: "not the password" });
      await page.getByRole("alert").filter({ visible: true }).waitFor();
      texts.push(await page.getByRole("alert").filter({ visible: true }).textContent());
    }
    await signIn(app, page, person);
    await page.getByRole("alert").filter({ visible: true }).waitFor();
    texts.push(await page.getByRole("alert").filter({ visible: true }).textContent());
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).not.toBe("");
  });

  test("a fault stands under its field, and the first one has the focus", async () => {
    const page = await open({ expected: REFUSED });
    await page.goto(`${ORIGIN}/auth/register`);
    await heading(page, "Make an account");
    expect(await focusOf(page)).toBe("Make an account");
    await press(page, "Make the account");
    expect(await page.getByText("Fill this in.").filter({ visible: true }).count()).toBe(3);
    expect(await focusOf(page)).toBe("email");
    await fill(page, { "E-mail": "ada", Name: "Ada", Password: "short" });
    await press(page, "Make the account");
    await page.locator("#email-error:visible").waitFor();
    expect(await page.locator(".field-error:visible").count()).toBe(1);
    expect(await focusOf(page)).toBe("email");
    await fill(page, { "E-mail": "ada@example.com" });
    await press(page, "Make the account");
    await page.locator("#password-error:visible").waitFor();
    expect(await page.locator(".field-error:visible").count()).toBe(1);
    expect(await focusOf(page)).toBe("password");
  });

  test("a password can be read, is counted, and is hidden again when it is sent", async () => {
    const page = await open();
    await page.goto(`${ORIGIN}/auth/register`);
    await heading(page, "Make an account");
    await fill(page, { Password: "fourteen chars" });
    await page.getByText("14 of at least 15 characters.").waitFor();
    await fill(page, { Password: "fifteen chars!!" });
    await page.getByText("15 characters: long enough.").waitFor();
    await press(page, "Show password");
    expect(await page.locator("#password").getAttribute("type")).toBe("text");
    await press(page, "Make the account");
    expect(await page.locator("#password").getAttribute("type")).toBe("password");
  });

  test("a wrong code, a wrong recovery code, a passkey that nobody has", async () => {
    const person = await app.signUp();
    const page = await open({ expected: REFUSED });
    await withAuthenticator(page.context(), page);
    await signIn(app, page, person);
    await heading(page, "Your account");
    await setUpApp(app, page);
    await press(page, "Sign out");
    await heading(page, "Sign in");
    await press(page, "Sign in with a passkey");
    await page.getByText("No passkey was used.").waitFor();
    await signIn(app, page, person);
    await fill(page, { "Code of your authenticator app": "000000" });
    await press(page, "Go on");
    await page.getByText("This code does not work.").waitFor();
    await page.getByText("Use a recovery code").click();
    await fill(page, { "Recovery code": "aaaa-bbbb" });
    await press(page, "Go on with the recovery code");
    await page.getByText("This recovery code does not work.").waitFor();
    await page.goto(`${ORIGIN}/auth/account`);
    await heading(page, "Sign in");
  });

  test("a link that was used, and an address without one", async () => {
    const person = await app.signUp();
    await app.call("POST", "/api/auth/password/forgot", { body: { email: person.email } });
    const link = await linkTo(app, person.email, "reset");
    const page = await open({ expected: REFUSED });
    for (const state of ["Done", "This link does not work any more"]) {
      await page.goto(link);
      await heading(page, "Set a new password");
      await fill(page, { "New password": PASSWORD });
      await press(page, "Set the password");
      await heading(page, state);
      expect(await focusOf(page)).toBe(state);
    }
    for (const kind of ["verify", "email", "reset", "invite"]) {
      await page.goto(`${ORIGIN}/auth/${kind}`);
      await heading(page, "Open the link from the mail");
    }
  });

  test("a server that does not answer, and a form that is good for another try", async () => {
    const person = await app.signUp();
    const page = await open({ expected: [/net::ERR_/] });
    await page.route("**/api/auth/login", (route) => route.abort());
    await signIn(app, page, person);
    await page.getByRole("alert").getByText("The server did not answer.").waitFor();
    await page.unroute("**/api/auth/login");
    await press(page, "Sign in");
    await heading(page, "Your account");
  });

  test("what a person is called is text, not markup", async () => {
    const name = '<img src=x onerror="document.title=1">';
    const input = { email: "eve@example.com", password: PASSWORD, name };
    await app.bulwark.registration.createUser(input, { roles: ["user"], verified: true }, {});
    const page = await open();
    await signIn(app, page, input);
    await page.getByText(name).waitFor();
    expect(await page.locator("main img").count()).toBe(1);
  });
});

inBrowser("the pages of accounts, to the eye", (open) => {
  test.each(LOOKS)(
    "are readable: $colorScheme, $viewport.width px",
    async (look) => {
      const person = await app.signUp();
      const page = await open({ ...look, expected: REFUSED });
      await withAuthenticator(page.context(), page);
      const readable = lookAt(page, "account", look);
      for (const [path, title] of [
        ["register", "Make an account"],
        ["forgot", "Set a new password"],
        ["verify", "Open the link from the mail"],
        ["verify#x", "Confirm your address"],
        ["invite#x", "Accept the invitation"],
        ["magic-link", "Sign in by mail"],
      ] as const) {
        await page.goto(`${ORIGIN}/auth/${path}`);
        await heading(page, title);
        expect(await unseenFocus(page, 3)).toEqual([]);
        await readable();
      }
      await press(page, "Mail the link");
      await readable();
      await page.goto(`${ORIGIN}/auth/reset#${"x".repeat(43)}`);
      await fill(page, { "New password": "short" });
      await press(page, "Set the password");
      await page.getByText("Expected at least").or(page.getByText("does not work")).waitFor();
      await readable();
      await signIn(app, page, { ...person, password: "not the password" });
      await page.getByRole("alert").filter({ visible: true }).waitFor();
      await readable();
      await signIn(app, page, person);
      await heading(page, "Your account");
      await readable();
      expect(await unseenFocus(page, 12)).toEqual([]);
      await press(page, "Set up an app");
      await page.getByRole("img", { name: "QR code with the key below" }).waitFor();
      await readable();
      await page.reload();
      await heading(page, "Your account");
      await setUpApp(app, page);
      await fill(page, { "Name of the new passkey": "Laptop" });
      await press(page, "Add a passkey");
      await page.getByRole("status").getByText("The passkey is added.").waitFor();
      await readable();
      app.clock.advance(601_000);
      await press(page, "Remove the app");
      await page.getByRole("dialog").waitFor();
      await fill(page, { "Code of your authenticator app": "000000" });
      await press(page, "Go on");
      await page.getByText("This does not prove it.").waitFor();
      await readable();
      await press(page, "Cancel");
      await press(page, "Sign out");
      await heading(page, "Sign in");
      await readable();
      await signIn(app, page, person);
      await heading(page, "Prove that it is you");
      await page.getByText("Use a recovery code").click();
      await readable();
    },
    60_000,
  );
});
