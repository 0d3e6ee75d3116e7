import { createHmac, generateKeyPairSync, type KeyObject } from "node:crypto";
import { CompactSign, type JWK, UnsecuredJWT } from "jose";
import { generateSecret } from "../../../src/crypto/index.ts";

type Members = Readonly<Record<string, unknown>>;

/** Parts that take the place of a good token's own. */
export interface Changes {
  readonly header?: Members;
  readonly claims?: Members;
}

/** A good token of one key, and the key itself: what is made here is wrong in what it says, never in its signature. */
export interface Forge {
  readonly token: string;
  readonly header: Members;
  readonly claims: Members;
  readonly issuer: string;
  /** Now, in seconds. */
  readonly now: () => number;
  readonly sign: (changes: Changes) => Promise<string>;
  /** signText signs texts that JSON would not write so. */
  readonly signText: (header: string, claims: string) => Promise<string>;
}

/** Makes the signature of a text, in base64url. */
export interface Signer {
  readonly sign: (text: string) => string | Promise<string>;
}

/** How a forged token is made, and its name. */
export type Row = readonly [name: string, make: (forge: Forge) => string | Promise<string>];

const base64 = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** decode reads the header and the claims of a token. */
function decode(token: string): { readonly header: Members; readonly claims: Members } {
  const [header = "", claims = ""] = token.split(".");
  const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as Members;
  return { header: read(header), claims: read(claims) };
}

/** createForge bends a good token with the key that signed it. */
export function createForge(token: string, { sign: signed }: Signer, now: () => number): Forge {
  const { header, claims } = decode(token);
  const signText = async (headerText: string, claimsText: string): Promise<string> => {
    const input = `${base64(headerText)}.${base64(claimsText)}`;
    return `${input}.${await signed(input)}`;
  };
  const sign = (changes: Changes): Promise<string> =>
    signText(
      JSON.stringify({ ...header, ...changes.header }),
      JSON.stringify({ ...claims, ...changes.claims }),
    );
  return { token, header, claims, issuer: String(claims["iss"]), now, sign, signText };
}

/** hmacKey signs as HS256 does. */
export const hmacKey = (bytes: Uint8Array): Signer => ({
  sign: (text) => createHmac("sha256", bytes).update(text).digest("base64url"),
});

/** withHmac signs a good token's own words, or changed ones, with other bytes as the secret. */
export const withHmac = (forge: Forge, bytes: Uint8Array, changes: Changes = {}): Promise<string> =>
  createForge(forge.token, hmacKey(bytes), forge.now).sign(changes);

const claims =
  (changes: Members) =>
  ({ sign }: Forge) =>
    sign({ claims: changes });
const header =
  (changes: Members) =>
  ({ sign }: Forge) =>
    sign({ header: changes });

const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed = generateKeyPairSync("ed25519");
const pem = rsa.publicKey.export({ type: "spki", format: "pem" }).toString();
const signature = (token: string): string => token.split(".")[2] ?? "";
const signed = (token: string): string => token.split(".").slice(0, 2).join(".");
const byStranger = (alg: string, key: KeyObject): Row => [
  `${alg} with a stranger's key`,
  (forge) =>
    new CompactSign(Buffer.from(JSON.stringify(forge.claims)))
      .setProtectedHeader({ ...forge.header, alg })
      .sign(key),
];

