import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { type Answer, PASSWORD, startApp } from "../../support/app.ts";

const many = { requests: 1_000, window: "1m" };
const app = await startApp({
  emailVerification: "required",
  auth: { magicLink: true },
  limits: { login: many, register: many },
});
const { bulwark, call, reset, signUp } = app;
beforeEach(reset);
afterAll(app.close);

const STATES = ["unknown", "known", "disabled", "locked", "unverified"] as const;

/** Makes an account of each state, and returns the addresses. */
async function addresses(): Promise<Readonly<Record<(typeof STATES)[number], string>>> {
  const token = await app.adminToken();
  const [known, disabled, locked] = [await signUp(), await signUp(), await signUp()];
  await call("POST", `/api/admin/users/${disabled.id}/disable`, { token, body: {} });
  await call("POST", `/api/admin/users/${locked.id}/lock`, { token, body: {} });
  const unverified = "unverified@example.com";
  await bulwark.registration.createUser(
    { email: unverified, password: PASSWORD, name: "Una" },
    { roles: ["user"], verified: false },
    {},
  );
  return {
    unknown: "nobody@example.com",
    known: known.email,
    disabled: disabled.email,
    locked: locked.email,
    unverified,
  };
}

/** What a stranger sees: the body without what differs in every answer, and the names of the headers. */
const seen = ({ status, json, headers }: Answer): unknown => {
  const { meta: _meta, requestId: _id, timestamp: _at, ...body } = json;
  return { status, body, headers: [...headers.keys()] };
};

const ROUTES: readonly (readonly [path: string, rest: object, status: number])[] = [
  ["/api/auth/login", { password: "a wrong long password" }, 401],
  ["/api/auth/register", { password: "a rather long one of mine", name: "Ada" }, 202],
  ["/api/auth/password/forgot", {}, 202],
  ["/api/auth/email/resend", {}, 202],
  ["/api/auth/magic-link", {}, 202],
];

describe("no answer tells whether an address has an account, or in which state it is", () => {
  test.each(ROUTES)("%s", async (path, rest, status) => {
    const made = await addresses();
    const answers = [];
    for (const state of STATES) {
      answers.push(await call("POST", path, { body: { ...rest, email: made[state] } }));
    }
    expect(answers[0]?.status).toBe(status);
    for (const answer of answers) expect(seen(answer)).toEqual(seen(answers[0] as Answer));
  });

  test("the right password of an account that is shut is a wrong one", async () => {
    const made = await addresses();
    const answers = [];
    for (const state of ["unknown", "disabled", "locked", "unverified"] as const) {
      const body = { email: made[state], password: PASSWORD };
      answers.push(await call("POST", "/api/auth/login", { body }));
    }
    expect(answers[0]?.status).toBe(401);
    for (const answer of answers) expect(seen(answer)).toEqual(seen(answers[0] as Answer));
  });
});

// A median of interleaved pairs, as a ratio and tried twice: only a whole step that is left out differs by so much.
test("a refused sign-in takes as long for a known address as for an unknown one", async () => {
  const { email } = await signUp();
  const ratio = async (): Promise<number> => {
    const [known, unknown]: [number[], number[]] = [[], []];
    for (let count = 0; count < 15; count += 1) {
      known.push(await timeOf(email));
      unknown.push(await timeOf(`nobody${count}@example.com`));
      // The wait after failures is not what is measured here.
      app.clock.advance(86_400_000);
    }
    return median(known) / median(unknown);
  };
  const isAlike = (value: number): boolean => value > 0.75 && value < 1.25;
  const first = await ratio();
  expect(isAlike(first) || isAlike(await ratio()), `first ratio ${first}`).toBe(true);
});

async function timeOf(email: string): Promise<number> {
  const from = performance.now();
  const body = { email, password: "a wrong long password" };
  const { status } = await call("POST", "/api/auth/login", { body });
  expect(status).toBe(401);
  return performance.now() - from;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
