import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { STANDING } from "./support.ts";

const { port, raw, reset, signUp } = await testApp();
beforeAll(reset);

const get = async (host: string, more = "") => {
  const { token } = await signUp();
  const [answer] = await raw(
    `GET /api/auth/me HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n${more}connection: close\r\n\r\n`,
  );
  return answer;
};

test.each([
  ["another name", "example.com"],
  ["another port", "localhost:1"],
  ["no port", "localhost"],
  ["a suffix", `localhost.example.com:${port}`],
  ["a trailing dot", `localhost.:${port}`],
  ["a prefix", `evil-localhost:${port}`],
])("a Host with %s is 421, with every header", async (_name, host) => {
  const answer = await get(host);
  expect(answer?.status).toBe(421);
  expect(answer?.body).toContain('"code":"MISDIRECTED_REQUEST"');
  expect(answer?.headers).toMatchObject(STANDING);
});

test.each([`localhost:${port}.example.com`, "localhost:99999", "a b", "user@localhost", "[::1"])(
  "%s, which is no host, is 400",
  async (host) => {
    expect((await get(host))?.status).toBe(400);
  },
);

test("X-Forwarded-Host says nothing", async () => {
  const answer = await get("example.com", `x-forwarded-host: localhost:${port}\r\n`);
  expect(answer?.status).toBe(421);
  const good = await get(`localhost:${port}`, "x-forwarded-host: example.com\r\n");
  expect(good?.status).toBe(200);
});

test.each([`localhost:${port}`, `LOCALHOST:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`])(
  "development serves %s",
  async (host) => {
    expect((await get(host))?.status).toBe(200);
  },
);
