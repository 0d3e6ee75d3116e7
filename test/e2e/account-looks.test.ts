import type { Page } from "playwright-core";
import { afterAll, beforeEach, test } from "vitest";
import { PASSWORD, startApp, type TestApp } from "../support/app.ts";
import { ownDatabase } from "../system/auth/support.ts";
import {
  fill,
  heading,
  linkTo,
  lookAt,
  originOf,
  press,
  setUpApp,
  signIn,
  told,
  withAuthenticator,
} from "./auth-support.ts";
import { inBrowser, LOOKS } from "./browser.ts";

const strict = await startApp({
  ...(await ownDatabase()),
  emailVerification: "required",
  auth: { magicLink: true },
});
const lax = await startApp({ ...(await ownDatabase()), auth: { deletionGrace: "36h" } });
beforeEach(strict.reset);
beforeEach(lax.reset);
afterAll(strict.close);
afterAll(lax.close);

const ADA = { email: "ada@example.com", name: "Ada", password: PASSWORD };
const REFUSED = [/status of 40[0-9]/];

async function register(app: TestApp, page: Page): Promise<void> {
  await page.goto(`${originOf(app)}/auth/register`);
  await fill(page, { "E-mail": ADA.email, Name: ADA.name, Password: ADA.password });
  await press(page, "Make the account");
}

inBrowser("what few people see of the pages of accounts", (open) => {
  test.each(LOOKS)(
    "registered, mailed again, verified elsewhere, a link and a factor: $colorScheme, $viewport.width px",
    async (look) => {
      const page = await open({ ...look, expected: REFUSED });
      const readable = lookAt(page, "strict", look);
      await page.goto(`${originOf(strict)}/auth/login`);
      await heading(page, "Sign in");
      await readable();
      await register(strict, page);
      await heading(page, "Read your mail");
      await readable();
      const link = await linkTo(strict, ADA.email, "verify");
      await page.getByRole("link", { name: "have it mailed again" }).click();
      await heading(page, "Open the link from the mail");
      await readable();
      await page.context().clearCookies();
      await page.goto(link);
      await press(page, "Confirm");
      await page.getByText("the password that was chosen there does not count").waitFor();
      await readable();
      await page.goto(link);
      await press(page, "Confirm");
      await heading(page, "This link does not work any more");
      await readable();
      await page.goto(`${originOf(strict)}/auth/verify`);
      await fill(page, { "E-mail": "grace@example.com" });
      await press(page, "Mail the link again");
      await heading(page, "Read your mail");
      await readable();

      const person = await strict.signUp();
      await signIn(strict, page, person);
      await setUpApp(strict, page);
      await page.goto(`${originOf(strict)}/auth/magic-link`);
      await fill(page, { "E-mail": person.email });
      await press(page, "Mail the link");
      await heading(page, "Read your mail");
      await page.goto(await linkTo(strict, person.email, "magic-link"));
      await press(page, "Sign in");
      await heading(page, "Prove that it is you");
      await readable();
    },
    60_000,
  );

  test.each(LOOKS)(
    "made, how strong, renamed, taken along, deleted: $colorScheme, $viewport.width px",
    async (look) => {
      const page = await open({ ...look, expected: REFUSED });
      await withAuthenticator(page.context(), page);
      const readable = lookAt(page, "own", look);
      await page.goto(`${originOf(lax)}/auth/register`);
      for (const [password, word] of [
        ["aaaaaaaaaaaaaaaa", "very weak"],
        ["dragon dragon dragon 1", "weak"],
        ["summer2024summer", "good"],
        ["correct horse battery staple", "strong"],
      ] as const) {
        await fill(page, { Password: password });
        await page.getByRole("status").getByText(`Strength: ${word}.`).waitFor();
        await readable();
      }
      const data = { score: 2, hints: ["A single word is guessed early."] };
      await page.route("**/strength", (route) => route.fulfill({ json: { success: true, data } }));
      await fill(page, { Password: "between the others" });
      await page.getByRole("status").getByText("Strength: fair.").waitFor();
      await readable();
      await page.unroute("**/strength");
      await register(lax, page);
      await heading(page, "Your account is made");
      await readable();
      await signIn(lax, page, ADA);
      await heading(page, "Your account");
      await fill(page, { "Name of the new passkey": "A key with a rather long name ".repeat(3) });
      await press(page, "Add a passkey");
      await told(page, "The passkey is added.");
      await page.reload();
      await heading(page, "Your account");
      await fill(page, { "New password": "aaaaaaaaaaaaaaaa" });
      await page.getByRole("status").getByText("Strength:").waitFor();
      await readable();
      await page.getByRole("button", { name: "Rename the passkey" }).click();
      await fill(page, { "New name": " " });
      await press(page, "Rename");
      await readable();
      await press(page, "Cancel");
      await press(page, "Download your data");
      await told(page, "Your data is in the file");
      await page.locator("#delete").click();
      await readable();
      await page.locator("#delete-go").click();
      await heading(page, "Your account will be deleted");
      await readable();
    },
    60_000,
  );
});
