import type { BulwarkConfig } from "./config.ts";

const CACHE = Symbol.for("bulwark.applications");

interface Closable {
  close(): Promise<void>;
}

/**
 * cached returns the application that this process has for a configuration, or makes it. The cache stands on globalThis,
 * because a framework's build and its dev server load a module several times. A configuration that holds a clock or
 * a log of its own is not cached: two of them cannot be told to be the same.
 */
export function cached<A extends Closable>(config: BulwarkConfig, make: () => A): A {
  const { clock, log, ...plain } = config;
  if (clock !== undefined || log !== undefined) return make();
  const holder = globalThis as { [CACHE]?: Map<string, A> };
  holder[CACHE] ??= new Map();
  const cache = holder[CACHE];
  const key = JSON.stringify(Object.entries(plain).sort(([a], [b]) => a.localeCompare(b)));
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  const application: A = {
    ...made,
    close: () => {
      cache.delete(key);
      return made.close();
    },
  };
  cache.set(key, application);
  return application;
}
