import { countOf, durationOf, type Env } from "./env.ts";

/** ServerLimits are the limits of the Node server that variables set; `serve` of the Node adapter has these, and all others. */
export interface ServerLimits {
  /** Connections at once, in all. Default 10,000. */
  readonly maxConnections?: number | undefined;
  /** Connections at once from one address. Default 512. */
  readonly maxConnectionsPerAddress?: number | undefined;
  /** Header lines of a request. Default 100. */
  readonly maxHeaders?: number | undefined;
  /** Time for the whole request to arrive. Default 60s. */
  readonly requestTimeout?: string | undefined;
  /** How long a connection stays open without a request. Default 5s. */
  readonly keepAliveTimeout?: string | undefined;
  /** Time between the first word of a close, from which /health/ready is 503, and the end of listening. Default none. */
  readonly drainDelay?: string | undefined;
  /** Time that requests in flight get at a close. Default 10s. */
  readonly drainTimeout?: string | undefined;
}

/** serverLimitsOf reads them from the environment. */
export const serverLimitsOf = (env: Env, problems: string[]): ServerLimits => ({
  maxConnections: countOf(env, "BULWARK_MAX_CONNECTIONS", problems),
  maxConnectionsPerAddress: countOf(env, "BULWARK_MAX_CONNECTIONS_PER_ADDRESS", problems),
  maxHeaders: countOf(env, "BULWARK_MAX_HEADERS", problems),
  requestTimeout: durationOf(env, "BULWARK_REQUEST_TIMEOUT", problems),
  keepAliveTimeout: durationOf(env, "BULWARK_KEEP_ALIVE_TIMEOUT", problems),
  drainDelay: durationOf(env, "BULWARK_DRAIN_DELAY", problems),
  drainTimeout: durationOf(env, "BULWARK_DRAIN_TIMEOUT", problems),
});
