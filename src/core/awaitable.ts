export type Awaitable<T> = T | Promise<T>;

/** isPromise tells a promise from a value, so that a value costs no turn of the event loop. */
export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return (
    typeof value === "object" && value !== null && typeof (value as Promise<T>).then === "function"
  );
}
