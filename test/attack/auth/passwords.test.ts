import { pbkdf2Sync, scryptSync } from "node:crypto";
import { hash as hashArgon2 } from "@node-rs/argon2";
import { hash as hashBcrypt } from "@node-rs/bcrypt";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HashQueue, PasswordService, passwordProblems } from "../../../src/auth/index.ts";
import { createKeyRing, generateSecret } from "../../../src/crypto/index.ts";

const keys = createKeyRing([generateSecret()]);
const queue = new HashQueue({ places: 1_000 });
const argon2id = new PasswordService({ queue, keys });
const bcrypt = new PasswordService({ algorithm: "bcrypt", queue, keys });

const text64 = (bytes: Buffer): string => bytes.toString("base64").replaceAll("=", "");
const SALT = Buffer.from("saltsaltsaltsalt");

/** Hashes of a password as this package makes them, and as other systems do. */
const makers: readonly [name: string, make: (password: string) => Promise<string>][] = [
  ["argon2id", (password) => argon2id.rehashPassword(password)],
  ["argon2i of elsewhere", (password) => hashArgon2(password, { algorithm: 1, memoryCost: 1_024 })],
  ["argon2d of elsewhere", (password) => hashArgon2(password, { algorithm: 0, memoryCost: 1_024 })],
  ["bcrypt", (password) => bcrypt.rehashPassword(password)],
  ["bcrypt of elsewhere", (password) => hashBcrypt(password, 4)],
  ["scrypt of elsewhere", scryptOf],
  ["PBKDF2-SHA-256 of elsewhere", (password) => pbkdf2Of(password, "sha256")],
  ["PBKDF2-SHA-512 of elsewhere", (password) => pbkdf2Of(password, "sha512")],
];

// Okta, October 2024: bcrypt does not read past 72 bytes, and a cache key of bcrypt let any password in after a long name.
describe.each(makers)("two passwords that differ in their last byte, by %s", (name, make) => {
  test.each([72, 73, 100, 256])("of %i bytes are two", async (length) => {
    const [right, wrong] = [`${"p".repeat(length - 1)}0`, `${"p".repeat(length - 1)}1`];
    const stored = await make(right);
    expect(await argon2id.verifyPassword(wrong, stored)).toBe(false);
    // What bcrypt cut elsewhere cannot be told apart here, so that nothing over 72 bytes is verified.
    const isCut = name === "bcrypt of elsewhere" && length > 72;
    expect(await argon2id.verifyPassword(right, stored)).toBe(!isCut);
  });

  test("are two also where the byte is a NUL, or comes after one", async () => {
    const stored = await make("p".repeat(20));
    expect(await argon2id.verifyPassword(`${"p".repeat(20)}\0`, stored)).toBe(false);
    const cut = await make(`${"p".repeat(20)}\0x`);
    expect(await argon2id.verifyPassword(`${"p".repeat(20)}\0y`, cut)).toBe(false);
    expect(await argon2id.verifyPassword("p".repeat(20), cut)).toBe(false);
  });
});

test("every text of whole characters that the policy takes verifies, and no neighbour of it does", async () => {
  const password = fc.string({ unit: "binary", minLength: 15, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(password, fc.nat(), async (text, at) => {
      fc.pre((await passwordProblems(text)).length === 0);
      const stored = await argon2id.hashPassword(text);
      expect(await argon2id.verifyPassword(text, stored)).toBe(true);
      expect(await argon2id.verifyPassword(text.normalize("NFD"), stored)).toBe(true);
      const characters = Array.from(text.normalize("NFC"));
      characters[at % characters.length] = "~~";
      expect(await argon2id.verifyPassword(characters.join(""), stored)).toBe(false);
    }),
    { numRuns: 20 },
  );
});

// Two halves of different characters are one replacement character in UTF-8, and would verify as one another.
test("half a character is no password, and verifies as none", async () => {
  const stored = await argon2id.rehashPassword("long enough for me \ud83d");
  for (const text of ["long enough for me \ud83d", "long enough for me \ud83e"]) {
    expect(await argon2id.verifyPassword(text, stored)).toBe(false);
    await expect(argon2id.hashPassword(text)).rejects.toMatchObject({
      details: [{ code: "password_malformed" }],
    });
  }
});

describe("200 passwords at once", () => {
  let turns = 0;
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  /** A queue that is full of strangers, all from different addresses, and tells how many of them got a turn. */
  const full = new HashQueue({ places: 40, concurrency: 1 });
  const service = new PasswordService({ queue: full });
  let flood: Promise<PromiseSettledResult<void>[]>;

  beforeAll(() => {
    const work = async (): Promise<void> => {
      turns += 1;
      await held;
    };
    flood = Promise.allSettled(
      Array.from({ length: 200 }, (_, i) => full.run(work, { address: `203.0.113.${i}` })),
    );
  });
  afterAll(() => release());

  test("are refused beyond the places of strangers, before any of their work", async () => {
    expect(full.depth).toBe(30);
    expect(turns).toBe(1);
    const from = { address: "198.51.100.7" };
    const refusal = { code: "SERVICE_UNAVAILABLE", headers: { "retry-after": "2" } };
    await expect(service.verifyNothing("some password", from)).rejects.toMatchObject(refusal);
    const stored = await argon2id.rehashPassword("some password");
    await expect(service.verifyPassword("some password", stored, from)).rejects.toMatchObject(
      refusal,
    );
  });

  test("leave a known device its place", async () => {
    const stored = await argon2id.rehashPassword("some password");
    const from = { address: "203.0.113.1", knownDevice: true };
    const verified = service.verifyPassword("some password", stored, from);
    release();
    expect(await verified).toBe(true);
    const outcomes = await flood;
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(30);
  });
});

async function scryptOf(password: string): Promise<string> {
  const digest = scryptSync(password, SALT, 32, { N: 1_024, r: 8, p: 1 });
  return `$scrypt$ln=10,r=8,p=1$${text64(SALT)}$${text64(digest)}`;
}

async function pbkdf2Of(password: string, name: "sha256" | "sha512"): Promise<string> {
  const digest = pbkdf2Sync(password, SALT, 1_000, 32, name);
  return `$pbkdf2-${name}$1000$${text64(SALT)}$${text64(digest)}`;
}
