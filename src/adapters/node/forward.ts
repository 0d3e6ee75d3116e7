/** What stands in for a web object, and makes the real one when it must. */
interface StandIn<T> {
  real(): T;
}

/**
 * forwardTo gives the prototype of a stand-in all that the web class has besides, asked of the real object; it then passes
 * `instanceof` too. What the stand-in has of its own, by `own` or as a method, stays.
 */
export function forwardTo<T extends object>(
  standIn: StandIn<T>,
  web: T,
  own: readonly string[],
): void {
  for (const name of Object.getOwnPropertyNames(web)) {
    if (own.includes(name) || Object.hasOwn(standIn, name)) continue;
    Object.defineProperty(standIn, name, {
      configurable: true,
      get(this: StandIn<T>): unknown {
        const real = this.real();
        const value: unknown = Reflect.get(real, name);
        return typeof value === "function" ? value.bind(real) : value;
      },
    });
  }
  Object.setPrototypeOf(standIn, web);
}
