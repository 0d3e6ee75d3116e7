import type { Awaitable } from "./awaitable.ts";
import type { RequestContext } from "./context.ts";
import type { Stage } from "./kernel.ts";

export type Handler<C, R> = (context: C) => Awaitable<R>;

/** The mark of a wrapped handler. Registered, so that two copies of this module know each other's. */
export const STAGE: unique symbol = Symbol.for("bulwark.stage") as never;

export interface Wrapped<C, R> extends Handler<C, R> {
  readonly [STAGE]: { readonly stage: Stage; readonly inner: Handler<never, R> };
}

/** Wrapper attaches a stage to a handler; `Need` is what the stage guarantees to it. */
export type Wrapper<Need = unknown> = <C extends RequestContext, R>(
  handler: Handler<C & Need, R>,
) => Wrapped<C, R>;

/**
 * wrapper makes the `requireX(...)(handler)` form of a stage. The wrapped handler does nothing by itself: the route
 * definition moves the stage to its phase, and a call without a pipeline throws a TypeError.
 */
export function wrapper<Need = unknown>(stage: Stage): Wrapper<Need> {
  return <C extends RequestContext, R>(handler: Handler<C & Need, R>): Wrapped<C, R> => {
    if (typeof handler !== "function") {
      throw new TypeError(`${stage.policy.name}(...): expected a handler, came ${typeof handler}`);
    }
    const outsideOfRoute = (): never => {
      throw new TypeError(
        `${stage.policy.name}(...): a wrapped handler runs only in a route; pass it to GET, POST, ...`,
      );
    };
    return Object.assign(outsideOfRoute, { [STAGE]: { stage, inner: handler } }) as Wrapped<C, R>;
  };
}

/** unwrap splits a handler from the stages around it, outermost first. */
export function unwrap<C, R>(
  handler: Handler<C, R>,
): { readonly stages: readonly Stage[]; readonly handler: Handler<C, R> } {
  const stages: Stage[] = [];
  let current: unknown = handler;
  for (;;) {
    const mark = (current as Partial<Wrapped<C, R>>)[STAGE];
    if (mark === undefined) return { stages, handler: current as Handler<C, R> };
    stages.push(mark.stage);
    current = mark.inner;
  }
}
