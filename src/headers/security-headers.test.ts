import { describe, expect, test } from "vitest";
import { apiHeaders } from "./api-headers.ts";
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
