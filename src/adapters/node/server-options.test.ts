import { expect, test } from "vitest";
import { type NodeServerLimits, serverLimits } from "./server-options.ts";

test("every limit has its default", () => {
  expect(serverLimits({})).toEqual({
    maxHeaderSize: 16_384,
    maxHeaders: 100,
    headersTimeout: 10_000,
    bodyTimeout: 10_000,
    requestTimeout: 60_000,
    writeTimeout: 30_000,
    keepAliveTimeout: 5_000,
    maxRequestsPerConnection: 10_000,
    maxRequestsInFlight: 32,
    drainDelay: 0,
    drainTimeout: 10_000,
    maxConnections: 10_000,
    maxConnectionsPerAddress: 512,
  });
});

test.each<[limits: NodeServerLimits, message: string]>([
  [{ maxHeaders: 0 }, "maxHeaders: expected a whole number from 1, came 0"],
  [{ maxConnections: 1.5 }, "maxConnections: expected a whole number from 1, came 1.5"],
  [{ maxRequestsInFlight: -1 }, "maxRequestsInFlight: expected a whole number from 1, came -1"],
  [{ maxHeaderSize: Number.NaN }, "maxHeaderSize: expected a whole number from 1, came NaN"],
  [
    { bodyTimeout: "10" },
    'bodyTimeout: expected a duration such as "30s", "15m" or "1h", came "10"',
  ],
  // A timer of more than 24.8 days fires at once.
  [{ requestTimeout: "25d" }, 'requestTimeout: expected at most "24h", came "25d"'],
  [{ drainDelay: "2d" }, 'drainDelay: expected at most "24h", came "2d"'],
])("%j is refused", (limits, message) => {
  expect(() => serverLimits(limits)).toThrow(new RangeError(message));
});
