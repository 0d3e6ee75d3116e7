import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Mail } from "../core/index.ts";
import { type SmtpMailer, type SmtpMailerOptions, smtpMailer } from "./smtp.ts";
import { smtpSettings } from "./smtp-settings.ts";

const FROM = "no-reply@api.example.com";
const MAIL: Mail = {
  to: "ada@example.com",
  subject: "Set a new password",
  text: "Gr\u00fc\u00dfe\nhttps://api.example.com/auth/reset#token-token-token-token",
  html: "<p>Hello</p>",
};

/** What a mail server got of one mail. */
interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly user: string | undefined;
  readonly raw: string;
}

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(
  options: SMTPServerOptions = {},
  host = "127.0.0.1",
): Promise<{ readonly port: number; readonly got: Received[] }> {
  const got: Received[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    closeTimeout: 10,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        got.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          secure: session.secure,
          user: session.user,
          raw: Buffer.concat(chunks).toString("utf8"),
        });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  closing.push(() => new Promise((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, got };
}

/** A server that says what a test tells it to, and nothing else. */
async function serveRaw(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  return (server.address() as AddressInfo).port;
}

function mailer(url: string, options: Partial<SmtpMailerOptions> = {}): SmtpMailer {
  const made = smtpMailer({ url, from: FROM, timeout: "5s", ...options });
  closing.push(() => made.close());
  return made;
}

const refusal = (code: number) => Object.assign(new Error("no"), { responseCode: code });

describe("a mail", () => {
  test("arrives as it was given, from the sender that is configured", async () => {
    const { port, got } = await serve();
    await mailer(`smtp://127.0.0.1:${port}`, { from: `Example App <${FROM}>` }).send(MAIL);
    const [mail] = got;
    expect(mail).toMatchObject({ from: FROM, to: ["ada@example.com"], secure: false });
    const headers = (mail?.raw ?? "").split("\r\n\r\n")[0] ?? "";
    for (const line of [
      `From: Example App <${FROM}>`,
      "To: ada@example.com",
      "Subject: Set a new password",
      "Auto-Submitted: auto-generated",
    ]) {
      expect(headers.split("\r\n")).toContain(line);
    }
    expect(mail?.raw).toContain("multipart/alternative");
    expect(mail?.raw).toContain("Gr=C3=BC=C3=9Fe");
  });

  test("30 at once arrive once each, over a few connections", async () => {
    let connections = 0;
    const { port, got } = await serve({
      onConnect: (_session, done) => {
        connections += 1;
        done();
      },
    });
    const smtp = mailer(`smtp://127.0.0.1:${port}`);
    const names = Array.from({ length: 30 }, (_, index) => `user${index}@example.com`);
    await Promise.all(names.map((to) => smtp.send({ ...MAIL, to })));
    expect(got.flatMap(({ to }) => to).sort()).toEqual([...names].sort());
    expect(connections).toBeLessThanOrEqual(5);
  });

  // GHSA-5jpx, GHSA-7rqj: what the validator took for one address, the mailer took for another.
  test.each<[what: string, mail: Partial<Mail>]>([
    ["a line break in the subject", { subject: "Hello\r\nBcc: eve@example.com" }],
    ["a line feed in the subject", { subject: "Hello\nBcc: eve@example.com" }],
    ["a NUL in the subject", { subject: "Hello\0" }],
    ["a line separator in the subject", { subject: "Hello\u2028Bcc: eve@example.com" }],
    ["no subject", { subject: "" }],
    ["a line break in the recipient", { to: "ada@example.com\r\nBcc: eve@example.com" }],
    ["a command in the recipient", { to: "ada@example.com>\r\nRCPT TO:<eve@example.com" }],
    ["a list of recipients", { to: "ada@example.com, eve@example.com" }],
    ["a name before the recipient", { to: "Eve <eve@example.com>" }],
    ["a quoted recipient", { to: '"eve@example.com"@example.com' }],
    ["two @", { to: "ada@eve.com@example.com" }],
    ["a full-width @", { to: "ada\uff20example.com" }],
    ["a comment", { to: "ada(eve)@example.com" }],
    ["a group", { to: "all:eve@example.com;" }],
    ["an address literal", { to: "ada@[127.0.0.1]" }],
    ["no recipient", { to: "" }],
  ])("with %s is not sent", async (_what, change) => {
    const { port, got } = await serve();
    const sending = mailer(`smtp://127.0.0.1:${port}`).send({ ...MAIL, ...change });
    await expect(sending).rejects.toThrow(TypeError);
    expect(got).toEqual([]);
  });
});

describe("a server that does not take it", () => {
  test.each<[what: string, options: SMTPServerOptions, message: string]>([
    [
      "puts the recipient off",
      { onRcptTo: (_to, _session, done) => done(refusal(451)) },
      "SMTP (451 EENVELOPE RCPT TO) failed",
    ],
    [
      "refuses the recipient",
      { onRcptTo: (_to, _session, done) => done(refusal(550)) },
      "SMTP (550 EENVELOPE RCPT TO) failed",
    ],
    [
      "refuses the sender",
      { onMailFrom: (_from, _session, done) => done(refusal(553)) },
      "SMTP (553 EENVELOPE MAIL FROM) failed",
    ],
    [
      "refuses the text",
      {
        onData: (stream, _session, done) => {
          stream.resume();
          stream.on("end", () => done(refusal(554)));
        },
      },
      "SMTP (554 EMESSAGE DATA) failed",
    ],
    [
      "is full",
      { onConnect: (_session, done) => done(refusal(421)) },
      "SMTP (421 EPROTOCOL CONN) failed",
    ],
  ])("%s: an error with its code", async (_what, options, message) => {
    const { port } = await serve(options);
    const error = await mailer(`smtp://127.0.0.1:${port}`)
      .send(MAIL)
      .catch((each: unknown) => each);
    expect(error).toMatchObject({ name: "ExternalServiceError", message });
  });

  test("refuses the password: an error that shows none of it", async () => {
    const { port } = await serve({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(new Error("wrong password")),
    });
    const error = await mailer(`smtp://app:hunter2hunter2@127.0.0.1:${port}`)
      .send(MAIL)
      .catch((each: unknown) => each as Error);
    expect(error?.message).toMatch(/^SMTP \(535 EAUTH AUTH PLAIN\) failed$/);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("hunter2");
  });

  test("takes the right one, however it is escaped in the URL", async () => {
    const { port, got } = await serve({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) =>
        username === "a@b" && password === "p:/?#%"
          ? done(null, { user: username })
          : done(new Error("no")),
    });
    const secret = `${encodeURIComponent("a@b")}:${encodeURIComponent("p:/?#%")}`;
    await mailer(`smtp://${secret}@127.0.0.1:${port}`).send(MAIL);
    expect(got.map(({ user }) => user)).toEqual(["a@b"]);
  });

  test.each<[what: string, onConnection: (socket: Socket) => void]>([
    ["says nothing", () => {}],
    ["greets and says nothing more", (socket) => socket.write("220 mail ESMTP\r\n")],
    ["hangs up", (socket) => socket.end()],
    ["speaks no SMTP", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ])("%s: an error, in time", async (_what, onConnection) => {
    const port = await serveRaw(onConnection);
    const started = performance.now();
    const sending = mailer(`smtp://127.0.0.1:${port}`, { timeout: "200ms" }).send(MAIL);
    await expect(sending).rejects.toThrow(/^SMTP \(.+\) failed$/);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test("is not there: an error", async () => {
    const port = await serveRaw(() => {});
    await closing.pop()?.();
    await expect(mailer(`smtp://127.0.0.1:${port}`).send(MAIL)).rejects.toThrow(
      "SMTP (ESOCKET CONN) failed",
    );
  });
});

/** An address of this machine that is not loopback, so that it counts as elsewhere. */
const elsewhere = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === "IPv4" && !each.internal)?.address;

describe("TLS", () => {
  let tls: { readonly key: string; readonly cert: string };
  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), "bulwark-smtp-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const names = `subjectAltName=IP:127.0.0.1${elsewhere === undefined ? "" : `,IP:${elsewhere}`}`;
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const subject = ["-subj", "/CN=mail", "-addext", names, "-days", "2"];
    const args = ["req", "-x509", ...curve, "-keyout", key, "-out", cert, ...subject];
    execFileSync("openssl", args, { stdio: "ignore" });
    tls = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
    rmSync(folder, { recursive: true });
  });

  test.each<[scheme: string, options: SMTPServerOptions]>([
    ["smtp", { disabledCommands: [] }],
    ["smtps", { secure: true }],
  ])("%s on this machine takes a certificate that nobody signed", async (scheme, options) => {
    const { port, got } = await serve({ ...tls, ...options });
    await mailer(`${scheme}://127.0.0.1:${port}`).send(MAIL);
    expect(got.map(({ secure }) => secure)).toEqual([true]);
  });

  // Refused in development too: only the demand for TLS is dropped there, never the check.
  test
    .skipIf(elsewhere === undefined)
    .each<[scheme: string, production: boolean, options: SMTPServerOptions]>([
      ["smtp", true, { disabledCommands: [] }],
      ["smtps", true, { secure: true }],
      ["smtp", false, { disabledCommands: [] }],
      ["smtps", false, { secure: true }],
    ])("%s elsewhere, production %s, does not", async (scheme, production, options) => {
    const { port, got } = await serve({ ...tls, ...options }, elsewhere);
    const sending = mailer(`${scheme}://app:secret@${elsewhere}:${port}`, { production }).send(
      MAIL,
    );
    await expect(sending).rejects.toThrow(/^SMTP \(E(TLS|SOCKET)\b.*\) failed$/);
    expect(got).toEqual([]);
  });

  test.skipIf(elsewhere === undefined)(
    "a server elsewhere that offers none gets neither password nor mail in production",
    async () => {
      const attempts: unknown[] = [];
      const { port, got } = await serve(
        {
          allowInsecureAuth: true,
          onAuth: (auth, _session, done) => {
            attempts.push(auth);
            done(null, { user: "app" });
          },
        },
        elsewhere,
      );
      const url = `smtp://app:secret@${elsewhere}:${port}`;
      await expect(mailer(url).send(MAIL)).rejects.toThrow(/^SMTP \(.*ETLS.*\) failed$/);
      expect([attempts, got]).toEqual([[], []]);
      await mailer(url, { production: false }).send(MAIL);
      expect(got).toHaveLength(1);
    },
  );
});

