import { hash } from "@node-rs/bcrypt";
import { describe, expect, test } from "vitest";
import { createKeyRing, generateSecret } from "../../crypto/index.ts";
import { loadBcrypt } from "./bcrypt.ts";
import { PasswordService } from "./index.ts";

const PASSWORD = "correct horse battery";
const [old, newer] = [generateSecret(), generateSecret()];
const keys = createKeyRing([old]);
const service = new PasswordService({ algorithm: "bcrypt", keys });
const stored = await service.hashPassword(PASSWORD);
const inner = stored.slice(stored.indexOf("$2b$"));

describe("bcrypt, where it is chosen", () => {
  test("stands under a prefix that names the pepper's key, with cost 12", async () => {
    expect(stored).toMatch(/^\$bulwark-bcrypt\$k=[A-Za-z0-9_-]{16}\$2b\$12\$[./A-Za-z0-9]{53}$/);
    expect(await service.verifyPassword(PASSWORD, stored)).toBe(true);
    expect(await service.verifyPassword(`${PASSWORD}!`, stored)).toBe(false);
    expect(service.needsRehash(stored)).toBe(false);
  });

  test("tells passwords apart by what comes after a NUL", async () => {
    const made = await service.rehashPassword("one\0two");
    expect(await service.verifyPassword("one\0two", made)).toBe(true);
    expect(await service.verifyPassword("one\0three", made)).toBe(false);
    expect(await service.verifyPassword("one", made)).toBe(false);
  });

  test("is not shucked: neither kind of hash stands for the other", async () => {
    const bare = await hash(PASSWORD, 4);
    const prefix = stored.slice(0, stored.indexOf("$2b$"));
    expect(await service.verifyPassword(PASSWORD, bare)).toBe(true);
    expect(await service.verifyPassword(PASSWORD, `${prefix}${bare}`)).toBe(false);
    expect(await service.verifyPassword(PASSWORD, inner)).toBe(false);
  });

  test("is worth nothing without the pepper", async () => {
    const elsewhere = new PasswordService({ keys: createKeyRing([generateSecret()]) });
    const keyless = new PasswordService();
    const [id] = createKeyRing([newer]).derive("password pepper");
    const renamed = stored.replace(/k=[^$]+/, `k=${id.id}`);
    const others = new PasswordService({ keys: createKeyRing([newer]) });
    expect(await elsewhere.verifyPassword(PASSWORD, stored)).toBe(false);
    expect(await keyless.verifyPassword(PASSWORD, stored)).toBe(false);
    expect(await others.verifyPassword(PASSWORD, renamed)).toBe(false);
  });
});

describe("when the secret is rotated", () => {
  const rotated = new PasswordService({ algorithm: "bcrypt", keys: createKeyRing([newer, old]) });

  test("a hash of the older pepper verifies, and is to be made anew", async () => {
    expect(await rotated.verifyPassword(PASSWORD, stored)).toBe(true);
    expect(rotated.needsRehash(stored)).toBe(true);
    const anew = await rotated.rehashPassword(PASSWORD);
    expect(rotated.needsRehash(anew)).toBe(false);
    expect(await service.verifyPassword(PASSWORD, anew)).toBe(false);
  });
});

test("a change of algorithm or cost is a reason to hash anew, in both directions", async () => {
  const argon2 = new PasswordService({ keys });
  const dearer = new PasswordService({ algorithm: "bcrypt", bcryptCost: 13, keys });
  const made = await argon2.hashPassword(PASSWORD);
  expect(argon2.needsRehash(stored)).toBe(true);
  expect(await argon2.verifyPassword(PASSWORD, stored)).toBe(true);
  expect(service.needsRehash(made)).toBe(true);
  expect(await service.verifyPassword(PASSWORD, made)).toBe(true);
  expect(dearer.needsRehash(stored)).toBe(true);
});

test("the key ring is asked at the first use, and not where no bcrypt is", async () => {
  const closed = (): never => {
    throw new TypeError("the key ring is not open");
  };
  const unopened = new PasswordService({ keys: { derive: closed, sealing: closed } });
  const made = await unopened.hashPassword(PASSWORD);
  expect(await unopened.verifyPassword(PASSWORD, made)).toBe(true);
  expect(await unopened.verifyNothing(PASSWORD)).toBe(false);
  await expect(unopened.verifyPassword(PASSWORD, stored)).rejects.toThrow("not open");
});

describe("what is refused at construction", () => {
  test("bcrypt without a key ring", () => {
    expect(() => new PasswordService({ algorithm: "bcrypt" })).toThrow(TypeError);
  });

  test.each([11, 16, 12.5, Number.NaN])("a cost of %d", (bcryptCost) => {
    const options = { algorithm: "bcrypt", bcryptCost, keys } as const;
    expect(() => new PasswordService(options)).toThrow(/bcryptCost: expected 12 to 15, came/);
  });
});

describe("@node-rs/bcrypt is an optional peer", () => {
  test("whose absence is said with the remedy", async () => {
    const missing = Object.assign(new Error("Cannot find package"), {
      code: "ERR_MODULE_NOT_FOUND",
    });
    await expect(loadBcrypt(() => Promise.reject(missing))).rejects.toThrow(
      "@node-rs/bcrypt is not installed: npm install @node-rs/bcrypt",
    );
  });

  test("and whose other failures are its own", async () => {
    await expect(loadBcrypt(() => Promise.reject(new Error("bad binary")))).rejects.toThrow(
      "bad binary",
    );
  });
});
