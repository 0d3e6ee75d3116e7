import { expect, test } from "vitest";
import { pageHeaders, pageNonce } from "./index.ts";

test("the policy lets nothing run but what carries the nonce, and nothing in from elsewhere", () => {
  const nonce = pageNonce();
  const policy = pageHeaders({ nonce })["content-security-policy"] ?? "";
  expect(policy.split("; ")).toEqual([
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    `style-src 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]);
  expect(policy).not.toContain("unsafe");
});

test("a page keeps all other headers of an answer, HSTS in production", () => {
  const nonce = pageNonce();
  expect(pageHeaders({ nonce })).toMatchObject({
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  });
  expect(pageHeaders({ nonce })).not.toHaveProperty("strict-transport-security");
  expect(pageHeaders({ nonce, hsts: true })).toHaveProperty("strict-transport-security");
});

test.each(["", "short", "a b c d e f g h i j k l m n", "x'; script-src *; 'aaaaaaaaaaaaaaaaaaaaa"])(
  "%j is no nonce",
  (nonce) => expect(() => pageHeaders({ nonce })).toThrow(TypeError),
);

test("a nonce has 128 bits and is new every time", () => {
  const nonces = Array.from({ length: 100 }, pageNonce);
  expect(new Set(nonces).size).toBe(100);
  expect(atob(nonces[0] ?? "")).toHaveLength(16);
});
