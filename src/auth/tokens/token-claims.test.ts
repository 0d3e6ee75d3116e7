import { expect, test } from "vitest";
import { readClaims } from "./token-claims.ts";

const CLAIMS = { iss: "i", aud: "i", sub: "u", sid: "s", jti: "j", iat: 1, nbf: 1, exp: 2 };
const encode = (text: string): string => Buffer.from(text).toString("base64url");
const json = (changes: object): string => JSON.stringify({ ...CLAIMS, ...changes });

test("claims are read, and further ones do not matter", () => {
  expect(readClaims(encode(json({})))).toEqual(CLAIMS);
  expect(readClaims(encode(json({ roles: ["admin"] })))).toMatchObject(CLAIMS);
  expect(readClaims(encode(json({ sub: "\u00e9\u{1f511}" })))?.sub).toBe("\u00e9\u{1f511}");
});

const names = Object.keys(CLAIMS) as (keyof typeof CLAIMS)[];

test.each(names)("%s is demanded, of its type, as the claims' own", (name) => {
  const wrong: unknown[] = [undefined, null, true, [CLAIMS[name]], {}, ""];
  wrong.push(typeof CLAIMS[name] === "string" ? 1 : "1");
  if (typeof CLAIMS[name] === "number") wrong.push(1.5, 2 ** 53);
  for (const value of wrong) expect(readClaims(encode(json({ [name]: value })))).toBeUndefined();
  const { [name]: moved, ...rest } = CLAIMS;
  const inherited = `{"__proto__":{"${name}":${JSON.stringify(moved)}},${JSON.stringify(rest).slice(1)}`;
  expect(readClaims(encode(inherited))).toBeUndefined();
});

test.each([
  ["a member twice", encode(json({}).replace("{", '{"sub":"other",'))],
  ["white space", encode(` ${json({})}`)],
  ["a line end", encode(`${json({})}\n`)],
  ["a byte order mark", encode(`\u{feff}${json({})}`)],
  ["an escape that is not needed", encode(json({}).replace('"u"', String.raw`"\u0075"`))],
  ["a number in another spelling", encode(json({}).replace('"exp":2', '"exp":2.0'))],
  ["a number past every number", encode(json({}).replace('"exp":2', '"exp":1e999'))],
  ["padding", `${encode(json({ sub: "uu" }))}=`],
  [
    "bytes that are no UTF-8",
    Buffer.from(json({}).replace("u", "\u00ff"), "latin1").toString("base64url"),
  ],
  ["a list", encode("[]")],
  ["null", encode("null")],
  ["a text", encode('"claims"')],
  ["no JSON", encode("claims")],
  ["nothing", ""],
])("%s makes them none", (_name, encoded) => {
  expect(readClaims(encoded)).toBeUndefined();
});
