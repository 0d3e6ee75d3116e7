import { describe, expect, test } from "vitest";
import { createKeyRing, generateSecret } from "../crypto/index.ts";
import { CSRFProtection, crossSiteDecision } from "./index.ts";

const allowed = new Set(["https://api.example.com", "https://app.example.com"]);

describe("a request that carries cookies", () => {
  test.each<
    [method: string, site: string | null, mode: string | null, origin: string | null, said: string]
  >([
    ["GET", "cross-site", "no-cors", "https://evil.example", "pass"],
    ["HEAD", null, null, null, "pass"],
    ["POST", "same-origin", "cors", "https://api.example.com", "pass"],
    ["POST", "same-origin", null, null, "pass"],
    ["POST", "none", "navigate", null, "pass"],
    ["POST", "none", "cors", null, "refuse"],
    ["POST", "same-site", "cors", null, "refuse"],
    ["POST", "same-site", "cors", "https://app.example.com", "pass"],
    ["POST", "same-site", "cors", "https://other.example.com", "refuse"],
    ["POST", "cross-site", "cors", null, "refuse"],
    ["POST", "cross-site", "no-cors", "null", "refuse"],
    ["POST", "something", "cors", null, "refuse"],
    ["POST", null, null, "https://api.example.com", "pass"],
    ["POST", null, null, "https://app.example.com", "pass"],
    ["POST", null, null, "http://api.example.com", "refuse"],
    ["POST", null, null, "https://api.example.com:8443", "refuse"],
    ["POST", null, null, "https://api.example.com.evil.example", "refuse"],
    ["POST", null, null, "null", "refuse"],
    ["POST", null, null, "", "refuse"],
    ["PUT", null, null, null, "token"],
    ["DELETE", null, null, null, "token"],
    ["PURGE", "cross-site", null, null, "refuse"],
  ])("%s, site %s, mode %s, origin %s: %s", (method, site, mode, origin, said) => {
    expect(crossSiteDecision({ method, site, mode, origin }, allowed)).toBe(said);
  });
});

describe("a token", () => {
  const [older, newer] = [generateSecret(), generateSecret()];
  const csrf = new CSRFProtection({ keys: createKeyRing([older]) });

  test("is good for its session alone, and another text each time", () => {
    const tokens = Array.from({ length: 50 }, () => csrf.generateToken("a"));
    expect(new Set(tokens).size).toBe(50);
    expect(tokens.every((token) => csrf.validateToken("a", token))).toBe(true);
    expect(tokens.some((token) => csrf.validateToken("b", token))).toBe(false);
  });

  test("outlives a rotation, and not the secret that made it", () => {
    const token = csrf.generateToken("a");
    const rotated = new CSRFProtection({ keys: createKeyRing([newer, older]) });
    expect(rotated.validateToken("a", token)).toBe(true);
    const removed = new CSRFProtection({ keys: createKeyRing([newer]) });
    expect(removed.validateToken("a", token)).toBe(false);
  });

  test("is refused with any character changed, cut or added", () => {
    const token = csrf.generateToken("a");
    for (let index = 0; index < token.length; index += 1) {
      const other = token[index] === "A" ? "B" : "A";
      const changed = `${token.slice(0, index)}${other}${token.slice(index + 1)}`;
      // The last character holds bits that mean nothing: another one may stand for the same bytes.
      if (index < token.length - 1) expect(csrf.validateToken("a", changed)).toBe(false);
    }
    for (const wrong of ["", "x", token.slice(1), `${token}A`, `${token} `, ` ${token}`]) {
      expect(csrf.validateToken("a", wrong)).toBe(false);
    }
    expect(csrf.validateToken("a", null)).toBe(false);
  });

  test("needs a session", () => {
    expect(() => csrf.generateToken("")).toThrow("session: expected an identifier");
    expect(csrf.validateToken("", csrf.generateToken("a"))).toBe(false);
  });
});
