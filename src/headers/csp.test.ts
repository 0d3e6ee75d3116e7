import { describe, expect, test } from "vitest";
import { contentSecurityPolicy, NONCE, type PolicyDirectives } from "./index.ts";

const CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

describe("contentSecurityPolicy", () => {
  test.each<[directives: PolicyDirectives, policy: string]>([
    [{}, CLOSED],
    [{ "default-src": ["'self'"] }, CLOSED.replace("'none'", "'self'")],
    [
      { "script-src": [NONCE, "'strict-dynamic'"] },
      `script-src 'nonce-{nonce}' 'strict-dynamic'; ${CLOSED}`,
    ],
    [
      { "script-src": ["'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"] },
      `script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; ${CLOSED}`,
    ],
    [
      { "img-src": ["'self'", "data:", "https:"], "connect-src": ["https://api.example.com:8443"] },
      `img-src 'self' data: https:; connect-src https://api.example.com:8443; ${CLOSED}`,
    ],
    [{ "frame-src": ["https://*.example.com"] }, `frame-src https://*.example.com; ${CLOSED}`],
    [{ "connect-src": ["http://localhost:3000"] }, `connect-src http://localhost:3000; ${CLOSED}`],
    [{ "connect-src": ["ws://127.0.0.1:3000"] }, `connect-src ws://127.0.0.1:3000; ${CLOSED}`],
    [{ "upgrade-insecure-requests": [] }, `upgrade-insecure-requests; ${CLOSED}`],
    [{ sandbox: ["allow-scripts"] }, `sandbox allow-scripts; ${CLOSED}`],
    [{ "report-uri": ["/api/reports"] }, `report-uri /api/reports; ${CLOSED}`],
  ])("%j is %s", (directives, policy) => {
    expect(contentSecurityPolicy(directives)).toBe(policy);
  });

  test.each<[directives: object, problem: string]>([
    [{ "script-src": ["'unsafe-inline'"] }, "script-src: expected a narrower source"],
    [{ "style-src": ["'unsafe-inline'"] }, "style-src: expected a narrower source"],
    [{ "script-src": ["'UNSAFE-INLINE'"] }, "script-src: expected a narrower source"],
    [{ "script-src": [NONCE, "'unsafe-eval'"] }, "insecureSources"],
    [{ "script-src": ["'wasm-unsafe-eval'"] }, "insecureSources"],
    [{ "script-src-attr": ["'unsafe-hashes'"] }, "insecureSources"],
    [{ "default-src": ["*"] }, "default-src: expected a narrower source"],
    [{ "img-src": ["*"] }, "img-src: expected a narrower source"],
    [{ "frame-ancestors": ["*"] }, "frame-ancestors: expected a narrower source"],
    [{ "base-uri": ["https:"] }, "base-uri: expected a narrower source"],
    [{ "script-src": ["https:"] }, "script-src: expected a narrower source"],
    [{ "script-src": ["data:"] }, "script-src: expected a narrower source"],
    [{ "worker-src": ["blob:"] }, "worker-src: expected a narrower source"],
    [{ "object-src": ["data:"] }, "object-src: expected a narrower source"],
    [{ "img-src": ["http:"] }, "img-src: expected a narrower source"],
    [{ "script-src": ["https://*"] }, "a host over HTTPS"],
    [{ "script-src": ["https://*:443"] }, "a host over HTTPS"],
    [{ "script-src": ["*:443"] }, "a host over HTTPS"],
    [{ "script-src": ["*.*"] }, "a host over HTTPS"],
    [{ "script-src": ["http://cdn.example.com"] }, "a host over HTTPS"],
    [{ "connect-src": ["ws://example.com"] }, "a host over HTTPS"],
    [{ "connect-src": ["http://localhost.evil.example"] }, "a host over HTTPS"],
    [{ "script-src": ["self"] }, "'self' in quotes"],
    [{ "script-src": ["none"] }, "'none' in quotes"],
    [{ "script-src": ["unsafe-inline"] }, "in quotes"],
    [{ "script-src": ["nonce-AAAAAAAAAAAAAAAAAAAAAA"] }, "in quotes"],
    [{ "script-src": ["'nonce-short'"] }, "a nonce of at least 128 bits"],
    [{ "script-src": ["'strict-dynamic'"] }, "a nonce or hash beside"],
    [{ "script-src": ["'none'", "'self'"] }, "'none' alone"],
    [{ "script-src": [] }, "at least one value"],
    [{ "script-src": ["'self'; img-src *"] }, "without white space, commas and semicolons"],
    [{ "script-src": ["'self',default-src"] }, "without white space, commas and semicolons"],
    [{ "script-src": ["'self'\r\nx-other: 1"] }, "without white space, commas and semicolons"],
    [{ "script-src": [""] }, "without white space, commas and semicolons"],
    [{ "script-src": ["https://\u00e9.example"] }, "without white space"],
    [{ "script-scr": ["'self'"] }, "script-scr: expected a directive"],
    [{ "Script-Src": ["'self'"] }, "Script-Src: expected a directive"],
    [{ "plugin-types": ["a/b"] }, "plugin-types: expected a directive"],
    [{ constructor: ["'self'"] }, "constructor: expected a directive"],
  ])("%j is refused", (directives, problem) => {
    expect(() => contentSecurityPolicy(directives)).toThrow(TypeError);
    expect(() => contentSecurityPolicy(directives)).toThrow(problem);
  });

  test("what is unsafe stands where it is named so", () => {
    const policy = contentSecurityPolicy(
      { "script-src": [NONCE] },
      { insecureSources: { "style-src": ["'unsafe-inline'"], "script-src": ["'unsafe-eval'"] } },
    );
    expect(policy).toBe(
      `script-src 'nonce-{nonce}' 'unsafe-eval'; style-src 'unsafe-inline'; ${CLOSED}`,
    );
    expect(contentSecurityPolicy({}, { insecureSources: { "default-src": ["*"] } })).toBe(
      "default-src *; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
  });

  test.each([["unsafe-inline"], ["'self'; x"], [" "]])("and is no way to write %j", (value) => {
    const options = { insecureSources: { "script-src": [value] } };
    expect(() => contentSecurityPolicy({}, options)).toThrow(TypeError);
  });
});
