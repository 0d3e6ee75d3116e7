import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { freePort, startApp, type TestApp } from "../support/app.ts";
import { ANY_CERTIFICATE, inBrowser } from "./browser.ts";

/** Over HTTPS browsers report by another way, on their own and with cookies, and say less of where it comes from. */
const port = await freePort();
const ORIGIN = `https://localhost:${port}`;
let app: TestApp;
let proxy: Server;
const reports: (readonly [type: string | undefined, site: string | undefined, status: number])[] =
  [];

function certificate(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-tls-"));
  try {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const files = ["-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost"];
    execFileSync("openssl", [...kind, ...files], { stdio: "ignore" });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

beforeAll(async () => {
  app = await startApp({
    mode: "production",
    issuer: ORIGIN,
    emailVerification: "off",
    auth: { adminMfa: "off" },
  });
  proxy = createServer(certificate(), (incoming, outgoing) => {
    const { method, url = "", headers } = incoming;
    const target = { host: "127.0.0.1", port: app.port, method, path: url, headers };
    const forwarded = request(target, (answer) => {
      const status = answer.statusCode ?? 502;
      const site = headers["sec-fetch-site"];
      if (url === "/api/reports") {
        reports.push([
          headers["content-type"],
          typeof site === "string" ? site : undefined,
          status,
        ]);
      }
      outgoing.writeHead(status, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => {
    proxy.listen(port, "127.0.0.1", resolve);
  });
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await app.close();
});

inBrowser(
  "over HTTPS what a page of ours stops",
  (open) => {
    test("is reported by the Reporting API, with a cookie and no Sec-Fetch-Site, and shown", async () => {
      const page = await open({ expected: [/Content Security Policy/] });
      const url = `${ORIGIN}/`;
      const cookie = { name: "__Host-session", value: "A".repeat(43), url };
      await page.context().addCookies([{ ...cookie, secure: true, httpOnly: true }]);
      await page.goto(`${ORIGIN}/docs?canary`);
      await page.evaluate(() => {
        new Image().src = "https://elsewhere.example/x.png?canary";
      });
      await vi.waitFor(() => expect(reports).not.toEqual([]), { timeout: 20_000 });
      expect(reports[0]).toEqual(["application/reports+json", undefined, 204]);
      const [answer] = await app.raw(
        `GET /api/admin/reports HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer ${await app.adminToken()}\r\nConnection: close\r\n\r\n`,
      );
      expect(JSON.parse(answer?.body ?? "")).toMatchObject({
        data: [
          {
            type: "csp-violation",
            document: `${ORIGIN}/docs`,
            subject: "img-src",
            blocked: "https://elsewhere.example/x.png",
            count: 1,
          },
        ],
      });
    });
  },
  ANY_CERTIFICATE,
);
