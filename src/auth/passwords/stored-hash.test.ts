import { describe, expect, test } from "vitest";
import { checkImportedHash, HashQueue, PasswordService } from "./index.ts";
import { readStoredHash } from "./stored-hash.ts";
import { standIn, verifyStored } from "./verify-stored.ts";

const service = new PasswordService({ queue: new HashQueue({ places: 64 }) });

/** bytes in hexadecimal, as unpadded base64. */
const base64 = (hex: string): string =>
  Buffer.from(hex, "hex").toString("base64").replaceAll("=", "");
const text64 = (text: string): string => base64(Buffer.from(text).toString("hex"));

const RFC7914_PBKDF2 =
  "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc" +
  "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783";
const SHA512_OF_ONE =
  "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252" +
  "c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce";
const RFC7914_SCRYPT_P16 =
  "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162" +
  "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640";
const RFC7914_SCRYPT_16384 =
  "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2" +
  "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887";

describe("hashes that others published verify their password, and no other", () => {
  test.each<[source: string, password: string, hash: string]>([
    [
      "argon2 reference, argon2id",
      "password",
      "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    ],
    [
      "argon2 reference, argon2i",
      "password",
      "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
    ],
    [
      "argon2 reference, version 16",
      "password",
      "$argon2i$v=16$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
    ],
    ["OpenBSD", "U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
    ["OpenBSD", "U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"],
    ["OpenBSD", "U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"],
    ["OpenBSD, 2y", "U*U", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
    [
      "OpenBSD, 72 bytes",
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
      "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
    ],
    [
      "passlib",
      "password",
      "$pbkdf2-sha256$8000$XAuBMIYQQogxRg$tRRlz8hYn63B9LYiCd6PRo6FMiunY9ozmMMI3srxeRE",
    ],
    [
      "passlib",
      "password",
      "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
    ],
    [
      "RFC 7914 section 12, p = 16",
      "password",
      `$scrypt$ln=10,r=8,p=16$${text64("NaCl")}$${base64(RFC7914_SCRYPT_P16)}`,
    ],
    [
      "RFC 7914 section 12, N = 16384",
      "pleaseletmein",
      `$scrypt$ln=14,r=8,p=1$${text64("SodiumChloride")}$${base64(RFC7914_SCRYPT_16384)}`,
    ],
    [
      "RFC 7914 section 11",
      "passwd",
      `$pbkdf2-sha256$i=1,l=64$${text64("salt")}$${base64(RFC7914_PBKDF2)}`,
    ],
    [
      "RFC 6070's inputs with SHA-256",
      "password",
      `$pbkdf2-sha256$i=4096$${text64("salt")}$${base64("c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a")}`,
    ],
    [
      "RFC 6070's inputs with SHA-512",
      "password",
      `$pbkdf2-sha512$1$${text64("salt")}$${base64(SHA512_OF_ONE).replaceAll("+", ".")}`,
    ],
  ])("%s: %s", async (_source, password, hash) => {
    expect(() => checkImportedHash(hash)).not.toThrow();
    expect(await service.verifyPassword(password, hash)).toBe(true);
    expect(await service.verifyPassword(`${password.slice(0, -1)}~`, hash)).toBe(false);
    expect(service.needsRehash(hash)).toBe(true);
  });
});

const S = "c29tZXNhbHQ";
const D = "A".repeat(43);
const BCRYPT = `${"a".repeat(21)}O${"a".repeat(31)}`;

describe("what is out of range, or of no known form, is false without work, and an importer is told", () => {
  test.each<[hash: string, fault: RegExp]>([
    [`$argon2id$v=19$m=262145,t=2,p=1$${S}$${D}`, /memory.*expected 8 to 262144, came 262145/],
    [`$argon2id$v=19$m=4294967295,t=1,p=1$${S}$${D}`, /memory/],
    [`$argon2id$v=19$m=19456,t=11,p=1$${S}$${D}`, /passes.*expected 1 to 10, came 11/],
    [`$argon2id$v=19$m=262144,t=5,p=1$${S}$${D}`, /memory times passes/],
    [`$argon2id$v=19$m=19456,t=2,p=9$${S}$${D}`, /lanes.*expected 1 to 8, came 9/],
    [`$argon2id$v=19$m=15,t=2,p=2$${S}$${D}`, /memory.*expected 16/],
    [`$argon2id$v=19$m=19456,t=0,p=1$${S}$${D}`, /passes/],
    [`$argon2id$v=19$m=19456,t=2,p=1$${S}$AAAA`, /another form/],
    [`$argon2id$v=20$m=19456,t=2,p=1$${S}$${D}`, /another form/],
    [`$argon2id$m=19456,t=2,p=1$${S}$${D}`, /another form/],
    [`$2b$16$${BCRYPT}`, /bcrypt cost: expected 4 to 15, came 16/],
    [`$2b$31$${BCRYPT}`, /bcrypt cost/],
    [`$2b$03$${BCRYPT}`, /bcrypt cost/],
    [`$2x$12$${BCRYPT}`, /another form/],
    [`$2b$+9$${BCRYPT}`, /another form/],
    [`$2b$12$${"a".repeat(52)}`, /another form/],
    [`$2b$12$${BCRYPT}a`, /another form/],
    [`$2b$12$${"a".repeat(53)}`, /another form/],
    [`$2b$12$${"a".repeat(21)}O${"a".repeat(30)}b`, /another form/],
    [`$bulwark-bcrypt$k=${"k".repeat(16)}$2b$16$${BCRYPT}`, /bcrypt cost/],
    [`$bulwark-bcrypt$k=short$2b$12$${BCRYPT}`, /another form/],
    [`$scrypt$ln=20,r=8,p=1$${S}$${D}`, /scrypt memory/],
    [`$scrypt$ln=99,r=8,p=1$${S}$${D}`, /scrypt ln/],
    [`$scrypt$ln=17,r=1,p=1$${S}$${D}`, /scrypt ln: expected 1 to 15/],
    [`$scrypt$ln=14,r=8,p=999$${S}$${D}`, /scrypt work/],
    [`$scrypt$ln=14,r=4294967295,p=1$${S}$${D}`, /scrypt r/],
    [`$scrypt$ln=14,r=8,p=0$${S}$${D}`, /scrypt p/],
    [`$scrypt$ln=14,r=8,p=1$${S}$AAAA`, /bytes of hash: expected 16 to 64, came 3/],
    [`$pbkdf2-sha256$2000001$${S}$${D}`, /pbkdf2 iterations: expected 1 to 2000000/],
    [`$pbkdf2-sha256$1500000$${S}$${"A".repeat(86)}`, /iterations times blocks/],
    [`$pbkdf2-sha256$0$${S}$${D}`, /pbkdf2 iterations/],
    [`$pbkdf2-sha1$1000$${S}$${D}`, /another form/],
    [`$pbkdf2-sha256$1000$$${D}`, /another form/],
    ["5f4dcc3b5aa765d61d8327deb882cf99", /came another/],
    ["$6$salt$hash", /came another/],
    ["", /came another/],
    [`$2b$12$${"a".repeat(600)}`, /at most 512 characters, came 607/],
  ])("%s", async (hash, fault) => {
    const queue = new HashQueue({ places: 0 });
    const idle = new PasswordService({ queue });
    expect(await idle.verifyPassword("password", hash)).toBe(false);
    expect(() => checkImportedHash(hash)).toThrow(RangeError);
    expect(() => checkImportedHash(hash)).toThrow(fault);
  });

  test("the message shows neither salt nor digest", () => {
    for (const hash of [`$scrypt$ln=20,r=8,p=1$${S}$${D}`, `$2b$16$${BCRYPT}`]) {
      try {
        checkImportedHash(hash);
        expect.unreachable();
      } catch (error) {
        expect(String(error)).not.toMatch(/c29tZXNhbHQ|A{10}|a{10}/);
      }
    }
  });
});

// A hash that the library cannot read is refused in no time, which would tell who has no account.
describe("the hash of nobody's password is one that is worked on", () => {
  test.each([
    `$argon2id$v=19$m=19456,t=2,p=1$${S}$${D}`,
    `$2b$08$${BCRYPT}`,
    `$scrypt$ln=12,r=8,p=1$${S}$${D}`,
    `$pbkdf2-sha512$20000$${S}$${D}`,
  ])("%s", async (hash) => {
    const stored = readStoredHash(hash);
    if (stored === undefined) return expect.unreachable();
    const fastest = { stored: Number.POSITIVE_INFINITY, standIn: Number.POSITIVE_INFINITY };
    for (let i = 0; i < 8; i += 1) {
      const made = standIn(stored);
      expect(made.recipe).toBe(stored.recipe);
      if ("hash" in made) expect(readStoredHash(made.hash)).toMatchObject({ hash: made.hash });
      for (const [name, each] of [
        ["stored", stored],
        ["standIn", made],
      ] as const) {
        const started = performance.now();
        expect(await verifyStored("password", each, undefined)).toBe(false);
        fastest[name] = Math.min(fastest[name], performance.now() - started);
      }
    }
    // The difference to find is that between work and none.
    expect(fastest.standIn).toBeGreaterThan(fastest.stored / 10);
    return expect(fastest.standIn).toBeLessThan(fastest.stored * 10);
  });
});
