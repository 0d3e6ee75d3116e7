import { eq, sql } from "drizzle-orm";
import { createLocalJWKSet, jwtVerify } from "jose";
import { beforeEach, describe, expect, test } from "vitest";
import { SessionStore } from "../../../src/auth/sessions/index.ts";
import { SigningKeys, TokenService } from "../../../src/auth/tokens/index.ts";
import { createKeyRing, generateSecret, Sealer } from "../../../src/crypto/index.ts";
import { signingKeys as table } from "../../../src/database/index.ts";
import { jwksRoutes } from "../../../src/server/jwks-routes.ts";
import { SECRET, testApp } from "../../support/app.ts";

const { bulwark, call, clock, dump, query, reset, signUp } = await testApp();
const { audit, database, issuer, sessions } = bulwark;

const MINUTE = 60_000;
const REREAD = 10_000;
const ring = createKeyRing([SECRET]);

/** One process: the same database and secrets, and a memory of its own. */
function process(algorithm: "EdDSA" | "ES256" = "EdDSA", keys = ring) {
  const signingKeys = new SigningKeys({
    database,
    sealer: new Sealer(keys),
    audit,
    clock,
    algorithm,
  });
  const own = new SessionStore({
    database: { ...database, exclusive: false },
    clock,
    withSigningKeys: true,
  });
  const tokens = new TokenService({ keys, sessions: own, issuer, clock, algorithm, signingKeys });
  return { signingKeys, tokens };
}

let session: { userId: string; sessionId: string; expiresAt: number };
beforeEach(async () => {
  await reset();
  const { id: userId } = await signUp();
  session = await begin(userId);
});

async function begin(userId: string) {
  const { id: sessionId, expiresAt } = await database.transaction((tx) =>
    sessions.create(tx, { userId, mode: "token", methods: [] }),
  );
  return { userId, sessionId, expiresAt };
}

const kidOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()) as { kid: string })
    .kid;
const verify = async (tokens: TokenService, token: string): Promise<string> =>
  Promise.resolve()
    .then(() => tokens.verifyToken(token))
    .then(
      () => "good",
      (error: { code: string }) => error.code,
    );
const kidsOf = async (tokens: TokenService): Promise<string[]> =>
  (await tokens.jwks()).keys.map(({ kid }) => kid);
const rows = () => query(sql`SELECT * FROM bulwark.signing_keys ORDER BY active_at`);

describe.each(["EdDSA", "ES256"] as const)("keys of %s", (algorithm) => {
  test("are published without a private member, and a library verifies by them what was signed", async () => {
    const { tokens } = process(algorithm);
    const token = await tokens.generateToken(session);
    const jwks = await tokens.jwks();
    const members = ["alg", "crv", "kid", "kty", "use", "x"];
    if (algorithm === "ES256") members.push("y");
    expect(jwks.keys.map((key) => Object.keys(key).sort())).toEqual([members.sort()]);
    expect(jwks.keys[0]).toMatchObject({ alg: algorithm, use: "sig", kid: kidOf(token) });
    const keySet = createLocalJWKSet({ keys: jwks.keys.map((key) => ({ ...key })) });
    const currentDate = new Date(clock.now());
    const { payload } = await jwtVerify(token, keySet, { issuer, typ: "at+jwt", currentDate });
    expect(payload).toMatchObject({ sub: session.userId, sid: session.sessionId, aud: issuer });
  });

  test("are stored sealed: their private part stands in no table", async () => {
    const { tokens } = process(algorithm);
    await tokens.generateToken(session);
    const [row] = await rows();
    const text = new Sealer(ring).openText(String(row?.["private_sealed"]), {
      purpose: "signing key",
      table: "signing_keys",
      column: "private_sealed",
      row: String(row?.["id"]),
    });
    const { d } = JSON.parse(text) as { d: string };
    expect(d).toHaveLength(43);
    expect(await dump()).not.toContain(d);
  });
});

