import { monitorEventLoopDelay } from "node:perf_hooks";
import type { HashQueue } from "../auth/index.ts";
import type { Kernel, SecurityEvent } from "../core/index.ts";
import type { Counter, Metrics } from "../observability/index.ts";

/** wireMeter counts and times the answers of every route; its series are taken when a route is defined. */
export function wireMeter(metrics: Metrics): NonNullable<Kernel["meter"]> {
  return (method, route) => {
    const duration = metrics.histogram(
      "bulwark_http_request_duration_seconds",
      "Time from the parsed request to its answer.",
      { method, route },
    );
    const byStatus = new Map<number, Counter>();
    const counterOf = (status: number): Counter => {
      const counter = metrics.counter("bulwark_http_requests_total", "Answered requests.", {
        method,
        route,
        status: String(status),
      });
      byStatus.set(status, counter);
      return counter;
    };
    return (status, seconds) => {
      (byStatus.get(status) ?? counterOf(status)).add();
      duration.observe(seconds);
    };
  };
}

/** wireEventMeter counts security events by type and result. */
export function wireEventMeter(metrics: Metrics): (event: SecurityEvent) => void {
  return ({ type, result }) =>
    metrics
      .counter("bulwark_security_events_total", "Security events recorded.", { type, result })
      .add();
}

/** wireProcessMetrics registers what is read when the metrics are. */
export function wireProcessMetrics(metrics: Metrics, queue: HashQueue): void {
  metrics.gauge("bulwark_queue_depth", "Work waiting or running.", () => queue.depth, {
    queue: "password",
  });
  metrics.gauge("process_resident_memory_bytes", "Resident memory.", () =>
    process.memoryUsage.rss(),
  );
  metrics.gauge("process_uptime_seconds", "Time since the start.", () => process.uptime());
  const delay = monitorEventLoopDelay({ resolution: 20 });
  metrics.gauge("nodejs_eventloop_delay_p99_seconds", "Delay of the event loop.", () => {
    // The monitor costs a timer: it runs from the first reading on, and tells what came since the last one.
    delay.enable();
    const seconds = Number.isFinite(delay.percentile(99)) ? delay.percentile(99) / 1e9 : 0;
    delay.reset();
    return seconds;
  });
}
