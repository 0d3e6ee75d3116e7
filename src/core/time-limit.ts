import type { Awaitable } from "./awaitable.ts";
import { parseDuration } from "./duration.ts";
import { UnavailableError } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import type { Kernel } from "./kernel.ts";
import type { AnyRoutePolicy } from "./route.ts";

/** A longer timer would be none: it fires at once. */
const MAX_MS = 86_400_000;

/** What a stage or a handler may take that its route says nothing of. */
const HANDLER_TIMEOUT_MS = 30_000;

/** checkTimeout reads a time-out. Throws a RangeError that names the field only if it is none, or is longer than a day. */
export function checkTimeout(text: string, field: string): number {
  const milliseconds = parseDuration(text, field);
  if (milliseconds <= MAX_MS) return milliseconds;
  throw new RangeError(`${field}: expected at most "24h", came ${JSON.stringify(text)}`);
}

/** InTime goes on with what came of the work, or with a refusal as soon as its time is up. */
export type InTime = (
  exchange: Exchange,
  work: Promise<unknown>,
  settled: (value: unknown) => Awaitable<Response>,
  thrown: (error: unknown) => Awaitable<Response>,
) => Promise<Response>;

/**
 * limitTime bounds what stages and the handler of one route are waited for. When the time is up the answer is 503 and the request's
 * signal aborts; what comes of the work then is dropped, since nothing can stop it. What answers at once never sees a timer.
 * Throws a RangeError that names the route only if its policy's `handlerTimeout` is not one.
 */
export function limitTime(
  {
    kernel,
    method,
    policy,
  }: {
    readonly kernel: Kernel;
    readonly method: string | undefined;
    readonly policy: AnyRoutePolicy;
  },
  conclude: (exchange: Exchange, outcome: Error) => Awaitable<Response>,
): InTime {
  const name = `route ${method ?? "*"} ${policy.path}`;
  const milliseconds =
    policy.handlerTimeout === undefined
      ? (kernel.handlerTimeoutMs ?? HANDLER_TIMEOUT_MS)
      : checkTimeout(policy.handlerTimeout, `${name}: handlerTimeout`);

  const refuse = (exchange: Exchange): Awaitable<Response> => {
    kernel.edgeRefused?.("handler_timeout");
    exchange.abort(new DOMException("The time for the request is up.", "TimeoutError"));
    return conclude(exchange, new UnavailableError(`no answer within ${milliseconds} ms`));
  };
  const dropFailure = (exchange: Exchange, error: unknown): void => {
    if (error === exchange.signal.reason) return;
    const facts = { requestId: exchange.requestId, route: policy.path, err: error };
    kernel.log.warn(facts, "a handler failed after its time was up");
  };

  return (exchange, work, settled, thrown) =>
    new Promise((resolve, reject) => {
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        resolve(refuse(exchange));
      }, milliseconds);
      const goOn = (next: () => Awaitable<Response>): void => {
        clearTimeout(timer);
        try {
          resolve(next());
        } catch (error) {
          reject(error);
        }
      };
      work.then(
        (value) => {
          if (isLate) drop(value);
          else goOn(() => settled(value));
        },
        (error: unknown) => {
          if (isLate) dropFailure(exchange, error);
          else goOn(() => thrown(error));
        },
      );
    });
}

/** An answer that nobody waits for any more keeps what it was reading. */
function drop(value: unknown): void {
  if (value instanceof Response) value.body?.cancel().catch(() => {});
}
