import { checkTimeout } from "../../core/index.ts";

/** Limits of a Node server. Each has a default that stands without a word of configuration. */
export interface NodeServerLimits {
  /** Bytes of all headers of a request. Default 16 KiB. */
  readonly maxHeaderSize?: number | undefined;
  /** Header lines of a request. Default 100. */
  readonly maxHeaders?: number | undefined;
  /** Time for a request's headers to arrive, checked twice within it and every 5s at least. Default 10s. */
  readonly headersTimeout?: string | undefined;
  /** Longest time in which nothing of a body that is being read comes. Default 10s. */
  readonly bodyTimeout?: string | undefined;
  /** Time for the whole request to arrive, its body included. Default 60s. */
  readonly requestTimeout?: string | undefined;
  /** Longest time in which a client takes nothing of its answer. Default 30s. */
  readonly writeTimeout?: string | undefined;
  /** How long a connection stays open without a request. Default 5s. */
  readonly keepAliveTimeout?: string | undefined;
  /** Requests of one connection, the last of which is told that it is. Default 10,000. */
  readonly maxRequestsPerConnection?: number | undefined;
  /** Requests of one connection that wait for their answers; past that it is cut. Default 32. */
  readonly maxRequestsInFlight?: number | undefined;
  /** Time that a close goes on listening, so that whoever balances loads learns of it; each answer is the last of its connection. Default none. */
  readonly drainDelay?: string | undefined;
  /** Time that requests in flight get at a close. Default 10s. */
  readonly drainTimeout?: string | undefined;
  /** Connections at once, in all; those of trusted proxies are not counted. Default 10,000. */
  readonly maxConnections?: number | undefined;
  /** Connections at once from one address, an IPv6 /64 being one; those of trusted proxies are not counted. Default 512. */
  readonly maxConnectionsPerAddress?: number | undefined;
}

const NUMBERS = {
  maxHeaderSize: 16_384,
  maxHeaders: 100,
  maxRequestsPerConnection: 10_000,
  maxRequestsInFlight: 32,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 512,
} as const;

const DURATIONS = {
  headersTimeout: "10s",
  bodyTimeout: "10s",
  requestTimeout: "60s",
  writeTimeout: "30s",
  keepAliveTimeout: "5s",
  drainTimeout: "10s",
} as const;

/** The limits as numbers; times in milliseconds. */
export type ServerLimits = Readonly<
  Record<keyof typeof NUMBERS | keyof typeof DURATIONS | "drainDelay", number>
>;

/** serverLimits reads the limits once. Throws a RangeError that names the field only if one is out of range. */
export function serverLimits(given: NodeServerLimits): ServerLimits {
  const limits: Record<string, number> = {};
  for (const [name, standard] of Object.entries(NUMBERS)) {
    const value = given[name as keyof typeof NUMBERS] ?? standard;
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`${name}: expected a whole number from 1, came ${value}`);
    }
    limits[name] = value;
  }
  for (const [name, standard] of Object.entries(DURATIONS)) {
    limits[name] = checkTimeout(given[name as keyof typeof DURATIONS] ?? standard, name);
  }
  const { drainDelay } = given;
  limits["drainDelay"] = drainDelay === undefined ? 0 : checkTimeout(drainDelay, "drainDelay");
  return limits as ServerLimits;
}
