import { describe, expect, test } from "vitest";
import { cached } from "./cache.ts";
import type { BulwarkConfig } from "./config.ts";
import type { Bulwark } from "./create-bulwark.ts";

let closed = 0;
/** As much of an application as the cache sees. */
const make = (): Bulwark =>
  ({
    close: async () => {
      closed += 1;
    },
  }) as unknown as Bulwark;

const get = (config: Partial<BulwarkConfig> & { issuer: string }): Bulwark => cached(config, make);

describe("one application for one configuration", () => {
  test("whatever the order of its fields", () => {
    const one = get({ issuer: "https://a.example", version: "1", hosts: ["x"] });
    expect(get({ hosts: ["x"], version: "1", issuer: "https://a.example" })).toBe(one);
  });

  test.each<[what: string, config: BulwarkConfig]>([
    ["issuer", { issuer: "https://b.example" }],
    ["mode", { issuer: "https://a.example", mode: "development" }],
    ["secret", { issuer: "https://a.example", secret: "s" }],
    ["limits", { issuer: "https://a.example", limits: { login: { requests: 1, window: "1m" } } }],
  ])("another %s is another one", (_what, config) => {
    expect(get(config)).not.toBe(get({ issuer: "https://a.example" }));
    expect(get(config)).toBe(get(config));
  });

  test("two copies of this module share it", async () => {
    const one = get({ issuer: "https://c.example" });
    const holder = globalThis as { [key: symbol]: unknown };
    const cache = holder[Symbol.for("bulwark.applications")] as Map<string, Bulwark>;
    expect([...cache.values()]).toContain(one);
  });

  test("until it is closed", async () => {
    const one = get({ issuer: "https://d.example" });
    const before = closed;
    await one.close();
    expect(closed).toBe(before + 1);
    expect(get({ issuer: "https://d.example" })).not.toBe(one);
  });

  test.each<[what: string, own: Partial<BulwarkConfig>]>([
    ["clock", { clock: { now: () => 0 } }],
    ["log", { log: { info: () => {}, warn: () => {}, error: () => {} } }],
  ])("one with a %s of its own is made each time", (_what, own) => {
    const config = { issuer: "https://e.example", ...own };
    expect(get(config)).not.toBe(get(config));
  });
});
