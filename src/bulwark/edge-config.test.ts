import { describe, expect, test } from "vitest";
import { ConfigurationError } from "../core/index.ts";
import { type BulwarkConfig, resolveConfig } from "./config.ts";
import { configFromEnv } from "./config-from-env.ts";
import type { Env } from "./env.ts";

const good: BulwarkConfig = { issuer: "https://api.example.com", emailVerification: "off" };
const local = { issuer: "http://localhost:3000", mode: "development" } as const;
const trustedProxies = ["10.0.0.0/8"];

const problemsOf = (run: () => unknown): readonly string[] => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).problems;
  }
  return [];
};

describe("https is demanded", () => {
  test.each<[what: string, config: Partial<BulwarkConfig>, https: string]>([
    ["behind trusted proxies in production", { trustedProxies }, "required"],
    ["not where nobody could say how a request came", {}, "insecureOptional"],
    ["not in development", { ...local, trustedProxies }, "insecureOptional"],
    [
      "not where it is given up by name",
      { trustedProxies, https: "insecureOptional" },
      "insecureOptional",
    ],
    [
      "in development where it is asked for",
      { mode: "development", trustedProxies, https: "required" },
      "required",
    ],
  ])("%s", (_what, config, https) => {
    expect(resolveConfig({ ...good, ...config }).edge.https).toBe(https);
  });
});

describe("what is wrong is named: the field, what was expected, what came", () => {
  const DURATION = 'expected a duration such as "30s", "15m" or "1h"';
  test.each<[change: Readonly<Record<string, unknown>>, problems: readonly string[]]>([
    [{ https: "on" }, ['https: expected "required" or "insecureOptional", came "on"']],
    [{ https: "required" }, ['https: expected trustedProxies beside "required", came none']],
    [
      { ...local, https: "required", trustedProxies },
      ['https: expected an https issuer beside "required", came http://localhost:3000'],
    ],
    [
      { allowedAddresses: ["10.0.0.0/8", "10.0.0.0/33"] },
      ['allowedAddresses[1]: expected an address or CIDR range, came "10.0.0.0/33"'],
    ],
    [
      { allowedAddresses: [] },
      ["allowedAddresses: expected at least one address or CIDR range, came none"],
    ],
    [
      { deniedAddresses: ["evil.example"] },
      ['deniedAddresses[0]: expected an address or CIDR range, came "evil.example"'],
    ],
    [{ handlerTimeout: "30" }, [`handlerTimeout: ${DURATION}, came "30"`]],
    [{ handlerTimeout: "25d" }, ['handlerTimeout: expected at most "24h", came "25d"']],
    [{ loadShedding: "on" }, [`loadShedding: ${DURATION}, came "on"`]],
  ])("%j", (change, problems) => {
    expect(problemsOf(() => resolveConfig({ ...good, ...change } as BulwarkConfig))).toEqual(
      problems,
    );
  });
});

test("load shedding is switched off by name", () => {
  expect(resolveConfig({ ...good, loadShedding: "off" }).edge.loadThresholdMs).toBeUndefined();
  expect(resolveConfig({ ...good, loadShedding: "250ms" }).edge.loadThresholdMs).toBe(250);
});

describe("variables", () => {
  test("every one has its place", () => {
    const config = configFromEnv(
      {
        BULWARK_ALLOWED_ADDRESSES: "10.0.0.0/8, fd00::/8",
        BULWARK_DENIED_ADDRESSES: "10.6.6.6",
        BULWARK_HTTPS: "insecureOptional",
        BULWARK_HANDLER_TIMEOUT: "5s",
        BULWARK_LOAD_SHEDDING: "250ms",
        BULWARK_MAX_CONNECTIONS: "100",
        BULWARK_MAX_CONNECTIONS_PER_ADDRESS: "10",
        BULWARK_MAX_HEADERS: "50",
        BULWARK_REQUEST_TIMEOUT: "20s",
        BULWARK_KEEP_ALIVE_TIMEOUT: "65s",
        BULWARK_DRAIN_DELAY: "3s",
        BULWARK_DRAIN_TIMEOUT: "30s",
      },
      { dev: true },
    );
    expect(config).toMatchObject({
      allowedAddresses: ["10.0.0.0/8", "fd00::/8"],
      deniedAddresses: ["10.6.6.6"],
      https: "insecureOptional",
      handlerTimeout: "5s",
      loadShedding: "250ms",
      server: {
        maxConnections: 100,
        maxConnectionsPerAddress: 10,
        maxHeaders: 50,
        requestTimeout: "20s",
        keepAliveTimeout: "65s",
        drainDelay: "3s",
        drainTimeout: "30s",
      },
    });
    expect(configFromEnv({ BULWARK_LOAD_SHEDDING: "off" }, { dev: true }).loadShedding).toBe("off");
  });

  const TIME = 'expected a duration such as "30s", at most "24h"';
  test.each<[env: Env, problem: string]>([
    [
      { BULWARK_HTTPS: "yes" },
      'BULWARK_HTTPS: expected "required" or "insecureOptional", came "yes"',
    ],
    [{ BULWARK_HANDLER_TIMEOUT: "soon" }, `BULWARK_HANDLER_TIMEOUT: ${TIME}, came "soon"`],
    [{ BULWARK_HANDLER_TIMEOUT: "2d" }, `BULWARK_HANDLER_TIMEOUT: ${TIME}, came "2d"`],
    [
      { BULWARK_LOAD_SHEDDING: "on" },
      'BULWARK_LOAD_SHEDDING: expected a duration such as "1s", or "off", came "on"',
    ],
    [
      { BULWARK_MAX_CONNECTIONS: "0" },
      'BULWARK_MAX_CONNECTIONS: expected a whole number from 1, came "0"',
    ],
    [
      { BULWARK_MAX_CONNECTIONS_PER_ADDRESS: "1e3" },
      'BULWARK_MAX_CONNECTIONS_PER_ADDRESS: expected a whole number from 1, came "1e3"',
    ],
    [
      { BULWARK_MAX_HEADERS: "-1" },
      'BULWARK_MAX_HEADERS: expected a whole number from 1, came "-1"',
    ],
    [{ BULWARK_REQUEST_TIMEOUT: "60" }, `BULWARK_REQUEST_TIMEOUT: ${TIME}, came "60"`],
    [{ BULWARK_KEEP_ALIVE_TIMEOUT: "0s" }, `BULWARK_KEEP_ALIVE_TIMEOUT: ${TIME}, came "0s"`],
    [{ BULWARK_DRAIN_DELAY: "no" }, `BULWARK_DRAIN_DELAY: ${TIME}, came "no"`],
    [{ BULWARK_DRAIN_TIMEOUT: "1w" }, `BULWARK_DRAIN_TIMEOUT: ${TIME}, came "1w"`],
  ])("%j", (env, problem) => {
    expect(problemsOf(() => configFromEnv(env, { dev: true }))).toEqual([problem]);
  });
});