describe("GET /.well-known/jwks.json", () => {
  const get = async (tokens: TokenService) => {
    const [route] = jwksRoutes({ ...bulwark, tokens });
    const response = await route?.(new Request(`${issuer}/.well-known/jwks.json`));
    if (response === undefined) throw new Error("expected a route, came none");
    return { response, body: (await response.json()) as { keys: Record<string, unknown>[] } };
  };

  test.each([
    ["EdDSA", ["alg", "crv", "kid", "kty", "use", "x"]],
    ["ES256", ["alg", "crv", "kid", "kty", "use", "x", "y"]],
  ] as const)(
    "of %s has the public members alone, also of a successor",
    async (algorithm, members) => {
      const { signingKeys, tokens } = process(algorithm);
      const token = await tokens.generateToken(session);
      const { kid } = await signingKeys.rotate();
      const { response, body } = await get(tokens);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("application/jwk-set+json; charset=utf-8");
      expect(response.headers.get("cache-control")).toBe("public, max-age=300");
      expect(response.headers.has("set-cookie")).toBe(false);
      expect(Object.keys(body)).toEqual(["keys"]);
      expect(body.keys.map((key) => key["kid"])).toEqual([kidOf(token), kid]);
      for (const key of body.keys) expect(Object.keys(key).sort()).toEqual(members);
    },
  );

  test("of HS256 is empty", async () => {
    const answer = await call("GET", "/.well-known/jwks.json");
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ keys: [] });
    expect(answer.headers.get("cache-control")).toBe("public, max-age=300");
  });
});

test("20 processes that need the first key at once make one", async () => {
  const all = Array.from({ length: 20 }, () => process());
  const tokens = await Promise.all(all.map((one) => one.tokens.generateToken(session)));
  expect(new Set(tokens.map(kidOf)).size).toBe(1);
  expect(await rows()).toHaveLength(1);
  const read = await Promise.all(all.map((one) => verify(one.tokens, tokens[0] ?? "")));
  expect(new Set(read)).toEqual(new Set(["good"]));
});

test("a process whose clock is half a minute behind signs with the first key too", async () => {
  const kid = kidOf(await process().tokens.generateToken(session));
  const signingKeys = new SigningKeys({
    database,
    sealer: new Sealer(ring),
    audit,
    clock: { now: () => clock.now() - 30_000 },
  });
  expect((await signingKeys.signer()).kid).toBe(kid);
  expect(await rows()).toHaveLength(1);
});

test("a successor is published at once, and signs after ten minutes", async () => {
  const { signingKeys, tokens } = process();
  const before = kidOf(await tokens.generateToken(session));
  const { kid, activeAt } = await signingKeys.rotate();
  expect(activeAt).toBe(clock.now() + 10 * MINUTE);
  expect(await kidsOf(tokens)).toEqual([before, kid]);
  clock.advance(10 * MINUTE - 1);
  expect(kidOf(await tokens.generateToken(session))).toBe(before);
  clock.advance(1);
  expect(kidOf(await tokens.generateToken(session))).toBe(kid);
});

test("the key before verifies every token that it signed to its end, and then retires", async () => {
  const { signingKeys, tokens } = process();
  const before = kidOf(await tokens.generateToken(session));
  await signingKeys.rotate();
  clock.advance(10 * MINUTE - 1);
  const last = await tokens.generateToken(await begin(session.userId));
  expect(kidOf(last)).toBe(before);
  clock.advance(59 * MINUTE);
  expect(await verify(tokens, last)).toBe("good");
  expect(await kidsOf(tokens)).toContain(before);
  clock.advance(2 * MINUTE + 1);
  expect(await kidsOf(tokens)).not.toContain(before);
  expect(await verify(tokens, last)).toBe("TOKEN_EXPIRED");
});

// unkey#5892: a rotation extended a key that was about to end.
test("a rotation never puts off the end of a key, and ends each key that had none", async () => {
  const { signingKeys, tokens } = process();
  await tokens.generateToken(session);
  await signingKeys.rotate();
  const [first] = await rows();
  clock.advance(10 * MINUTE);
  await signingKeys.rotate();
  const [again, second, third] = await rows();
  expect(again?.["retires_at"]).toEqual(first?.["retires_at"]);
  expect(second?.["retires_at"]).not.toBeNull();
  expect(third?.["retires_at"]).toBeNull();
  const secondId = String(second?.["id"]);
  const soon = new Date(clock.now() + 11 * MINUTE);
  await database.run((orm) =>
    orm.update(table).set({ retiresAt: soon }).where(eq(table.id, secondId)),
  );
  clock.advance(10 * MINUTE);
  await signingKeys.rotate();
  const [row] = await database.run((orm) => orm.select().from(table).where(eq(table.id, secondId)));
  expect(row?.retiresAt).toEqual(soon);
});

