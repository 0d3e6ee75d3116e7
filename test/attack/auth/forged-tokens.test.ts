import { createPublicKey, type KeyObject } from "node:crypto";
import { jwtVerify } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { type PublicJwk, SigningKeys, TokenService } from "../../../src/auth/tokens/index.ts";
import { createKeyRing, Sealer } from "../../../src/crypto/index.ts";
import { SECRET, testApp } from "../../support/app.ts";
import { type Changes, createForge, FORGED, type Forge, hmacKey, withHmac } from "./forge.ts";

const { bulwark, call, clock, port, raw, reset, signUp } = await testApp();
const { audit, database, issuer, sessions } = bulwark;

const keys = createKeyRing([SECRET]);
const [key] = keys.derive("access token HS256");
const now = (): number => Math.floor(clock.now() / 1_000);

/** A service of each algorithm, which accepts the two others as well, as during a migration. */
const ALL = ["HS256", "EdDSA", "ES256"] as const;
const signingKeys = (["EdDSA", "ES256"] as const).map(
  (algorithm) => new SigningKeys({ database, sealer: new Sealer(keys), audit, clock, algorithm }),
);
const [edKeys, ecKeys] = signingKeys;
const services = Object.fromEntries(
  ALL.map((algorithm) => [
    algorithm,
    new TokenService({
      keys,
      sessions,
      issuer,
      clock,
      algorithm,
      alsoAccept: ALL,
      signingKeys: algorithm === "ES256" ? ecKeys : edKeys,
    }),
  ]),
);

let good: Forge;
let forges: Readonly<Record<string, Forge>>;

beforeAll(async () => {
  await reset();
  const { id: userId, token } = await signUp();
  good = createForge(token, hmacKey(key.bytes), now);
  const session = {
    userId,
    sessionId: String(good.claims["sid"]),
    expiresAt: clock.now() + 60_000,
  };
  const made = ALL.map(async (algorithm) => {
    const signer = await signingKeys.find((one) => one.algorithm === algorithm)?.signer();
    const own = (await services[algorithm]?.generateToken(session)) ?? "";
    return [algorithm, createForge(own, signer ?? hmacKey(key.bytes), now)] as const;
  });
  forges = Object.fromEntries(await Promise.all(made));
  // Each of the two has made a key that the other learns of by its first token, a second later at the earliest.
  clock.advance(2_000);
});

const me = (token: string) =>
  call("GET", "/api/auth/me", { headers: { authorization: `Bearer ${token}` } });
const sign = (changes: Changes): Promise<string> => good.sign(changes);
const verify = async (algorithm: string, token: string) => services[algorithm]?.verifyToken(token);

test("the token that all cases bend is good as it is, and so is one that is signed here", async () => {
  expect((await me(good.token)).status).toBe(200);
  expect((await me(await sign({}))).status).toBe(200);
  expect((await me(await sign({ claims: { more: 1 } }))).status).toBe(200);
});

