import { hash } from "@node-rs/argon2";
import { beforeAll, describe, expect, test } from "vitest";
import { type HashCaller, HashQueue, PasswordService, RefusalDeadline } from "./index.ts";

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
    await expect(service.hashPassword("zk4!tq9w")).rejects.toMatchObject(refusal);
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
    const came: (string | HashCaller | undefined)[] = [];
    class Watched extends HashQueue {
      override run<T>(work: () => Promise<T>, from?: string | HashCaller): Promise<T> {
        came.push(from);
        return super.run(work, from);
      }
    }
    const queue = new Watched({ places, addressShare: 1 });
    return { service: new PasswordService({ queue }), queue, came };
  }

  test("has every hash and every verification go through it, the one of nobody too", async () => {
    const { service: own, came, queue } = watched(8);
    await own.hashPassword(PASSWORD, {}, "a");
    await own.rehashPassword(PASSWORD, "b");
    await own.verifyPassword(PASSWORD, stored, { address: "c", knownDevice: true });
    expect(await own.verifyNothing(PASSWORD, "d")).toBe(false);
    expect(came).toEqual(["a", "b", { address: "c", knownDevice: true }, "d"]);
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

describe("the time of a refusal", () => {
  const PBKDF2 = "$pbkdf2-sha256$8000$XAuBMIYQQogxRg$tRRlz8hYn63B9LYiCd6PRo6FMiunY9ozmMMI3srxeRE";
  const BCRYPT = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

  /** A service that tells which recipes were verified, and the delays that refusals asked for. */
  function measured(options: { slowestStored?: string } = {}) {
    const recipes: string[] = [];
    const delays: number[] = [];
    let now = 0;
    class Measured extends RefusalDeadline {
      override observe(recipe: string): void {
        recipes.push(recipe.split("$")[1] ?? "");
        // What one takes is made up: bcrypt is the slowest, PBKDF2 the fastest.
        const took = { "2a": 200, argon2id: 20 }[recipe.split("$")[1] ?? ""] ?? 5;
        super.observe(recipe, took);
      }
    }
    const deadline = new Measured({
      now: () => now,
      delay: async (ms) => {
        delays.push(ms);
      },
    });
    const own = new PasswordService({ deadline, ...options });
    return { own, recipes, delays, pass: (ms: number) => (now += ms) };
  }

  test("nothing is verified at the cost of the slowest hash in use", async () => {
    const { own, recipes } = measured();
    await own.verifyNothing(PASSWORD);
    await own.verifyPassword("password", PBKDF2);
    await own.verifyNothing(PASSWORD);
    await own.verifyPassword("U*U", BCRYPT);
    await own.verifyNothing(PASSWORD);
    // Beyond what bcrypt reads of a password, and still the work of one.
    await own.verifyNothing("\u00e9".repeat(100));
    expect(recipes).toEqual(["argon2id", "pbkdf2-sha256", "argon2id", "2a", "2a", "2a"]);
  });

  test("from the start on, where it is said which that is", async () => {
    const { own, recipes } = measured({ slowestStored: BCRYPT });
    await own.verifyPassword(PASSWORD, stored);
    await own.verifyNothing(PASSWORD);
    expect(recipes).toEqual(["argon2id", "2a"]);
    expect(() => new PasswordService({ slowestStored: "$2b$31$" })).toThrow(RangeError);
  });

  test("a password that bcrypt from elsewhere would cut costs a verification, and is refused", async () => {
    const { own, recipes } = measured();
    expect(await own.verifyPassword("x".repeat(73), BCRYPT)).toBe(false);
    expect(recipes).toEqual(["argon2id"]);
  });

  test("every refusal waits for one deadline from its start", async () => {
    const { own, delays, pass } = measured();
    await own.verifyPassword("U*U", BCRYPT);
    const [unknown, wrong] = [own.refusal(), own.refusal()];
    pass(20);
    await unknown.wait();
    pass(180);
    await wrong.wait();
    pass(1_000);
    await wrong.wait();
    expect(delays).toEqual([380, 200]);
  });

  test("by the clock of this machine, too", async () => {
    const deadline = new RefusalDeadline();
    const own = new PasswordService({ deadline });
    for (let i = 0; i < 5; i += 1) await own.verifyNothing(PASSWORD);
    const started = performance.now();
    const refusal = own.refusal();
    await own.verifyPassword("x".repeat(10_000), stored);
    await refusal.wait();
    const refused = performance.now() - started;
    // A timer of Node may fire a millisecond early.
    expect(refused).toBeGreaterThan(deadline.milliseconds - 2);
    expect(refused).toBeLessThan(deadline.milliseconds + 1_000);
  });
});
