import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { afterAll, expect, test } from "vitest";
import { PASSWORD, startApp } from "../../support/app.ts";
import { freshDatabase } from "../../support/services.ts";

/** What a mail server of this machine got, in order. */
const got: { readonly from: string; readonly to: string; readonly raw: string }[] = [];
let refuses = false;
let heard = (): void => {};

const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  closeTimeout: 10,
  onRcptTo: (_address, _session, done) => {
    if (!refuses) return done();
    heard();
    done(Object.assign(new Error("not now"), { responseCode: 451 }));
  },
  onData(stream, { envelope }, done) {
    let raw = "";
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      raw += chunk;
    });
    stream.on("end", () => {
      const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
      got.push({ from, to: envelope.rcptTo.map(({ address }) => address).join(), raw });
      done();
      heard();
    });
  },
});
await new Promise<void>((resolve) => smtp.listen(0, "127.0.0.1", resolve));
const { port } = smtp.server.address() as AddressInfo;

// A queue of its own: on a PostgreSQL, the application of this worker would work on it too.
const url = process.env["BULWARK_TEST_STORE"] === "postgres" ? await freshDatabase() : undefined;

const app = await startApp({
  ...(url === undefined ? {} : { database: { url } }),
  emailVerification: "required",
  smtp: { url: `smtp://127.0.0.1:${port}` },
});
afterAll(async () => {
  await app.close();
  await new Promise<void>((resolve) => smtp.close(() => resolve()));
});

const next = (): Promise<void> =>
  new Promise((resolve) => {
    heard = resolve;
  });

const register = (email: string) =>
  app.call("POST", "/api/auth/register", { body: { email, password: PASSWORD, name: "Ada" } });

test("a registration's mail reaches the mail server, and its link works", async () => {
  const arrived = next();
  expect((await register("ada@example.com")).status).toBe(202);
  await arrived;
  expect(got.map(({ from, to }) => [from, to])).toEqual([
    ["no-reply@localhost", "ada@example.com"],
  ]);
  // Quoted-printable: lines are folded, and an equals sign is spelled out.
  const text = (got[0]?.raw ?? "").replaceAll("=\r\n", "").replaceAll("=3D", "=");
  const [, token] = /\/auth\/verify#([\w-]{43})/.exec(text) ?? [];
  const verified = await app.call("POST", "/api/auth/email/verify", { body: { token } });
  expect(verified.status).toBe(200);
});

test("while the mail server refuses, the mail waits, sealed, and registration answers the same", async () => {
  refuses = true;
  const refused = next();
  expect((await register("eve@example.com")).status).toBe(202);
  await refused;
  const dump = await app.dump();
  const rows = dump.split("\n").filter((line) => line.startsWith("bulwark.mail_outbox"));
  expect(rows).toHaveLength(1);
  expect(rows[0]).not.toMatch(/eve|auth\/verify|localhost/);
  refuses = false;
});

test("where a mail server is configured, there is no mailbox", async () => {
  expect(app.bulwark.mailbox).toBeUndefined();
  expect((await app.call("GET", "/dev/mailbox.json")).status).toBe(404);
  expect((await app.call("GET", "/dev/mailbox")).status).toBe(404);
});
