import { sql } from "drizzle-orm";
import { afterAll, beforeEach, expect, test } from "vitest";
import { resolveConfig } from "../../../src/bulwark/config.ts";
import { wirePasskeys } from "../../../src/bulwark/wire-passkeys.ts";
import { startApp } from "../../support/app.ts";
import { SoftwareAuthenticator } from "../../support/software-authenticator.ts";
import { login, SAME_ORIGIN, setCookieOf, signInByCookie } from "./support.ts";

const app = await startApp({ auth: { deviceLifetime: "7d", lockAfter: 2 } });
beforeEach(app.reset);
afterAll(app.close);

const DAY = 86_400_000;

test.each([
  [7 * DAY - 1, 200],
  [7 * DAY, 401],
])(
  "auth.deviceLifetime: after %i ms a known device, which no lock stops: %i",
  async (milliseconds, status) => {
    const person = await app.signUp();
    const { email, password } = person;
    const cookie = await signInByCookie(app, person);
    const answer = await login(app, { email, password, mode: "cookie" }, SAME_ORIGIN);
    expect(setCookieOf(answer, "__Host-device")).toContain("; Max-Age=604800;");
    app.clock.advance(milliseconds);
    // The password is locked for whoever is not known.
    for (let time = 0; time < 3; time += 1) await login(app, { email, password: "wrong" });
    const headers = { cookie: cookie.split("; ").find((one) => one.includes("device")) ?? "" };
    expect((await login(app, { email, password }, headers)).status).toBe(status);
  },
);

test("auth.passkeyDomain: a passkey of the domain works on the pages of its hosts, and on no other", async () => {
  const config = resolveConfig({
    issuer: "https://api.example.com",
    csrfOrigins: ["https://app.example.com", "https://app.example.net"],
    emailVerification: "off",
    auth: { passkeyDomain: "example.com" },
  });
  const { database, clock } = app.bulwark;
  const passkeys = wirePasskeys(config, database, clock);
  const person = { ...(await app.signUp()), name: "Person" };
  const authenticator = new SoftwareAuthenticator("https://app.example.com");
  const options = await passkeys.registrationOptions(person);
  expect(options).toMatchObject({ rp: { id: "example.com", name: "api.example.com" } });
  const added = await database.transaction((tx) =>
    passkeys.verifyRegistration(person.id, authenticator.create(options), "Key", tx),
  );
  expect(added).toMatchObject({ name: "Key" });
  const proved = async (tampering: object): Promise<string | undefined> => {
    const answer = authenticator.get(await passkeys.loginOptions(), tampering);
    return (await passkeys.verifyLogin(answer))?.userId;
  };
  expect(await proved({ counter: 10 })).toBe(person.id);
  expect(await proved({ counter: 11, origin: "https://api.example.com" })).toBe(person.id);
  expect(await proved({ counter: 12, origin: "https://evil.example.com" })).toBeUndefined();
  expect(await proved({ counter: 13, rpId: "api.example.com" })).toBeUndefined();
  const rows = await app.query(sql`SELECT counter FROM bulwark.passkeys`);
  expect(rows.map(({ counter }) => Number(counter))).toEqual([11]);
});
