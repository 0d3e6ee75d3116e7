import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigurationError } from "../core/index.ts";
import { type CORSOptions, createCORSPolicy } from "./index.ts";

const APP = "https://app.example.com";
const policy = createCORSPolicy({
  origins: [
    APP,
    "http://localhost:5173",
    "https://*.preview.example.com",
    "https://*.example.org:8443",
  ],
});

/** What an origin is told: with credentials, without, or nothing. */
const told = (origin: string, of = policy): string => {
  const headers = of.headersFor(origin);
  if (headers === undefined) return "nothing";
  expect(headers["access-control-allow-origin"]).toBe(origin);
  return headers["access-control-allow-credentials"] === "true" ? "with cookies" : "without";
};

describe("30 origins", () => {
  test.each<[origin: string, said: "with cookies" | "without" | "nothing"]>([
    [APP, "with cookies"],
    ["http://localhost:5173", "with cookies"],
    ["https://a.preview.example.com", "without"],
    ["https://a.b.preview.example.com", "without"],
    ["https://a.example.org:8443", "without"],
    // Another scheme, port or spelling is another origin.
    ["http://app.example.com", "nothing"],
    ["https://app.example.com:443", "nothing"],
    ["https://app.example.com:8443", "nothing"],
    ["https://app.example.com/", "nothing"],
    ["https://app.example.com.", "nothing"],
    ["https://APP.example.com", "nothing"],
    ["HTTPS://app.example.com", "nothing"],
    [" https://app.example.com", "nothing"],
    ["https://app.example.com https://evil.example", "nothing"],
    ["https://app.example.com, https://app.example.com", "nothing"],
    ["http://localhost", "nothing"],
    // What only looks alike.
    ["https://app.example.com.evil.example", "nothing"],
    ["https://evil-app.example.com", "nothing"],
    ["https://evilapp.example.com", "nothing"],
    ["https://appXexample.com", "nothing"],
    ["https://app.example.com@evil.example", "nothing"],
    ["https://user@app.example.com", "nothing"],
    ["https://evil.example#app.example.com", "nothing"],
    // Below a suffix, or not.
    ["https://preview.example.com", "nothing"],
    ["https://evilpreview.example.com", "nothing"],
    ["https://a.preview.example.com.evil.example", "nothing"],
    ["https://a.preview.example.com.", "nothing"],
    ["http://a.preview.example.com", "nothing"],
    ["https://a.preview.example.com:8443", "nothing"],
    ["https://a.example.org", "nothing"],
    ["https://.preview.example.com", "nothing"],
    ["https://evil.example\\.preview.example.com", "nothing"],
    ["https://evil.example%2f.preview.example.com", "nothing"],
    ["https://evil.example/.preview.example.com", "nothing"],
    // No origin at all.
    ["null", "nothing"],
    ["", "nothing"],
    ["*", "nothing"],
    ["file://", "nothing"],
    ["chrome-extension://abcdefghijklmnop", "nothing"],
    ["https://*.preview.example.com", "nothing"],
    [`https://${"a".repeat(400)}.preview.example.com`, "nothing"],
  ])("%s is told %s", (origin, said) => {
    expect(told(origin)).toBe(said);
    // A pattern with a state of its own would answer otherwise the second time.
    expect(told(origin)).toBe(said);
  });
});

test("whatever stands for an origin, what is told it is its own text, and its host below the suffix", () => {
  const part = fc.constantFrom(
    "https://",
    "a.",
    ".preview.example.com",
    APP,
    ":8443",
    "/",
    "@",
    "evil.example",
  );
  const text = fc.array(fc.oneof(part, fc.string({ maxLength: 3 })), { maxLength: 5 });
  fc.assert(
    fc.property(text, (parts) => {
      const origin = parts.join("");
      const headers = policy.headersFor(origin);
      if (headers === undefined || origin === APP) return;
      expect(headers["access-control-allow-origin"]).toBe(origin);
      expect(headers).not.toHaveProperty("access-control-allow-credentials");
      const { hostname, protocol } = new URL(origin);
      expect(protocol).toBe("https:");
      expect(hostname).toMatch(/\.preview\.example\.com$|\.example\.org$/);
    }),
    { numRuns: 2_000 },
  );
});

test("`*` is for anyone, never with cookies, and never for `null`", () => {
  const open = createCORSPolicy({ origins: ["*"], credentials: false });
  expect(open.headersFor("https://evil.example")).toMatchObject({
    "access-control-allow-origin": "*",
  });
  expect(open.headersFor("https://evil.example")).not.toHaveProperty(
    "access-control-allow-credentials",
  );
  expect(open.headersFor("null")).toBeUndefined();
});

test("without credentials no origin has them", () => {
  expect(told(APP, createCORSPolicy({ origins: [APP], credentials: false }))).toBe("without");
});

