import {
  type Clock,
  clientAddressReader,
  hostCheck,
  type Kernel,
  type Log,
  type ProxyTrust,
  plainHttpReader,
  proxyCheck,
  type RefusalReason,
} from "../core/index.ts";
import type { Counter, Metrics } from "../observability/index.ts";
import type { ResolvedConfig } from "./config.ts";
import { addressListOf } from "./edge-config.ts";
import { LoadMonitor } from "./load-monitor.ts";

interface EdgeParts {
  readonly config: ResolvedConfig;
  readonly trust: ProxyTrust;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

type EdgeKernel = Pick<
  Kernel,
  | "addresses"
  | "clientAddress"
  | "edgeRefused"
  | "handlerTimeoutMs"
  | "https"
  | "isHostAllowed"
  | "isTrustedProxy"
  | "load"
>;

export interface WiredEdge {
  /** What of a kernel decides before a route does. */
  readonly kernel: EdgeKernel;
  open(): void;
  close(): void;
  readonly drain: () => void;
  readonly isDraining: () => boolean;
}

/** wireEdge makes what stands before the routes: hosts, addresses, https, the load, and how what they refuse is told. */
export function wireEdge({ config, trust, clock, log, metrics }: EdgeParts): WiredEdge {
  const { edge, issuer } = config;
  const load = wireLoad(edge.loadThresholdMs, log, metrics);
  let isDraining = false;
  const cameAsHttp = plainHttpReader(trust);
  return {
    kernel: {
      isHostAllowed: hostCheck(config.hosts),
      clientAddress: clientAddressReader(trust),
      isTrustedProxy: proxyCheck(trust),
      addresses: addressListOf(edge),
      https: edge.https === "required" ? { origin: issuer, cameAsHttp } : undefined,
      handlerTimeoutMs: edge.handlerTimeoutMs,
      load,
      edgeRefused: refusalTeller(clock, log, metrics),
    },
    open: () => load?.start(),
    close: () => load?.stop(),
    drain: () => {
      isDraining = true;
    },
    isDraining: () => isDraining,
  };
}

function wireLoad(
  thresholdMs: number | undefined,
  log: Log,
  metrics: Metrics,
): LoadMonitor | undefined {
  if (thresholdMs === undefined) return undefined;
  const load = new LoadMonitor({
    thresholdMs,
    onChange: (isShedding, delay) => {
      const facts = { delayMs: Math.round(delay), thresholdMs };
      if (isShedding) log.warn(facts, "requests are refused: the event loop is late");
      else log.info(facts, "requests are served again: the event loop is in time");
    },
  });
  metrics.gauge(
    "bulwark_load_shedding",
    "Whether requests are refused for the load: 1 or 0.",
    () => (load.isShedding ? 1 : 0),
  );
  metrics.gauge(
    "bulwark_load_delay_seconds",
    "Mean delay of the event loop, as load shedding reads it.",
    () => load.delayMs / 1_000,
  );
  return load;
}

/** What an operator wants to hear of, one by one. */
const LOGGED: ReadonlySet<RefusalReason> = new Set([
  "address",
  "connections",
  "connections_per_address",
  "denied_connection",
  "plain_http",
]);
const LINES_PER_MINUTE = 20;

/** refusalTeller counts refusals by their reason; of some it logs the first lines of each minute, and how many it left out. */
function refusalTeller(
  clock: Clock,
  log: Log,
  metrics: Metrics,
): (reason: RefusalReason, address?: string) => void {
  const counters = new Map<RefusalReason, Counter>();
  const told = new Map<RefusalReason, { minute: number; lines: number; omitted: number }>();
  return (reason, address) => {
    let counter = counters.get(reason);
    if (counter === undefined) {
      const help = "Requests and connections refused or cut before a route answered.";
      counter = metrics.counter("bulwark_edge_refusals_total", help, { reason });
      counters.set(reason, counter);
    }
    counter.add();
    if (!LOGGED.has(reason)) return;
    const minute = Math.floor(clock.now() / 60_000);
    const last = told.get(reason);
    const isNew = last === undefined || last.minute !== minute;
    const state = isNew ? { minute, lines: 0, omitted: 0 } : last;
    told.set(reason, state);
    if (state.lines >= LINES_PER_MINUTE) {
      state.omitted += 1;
      return;
    }
    state.lines += 1;
    const omitted = isNew ? (last?.omitted ?? 0) : 0;
    const facts = { reason, address, ...(omitted === 0 ? {} : { omitted }) };
    log.warn(facts, "refused before a route");
  };
}