test("20 rotations at once, in 20 processes, make one successor", async () => {
  const all = Array.from({ length: 20 }, () => process());
  await all[0]?.tokens.generateToken(session);
  const made = await Promise.all(all.map((one) => one.signingKeys.rotate()));
  expect(new Set(made.map(({ kid }) => kid)).size).toBe(1);
  expect(await rows()).toHaveLength(2);
});

test("another process learns of a successor within ten seconds, or at once from a token of it", async () => {
  const [here, there] = [process(), process()];
  const before = kidOf(await there.tokens.generateToken(session));
  const { kid } = await here.signingKeys.rotate();
  expect(await kidsOf(there.tokens)).toEqual([before]);
  clock.advance(REREAD);
  expect(await kidsOf(there.tokens)).toEqual([before, kid]);
  clock.advance(10 * MINUTE - REREAD - 2_000);
  expect(await kidsOf(there.tokens)).toHaveLength(2);
  await here.signingKeys.remove(before);
  const token = await here.tokens.generateToken(session);
  expect(kidOf(token)).toBe(kid);
  clock.advance(1_000);
  expect(await verify(there.tokens, token)).toBe("good");
});

test("200 tokens of unknown keys make the keys be read once a second, not 200 times", async () => {
  const { tokens } = process();
  const token = await tokens.generateToken(session);
  const signature = token.split(".").slice(1).join(".");
  const forged = Array.from({ length: 200 }, (_, i) => {
    const header = { alg: "EdDSA", typ: "at+jwt", kid: `unknown-${i}` };
    return `${Buffer.from(JSON.stringify(header)).toString("base64url")}.${signature}`;
  });
  clock.advance(2_000);
  let reads = 0;
  const counted = new Proxy(database, {
    get: (target, name: keyof typeof database) => {
      if (name === "run") reads += 1;
      return target[name];
    },
  });
  const signingKeys = new SigningKeys({
    database: counted,
    sealer: new Sealer(ring),
    audit,
    clock,
  });
  const there = new TokenService({
    keys: ring,
    sessions,
    issuer,
    clock,
    algorithm: "EdDSA",
    signingKeys,
  });
  const answers = await Promise.all(forged.map((one) => verify(there, one)));
  expect(new Set(answers)).toEqual(new Set(["UNAUTHORIZED"]));
  expect(reads).toBe(1);
  clock.advance(1_000);
  for (const one of forged) expect(await verify(there, one)).toBe("UNAUTHORIZED");
  expect(reads).toBe(2);
});

describe("a key that is removed", () => {
  test("verifies nothing from that moment, also tokens that were verified before", async () => {
    const { signingKeys, tokens } = process();
    const token = await tokens.generateToken(session);
    expect(await verify(tokens, token)).toBe("good");
    expect(await verify(tokens, token)).toBe("good");
    const kid = kidOf(token);
    await signingKeys.remove(kid);
    expect(await verify(tokens, token)).toBe("UNAUTHORIZED");
    expect(await kidsOf(tokens)).not.toContain(kid);
    const next = await tokens.generateToken(session);
    expect(kidOf(next)).not.toBe(kid);
    expect(await verify(tokens, next)).toBe("good");
    expect(await verify(tokens, token)).toBe("UNAUTHORIZED");
  });

  test("verifies nothing at the next request of another process, also what that one had verified", async () => {
    const [here, there] = [process(), process()];
    const token = await here.tokens.generateToken(session);
    const unseen = await here.tokens.generateToken(session);
    expect(await verify(there.tokens, token)).toBe("good");
    await here.signingKeys.remove(kidOf(token));
    expect(await verify(there.tokens, token)).toBe("UNAUTHORIZED");
    expect(await verify(there.tokens, unseen)).toBe("UNAUTHORIZED");
    const next = await here.tokens.generateToken(session);
    clock.advance(1_000);
    expect(await verify(there.tokens, next)).toBe("good");
  });

  test("gives way to a successor that waited, and leaves the others as they were", async () => {
    const { signingKeys, tokens } = process();
    const before = kidOf(await tokens.generateToken(session));
    const { kid } = await signingKeys.rotate();
    await signingKeys.remove(before);
    expect(kidOf(await tokens.generateToken(session))).toBe(kid);
    expect(await kidsOf(tokens)).toEqual([kid]);
  });

  test("where it was the successor, is followed by another that signs before the last one ends", async () => {
    const { signingKeys, tokens } = process();
    const before = kidOf(await tokens.generateToken(session));
    const { kid } = await signingKeys.rotate();
    await signingKeys.remove(kid);
    const published = await kidsOf(tokens);
    expect(published).toHaveLength(2);
    expect(published).toContain(before);
    clock.advance(10 * MINUTE);
    expect(kidOf(await tokens.generateToken(session))).toBe(published[1]);
  });

  test("is in the audit log, and one that is not there is a NOT_FOUND", async () => {
    const { signingKeys, tokens } = process();
    const kid = kidOf(await tokens.generateToken(session));
    await signingKeys.remove(kid, { userId: session.userId });
    await expect(signingKeys.remove(kid)).rejects.toMatchObject({ code: "NOT_FOUND" });
    const events = await query(
      sql`SELECT severity, resource, user_id FROM bulwark.audit_events WHERE type = 'auth.signing-key.removed'`,
    );
    const resource = `signing-key:${kid}`;
    expect(events).toEqual([{ severity: "high", resource, user_id: session.userId }]);
  });
});