/** CVE-2022-23540, CVE-2022-23541, CVE-2026-34950: the token chose its own algorithm. */
const ALGORITHMS: readonly Row[] = [
  ["alg none, unsigned", ({ claims }) => new UnsecuredJWT({ ...claims }).encode()],
  ...["none", "None", "NONE", "nOnE", "", "HS384", "HS512", "hs256", "Ed25519", "ES384"].map(
    (alg): Row => [`alg ${JSON.stringify(alg)}`, header({ alg })],
  ),
  ...["none", "None", "NONE"].map(
    (alg): Row => [
      `alg ${alg} without a signature`,
      (forge) => `${base64({ ...forge.header, alg })}.${base64(forge.claims)}.`,
    ],
  ),
  [
    "alg none and our signature",
    (forge) => `${base64({ alg: "none" })}.${base64(forge.claims)}.${signature(forge.token)}`,
  ],
  ["no alg", header({ alg: undefined })],
  ["alg as a list", ({ sign, header: { alg } }) => sign({ header: { alg: [alg] } })],
  ["alg null", header({ alg: null })],
  ["HS256 with an empty key", (forge) => withHmac(forge, new Uint8Array(), HS256)],
  [
    "HS256 with a random key",
    (forge) => withHmac(forge, Buffer.from(generateSecret(), "base64url"), HS256),
  ],
  ["HS256 with a public key as secret", (forge) => withHmac(forge, Buffer.from(pem), HS256)],
  [
    "HS256 with a public key after white space",
    (forge) => withHmac(forge, Buffer.from(` \n${pem}`), HS256),
  ],
  [
    "HS256 with the kid as key",
    (forge) => withHmac(forge, Buffer.from(String(forge.header["kid"])), HS256),
  ],
  byStranger("RS256", rsa.privateKey),
  byStranger("PS256", rsa.privateKey),
  byStranger("ES256", ec.privateKey),
  byStranger("EdDSA", ed.privateKey),
];
const HS256: Changes = { header: { alg: "HS256" } };

/** CVE-2023-48309: a token of one kind accepted as another. */
const TYPES: readonly Row[] = [
  ...["JWT", "jwt", "id+jwt", "dpop+jwt", "AT+JWT", "application/at+jwt", "at+jwt ", "", null].map(
    (typ): Row => [`typ ${JSON.stringify(typ)}`, header({ typ })],
  ),
  ["no typ", header({ typ: undefined })],
];

const CLAIMS: readonly Row[] = [
  ...["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"].flatMap((name): Row[] => [
    [`no ${name}`, claims({ [name]: undefined })],
    [`${name} null`, claims({ [name]: null })],
    [`${name} as an object`, claims({ [name]: { $ne: null } })],
    [`${name} as a list`, (forge) => forge.sign({ claims: { [name]: [forge.claims[name]] } })],
  ]),
  ["another issuer", claims({ iss: "http://localhost:1" })],
  ["the issuer with a slash behind", ({ sign, issuer }) => sign({ claims: { iss: `${issuer}/` } })],
  ["another audience", claims({ aud: "http://localhost:1" })],
  ["an empty list of audiences", claims({ aud: [] })],
  ["a subject of nobody", claims({ sub: "00000000-0000-7000-8000-000000000000" })],
  ["an empty subject", claims({ sub: "" })],
  ["a session of nobody", claims({ sid: "00000000-0000-7000-8000-000000000000" })],
  ["a session that is no UUID", claims({ sid: generateSecret() })],
  ["a session as a number", claims({ sid: 1 })],
  ["an empty session", claims({ sid: "" })],
  [
    "the session in upper case",
    ({ sign, claims: { sid } }) => sign({ claims: { sid: String(sid).toUpperCase() } }),
  ],
  ["jti as a number", claims({ jti: 7 })],
  ["nbf in the future", ({ sign, now }) => sign({ claims: { nbf: now() + 60 } })],
  ["exp as a text", ({ sign, now }) => sign({ claims: { exp: String(now() + 60) } })],
  [
    "exp past every number",
    ({ header: h, claims: c, signText }) =>
      signText(JSON.stringify(h), JSON.stringify({ ...c, exp: "X" }).replace('"X"', "1e999")),
  ],
  ["exp in fractions", ({ sign, now }) => sign({ claims: { exp: now() + 60.5 } })],
];

const HEADERS: readonly Row[] = [
  ["kid of nothing", header({ kid: "nothing" })],
  ["no kid", header({ kid: undefined })],
  ["kid as a path", header({ kid: "../../../../dev/null" })],
  ["kid as SQL", header({ kid: "' UNION SELECT 'x" })],
  ["kid as a list", ({ sign, header: { kid } }) => sign({ header: { kid: [kid] } })],
  ["kid __proto__", header({ kid: "__proto__" })],
  ["kid constructor", header({ kid: "constructor" })],
  ["kid null", header({ kid: null })],
  ["an unknown critical header", header({ crit: ["x"], x: 1 })],
  ["an empty crit", header({ crit: [] })],
  ["b64 false", header({ b64: false, crit: ["b64"] })],
  ["jwk", header({ jwk: { kty: "oct", k: "AAAA" } })],
  ["jku", header({ jku: "http://localhost:1/jwks.json" })],
  ["x5u", header({ x5u: "http://localhost:1/cert.pem" })],
  ["x5c", header({ x5c: ["AAAA"] })],
  ["zip", header({ zip: "DEF" })],
  ["cty", header({ cty: "JWT" })],
  [
    "a stranger's key in jwk, and his signature",
    (forge) =>
      new CompactSign(Buffer.from(JSON.stringify(forge.claims)))
        .setProtectedHeader({
          ...forge.header,
          alg: "ES256",
          jwk: ec.publicKey.export({ format: "jwk" }) as JWK,
        })
        .sign(ec.privateKey),
  ],
];

