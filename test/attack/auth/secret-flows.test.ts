import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, dataOf, PASSWORD, startApp } from "../../support/app.ts";
import { SoftwareAuthenticator } from "../../support/software-authenticator.ts";
import {
  challengeOf,
  cookiesOf,
  login,
  mailTo,
  ownDatabase,
  SAME_ORIGIN,
  type Tokens,
  tokenOf,
  withTotp,
} from "../../system/auth/support.ts";

const many = { requests: 1_000, window: "1m" };
const app = await startApp({
  ...(await ownDatabase()),
  emailVerification: "required",
  auth: { magicLink: true },
  limits: { login: many, register: many },
});
const { call } = app;
afterAll(app.close);

const NEXT = "canary of the next password";
const secrets = new Map<string, string>([
  ["password", PASSWORD],
  ["next password", NEXT],
]);
/** keep remembers a secret under the name of the flow that gave it out. */
const keep = (what: string, secret: string | undefined): string => {
  if (secret === undefined || secret.length < 16) throw new Error(`${what}: no secret`);
  secrets.set(what, secret);
  return secret;
};
const post = async (path: string, body: object, more: object = {}): Promise<Answer> => {
  const answer = await call("POST", path, { body, ...more });
  if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`);
  return answer;
};
function keepTokens(what: string, answer: Answer): Tokens {
  const tokens = dataOf<Tokens>(answer);
  keep(`${what}: access`, tokens.accessToken);
  if (tokens.refreshToken !== undefined) keep(`${what}: refresh`, tokens.refreshToken);
  if (tokens.deviceToken !== undefined) keep(`${what}: device`, tokens.deviceToken);
  return tokens;
}
function keepCookies(what: string, answer: Answer): string {
  for (const pair of cookiesOf(answer).split("; ")) {
    const at = pair.indexOf("=");
    keep(`${what}: ${pair.slice(0, at)}`, pair.slice(at + 1));
  }
  return cookiesOf(answer);
}

beforeAll(async () => {
  await app.reset();
  const email = "ada@example.com";
  const ada = { email, password: PASSWORD };
  const registered = await post("/api/auth/register", { ...ada, name: "Ada" });
  const browser = { headers: { cookie: keepCookies("register", registered) } };
  const token = keep("verify", tokenOf(await mailTo(app, email, "verify")));
  await post("/api/auth/email/verify", { token }, browser);
  const signedIn = keepTokens("login", await login(app, ada));
  const { refreshToken } = signedIn;
  const { accessToken } = keepTokens("refresh", await post("/api/auth/refresh", { refreshToken }));

  const byCookie = await login(app, { ...ada, mode: "cookie" }, SAME_ORIGIN);
  const cookie = keepCookies("cookie login", byCookie);
  const csrf = await call("GET", "/api/auth/csrf", { headers: { cookie } });
  keep("csrf", dataOf<{ token: string }>(csrf).token);

  await post("/api/auth/email/change", { email: "new@example.com" }, { token: accessToken });
  keep("change", tokenOf(await mailTo(app, "new@example.com", "confirm-change")));
  await post("/api/auth/password/forgot", { email });
  const resetToken = keep("reset", tokenOf(await mailTo(app, email, "reset")));
  await post("/api/auth/password/reset", { token: resetToken, password: NEXT });
  const asked = await post("/api/auth/magic-link", { email }, { headers: SAME_ORIGIN });
  const link = keep("magic link", tokenOf(await mailTo(app, email, "magic-link")));
  const headers = { cookie: keepCookies("magic link", asked) };
  keepTokens("link", await post("/api/auth/magic-link/verify", { token: link }, { headers }));

  const admin = await app.adminToken();
  await post(
    "/api/admin/users/invite",
    { email: "g@example.com", name: "Guest" },
    { token: admin },
  );
  const invite = keep("invite", tokenOf(await mailTo(app, "g@example.com", "invite")));
  await post("/api/auth/invite/accept", { token: invite, password: NEXT, name: "Guest" });

  const pending = await app.signUp();
  const enrolled = await post("/api/auth/mfa/totp/enroll", {}, { token: pending.token });
  keep("totp secret", dataOf<{ secret: string }>(enrolled).secret);
  const holder = await withTotp(app);
  for (const [index, code] of holder.recoveryCodes.entries()) keep(`recovery ${index}`, code);
  const challengeToken = keep("challenge", await challengeOf(app, holder));
  const recovery = { challengeToken, method: "recovery", code: holder.recoveryCodes[0] };
  keepTokens("recovery code", await post("/api/auth/mfa/challenge", recovery));

  const owner = await app.signUp();
  const authenticator = new SoftwareAuthenticator(`http://localhost:${app.port}`);
  const options = await post("/api/auth/passkeys/register/options", {}, { token: owner.token });
  const credential = authenticator.create(dataOf(options));
  const body = { credential, name: "Key" };
  const added = await post("/api/auth/passkeys/register/verify", body, { token: owner.token });
  keepTokens("passkey", added);
  for (const code of dataOf<{ recoveryCodes: string[] }>(added).recoveryCodes) {
    keep(`recovery ${code}`, code);
  }
});

/** The ways in which a secret may lie about. */
const spellings = (secret: string): readonly string[] => {
  const plain = secret.replaceAll("-", "");
  return [secret, plain].flatMap((text) => [
    text,
    Buffer.from(text).toString("hex"),
    Buffer.from(text).toString("base64url"),
    Buffer.from(text, "base64url").toString("hex"),
  ]);
};

const found = (text: string): readonly string[] =>
  [...secrets]
    .filter(([, secret]) => spellings(secret).some((one) => text.includes(one)))
    .map(([what]) => what);

test("every flow gave out what is looked for", () => {
  expect(secrets.size).toBeGreaterThan(35);
  expect(found(`x${secrets.get("refresh: refresh")}x`)).toEqual(["refresh: refresh"]);
});

test("no secret that was given out is in a line of the log", () => {
  expect(found(app.log.join(""))).toEqual([]);
});

test("none is in a table, the audit log included", async () => {
  const text = await app.dump();
  expect(text).toContain("bulwark.audit_events");
  expect(text).toContain("bulwark.passkeys");
  expect(found(text)).toEqual([]);
});