describe("configuration", () => {
  test.each<[url: string, expected: object]>([
    ["smtp://mail.example.com", { port: 587, secure: false, requireTLS: true }],
    ["smtp://mail.example.com/", { port: 587, secure: false, requireTLS: true }],
    ["smtps://mail.example.com", { port: 465, secure: true, requireTLS: true }],
    ["smtps://mail.example.com:2465", { port: 2465, secure: true }],
    ["smtp://localhost", { host: "localhost", requireTLS: false }],
    ["smtp://127.0.0.2:25", { host: "127.0.0.2", port: 25, requireTLS: false }],
    ["smtp://[::1]:25", { host: "::1", requireTLS: false }],
    ["smtp://localhost.example.com", { requireTLS: true }],
    ["smtp://127.0.0.1.example.com", { requireTLS: true }],
  ])("%s", (url, expected) => {
    const { server } = smtpSettings({ url, from: FROM });
    expect(server).toMatchObject(expected);
    expect(server.tls.rejectUnauthorized).toBe(server.requireTLS);
    expect(server).toMatchObject({ connectionTimeout: 10_000, socketTimeout: 10_000 });
  });

  test.each([
    "",
    "mail.example.com",
    "http://mail.example.com",
    "smtp://",
    "smtp:mail.example.com",
    "smtp://u:hunter2@mail.example.com?tls.rejectUnauthorized=false",
    "smtp://u:hunter2@mail.example.com/#x",
    "smtp://u:hunter2@mail.example.com/path",
    "smtp://u:hunter2%@mail.example.com",
  ])("%j is no server, and is not shown", (url) => {
    const make = (): unknown => smtpMailer({ url, from: FROM });
    expect(make).toThrow(
      /SMTP_URL: expected smtps:\/\/user:password@host or smtp:\/\/user:password@host, came (another text|a text that is no URL)/,
    );
    expect(make).not.toThrow(/hunter2/);
  });

  test.each(["", "no-reply", "a@b, c@d", "App <a@b> <c@d>", "App\r\nBcc: e@e <a@b>", "<a@b", "@b"])(
    "%j is no sender",
    (from) => {
      const make = (): unknown => smtpMailer({ url: "smtp://localhost", from });
      expect(make).toThrow(/from: expected an address or "Name <address>", came /);
    },
  );

  test("a time-out is a duration", () => {
    const make = (): unknown =>
      smtpMailer({ url: "smtp://localhost", from: FROM, timeout: "soon" });
    expect(make).toThrow('timeout: expected a duration such as "30s", "15m" or "1h", came "soon"');
  });
});