test("a key that somebody writes into the table without the application's secret verifies nothing", async () => {
  const [here, forger] = [process(), process("EdDSA", createKeyRing([generateSecret()]))];
  await here.tokens.generateToken(session);
  const token = await forger.tokens.generateToken(session);
  expect(await rows()).toHaveLength(2);
  clock.advance(REREAD);
  expect(await verify(here.tokens, token)).toBe("UNAUTHORIZED");
  expect(await kidsOf(here.tokens)).not.toContain(kidOf(token));
});

test("keys go on under a ring that got a newer secret, and are made anew where their secret is gone", async () => {
  const before = process();
  const token = await before.tokens.generateToken(session);
  const newer = process("EdDSA", createKeyRing([generateSecret(), SECRET]));
  expect(await verify(newer.tokens, token)).toBe("good");
  expect(kidOf(await newer.tokens.generateToken(session))).toBe(kidOf(token));
  const other = process("EdDSA", createKeyRing([generateSecret()]));
  expect(await verify(other.tokens, token)).toBe("UNAUTHORIZED");
  expect(await verify(other.tokens, await other.tokens.generateToken(session))).toBe("good");
});

describe("a migration", () => {
  const migrate = (algorithm: "HS256" | "EdDSA", alsoAccept: readonly ("HS256" | "EdDSA")[]) => {
    const { signingKeys } = process();
    const options = { keys: ring, sessions, issuer, clock, signingKeys };
    return new TokenService({ ...options, algorithm, alsoAccept });
  };

  test("from HS256 accepts its tokens while it is told to, and no longer", async () => {
    const old = await bulwark.tokens.generateToken(session);
    expect(await verify(migrate("EdDSA", ["HS256"]), old)).toBe("good");
    expect(await verify(migrate("EdDSA", []), old)).toBe("UNAUTHORIZED");
  });

  test("to HS256 and back likewise", async () => {
    const old = await migrate("EdDSA", []).generateToken(session);
    expect(await verify(migrate("HS256", ["EdDSA"]), old)).toBe("good");
    expect(await verify(migrate("HS256", []), old)).toBe("UNAUTHORIZED");
    expect(await migrate("HS256", ["EdDSA"]).jwks()).toEqual({ keys: [] });
  });

  test("between asymmetric algorithms accepts only what is named", async () => {
    const old = await process("ES256").tokens.generateToken(session);
    expect(await verify(process("EdDSA").tokens, old)).toBe("UNAUTHORIZED");
    expect(await kidsOf(process("EdDSA").tokens)).not.toContain(kidOf(old));
  });
});

test.each([
  ["no keys", { algorithm: "EdDSA" }, "signingKeys: expected those of EdDSA, came none"],
  [
    "keys of another algorithm",
    { algorithm: "EdDSA", signingKeys: process("ES256").signingKeys },
    "signingKeys: expected keys of EdDSA, came ES256",
  ],
  [
    "no keys of what is accepted too",
    { alsoAccept: ["ES256"] },
    "signingKeys: expected those of HS256, ES256, came none",
  ],
  [
    "keys that retire before the tokens end",
    { algorithm: "EdDSA", lifetime: "2h", signingKeys: process().signingKeys },
    "signingKeys.tokenLifetime: expected 7200000 ms or more, came 3600000",
  ],
] as const)("a service with %s does not start", (_name, options, message) => {
  expect(() => new TokenService({ keys: ring, sessions, issuer, clock, ...options })).toThrow(
    message,
  );
});
