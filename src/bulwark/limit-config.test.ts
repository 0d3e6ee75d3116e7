import { describe, expect, test } from "vitest";
import { RateLimiter } from "../rate-limit/index.ts";
import { DEFAULT_LIMITS, type LimitConfig, namedPolicies } from "./limit-config.ts";

const policyOf = (name: string, limits: Readonly<Record<string, LimitConfig>> = {}) =>
  namedPolicies({ ...DEFAULT_LIMITS, ...limits })[name];

describe("limits by name", () => {
  test.each([
    ["address", 6_000, "local", false],
    ["address-48", 24_000, "local", true],
    ["address-32", 96_000, "local", true],
    ["login", 100, "deny", false],
    ["login-48", 400, "deny", true],
    ["login-32", 1_600, "deny", true],
    ["register", 30, "deny", false],
    ["anonymous", 600, "local", false],
    ["user", 1_200, "local", false],
    ["mail", 5, "deny", true],
  ])("%s: %i, %s, hidden %s", (name, requests, onFailure, isHidden) => {
    const policy = policyOf(name);
    expect(policy).toMatchObject({ name, requests, onFailure });
    expect(policy?.isHidden === true).toBe(isHidden);
  });

  test("what is configured of a limit stands, and what is not is its own default", () => {
    expect(policyOf("login", { login: { requests: 5, window: "1s" } })).toMatchObject({
      requests: 5,
      windowMs: 1_000,
      onFailure: "deny",
    });
    const open = { requests: 5, window: "1s", onFailure: "insecureAllow" } as const;
    expect(policyOf("login-48", { login: open })).toMatchObject({ onFailure: "insecureAllow" });
    const shown = { requests: 5, window: "1h", isHidden: false };
    expect(policyOf("mail", { mail: shown })?.isHidden).toBe(false);
  });

  test("a log above a network keeps no more requests than a log can", () => {
    const login = { requests: 9_000, window: "1h", algorithm: "sliding-window-log" } as const;
    const limiter = new RateLimiter();
    for (const name of ["login", "login-48", "login-32"]) {
      const policy = policyOf(name, { login });
      expect(policy?.requests).toBe(name === "login" ? 9_000 : 10_000);
      if (policy !== undefined) expect(limiter.decide([{ policy, key: "a" }]).allowed).toBe(true);
    }
  });
});
