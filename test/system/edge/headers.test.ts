import { beforeAll, expect, test, vi } from "vitest";
import { type Answer, PASSWORD, testApp } from "../../support/app.ts";
import { LAMP } from "../products/support.ts";
import { STANDING } from "./support.ts";

const { bulwark, call, reset, signUp } = await testApp();
let token: string;

beforeAll(async () => {
  await reset();
  token = (await signUp()).token;
});

const product = (more: Record<string, string> = {}) =>
  call("POST", "/api/products", { token, body: LAMP, headers: more });

const OUTCOMES: readonly (readonly [status: number, act: () => Promise<Answer>])[] = [
  [200, () => call("GET", "/api/products", { token })],
  [201, () => product()],
  [400, () => call("POST", "/api/products", { token, body: "{" })],
  [401, () => call("GET", "/api/products")],
  [403, () => call("GET", "/api/admin/audit", { token })],
  [404, () => call("GET", "/nothing")],
  [405, () => call("PUT", "/api/products", { token })],
  [406, () => call("GET", "/api/products", { token, headers: { accept: "text/html" } })],
  [413, () => call("POST", "/api/products", { token, body: "x".repeat(1_048_577) })],
  [414, () => call("GET", `/api/products?search=${"a".repeat(8_192)}`, { token })],
  [415, () => product({ "content-type": "text/plain" })],
  [
    429,
    async () => {
      const login = () => call("POST", "/api/auth/login", { body: {} });
      // Some are refilled meanwhile where the limit is Redis', whose clock goes on.
      const answers = await Promise.all(Array.from({ length: 200 }, login));
      return answers.find(({ status }) => status === 429) ?? login();
    },
  ],
  [
    500,
    async () => {
      const broken = vi.spyOn(bulwark.auth, "me").mockRejectedValue(new Error("broken"));
      const answer = await call("GET", "/api/auth/me", { token });
      broken.mockRestore();
      return answer;
    },
  ],
  [200, () => call("HEAD", "/health/live")],
  [200, () => call("GET", "/health/live")],
];

test.each(OUTCOMES)(
  "a %i has every header, and none that tells what runs here",
  async (status, act) => {
    const answer = await act();
    expect(answer.status).toBe(status);
    for (const [name, value] of Object.entries(STANDING)) {
      expect.soft(answer.headers.get(name), name).toBe(value);
    }
    expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    for (const name of ["server", "x-powered-by", "access-control-allow-origin", "set-cookie"]) {
      expect.soft(answer.headers.has(name), name).toBe(false);
    }
  },
);

test("development on plain http asks no browser for https (helmet#429)", async () => {
  const answer = await call("GET", "/health/live");
  expect(answer.headers.has("strict-transport-security")).toBe(false);
  expect(answer.headers.get("content-security-policy")).not.toContain("upgrade-insecure-requests");
});

// CVE-2026-44457: a shared cache kept an authenticated answer.
test("no answer may be cached, with or without a credential", async () => {
  const answers = [
    await call("GET", "/api/products", { token }),
    await call("GET", "/api/products"),
    await call("POST", "/api/auth/login", { body: { email: "a@example.com", password: PASSWORD } }),
  ];
  for (const { headers } of answers) expect(headers.get("cache-control")).toBe("no-store");
});