test.each(FORGED)("%s is 401", async (_name, make) => {
  const answer = await me(await make(good));
  expect(answer.status).toBe(401);
  expect(answer.json).toMatchObject({ success: false, code: "UNAUTHORIZED" });
  expect(answer.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
});

test.each([
  ["the application's secret itself", Buffer.from(SECRET, "base64url")],
  ["the secret's text", Buffer.from(SECRET)],
  ["a key of another purpose", keys.derive("other")[0].bytes],
  ["the key of refresh tokens", keys.derive("refresh token")[0].bytes],
  ["the id of the key", Buffer.from(key.id)],
])("a token that is signed with %s is 401", async (_name, bytes) => {
  expect((await me(await withHmac(good, bytes))).status).toBe(401);
});

test("the subject of another user is 401, and so is a session that a cookie carries", async () => {
  const other = await signUp();
  expect((await me(await sign({ claims: { sub: other.id } }))).status).toBe(401);
  const cookie = await database.transaction((tx) =>
    sessions.create(tx, { userId: other.id, mode: "cookie", methods: [] }),
  );
  const claims = { sub: other.id, sid: cookie.id };
  expect((await me(await sign({ claims }))).status).toBe(401);
  const token = await database.transaction((tx) =>
    sessions.create(tx, { userId: other.id, mode: "token", methods: [] }),
  );
  expect((await me(await sign({ claims: { sub: other.id, sid: token.id } }))).status).toBe(200);
});

describe.each(ALL)("where %s signs and all are accepted", (algorithm) => {
  const own = (): Forge => forges[algorithm] ?? good;

  test("the token that all cases bend is good, and says its algorithm", async () => {
    expect(own().header).toEqual({ alg: algorithm, typ: "at+jwt", kid: expect.any(String) });
    const payload = { sessionId: good.claims["sid"], userId: good.claims["sub"] };
    expect(await verify(algorithm, own().token)).toMatchObject(payload);
    expect(await verify(algorithm, await own().sign({ claims: { more: 1 } }))).toMatchObject(
      payload,
    );
  });

  test.each(ALL)("a token of %s is accepted too, by its own key", async (other) => {
    const forge = forges[other] ?? good;
    expect(await verify(algorithm, forge.token)).toMatchObject({ userId: good.claims["sub"] });
  });

  test.each(FORGED)("%s is refused", async (_name, make) => {
    await expect(verify(algorithm, await make(own()))).rejects.toMatchObject({
      code: "UNAUTHORIZED",
    });
  });

  test.each(ALL.filter((other) => other !== algorithm))(
    "the kid of a key of %s, or its algorithm, or both, are refused under our signature",
    async (other) => {
      const { alg, kid } = (forges[other] ?? good).header;
      for (const header of [{ kid }, { alg }, { alg, kid }]) {
        const bent = own().sign({ header });
        await expect(verify(algorithm, await bent)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
      }
    },
  );
});

interface Public {
  readonly jwk: PublicJwk | undefined;
  readonly key: KeyObject;
}

// CVE-2022-23541: the public key, which everybody has, taken as the secret of HS256.
describe.each(["EdDSA", "ES256"])("the public key of %s as the secret of HS256", (algorithm) => {
  const publicKey = async (): Promise<Public> => {
    const keys = (await services[algorithm]?.jwks())?.keys ?? [];
    const jwk = keys.find(({ alg }) => alg === algorithm);
    return { jwk, key: createPublicKey({ key: { ...jwk }, format: "jwk" }) };
  };

  test("is the one that verifies", async () => {
    const { key: pub } = await publicKey();
    const { payload } = await jwtVerify(forges[algorithm]?.token ?? "", pub, {
      currentDate: new Date(clock.now()),
    });
    expect(payload).toEqual(forges[algorithm]?.claims);
  });

  test.each([
    ["PEM", ({ key: pub }: Public) => pub.export({ type: "spki", format: "pem" })],
    [
      "PEM without its last line end",
      ({ key: pub }: Public) => pub.export({ type: "spki", format: "pem" }).toString().trim(),
    ],
    [
      "PEM after white space",
      ({ key: pub }: Public) => `\n ${pub.export({ type: "spki", format: "pem" }).toString()}`,
    ],
    ["DER", ({ key: pub }: Public) => pub.export({ type: "spki", format: "der" })],
    ["JWK", ({ jwk }: Public) => JSON.stringify(jwk)],
    ["x", ({ jwk }: Public) => Buffer.from(jwk?.x ?? "", "base64url")],
    ["x as text", ({ jwk }: Public) => jwk?.x ?? ""],
  ])("as %s is refused", async (_name, secretOf) => {
    const secret = Buffer.from(secretOf(await publicKey()));
    const forge = forges[algorithm] ?? good;
    const hs256 = forges["HS256"]?.header["kid"];
    for (const header of [{}, { alg: "HS256" }, { alg: "HS256", kid: hs256 }]) {
      const token = await withHmac(forge, secret, { header });
      await expect(verify(algorithm, token)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    }
  });
});

test("claims of roles in a token with our own signature give nothing", async () => {
  const token = await sign({ claims: { roles: ["admin"], role: "admin", scope: "admin" } });
  expect((await call("GET", "/api/admin/audit", { token })).status).toBe(403);
});

test("an expired token is TOKEN_EXPIRED only where its signature is ours", async () => {
  const expired = { exp: now() - 1 };
  expect((await me(await sign({ claims: expired }))).json["code"]).toBe("TOKEN_EXPIRED");
  const forged = await withHmac(good, Buffer.alloc(32), { claims: expired });
  expect((await me(forged)).json["code"]).toBe("UNAUTHORIZED");
});

// CVE-2026-35039 (fast-jwt): two tokens met in the cache of verified ones.
test("tokens that differ in one letter are told apart, also after a good one was remembered", async () => {
  const [one, other] = [await signUp(), await signUp()];
  const idOf = async (token: string) => (await me(token)).json["data"];
  expect(await idOf(one.token)).toMatchObject({ id: one.id });
  expect(await idOf(other.token)).toMatchObject({ id: other.id });
  const last = one.token.at(-1) === "A" ? "B" : "A";
  for (const bent of [`${one.token.slice(0, -2)}${last}${last}`, `${one.token}A`]) {
    expect((await me(bent)).status).toBe(401);
  }
  expect(await idOf(one.token)).toMatchObject({ id: one.id });
});

test.each([" ", "\n", "\t", "=", "\0", "\u00A0"])(
  "%j behind, in front of or inside a token makes it none, for whoever calls verifyToken",
  async (extra) => {
    const spellings = [`${good.token}${extra}`, `${extra}${good.token}`];
    spellings.push(`${good.token.slice(0, -5)}${extra}${good.token.slice(-5)}`);
    for (const token of spellings) {
      const verified = (async () => bulwark.tokens.verifyToken(token))();
      await expect(verified).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    }
  },
);

const sendFields = async (...fields: string[]): Promise<number | undefined> => {
  const [answer] = await raw(
    [
      "GET /api/auth/me HTTP/1.1",
      `host: localhost:${port}`,
      ...fields,
      "connection: close",
      "",
      "",
    ].join("\r\n"),
  );
  return answer?.status;
};

const fieldCases: readonly (readonly [name: string, fields: () => string[], status: number])[] = [
  ["Bearer", () => [`authorization: Bearer ${good.token}`], 200],
  ["bearer, since schemes have no case", () => [`authorization: bearer ${good.token}`], 200],
  // CVE-2026-47673 (hono): `Basic <jwt>` was accepted as Bearer.
  ["Basic", () => [`authorization: Basic ${good.token}`], 401],
  ["Digest", () => [`authorization: Digest ${good.token}`], 401],
  ["DPoP", () => [`authorization: DPoP ${good.token}`], 401],
  ["Token", () => [`authorization: Token ${good.token}`], 401],
  ["no scheme", () => [`authorization: ${good.token}`], 401],
  ["no space", () => [`authorization: Bearer${good.token}`], 401],
  ["a comma instead of a space", () => [`authorization: Bearer,${good.token}`], 401],
  ["a tab instead of a space", () => [`authorization: Bearer\t${good.token}`], 401],
  ["the scheme alone", () => ["authorization: Bearer"], 401],
  ["an empty field", () => ["authorization:"], 401],
  ["quotes", () => [`authorization: Bearer "${good.token}"`], 401],
  ["two tokens", () => [`authorization: Bearer ${good.token} ${good.token}`], 401],
  ["two tokens by comma", () => [`authorization: Bearer ${good.token}, Bearer ${good.token}`], 401],
  [
    "white space inside",
    () => [`authorization: Bearer ${good.token.slice(0, 50)} ${good.token.slice(50)}`],
    401,
  ],
  ["a parameter behind", () => [`authorization: Bearer ${good.token};x=1`], 401],
  [
    "Authorization and x-api-key",
    () => [`authorization: Bearer ${good.token}`, "x-api-key: k"],
    400,
  ],
  [
    "Authorization and a session cookie",
    () => [`authorization: Bearer ${good.token}`, "cookie: __Host-session=x"],
    400,
  ],
  ["a bad Authorization and x-api-key", () => ["authorization: Bearer x", "x-api-key: k"], 400],
  ["a token as x-api-key", () => [`x-api-key: ${good.token}`], 401],
  ["a token as a cookie", () => [`cookie: token=${good.token}; __Host-session=${good.token}`], 401],
  ["a token as Proxy-Authorization", () => [`proxy-authorization: Bearer ${good.token}`], 401],
  ["a token as X-Authorization", () => [`x-authorization: Bearer ${good.token}`], 401],
];

test.each(fieldCases)("%s is answered by its status", async (_name, fields, status) => {
  expect(await sendFields(...fields())).toBe(status);
});

test.each([
  ["good, good", () => [good.token, good.token]],
  ["good, bad", () => [good.token, "bad"]],
  ["bad, good", () => ["bad", good.token]],
])("two Authorization fields (%s) are refused", async (_name, tokens) => {
  const status = await sendFields(...tokens().map((token) => `authorization: Bearer ${token}`));
  expect(status).toBe(401);
});

test("a token in the query or the body is none", async () => {
  for (const name of ["access_token", "token", "authorization"]) {
    expect((await call("GET", `/api/auth/me?${name}=${good.token}`)).status).toBe(401);
  }
  const body = { access_token: good.token };
  expect((await call("POST", "/api/products", { body })).status).toBe(401);
});

test("200 forged tokens at once are 200 refusals, and the good one still works", async () => {
  const forged = await withHmac(good, Buffer.alloc(32));
  const answers = await Promise.all(Array.from({ length: 200 }, () => me(forged)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
  expect((await me(good.token)).status).toBe(200);
  expect(bulwark.tokens.expiresIn).toBe(3_600);
});
