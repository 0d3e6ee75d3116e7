import { sql } from "drizzle-orm";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { type RefreshResult, RefreshTokens } from "../../../src/auth/tokens/index.ts";
import { createKeyRing, generateSecret, type KeyRing } from "../../../src/crypto/index.ts";
import { SECRET, testApp } from "../../support/app.ts";

const { bulwark, clock, dump, query, reset, signUp } = await testApp();
const { audit, database, sessions, tokens } = bulwark;

const GRACE = 10_000;
const HOUR = 3_600_000;

/** One process: the same database, and nothing of its own but the secrets. */
const process = (keys: KeyRing = createKeyRing([SECRET])): RefreshTokens =>
  new RefreshTokens({ database, keys, sessions, audit, clock });
const refresh = process();

interface Begun {
  readonly userId: string;
  readonly sessionId: string;
  readonly expiresAt: number;
  readonly token: string;
}

let userId: string;
beforeEach(async () => {
  await reset();
  userId = (await signUp()).id;
});

const begin = (expiresAt?: number): Promise<Begun> =>
  database.transaction(async (tx) => {
    const session = await sessions.create(tx, { userId, mode: "token", methods: [], expiresAt });
    const token = await refresh.issue(tx, session.id);
    return { userId, sessionId: session.id, expiresAt: session.expiresAt, token };
  });

const tokenOf = (result: RefreshResult): string => {
  if (!("token" in result)) throw new Error(`expected a token, came ${result.outcome}`);
  return result.token;
};
const next = async (token: string): Promise<string> => tokenOf(await refresh.rotate(token));
const isAlive = async ({ sessionId }: Begun): Promise<boolean> =>
  (await sessions.read(sessionId)) !== undefined;
const reuses = () =>
  query(sql`
    SELECT severity, result, user_id, metadata->>'sessionId' AS session, address
    FROM bulwark.audit_events WHERE type = 'auth.refresh.reused'`);

test("a token is exchanged for its successor, and that for the next", async () => {
  const begun = await begin();
  const { sessionId, token } = begun;
  expect(token).toMatch(/^brt_[0-9a-f]{32}\.1\.[\w-]{64}$/);
  const first = await refresh.rotate(token);
  expect(first).toMatchObject({ outcome: "rotated", sessionId });
  expect(tokenOf(first)).toMatch(/^brt_[0-9a-f]{32}\.2\.[\w-]{64}$/);
  const second = await refresh.rotate(tokenOf(first));
  expect(second).toMatchObject({ outcome: "rotated", sessionId });
  expect(new Set([token, tokenOf(first), tokenOf(second)].map(secretOf)).size).toBe(3);
  expect(await isAlive(begun)).toBe(true);
});

const secretOf = (token: string): string => token.split(".")[2] ?? "";

// GHSA-392p, CVE-2026-1035: a refresh token that is redeemed twice at once gave two live branches.
test("20 refreshes at once with one token get one successor, and one branch lives", async () => {
  const begun = await begin();
  const results = await Promise.all(
    Array.from({ length: 20 }, () => process().rotate(begun.token)),
  );
  const outcomes = results.map(({ outcome }) => outcome).sort();
  expect(outcomes).toEqual([...Array<string>(19).fill("replayed-in-grace"), "rotated"]);
  const successors = new Set(results.map(tokenOf));
  expect(successors.size).toBe(1);
  const [successor = ""] = successors;
  expect((await refresh.rotate(successor)).outcome).toBe("rotated");
  expect(await isAlive(begun)).toBe(true);
  expect(await familiesOf(begun)).toEqual([{ generation: 3 }]);
});

const familiesOf = ({ sessionId }: Begun) =>
  query(sql`SELECT generation FROM bulwark.refresh_families WHERE session_id = ${sessionId}`);

