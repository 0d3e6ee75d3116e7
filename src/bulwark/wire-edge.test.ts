import { describe, expect, test } from "vitest";
import { ConfigurationError } from "../core/index.ts";
import { type BulwarkConfig, resolveConfig } from "./config.ts";
import { configFromEnv } from "./config-from-env.ts";
import { wireHeaders } from "./wire-headers.ts";

const good: BulwarkConfig = { issuer: "https://api.example.com", emailVerification: "off" };
const APP = "https://app.example.com";

const problemsOf = (change: Readonly<Record<string, unknown>>): readonly string[] => {
  try {
    resolveConfig({ ...good, ...change } as BulwarkConfig);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).problems;
  }
  return [];
};

describe("whose pages may send our cookies", () => {
  test.each<[what: string, config: Partial<BulwarkConfig>, origins: readonly string[]]>([
    ["nobody's besides our own", {}, []],
    ["those of the exact origins", { origins: [APP] }, [APP]],
    ["not those of a suffix", { origins: [APP, "https://*.example.com"] }, [APP]],
    ["not anybody's", { origins: ["*"], cors: { credentials: false } }, []],
    [
      "nobody's where none may read with cookies",
      { origins: [APP], cors: { credentials: false } },
      [],
    ],
    ["those that are named, and no others", { origins: [APP], csrfOrigins: [] }, []],
    ["those that are named", { csrfOrigins: ["https://b.example"] }, ["https://b.example"]],
  ])("%s", (_what, config, origins) => {
    expect(resolveConfig({ ...good, ...config }).csrfOrigins).toEqual([good.issuer, ...origins]);
  });
});

describe("what is wrong is named", () => {
  test.each<[change: Readonly<Record<string, unknown>>, problem: string]>([
    [{ origins: ["null"] }, "origins[0]: expected an origin"],
    [{ origins: [APP, `${APP}/login`] }, "origins[1]: expected an origin"],
    [{ origins: ["*"] }, 'origins: expected exact origins beside credentials, came "*"'],
    [{ origins: ["http://app.example.com"] }, "origins[0]: expected an https origin in production"],
    [{ origins: ["http://localhost.evil.example"] }, "origins[0]: expected an https origin"],
    [{ csrfOrigins: ["http://app.example.com"] }, "csrfOrigins[0]: expected an https origin"],
    [{ origins: [APP], cors: { maxAge: "2d" } }, "cors.maxAge: expected whole seconds"],
    [{ cors: { allowedHeaders: ["*"] } }, "cors.allowedHeaders[0]: expected the name"],
    [{ csrfOrigins: ["https://*.example.com"] }, "csrfOrigins[0]: expected an exact origin"],
    [{ csrfOrigins: ["*"] }, "csrfOrigins[0]: expected an exact origin"],
    [{ insecureCsrfExempt: ["/hooks"] }, "insecureCsrfExempt[0]: expected a route"],
    [{ insecureCsrfExempt: ["POST /hooks/"] }, "insecureCsrfExempt[0]: expected a route"],
    [{ insecureCsrfExempt: ["* /hooks"] }, "insecureCsrfExempt[0]: expected a route"],
    [{ insecureCsrfExempt: ["POST /"] }, "insecureCsrfExempt[0]: expected a route"],
    [{ headers: { coep: "on" } }, "headers.coep: expected one of"],
    [{ headers: { hsts: { maxAge: "x" } } }, "headers.hsts.maxAge: expected"],
    [
      { headers: { pages: { directives: { "script-src": ["'unsafe-inline'"] } } } },
      "headers.script-src: expected a narrower source",
    ],
    [{ headers: { pages: { reports: "//evil.example" } } }, "headers.reportUri: expected a path"],
  ])("%j", (change, problem) => {
    expect(problemsOf(change).join()).toContain(problem);
  });
});

test("plain http is taken from this machine, in development, and where no cookie counts", () => {
  const plain = ["http://app.example.com"];
  expect(problemsOf({ origins: ["http://localhost:5173", "http://127.0.0.1:5173"] })).toEqual([]);
  expect(problemsOf({ origins: plain, cors: { credentials: false } })).toEqual([]);
  const local = { issuer: "http://localhost:3000", mode: "development", origins: plain };
  expect(problemsOf(local)).toEqual([]);
});

describe("BULWARK_ORIGINS", () => {
  const env = { BULWARK_ORIGINS: `${APP}, https://*.example.com`, BULWARK_DATA_DIR: "x" };

  test("is whose pages may read answers, and its exact entries may send our cookies", () => {
    const config = configFromEnv(env, { dev: true });
    expect(config.origins).toEqual([APP, "https://*.example.com"]);
    const { csrfOrigins } = resolveConfig(config);
    expect(csrfOrigins).toEqual(["http://localhost:3000", APP]);
  });

  test("BULWARK_CSRF_ORIGINS says otherwise", () => {
    const config = configFromEnv(
      { ...env, BULWARK_CSRF_ORIGINS: "https://b.example" },
      { dev: true },
    );
    expect(resolveConfig(config).csrfOrigins.slice(1)).toEqual(["https://b.example"]);
  });
});

describe("headers of an application", () => {
  const wired = (config: Partial<BulwarkConfig>) =>
    wireHeaders(resolveConfig({ ...good, ...config }));
  const local = { issuer: "http://localhost:3000", mode: "development" } as const;

  test("vary by Origin wherever CORS is configured, and nowhere else", () => {
    expect(wired({ origins: [APP] }).standing).toHaveProperty("vary", "Origin");
    expect(wired({}).standing).not.toHaveProperty("vary");
  });

  test("have HSTS in production alone, unless a proxy sends it", () => {
    const name = "strict-transport-security";
    expect(wired({}).standing[name]).toBe("max-age=31536000; includeSubDomains");
    expect(wired({}).page().headers[name]).toBe("max-age=31536000; includeSubDomains");
    expect(wired({ headers: { hsts: false } }).standing).not.toHaveProperty(name);
    expect(wired({ ...local, headers: { hsts: { preload: true } } }).standing).not.toHaveProperty(
      name,
    );
    expect(wired(local).page().headers).not.toHaveProperty(name);
  });

  test("tell a page's browser where to report, on plain http by the policy alone", () => {
    const { headers } = wired({}).page();
    expect(headers["reporting-endpoints"]).toBe('default="/api/reports"');
    expect(headers["content-security-policy"]).toContain(
      "report-uri /api/reports; report-to default",
    );
    const plain = wired(local).page().headers;
    expect(plain["content-security-policy"]).toContain("report-uri /api/reports");
    expect(plain["content-security-policy"]).not.toContain("report-to");
    expect(plain).not.toHaveProperty("reporting-endpoints");
    const silent = wired({ headers: { pages: { reports: false } } }).page().headers;
    expect(silent["content-security-policy"]).not.toContain("report");
  });

  test("are a page's with a nonce of its own", () => {
    const { page } = wired({});
    const [one, other] = [page(), page()];
    expect(one.nonce).not.toBe(other.nonce);
    expect(one.headers["content-security-policy"]).toContain(`'nonce-${one.nonce}'`);
  });
});