describe("what is not allowed is refused at the start", () => {
  test.each<[options: CORSOptions, problem: string]>([
    [{ origins: ["*"] }, 'origins: expected exact origins beside credentials, came "*"'],
    [{ origins: ["*", APP], credentials: false }, 'origins: expected "*" alone'],
    [{ origins: ["null"] }, "origins[0]: expected an origin"],
    [{ origins: [""] }, "origins[0]: expected an origin"],
    [{ origins: [APP, `${APP}/`] }, "origins[1]: expected an origin"],
    [{ origins: [`${APP}/path`] }, "without a path"],
    [{ origins: [`${APP}?q`] }, "origins[0]: expected an origin"],
    [{ origins: [`${APP}#f`] }, "origins[0]: expected an origin"],
    [{ origins: ["https://user@app.example.com"] }, "origins[0]: expected an origin"],
    [{ origins: ["https://app.example.com:443"] }, "origins[0]: expected an origin"],
    [{ origins: ["https://App.example.com"] }, "in lower case"],
    [{ origins: ["app.example.com"] }, "origins[0]: expected an origin"],
    [{ origins: ["//app.example.com"] }, "origins[0]: expected an origin"],
    [{ origins: ["ftp://app.example.com"] }, "origins[0]: expected an origin"],
    [{ origins: ["https://*"] }, "a whole host"],
    [{ origins: ["https://*.com"] }, "a whole host"],
    [{ origins: ["https://*example.com"] }, "a whole host"],
    [{ origins: ["https://a.*.example.com"] }, "a whole host"],
    [{ origins: ["https://*.*.example.com"] }, "a whole host"],
    [{ origins: ["https://*.example.com/"] }, "a whole host"],
    [{ origins: ["*.example.com"] }, "a whole host"],
    [{ origins: ["https://*.127.0.0.1"] }, "a whole host"],
    [{ origins: [/example/ as unknown as string] }, "an origin as a text"],
    [{ origins: [APP], allowedHeaders: ["*"] }, "allowedHeaders[0]: expected the name of a header"],
    [{ origins: [APP], allowedHeaders: ["x y"] }, "allowedHeaders[0]"],
    [{ origins: [APP], exposedHeaders: ["*"] }, "exposedHeaders[0]"],
    [{ origins: [APP], exposedHeaders: ["a\r\nb"] }, "exposedHeaders[0]"],
    [{ origins: [APP], maxAge: "2d" }, "maxAge: expected whole seconds, at most 24h, came 2d"],
    [{ origins: [APP], maxAge: "1500ms" }, "maxAge: expected whole seconds"],
    [{ origins: [APP], maxAge: "forever" }, "maxAge: expected"],
  ])("%j", (options, problem) => {
    expect(() => createCORSPolicy(options)).toThrow(ConfigurationError);
    expect(() => createCORSPolicy(options)).toThrow(problem);
  });

  test("`https://*.localhost` may stand, for a machine of one's own", () => {
    const local = createCORSPolicy({ origins: ["http://*.localhost:5173"] });
    expect(told("http://a.localhost:5173", local)).toBe("without");
  });
});

describe("a preflight", () => {
  const asked = {
    origin: APP,
    method: "PATCH",
    headers: "content-type,x-csrf-token",
    privateNetwork: false,
    methods: ["GET", "HEAD", "PATCH"],
  };

  test("of a listed origin gets all that it may do", () => {
    expect(policy.preflight(asked)).toEqual({
      "access-control-allow-origin": APP,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET, HEAD, PATCH",
      "access-control-allow-headers":
        "authorization, content-type, x-api-key, x-csrf-token, x-request-id",
      "access-control-expose-headers":
        "x-request-id, retry-after, ratelimit, ratelimit-policy, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset",
      "access-control-max-age": "7200",
      vary: "Access-Control-Request-Method, Access-Control-Request-Headers",
    });
  });

  test.each<[what: string, change: Partial<typeof asked>, allowed: boolean]>([
    ["no header", { headers: null as never }, true],
    ["an empty list", { headers: "" }, true],
    ["spaces and capitals", { headers: "Content-Type , X-CSRF-Token" }, true],
    ["below a suffix", { origin: "https://a.preview.example.com" }, true],
    ["a foreign origin", { origin: "https://evil.example" }, false],
    ["no origin of its own", { origin: "null" }, false],
    ["a method that the path does not know", { method: "DELETE" }, false],
    ["a method in lower case", { method: "patch" }, false],
    ["no method", { method: "" }, false],
    ["a header that is not listed", { headers: "content-type,x-other" }, false],
    ["a name with nothing in it", { headers: "content-type,,x-csrf-token" }, false],
    ["every header", { headers: "*" }, false],
    ["a prototype's name", { headers: "constructor" }, false],
    ["a list without end", { headers: "content-type,".repeat(500) }, false],
    ["a private network", { privateNetwork: true }, false],
  ])("with %s", (_what, change, allowed) => {
    const answer = policy.preflight({ ...asked, ...change });
    expect(answer instanceof Error).toBe(!allowed);
  });

  test("a private network is opened by name alone", () => {
    const open = createCORSPolicy({ origins: [APP], privateNetwork: true });
    expect(open.preflight({ ...asked, privateNetwork: true })).toMatchObject({
      "access-control-allow-private-network": "true",
    });
    expect(open.preflight(asked)).not.toHaveProperty("access-control-allow-private-network");
  });
});