describe("a token that is shown again", () => {
  test("within ten seconds gets the same successor, once and again", async () => {
    const { token } = await begin();
    const successor = await next(token);
    clock.advance(GRACE - 1);
    const again = await refresh.rotate(token);
    expect(again).toMatchObject({ outcome: "replayed-in-grace", token: successor });
    expect(await refresh.rotate(token)).toEqual(again);
    expect((await refresh.rotate(successor)).outcome).toBe("rotated");
  });

  test("after ten seconds ends the session, its tokens and its successor, and is reported", async () => {
    const begun = await begin();
    const access = await tokens.generateToken(begun);
    const successor = await next(begun.token);
    expect(await tokens.verifyToken(access)).toMatchObject({ userId });
    clock.advance(GRACE);
    const { sessionId } = begun;
    const context = { address: "203.0.113.9" };
    expect(await refresh.rotate(begun.token, context)).toEqual({ outcome: "reused", sessionId });
    expect(await refresh.rotate(successor)).toEqual({ outcome: "refused" });
    expect(await isAlive(begun)).toBe(false);
    await expect((async () => tokens.verifyToken(access))()).rejects.toMatchObject({
      code: "UNAUTHORIZED",
    });
    expect(await reuses()).toEqual([
      {
        severity: "high",
        result: "blocked",
        user_id: userId,
        session: sessionId,
        address: "203.0.113.9",
      },
    ]);
  });

  test("within ten seconds, but after its successor was used, ends the session", async () => {
    const begun = await begin();
    const successor = await next(begun.token);
    await next(successor);
    expect((await refresh.rotate(begun.token)).outcome).toBe("reused");
    expect(await isAlive(begun)).toBe(false);
  });

  test("many generations later ends the session", async () => {
    const begun = await begin();
    let newest = begun.token;
    for (let i = 0; i < 12; i += 1) newest = await next(newest);
    expect((await refresh.rotate(begun.token)).outcome).toBe("reused");
    expect(await refresh.rotate(newest)).toEqual({ outcome: "refused" });
  });

  test("20 times at once ends the session once, and is one event", async () => {
    const { token } = await begin();
    await next(token);
    clock.advance(GRACE);
    const results = await Promise.all(Array.from({ length: 20 }, () => process().rotate(token)));
    const outcomes = results.map(({ outcome }) => outcome).sort();
    expect(outcomes).toEqual([...Array<string>(19).fill("refused"), "reused"].sort());
    expect(await reuses()).toHaveLength(1);
  });

  test("ends its own session alone", async () => {
    const [begun, other] = [await begin(), await begin()];
    await next(begun.token);
    clock.advance(GRACE);
    await refresh.rotate(begun.token);
    expect(await isAlive(other)).toBe(true);
    expect((await refresh.rotate(other.token)).outcome).toBe("rotated");
  });
});

// CVE-2026-9802: a restart took back what had been used.
describe("another process, or one that was started anew,", () => {
  test("gives the same successor, and tells a replay", async () => {
    const begun = await begin();
    const successor = await next(begun.token);
    const again = await process().rotate(begun.token);
    expect(again).toMatchObject({ outcome: "replayed-in-grace", token: successor });
    clock.advance(GRACE);
    expect((await process().rotate(begun.token)).outcome).toBe("reused");
  });

  test("gives the same successor under a ring that got a newer secret, and goes on with it", async () => {
    const { token } = await begin();
    const successor = await next(token);
    const newer = process(createKeyRing([generateSecret(), SECRET]));
    const again = await newer.rotate(token);
    expect(again).toMatchObject({ outcome: "replayed-in-grace", token: successor });
    const third = tokenOf(await newer.rotate(successor));
    expect(await newer.rotate(successor)).toMatchObject({ token: third });
    expect((await newer.rotate(third)).outcome).toBe("rotated");
  });

  test("refuses, and ends nothing, where the secret that made the token is gone", async () => {
    const begun = await begin();
    const stranger = process(createKeyRing([generateSecret()]));
    expect(await stranger.rotate(begun.token)).toEqual({ outcome: "refused" });
    expect((await refresh.rotate(begun.token)).outcome).toBe("rotated");
  });
});

describe("a session that is over", () => {
  test("has no refresh any more: at its absolute end, whatever was refreshed before", async () => {
    const begun = await begin(clock.now() + 2 * HOUR);
    clock.advance(2 * HOUR - 1);
    const successor = await next(begun.token);
    clock.advance(1);
    expect(await refresh.rotate(successor)).toEqual({ outcome: "refused" });
    expect(await refresh.rotate(begun.token)).toEqual({ outcome: "refused" });
    expect(await reuses()).toEqual([]);
  });

  test("was revoked, and with it its family", async () => {
    const begun = await begin();
    await sessions.revoke(begun.sessionId);
    expect(await refresh.rotate(begun.token)).toEqual({ outcome: "refused" });
    expect(await familiesOf(begun)).toEqual([]);
  });
});

