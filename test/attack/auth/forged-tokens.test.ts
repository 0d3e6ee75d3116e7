import { generateKeyPairSync } from "node:crypto";
import { CompactSign, SignJWT, UnsecuredJWT } from "jose";
import { beforeAll, expect, test } from "vitest";
import { createKeyRing, generateSecret } from "../../../src/crypto/index.ts";
import { SECRET, testApp } from "../../support/app.ts";

const { bulwark, call, clock, port, raw, reset, signUp } = await testApp();

/** The parts of a good token, from which each case takes, adds or changes one. */
interface Parts {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

let good: Parts & { readonly token: string };

beforeAll(async () => {
  await reset();
  const { token } = await signUp();
  const [header = {}, claims = {}] = token
    .split(".")
    .slice(0, 2)
    .map(
      (part) => JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>,
    );
  good = { token, header, claims };
});

const [key] = createKeyRing([SECRET]).derive("access token HS256");
const base64 = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** sign makes a token with our own key: what it says is wrong, its signature is right. */
async function sign(parts: Partial<Parts>, bytes = key.bytes): Promise<string> {
  const { createHmac } = await import("node:crypto");
  const input = `${base64({ ...good.header, ...parts.header })}.${base64({ ...good.claims, ...parts.claims })}`;
  return `${input}.${createHmac("sha256", bytes).update(input).digest("base64url")}`;
}

const claims = (changes: Readonly<Record<string, unknown>>) => () => sign({ claims: changes });
const header = (changes: Readonly<Record<string, unknown>>) => () => sign({ header: changes });
const me = (token: string) =>
  call("GET", "/api/auth/me", { headers: { authorization: `Bearer ${token}` } });

test("the token that all cases bend is good as it is, and so is one that is signed here", async () => {
  expect((await me(good.token)).status).toBe(200);
  expect((await me(await sign({}))).status).toBe(200);
});

const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed = generateKeyPairSync("ed25519");
const pem = rsa.publicKey.export({ type: "spki", format: "pem" }).toString();
const now = (): number => Math.floor(clock.now() / 1_000);
const signature = (token: string): string => token.split(".")[2] ?? "";
const signed = (token: string): string => token.split(".").slice(0, 2).join(".");
const asymmetric = (alg: string, privateKey: Parameters<CompactSign["sign"]>[0]) => () =>
  new CompactSign(Buffer.from(JSON.stringify(good.claims)))
    .setProtectedHeader({ ...good.header, alg })
    .sign(privateKey);

const FORGED: readonly (readonly [name: string, make: () => string | Promise<string>])[] = [
  // CVE-2022-23540, CVE-2022-23541, CVE-2026-34950: the token chose its own algorithm.
  ["alg none, unsigned", () => new UnsecuredJWT(good.claims).encode()],
  ...["none", "None", "NONE", "nOnE", "", "HS384", "HS512", "hs256"].map(
    (alg) => [`alg ${JSON.stringify(alg)}`, header({ alg })] as const,
  ),
  ...["none", "None", "NONE"].map(
    (alg) =>
      [
        `alg ${alg} without a signature`,
        () => `${base64({ ...good.header, alg })}.${base64(good.claims)}.`,
      ] as const,
  ),
  [
    "alg none and our signature",
    () => `${base64({ alg: "none" })}.${base64(good.claims)}.${signature(good.token)}`,
  ],
  ["no alg", header({ alg: undefined })],
  ["alg as a list", header({ alg: ["HS256"] })],
  ["HS256 with an empty key", () => sign({}, new Uint8Array())],
  ["HS256 with a random key", () => sign({}, Buffer.from(generateSecret(), "base64url"))],
  ["HS256 with the application's secret itself", () => sign({}, Buffer.from(SECRET, "base64url"))],
  ["HS256 with the secret's text", () => sign({}, Buffer.from(SECRET))],
  [
    "HS256 with a key of another purpose",
    () => sign({}, createKeyRing([SECRET]).derive("other")[0].bytes),
  ],
  ["HS256 with a public key as secret", () => sign({}, Buffer.from(pem))],
  ["HS256 with a public key after white space", () => sign({}, Buffer.from(` \n${pem}`))],
  ["HS256 with the kid as key", () => sign({}, Buffer.from(key.id))],
  ["RS256", asymmetric("RS256", rsa.privateKey)],
  ["PS256", asymmetric("PS256", rsa.privateKey)],
  ["ES256", asymmetric("ES256", ec.privateKey)],
  ["EdDSA", asymmetric("EdDSA", ed.privateKey)],
  // CVE-2023-48309: a token of one kind accepted as another.
  ["typ JWT", header({ typ: "JWT" })],
  ["no typ", header({ typ: undefined })],
  ["typ of an id token", header({ typ: "id+jwt" })],
  ["typ dpop+jwt", header({ typ: "dpop+jwt" })],
  ...["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"].map(
    (name) => [`no ${name}`, claims({ [name]: undefined })] as const,
  ),
  ["another issuer", claims({ iss: "http://localhost:1" })],
  ["the issuer with a slash behind", claims({ iss: `http://localhost:${port}/` })],
  ["a list of issuers", claims({ iss: [`http://localhost:${port}`] })],
  ["another audience", claims({ aud: "http://localhost:1" })],
  ["an empty audience", claims({ aud: [] })],
  ["a subject of nobody", claims({ sub: "00000000-0000-7000-8000-000000000000" })],
  ["the subject as a list", () => sign({ claims: { sub: [good.claims["sub"]] } })],
  ["a session of nobody", claims({ sid: generateSecret() })],
  ["the session as a list", () => sign({ claims: { sid: [good.claims["sid"]] } })],
  ["the session as an object", claims({ sid: { $ne: null } })],
  ["an empty session", claims({ sid: "" })],
  ["nbf in the future", () => sign({ claims: { nbf: now() + 60 } })],
  ["exp as a text", () => sign({ claims: { exp: String(now() + 60) } })],
  ["exp null", claims({ exp: null })],
  ["kid of nothing", header({ kid: "nothing" })],
  ["no kid", header({ kid: undefined })],
  ["kid as a path", header({ kid: "../../../../dev/null" })],
  ["kid as SQL", header({ kid: "' UNION SELECT 'x" })],
  ["kid as a list", () => sign({ header: { kid: [good.header["kid"]] } })],
  ["kid __proto__", header({ kid: "__proto__" })],
  ["kid constructor", header({ kid: "constructor" })],
  ["kid null", header({ kid: null })],
  ["an unknown critical header", header({ crit: ["x"], x: 1 })],
  ["an empty crit", header({ crit: [] })],
  ["b64 false", header({ b64: false, crit: ["b64"] })],
  ["no signature", () => `${signed(good.token)}.`],
  ["no signature and no dot", () => signed(good.token)],
  ["a signature that is cut", () => good.token.slice(0, -4)],
  ["a signature that is longer", () => `${good.token}AAAA`],
  [
    "a signature of another token",
    async () => `${signed(good.token)}.${signature(await sign({ claims: { a: 1 } }))}`,
  ],
  ["padding", () => `${good.token}=`],
  ["a dot behind", () => `${good.token}.`],
  ["a dot in front", () => `.${good.token}`],
  ["two dots behind", () => `${good.token}..`],
  ["five parts, as of a JWE", () => `${good.token}.a.b`],
  // CVE-2024-28176, CVE-2022-36083: a JWE that is unpacked before it is judged.
  [
    "a compressed JWE",
    () => `${base64({ alg: "dir", enc: "A256GCM", zip: "DEF" })}..AAAA.AAAA.AAAA`,
  ],
  [
    "a JWE with a huge p2c",
    () =>
      `${base64({ alg: "PBES2-HS256+A128KW", enc: "A128GCM", p2c: 2 ** 31, p2s: "AAAA" })}.AAAA.AAAA.AAAA.AAAA`,
  ],
  ["2,049 characters", () => sign({ claims: { filler: "x".repeat(1_500) } })],
  [
    "a payload that is no JSON",
    () => `${base64(good.header)}.${base64("nothing")}.${signature(good.token)}`,
  ],
  [
    "a header that is no JSON",
    () => `${base64("nothing")}.${base64(good.claims)}.${signature(good.token)}`,
  ],
  [
    "a payload that is a list",
    () => `${base64(good.header)}.${base64([])}.${signature(good.token)}`,
  ],
  ["nothing but dots", () => ".."],
  ["null", () => "null"],
  ["the session's handle itself", () => String(good.claims["sid"])],
];

test.each(FORGED)("%s is 401", async (_name, make) => {
  const answer = await me(await make());
  expect(answer.status).toBe(401);
  expect(answer.json).toMatchObject({ success: false, code: "UNAUTHORIZED" });
  expect(answer.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
});

test.each([
  ["jwk", { jwk: { kty: "oct", k: "AAAA" } }],
  ["jku", { jku: "http://localhost:1/jwks.json" }],
  ["x5u", { x5u: "http://localhost:1/cert.pem" }],
  ["x5c", { x5c: ["AAAA"] }],
])("a key that the token brings along (%s) is not used", async (_name, extra) => {
  expect((await me(await sign({ header: extra }, Buffer.alloc(3)))).status).toBe(401);
});

test("a token that a jose library signs with a key of its own, under our kid, is 401", async () => {
  const token = await new SignJWT(good.claims)
    .setProtectedHeader({ ...good.header, alg: "HS256" })
    .sign(Buffer.from(generateSecret()));
  expect((await me(token)).status).toBe(401);
});

test("claims of roles in a token with our own signature give nothing", async () => {
  const token = await sign({ claims: { roles: ["admin"], role: "admin", scope: "admin" } });
  expect((await call("GET", "/api/admin/audit", { token })).status).toBe(403);
});

test("an expired token is TOKEN_EXPIRED only where its signature is ours", async () => {
  const expired = { exp: now() - 1 };
  expect((await me(await sign({ claims: expired }))).json["code"]).toBe("TOKEN_EXPIRED");
  const forged = await sign({ claims: expired }, Buffer.alloc(32));
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
  expect([400, 401]).toContain(status);
});

test("a token in the query or the body is none", async () => {
  for (const name of ["access_token", "token", "authorization"]) {
    expect((await call("GET", `/api/auth/me?${name}=${good.token}`)).status).toBe(401);
  }
  const body = { access_token: good.token };
  expect((await call("POST", "/api/products", { body })).status).toBe(401);
});

test("200 forged tokens at once are 200 refusals, and the good one still works", async () => {
  const forged = await sign({}, Buffer.alloc(32));
  const answers = await Promise.all(Array.from({ length: 200 }, () => me(forged)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
  expect((await me(good.token)).status).toBe(200);
  expect(bulwark.tokens.expiresIn).toBe(3_600);
});
