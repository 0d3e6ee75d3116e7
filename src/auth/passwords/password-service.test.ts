import { hash } from "@node-rs/argon2";
import { beforeAll, describe, expect, test } from "vitest";
import { HashQueue, PasswordService } from "./index.ts";

/** A promise, and what resolves it. */
function gate(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

const service = new PasswordService();
const PASSWORD = "correct horse battery";
let stored = "";
beforeAll(async () => {
  stored = await service.hashPassword(PASSWORD);
});

test("a hash is argon2id with 19 MiB, two passes and one lane, and salted", async () => {
  expect(stored).toMatch(
    /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
  );
  expect(await service.hashPassword(PASSWORD)).not.toBe(stored);
});

test.each<[password: string, verified: boolean]>([
  [PASSWORD, true],
  [`${PASSWORD} `, false],
  [PASSWORD.toUpperCase(), false],
  ["", false],
  ["x".repeat(513), false],
])("%j verifies: %s", async (password, verified) => {
  expect(await service.verifyPassword(password, stored)).toBe(verified);
});

// Okta 2024: bcrypt does not read past 72 bytes.
test("two passwords of 100 bytes that differ in the last one are two", async () => {
  const long = `${"abcdefghij".repeat(9)}123456789`;
  const made = await service.hashPassword(`${long}0`);
  expect(await service.verifyPassword(`${long}0`, made)).toBe(true);
  expect(await service.verifyPassword(`${long}1`, made)).toBe(false);
});

test("one text is one password, however it was composed", async () => {
  const made = await service.hashPassword("caf\u00e9 caf\u00e9 caf\u00e9!");
  expect(await service.verifyPassword("cafe\u0301 cafe\u0301 cafe\u0301!", made)).toBe(true);
});

test.each([
  "",
  "x",
  "hunter2",
  "$2b$12$dummy",
  "$argon2id$v=19$m=19456,t=2,p=1$",
  "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$",
  "$argon2id$v=16$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA",
  // What would take a verification hours or gigabytes.
  "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$aGFzaA",
  "$argon2id$v=19$m=19456,t=99,p=1$c2FsdHNhbHQ$aGFzaA",
  "$argon2id$v=19$m=19456,t=2,p=64$c2FsdHNhbHQ$aGFzaA",
  "$argon2id$v=19$m=99999999999,t=2,p=1$c2FsdHNhbHQ$aGFzaA",
])("a stored %j verifies nothing", async (hashed) => {
  expect(await service.verifyPassword(PASSWORD, hashed)).toBe(false);
});

describe("needsRehash", () => {
  test("not of a hash that is as new ones are", () =>
    expect(service.needsRehash(stored)).toBe(false));

  test.each([
    "$argon2id$v=19$m=4096,t=2,p=1$c2FsdA$aGFzaA",
    "$argon2id$v=19$m=19456,t=3,p=1$c2FsdA$aGFzaA",
    "$argon2id$v=19$m=194560,t=2,p=1$c2FsdA$aGFzaA",
    "$argon2i$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
    "$2b$12$abcdefghijklmnopqrstuv",
    "",
  ])("of %j", (hashed) => expect(service.needsRehash(hashed)).toBe(true));

  test("an older hash still verifies", async () => {
    const older = await hash(PASSWORD, { memoryCost: 4_096, timeCost: 1 });
    expect(service.needsRehash(older)).toBe(true);
    expect(await service.verifyPassword(PASSWORD, older)).toBe(true);
  });
});

describe("the policy", () => {
  test("refuses a new password, and names the fault", async () => {
    const refusal = {
      code: "VALIDATION_ERROR",
      details: [{ field: "password", code: "password_too_short" }],
    };
    await expect(service.hashPassword("short")).rejects.toMatchObject(refusal);
    const context = { email: "somebody@example.com" };
    await expect(service.hashPassword("somebody@example.com", context)).rejects.toMatchObject({
      details: [{ code: "password_guessable" }],
    });
  });

  test("does not stand in the way of one that was proved", async () => {
    const made = await service.rehashPassword("short");
    expect(await service.verifyPassword("short", made)).toBe(true);
  });
});

describe("the queue", () => {
  /** A service on a queue that tells who came, and is full where it should be. */
  function watched(places: number) {
    const came: (string | undefined)[] = [];
    class Watched extends HashQueue {
      override run<T>(work: () => Promise<T>, address?: string): Promise<T> {
        came.push(address);
        return super.run(work, address);
      }
    }
    const queue = new Watched({ places, addressShare: 1 });
    return { service: new PasswordService({ queue }), queue, came };
  }

  test("has every hash and every verification go through it, the one of nobody too", async () => {
    const { service: own, came, queue } = watched(8);
    await own.hashPassword(PASSWORD, {}, "a");
    await own.rehashPassword(PASSWORD, "b");
    await own.verifyPassword(PASSWORD, stored, "c");
    expect(await own.verifyNothing(PASSWORD, "d")).toBe(false);
    expect(came).toEqual(["a", "b", "c", "d"]);
    expect(queue.depth).toBe(0);
  });

  test("does not see what can be answered without work", async () => {
    const { service: own, came } = watched(8);
    await own.verifyPassword("x".repeat(10_000), stored);
    await own.verifyPassword(PASSWORD, "no hash");
    await own.hashPassword("short").catch(() => undefined);
    expect(came).toEqual([]);
  });

  test("refuses alike where there is a hash and where there is none", async () => {
    const { service: own, queue } = watched(1);
    const { promise, resolve } = gate();
    const holding = queue.run(() => promise);
    const full = { code: "SERVICE_UNAVAILABLE" };
    await expect(own.verifyPassword(PASSWORD, stored)).rejects.toMatchObject(full);
    await expect(own.verifyNothing(PASSWORD)).rejects.toMatchObject(full);
    await expect(own.hashPassword(PASSWORD)).rejects.toMatchObject(full);
    resolve();
    await holding;
  });

  test("is not held by a password that is no text", async () => {
    const { service: own, queue } = watched(2);
    for (let i = 0; i < 5; i += 1) {
      await expect(own.rehashPassword(undefined as unknown as string)).rejects.toThrow(TypeError);
    }
    expect(queue.depth).toBe(0);
    expect(await own.verifyPassword(PASSWORD, stored)).toBe(true);
  });
});
