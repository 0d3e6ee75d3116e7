import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { apiHeaders, type HeaderOptions } from "./api-headers.ts";
import { pageNonce } from "./page-headers.ts";
import { securityHeaders, setSecurityHeaders } from "./security-headers.ts";

const EXPECTED = {
  "content-security-policy":
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "x-xss-protection": "0",
  "cache-control": "no-store",
};

describe("apiHeaders", () => {
  test("are these", () => expect(apiHeaders()).toEqual(EXPECTED));

  // helmet#429: HSTS on plain-http development locks a browser out.
  test("have HSTS only where it is asked for", () => {
    expect(apiHeaders({ hsts: false })).toEqual(EXPECTED);
    expect(apiHeaders({ hsts: true })).toEqual({
      ...EXPECTED,
      "strict-transport-security": "max-age=31536000; includeSubDomains",
    });
  });

  test.each<[options: HeaderOptions, changed: Record<string, string>]>([
    [{ coep: "require-corp" }, { "cross-origin-embedder-policy": "require-corp" }],
    [{ coep: "credentialless" }, { "cross-origin-embedder-policy": "credentialless" }],
    [
      { coop: "same-origin-allow-popups" },
      { "cross-origin-opener-policy": "same-origin-allow-popups" },
    ],
    [{ corp: "cross-origin" }, { "cross-origin-resource-policy": "cross-origin" }],
    [{ referrerPolicy: "strict-origin" }, { "referrer-policy": "strict-origin" }],
    [
      { permissions: { camera: ["self"], fullscreen: ["https://app.example.com"], midi: [] } },
      {
        "permissions-policy":
          'camera=(self), geolocation=(), microphone=(), payment=(), usb=(), fullscreen=("https://app.example.com"), midi=()',
      },
    ],
    [
      { hsts: { maxAge: 15_552_000 } },
      { "strict-transport-security": "max-age=15552000; includeSubDomains" },
    ],
    [{ hsts: { includeSubDomains: false } }, { "strict-transport-security": "max-age=31536000" }],
    [
      { hsts: { preload: true } },
      { "strict-transport-security": "max-age=31536000; includeSubDomains; preload" },
    ],
  ])("with %j differ by %j", (options, changed) => {
    expect(apiHeaders(options)).toEqual({ ...EXPECTED, ...changed });
  });

  test.each<[options: unknown, problem: string]>([
    [{ coep: "unsafe-none" }, "coep: expected one of require-corp, credentialless"],
    [{ coop: "unsafe-none" }, "coop: expected one of same-origin"],
    [{ corp: "*" }, "corp: expected one of same-origin"],
    [{ referrerPolicy: "unsafe-url" }, "referrerPolicy: expected one of no-referrer"],
    [{ permissions: { "camera=*, usb": [] } }, "permissions: expected the name of a feature"],
    [{ permissions: { camera: ["*"] } }, 'permissions.camera: expected "self" or an origin'],
    [{ permissions: { camera: ["https://a.example/"] } }, "permissions.camera: expected"],
    [{ hsts: { maxAge: "365d" } }, "hsts.maxAge: expected whole seconds"],
    [{ hsts: { maxAge: -1 } }, "hsts.maxAge: expected whole seconds"],
    [{ hsts: { preload: true, maxAge: 2_592_000 } }, "hsts.preload: expected"],
    [{ hsts: { preload: true, includeSubDomains: false } }, "hsts.preload: expected"],
  ])("%j is refused", (options, problem) => {
    expect(() => apiHeaders(options as HeaderOptions)).toThrow(problem);
  });

  test("leave out what broke pages or did harm", () => {
    const all = JSON.stringify(apiHeaders({ hsts: true }));
    expect(all).not.toMatch(
      /embedder-policy|upgrade-insecure-requests|unsafe-(?:inline|eval)|1; mode/,
    );
  });

  test("cannot be changed by who shares them", () => {
    expect(Object.isFrozen(apiHeaders())).toBe(true);
  });
});

describe("on a response", () => {
  test("all stand, over weaker ones", () => {
    const response = new Response(null, {
      headers: { "x-frame-options": "ALLOWALL", "x-own": "1" },
    });
    expect(setSecurityHeaders(response)).toBe(response);
    expect(Object.fromEntries(response.headers)).toEqual({ ...EXPECTED, "x-own": "1" });
  });

  test("a page's own policy and cache stand", () => {
    const own = { "content-security-policy": "default-src 'self'", "cache-control": "public" };
    const response = setSecurityHeaders(new Response(null, { headers: own }));
    expect(Object.fromEntries(response.headers)).toEqual({ ...EXPECTED, ...own });
  });

  test("of node:http too", () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    response.setHeader("X-Frame-Options", "ALLOWALL").setHeader("cache-control", "public");
    expect(setSecurityHeaders(response)).toBe(response);
    expect({ ...response.getHeaders() }).toEqual({ ...EXPECTED, "cache-control": "public" });
  });

  test("with a nonce it is a page's", () => {
    const nonce = pageNonce();
    const response = setSecurityHeaders(new Response("<p>"), { nonce });
    expect(response.headers.get("content-security-policy")).toContain(`'nonce-${nonce}'`);
    expect(response.headers.get("x-frame-options")).toBe("DENY");
  });

  test("securityHeaders makes another one, with the same status and body", async () => {
    const response = new Response("hi", {
      status: 418,
      statusText: "Teapot",
      headers: { "x-own": "1" },
    });
    response.headers.append("set-cookie", "a=1");
    response.headers.append("set-cookie", "b=2");
    const copy = securityHeaders(response, { hsts: true });
    expect(response.headers.has("x-frame-options")).toBe(false);
    expect([copy.status, copy.statusText, await copy.text()]).toEqual([418, "Teapot", "hi"]);
    expect(copy.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(copy.headers.get("strict-transport-security")).not.toBeNull();
  });

  test("one whose headers cannot be changed is copied, or refused", async () => {
    const fetched = await fetch("data:text/plain,hi");
    expect(() => setSecurityHeaders(fetched)).toThrow(TypeError);
    const copy = securityHeaders(fetched);
    expect(copy.headers.get("x-frame-options")).toBe("DENY");
    expect(await copy.text()).toBe("hi");
  });
});