test("only hashes are stored", async () => {
  const { token } = await begin();
  const all = [token, await next(token)];
  const stored = await dump();
  for (const secret of all.map(secretOf)) {
    const bytes = Buffer.from(secret, "base64url");
    for (const form of [secret, bytes.toString("hex"), bytes.subarray(0, 32).toString("hex")]) {
      expect(stored).not.toContain(form);
    }
  }
});

/** What is not a token that we made ends no session: nobody can sign another out by making one up. */
const bent: readonly (readonly [name: string, make: (token: string, other: string) => string])[] = [
  ["nothing", () => ""],
  ["another prefix", (token) => token.replace("brt_", "bsk_")],
  ["white space behind", (token) => `${token} `],
  ["a line end behind", (token) => `${token}\n`],
  ["padding", (token) => `${token}=`],
  ["the family in upper case", (token) => token.replace(/_(\w{32})/, (id) => id.toUpperCase())],
  ["generation 0", (token) => token.replace(".2.", ".0.")],
  ["the generation before", (token) => token.replace(".2.", ".1.")],
  ["the generation after", (token) => token.replace(".2.", ".3.")],
  ["a generation with a zero in front", (token) => token.replace(".2.", ".02.")],
  ["a generation that no integer holds", (token) => token.replace(".2.", ".9999999999.")],
  ["a negative generation", (token) => token.replace(".2.", ".-2.")],
  [
    "the family of another session",
    (token, other) => `${other.split(".")[0]}${token.slice(token.indexOf("."))}`,
  ],
  [
    "the secret of another session",
    (token, other) => `${token.slice(0, token.lastIndexOf("."))}.${secretOf(other)}`,
  ],
  ["a secret of zeros", (token) => token.replace(secretOf(token), "A".repeat(64))],
  ["a secret that is cut", (token) => token.slice(0, -1)],
  ["a megabyte", (token) => token.repeat(10_000)],
];

test.each(bent)("%s is refused, and ends nothing", async (_name, make) => {
  const [begun, other] = [await begin(), await begin()];
  const [newest, foreign] = [await next(begun.token), await next(other.token)];
  clock.advance(GRACE);
  expect(await refresh.rotate(make(newest, foreign))).toEqual({ outcome: "refused" });
  expect((await refresh.rotate(newest)).outcome).toBe("rotated");
  expect((await refresh.rotate(foreign)).outcome).toBe("rotated");
});

/** The least that refresh tokens have to be: which generation lives, since when, until when. */
interface Model {
  generation: number;
  rotatedAt: number;
  isOver: boolean;
}

function predict(model: Model, shown: number, now: number, end: number): RefreshResult["outcome"] {
  if (model.isOver || now >= end) return "refused";
  if (shown === model.generation) {
    model.generation += 1;
    model.rotatedAt = now;
    return "rotated";
  }
  if (shown === model.generation - 1 && now - model.rotatedAt < GRACE) return "replayed-in-grace";
  model.isOver = true;
  return "reused";
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: "refresh" as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("replay" as const),
      back: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.constantFrom(1, GRACE - 1, GRACE, HOUR / 2),
    }),
  },
);

test("any sequence of refreshes, replays and waits goes as a small model says", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 16 }), async (steps) => {
      const begun = await begin(clock.now() + HOUR);
      const shown = [begun.token];
      const model: Model = { generation: 0, rotatedAt: clock.now(), isOver: false };
      for (const one of steps) {
        if (one.kind === "wait") {
          clock.advance(one.ms);
          continue;
        }
        const index = Math.max(0, shown.length - 1 - (one.kind === "replay" ? one.back : 0));
        const expected = predict(model, index, clock.now(), begun.expiresAt);
        const result = await process().rotate(shown[index] ?? "");
        expect(result.outcome).toBe(expected);
        if (result.outcome === "rotated") shown.push(result.token);
        if (result.outcome === "replayed-in-grace") expect(result.token).toBe(shown[index + 1]);
        const [row] = await query(
          sql`SELECT count(*)::int AS live FROM bulwark.sessions WHERE id = ${begun.sessionId}`,
        );
        expect(row).toEqual({ live: model.isOver ? 0 : 1 });
      }
    }),
    { numRuns: 60 },
  );
});
