import { beforeAll, expect, test } from "vitest";
import { type Account, testApp } from "../support/app.ts";

const { port, raw, reset, signUp } = await testApp();
let user: Account;

beforeAll(async () => {
  await reset();
  user = await signUp();
});

const send = async (method: string, target: string, token?: string): Promise<number> => {
  const authorization = token === undefined ? "" : `authorization: Bearer ${token}\r\n`;
  const [answer] = await raw(
    `${method} ${target} HTTP/1.1\r\nhost: localhost:${port}\r\n${authorization}connection: close\r\n\r\n`,
  );
  return answer?.status ?? 0;
};

/** Other spellings of a path, as proxies, routers and file systems read them. */
const spellings = (path: string): string[] => {
  const last = path.slice(path.lastIndexOf("/") + 1);
  const folder = path.slice(0, path.lastIndexOf("/"));
  return [
    `/${path}`,
    `//${path.slice(1)}`,
    `/.${path}`,
    `/./${path.slice(1)}`,
    `/x/..${path}`,
    `/x/%2e%2e${path}`,
    `/x/%2E.${path}`,
    `/%2e${path}`,
    `${path}/`,
    `${path}//`,
    `${path}/.`,
    `${path}/x/..`,
    `${path}%2f`,
    `${path}%00`,
    `${path}%20`,
    `${path}%09`,
    `${path}%0d%0a`,
    `${path};a=b`,
    `${path}.json`,
    `${path}.`,
    `${path}%23`,
    `${path}%3f`,
    `${path}?`,
    `${path}?x`,
    `${path}#x`,
    `${folder}%2f${last}`,
    `${folder}%2F${last}`,
    `${folder}%5c${last}`,
    `${folder}\\${last}`,
    `${folder}//${last}`,
    `${folder}/./${last}`,
    `${folder}/%2e/${last}`,
    `${folder}/x/../${last}`,
    `${folder}/%252e%252e/${last}`,
    `${folder}/${last.toUpperCase()}`,
    path.toUpperCase(),
    `${folder}/%${last.charCodeAt(0).toString(16)}${last.slice(1)}`,
    `${folder}/%25${last.charCodeAt(0).toString(16)}${last.slice(1)}`,
    `${folder}/%u0061${last.slice(1)}`,
    `${folder}/%c0%af${last}`,
    `${folder}/%`,
    `${folder}/%zz`,
    `${folder}/${last}\u00E4`,
  ];
};

const PROTECTED = [
  ["GET", "/api/admin/audit", 403],
  ["GET", "/api/products", 200],
  ["GET", "/api/auth/me", 200],
  ["GET", "/api/auth/sessions", 200],
  ["GET", "/api/auth/passkeys", 200],
  ["GET", "/api/auth/mfa", 200],
  ["POST", "/api/auth/mfa/totp/enroll", 200],
  ["GET", "/api/admin/users", 403],
  ["GET", "/api/admin/sessions", 403],
  ["POST", "/api/auth/logout", 200],
] as const;

// GHSA-x732-6j76-qmhm: `//sign-in` missed the limiter. CVE-2026-29045, CVE-2026-47676: guard and router decoded a path differently.
test.each(
  PROTECTED.flatMap(([method, path]) => spellings(path).map((target) => [method, target] as const)),
)("%s %s opens nothing for a stranger", async (method, target) => {
  expect([400, 401, 404, 405]).toContain(await send(method, target));
});

test.each(spellings("/api/admin/audit"))(
  "%s does not open the audit log for a user",
  async (target) => {
    expect([400, 403, 404]).toContain(await send("GET", target, user.token));
  },
);

test.each(PROTECTED)("%s %s itself is %i for a user", async (method, path, status) => {
  const { token } = await signUp();
  expect(await send(method, path, token)).toBe(status);
});
