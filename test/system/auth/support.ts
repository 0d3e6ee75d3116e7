import { sql } from "drizzle-orm";
import { vi } from "vitest";
import { totpCode } from "../../../src/auth/index.ts";
import type { DatabaseConfig } from "../../../src/bulwark/index.ts";
import type { KeptMail } from "../../../src/mail/index.ts";
import { type Account, type Answer, dataOf, type TestApp } from "../../support/app.ts";
import { freshDatabase } from "../../support/services.ts";

/**
 * ownDatabase is part of the configuration of an application that sends mail: on PostgreSQL a database of its own, since the
 * worker's application would send the mails of another one on the same database, and keep them.
 */
export async function ownDatabase(): Promise<{ readonly database?: DatabaseConfig }> {
  if (process.env["BULWARK_TEST_STORE"] !== "postgres") return {};
  const url = await freshDatabase();
  if (url === undefined) throw new Error("BULWARK_TEST_STORE: PostgreSQL is not installed");
  return { database: { url } };
}

/** What a sign-in by tokens answers. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly deviceToken: string;
}

/** An account with an authenticator app, a session that has proved both factors, and the app's clockwork. */
export interface MfaAccount extends Account {
  readonly recoveryCodes: readonly string[];
  /** code returns the app's code now; after `next` it is another one. */
  readonly code: () => string;
  readonly next: () => void;
}

/** The browser's own headers on a request from a page of ours. */
export const SAME_ORIGIN = { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" };

/** cookiesOf returns the cookies of an answer as the next request sends them. */
export const cookiesOf = (answer: Answer): string =>
  answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");

/** The cookie of a name in an answer, with its attributes. */
export const setCookieOf = (answer: Answer, name: string): string | undefined =>
  answer.headers.getSetCookie().find((cookie) => cookie.startsWith(`${name}=`));

export const login = (
  app: TestApp,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> => app.call("POST", "/api/auth/login", { body, headers });

/** signInByCookie signs an account in as a page of ours does, and returns its cookies. */
export async function signInByCookie(app: TestApp, account: Account): Promise<string> {
  const { email, password } = account;
  const answer = await login(app, { email, password, mode: "cookie" }, SAME_ORIGIN);
  if (answer.status !== 200) throw new Error(`login: ${answer.text}`);
  return cookiesOf(answer);
}

/** withTotp sets up an authenticator app for a new account. */
export async function withTotp(app: TestApp, roles?: readonly string[]): Promise<MfaAccount> {
  const account = await app.signUp(roles);
  const enrolled = await app.call("POST", "/api/auth/mfa/totp/enroll", {
    token: account.token,
    body: {},
  });
  const { secret } = dataOf<{ secret: string }>(enrolled);
  const bytes = fromBase32(secret);
  const code = (): string => totpCode(bytes, Math.floor(app.clock.now() / 30_000));
  const confirmed = await app.call("POST", "/api/auth/mfa/totp/confirm", {
    token: account.token,
    body: { code: code() },
  });
  const data = dataOf<Tokens & { recoveryCodes: readonly string[] }>(confirmed);
  if (confirmed.status !== 200) throw new Error(`confirm: ${confirmed.text}`);
  return {
    ...account,
    token: data.accessToken,
    recoveryCodes: data.recoveryCodes,
    code,
    next: () => app.clock.advance(30_000),
  };
}

/** challengeOf signs in with the password alone and returns the challenge. */
export async function challengeOf(app: TestApp, account: Account): Promise<string> {
  const answer = await login(app, { email: account.email, password: account.password });
  return dataOf<{ challengeToken: string }>(answer).challengeToken;
}

/** countOf counts the rows of a table of ours. */
export async function countOf(app: TestApp, table: string): Promise<number> {
  const [row] = await app.query(sql.raw(`SELECT count(*)::int AS n FROM bulwark.${table}`));
  return Number(row?.["n"]);
}

/** Types of the audit events, in order. */
export async function eventsOf(app: TestApp): Promise<readonly string[]> {
  const rows = await app.query(sql`SELECT type FROM bulwark.audit_events ORDER BY seq`);
  return rows.map((row) => String(row["type"]));
}

export function fromBase32(text: string): Uint8Array {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = Array.from(text)
    .map((char) => alphabet.indexOf(char).toString(2).padStart(5, "0"))
    .join("");
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

/** mailTo waits for a mail of a kind to an address, and returns it. */
export async function mailTo(app: TestApp, to: string, kind: string): Promise<KeptMail> {
  return vi.waitFor(
    async () => {
      await app.bulwark.outbox.flush();
      const mail = app.bulwark.mailbox?.list().find((one) => one.to === to && one.kind === kind);
      if (mail === undefined) throw new Error(`no mail of kind ${kind} to ${to}`);
      return mail;
    },
    { timeout: 5_000, interval: 10 },
  );
}

/** The token behind the # of a mail's first link. */
export const tokenOf = (mail: KeptMail): string => {
  const link = mail.links.find((one) => one.includes("#")) ?? "";
  return link.slice(link.indexOf("#") + 1);
};
