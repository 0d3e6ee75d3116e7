import { parseList } from "structured-headers";
import { beforeEach, expect, test } from "vitest";
import { type Answer, testApp } from "../../support/app.ts";

const app = await testApp();
const { call, reset, signUp } = app;
beforeEach(reset);

/** The items of a field as the library reads them: [name, parameters]. */
const itemsOf = (answer: Answer, field: string): Map<unknown, Record<string, unknown>> =>
  new Map(
    parseList(answer.headers.get(field) ?? "").map(([name, parameters]) => [
      name,
      Object.fromEntries(parameters),
    ]),
  );

/** What every answer says after a limit was decided. */
function expectLimits(answer: Answer, names: readonly string[]): void {
  const [policies, states] = [itemsOf(answer, "ratelimit-policy"), itemsOf(answer, "ratelimit")];
  expect([...policies.keys()]).toEqual(names);
  expect([...states.keys()]).toEqual(names);
  for (const name of names) {
    const { q, w } = policies.get(name) ?? {};
    const { r, t, pk } = states.get(name) ?? {};
    expect(q).toBeGreaterThan(0);
    expect(w).toBe(60);
    expect(r).toBeLessThanOrEqual(Number(q));
    expect(t).toBeLessThanOrEqual(60);
    expect((pk as ArrayBuffer).byteLength).toBe(12);
  }
  expect(answer.headers.get("x-ratelimit-limit")).toMatch(/^\d+$/);
  expect(answer.headers.get("x-ratelimit-remaining")).toMatch(/^\d+$/);
  expect(answer.headers.get("x-ratelimit-reset")).toMatch(/^\d{4}-.*Z$/);
}

test.each<[status: number, ask: () => Promise<Answer>, names: readonly string[]]>([
  [404, () => call("GET", "/nothing"), ["address", "anonymous"]],
  [401, () => call("GET", "/api/auth/me"), ["address"]],
  [401, () => call("GET", "/api/auth/me", { token: "x" }), ["address"]],
  [400, () => call("POST", "/api/auth/login", { body: {} }), ["address", "login", "anonymous"]],
  [
    415,
    () => call("POST", "/api/auth/login", { body: "x", headers: { "content-type": "text/plain" } }),
    ["address", "login", "anonymous"],
  ],
])("a %i says where the limits stand", async (status, ask, names) => {
  const answer = await ask();
  expect(answer.status).toBe(status);
  expectLimits(answer, names);
});

test("a 200 of a known user says where theirs stands, and not that of strangers", async () => {
  const { token } = await signUp();
  const answer = await call("GET", "/api/auth/me", { token });
  expect(answer.status).toBe(200);
  expectLimits(answer, ["address", "user"]);
  expect(itemsOf(answer, "ratelimit").get("user")?.["r"]).toBe(1_199);
});

test("a 429 says it too, with Retry-After", async () => {
  const ask = (): Promise<Answer> => call("POST", "/api/auth/register", { body: {} });
  const answers = await Promise.all(Array.from({ length: 40 }, ask));
  const refused = answers.find(({ status }) => status === 429) as Answer;
  expectLimits(
    refused,
    itemsOf(refused, "ratelimit").size === 1 ? ["register"] : ["address", "register"],
  );
  expect(itemsOf(refused, "ratelimit").get("register")?.["r"]).toBe(0);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(refused.json["violated-policies"]).toEqual(["register"]);
});

test("two users have partitions of their own, which do not show their ids", async () => {
  const [one, other] = [await signUp(), await signUp()];
  const pkOf = async (token: string): Promise<string> => {
    const answer = await call("GET", "/api/auth/me", { token });
    const field = answer.headers.get("ratelimit") ?? "";
    expect(field).not.toContain(one.id);
    return /"user";[^,]*pk=(:[^:]+:)/.exec(field)?.[1] ?? "";
  };
  const [first, again, second] = [
    await pkOf(one.token),
    await pkOf(one.token),
    await pkOf(other.token),
  ];
  expect(first).toMatch(/^:.{16}:$/);
  expect(again).toBe(first);
  expect(second).not.toBe(first);
});

// Whatever is counted by account must not tell a stranger that the account is there.
test("the headers of a login, of a reset and of a registration are alike for those who exist and those who do not", async () => {
  const { email } = await signUp();
  const fieldsOf = async (path: string, address: string): Promise<unknown> => {
    await reset();
    const body = { email: address, password: "not the right password", name: "N" };
    const answer = await call("POST", path, { body });
    return [...itemsOf(answer, "ratelimit").entries()].map(([name, { r, t }]) => [name, r, t]);
  };
  for (const path of ["/api/auth/login", "/api/auth/password/forgot"]) {
    expect(await fieldsOf(path, email)).toEqual(await fieldsOf(path, "nobody@example.com"));
  }
});

test("a probe says nothing of limits", async () => {
  const answer = await call("GET", "/health/live");
  expect(answer.status).toBe(200);
  expect(answer.headers.get("ratelimit")).toBeNull();
  expect(answer.headers.get("ratelimit-policy")).toBeNull();
});
