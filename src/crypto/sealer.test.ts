import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createKeyRing, generateSecret, type SealContext, SealError, Sealer } from "./index.ts";

const [A, B] = [generateSecret(), generateSecret()];
const sealer = new Sealer(createKeyRing([A]));
const here: SealContext = { purpose: "totp", table: "t", column: "c", row: "1" };

test("what was sealed opens, whatever it was", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(new Uint8Array(sealer.open(sealer.seal(bytes, here), here))).toEqual(bytes);
    }),
  );
  expect(sealer.openText(sealer.seal("gr\u00fc\u00df", here), here)).toBe("gr\u00fc\u00df");
});

test("its form is version, key id, IV, ciphertext, tag", () => {
  const bytes = Buffer.from(sealer.seal("secret", here), "base64url");
  expect(bytes[0]).toBe(1);
  expect(bytes.byteLength).toBe(1 + 32 + 12 + 6 + 16);
  expect(bytes.includes("secret")).toBe(false);
  expect(bytes.subarray(1, 33)).toEqual(Buffer.from(createKeyRing([A]).sealing("totp")[0].id));
});

// The format as it is written down, read without a line of ours: it must open after every change of the code.
test("a value opens by HKDF, AES-256-GCM and the parts of its context, each with its length before it", () => {
  const secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
  const context = { purpose: "totp", tenant: "\u00e9", table: "users", column: "secret", row: "7" };
  const sealed = new Sealer(createKeyRing([secret])).seal("a secret", context);
  const bytes = Buffer.from(sealed, "base64url");
  const derived = (info: string): Buffer =>
    Buffer.from(
      hkdfSync("sha256", Buffer.from(secret, "base64url"), new Uint8Array(), `${info}\0totp`, 32),
    );
  const part = (text: string): Buffer => {
    const value = Buffer.from(text, "utf8");
    return Buffer.concat([Uint8Array.of(0, 0, 0, value.byteLength), value]);
  };
  const id = derived("bulwark sealing key id");
  expect(bytes.subarray(1, 33)).toEqual(id);
  const key = derived("bulwark sealing key");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(33, 45), {
    authTagLength: 16,
  });
  const parts = ["totp", "\u00e9", "users", "secret", "7"].map(part);
  decipher.setAAD(Buffer.concat([Uint8Array.of(1), id, ...parts]));
  decipher.setAuthTag(bytes.subarray(-16));
  const opened = Buffer.concat([decipher.update(bytes.subarray(45, -16)), decipher.final()]);
  expect(opened.toString("utf8")).toBe("a secret");
});

test.each<[what: string, context: Partial<SealContext>]>([
  ["another row", { row: "2" }],
  ["another column", { column: "d" }],
  ["another table", { table: "u" }],
  ["another purpose", { purpose: "mail" }],
  ["another tenant", { tenant: "x" }],
  ["parts that read the same in a row", { table: "tc", column: "" }],
  ["a part that moved", { table: "", column: "tc" }],
  ["a row that took a part of the column", { column: "", row: "c1" }],
  ["a tenant that took the table", { tenant: "t", table: "" }],
])("it does not open under %s", (_what, other) => {
  expect(() => sealer.open(sealer.seal("s", here), { ...here, ...other })).toThrow(SealError);
});

test("no byte of it may change, and none may be missing", () => {
  const sealed = sealer.seal("a secret", here);
  const bytes = Buffer.from(sealed, "base64url");
  for (let index = 0; index < bytes.byteLength; index += 1) {
    const changed = Buffer.from(bytes);
    changed[index] = (changed[index] ?? 0) ^ 1;
    expect(() => sealer.open(changed.toString("base64url"), here)).toThrow(SealError);
    expect(() => sealer.open(bytes.subarray(0, index).toString("base64url"), here)).toThrow(
      SealError,
    );
  }
});

test.each(["", " ", "AQ", "a=", "\u00e9", `${"A".repeat(100)}=`, "%", `${"A".repeat(99)} `])(
  "%j is none",
  (text) => {
    expect(() => sealer.open(text, here)).toThrow(new SealError());
    expect(() => sealer.open(`${sealer.seal("s", here)}${text || "="}`, here)).toThrow(SealError);
  },
);

test.each([0, 4, 8, 12, 15])("a tag of %d bytes is refused", (length) => {
  const key = createKeyRing([A]).sealing("totp")[0];
  const cipher = createCipheriv("aes-256-gcm", key.bytes, Buffer.alloc(12), { authTagLength: 16 });
  const body = Buffer.concat([cipher.update("secret"), cipher.final()]);
  const tag = cipher.getAuthTag().subarray(0, length);
  const short = Buffer.concat([Uint8Array.of(1), key.id, Buffer.alloc(12), body, tag]);
  expect(() => sealer.open(short.toString("base64url"), here)).toThrow(SealError);
});

describe("rotation", () => {
  const rotated = new Sealer(createKeyRing([B, A]));
  test("an older key still opens, and is told apart", () => {
    const sealed = sealer.seal("s", here);
    expect(rotated.openText(sealed, here)).toBe("s");
    expect([rotated.isCurrent(sealed, "totp"), sealer.isCurrent(sealed, "totp")]).toEqual([
      false,
      true,
    ]);
    expect(rotated.isCurrent(rotated.seal("s", here), "totp")).toBe(true);
  });
  test("a removed one does not", () => {
    const removed = new Sealer(createKeyRing([B]));
    expect(() => removed.open(sealer.seal("s", here), here)).toThrow(SealError);
  });
  test("the id of one key does not make another's value open", () => {
    const bytes = Buffer.from(rotated.seal("s", here), "base64url");
    Buffer.from(createKeyRing([A]).sealing("totp")[0].id).copy(bytes, 1);
    expect(() => rotated.open(bytes.toString("base64url"), here)).toThrow(SealError);
  });
});

test("no IV comes twice", () => {
  const ivs = Array.from({ length: 10_000 }, () =>
    Buffer.from(sealer.seal("", here), "base64url").subarray(33, 45).toString("hex"),
  );
  expect(new Set(ivs).size).toBe(ivs.length);
});