const SPELLINGS: readonly Row[] = [
  ["no signature", ({ token }) => `${signed(token)}.`],
  ["no signature and no dot", ({ token }) => signed(token)],
  ["a signature that is cut", ({ token }) => token.slice(0, -4)],
  [
    "a signature of zeros",
    ({ token }) => `${signed(token)}.${"A".repeat(signature(token).length)}`,
  ],
  ["padding", ({ token }) => `${token}=`],
  ["two dots behind", ({ token }) => `${token}..`],
  ["five parts, as of a JWE", ({ token }) => `${token}.a.b`],
  [
    "the last letter's spare bits",
    ({ token }) => `${token.slice(0, -1)}${neighbour(token.at(-1))}`,
  ],
  [
    "a header with a member twice",
    ({ header: h, claims: c, signText }) =>
      signText(JSON.stringify(h).replace("{", '{"alg":"none",'), JSON.stringify(c)),
  ],
  [
    "claims with a member twice",
    ({ header: h, claims: c, signText }) =>
      signText(JSON.stringify(h), JSON.stringify(c).replace("{", '{"sub":"someone",')),
  ],
  [
    "a header with white space",
    ({ header: h, claims: c, signText }) => signText(` ${JSON.stringify(h)}`, JSON.stringify(c)),
  ],
  [
    "claims with white space",
    ({ header: h, claims: c, signText }) => signText(JSON.stringify(h), `${JSON.stringify(c)}\n`),
  ],
  [
    "claims with a byte order mark",
    ({ header: h, claims: c, signText }) =>
      signText(JSON.stringify(h), `\u{feff}${JSON.stringify(c)}`),
  ],
  [
    "a header in another order",
    ({ header: h, claims: c, signText }) =>
      signText(JSON.stringify(Object.fromEntries(Object.entries(h).reverse())), JSON.stringify(c)),
  ],
  [
    "a payload that is no JSON",
    ({ header: h, signText }) => signText(JSON.stringify(h), "nothing"),
  ],
  ["a payload that is a list", ({ header: h, signText }) => signText(JSON.stringify(h), "[]")],
  ["a header that is no JSON", ({ claims: c, signText }) => signText("nothing", JSON.stringify(c))],
  ["nothing but dots", () => ".."],
  ["null", () => "null"],
  ["the session's id itself", (forge) => String(forge.claims["sid"])],
];

/** CVE-2024-28176, CVE-2022-36083: a JWE that is unpacked before it is judged. */
const ENCRYPTED: readonly Row[] = [
  [
    "a compressed JWE",
    () => `${base64({ alg: "dir", enc: "A256GCM", zip: "DEF" })}..AAAA.AAAA.AAAA`,
  ],
  [
    "a JWE with a huge p2c",
    () =>
      `${base64({ alg: "PBES2-HS256+A128KW", enc: "A128GCM", p2c: 2 ** 31, p2s: "AAAA" })}.AAAA.AAAA.AAAA.AAAA`,
  ],
  ["more than 2,048 characters", ({ sign }) => sign({ claims: { filler: "x".repeat(1_500) } })],
];

/** Every row is 401 UNAUTHORIZED, whatever the algorithm. */
export const FORGED: readonly Row[] = [
  ...ALGORITHMS,
  ...TYPES,
  ...CLAIMS,
  ...HEADERS,
  ...SPELLINGS,
  ...ENCRYPTED,
];

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** The letter that differs in its last bit alone. */
const neighbour = (letter = "A"): string => ALPHABET[ALPHABET.indexOf(letter) ^ 1] ?? "A";
