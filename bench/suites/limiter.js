// One decision of the limiter in memory: one hot key and 100,000 keys, beside a bare Map and two popular stores.
import { RateLimiter } from "../../dist/index.js";
import { MemoryStore } from "express-rate-limit";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { asyncRateOf, rateOf, runSuite } from "../harness.js";

const WINDOW = 60_000;
const REQUESTS = 1_000_000_000;
const keys = Array.from({ length: 100_000 }, (_, i) => `user:${i.toString(36).padStart(8, "0")}`);

/** GCRA on a Map, and nothing else: what a decision cannot cost less than. */
function bareGcra() {
  const arrivals = new Map();
  const interval = WINDOW / REQUESTS;
  return (key) => {
    const now = Date.now();
    const next = Math.max(arrivals.get(key) ?? now, now) + interval;
    if (next - now > WINDOW) return false;
    arrivals.set(key, next);
    return true;
  };
}

export function limiter() {
  const policy = { name: "bench", requests: REQUESTS, windowMs: WINDOW };
  const forKeys = (many) => {
    const key = many ? (i) => keys[i % keys.length] : () => keys[0];
    const label = many ? "100k keys" : "one key";
    const bare = bareGcra();
    const ours = new RateLimiter({ maxKeys: 200_000 });
    const flexible = new RateLimiterMemory({ points: REQUESTS, duration: 60 });
    const express = new MemoryStore();
    express.init({ windowMs: WINDOW });
    return {
      [`bare Map, ${label} (floor)`]: () => rateOf((i) => bare(key(i))),
      [`bulwark, ${label}`]: () => rateOf((i) => ours.decide([{ policy, key: key(i) }])),
      [`rate-limiter-flexible, ${label}`]: () => asyncRateOf((i) => flexible.consume(key(i), 1)),
      [`express-rate-limit store, ${label}`]: () => asyncRateOf((i) => express.increment(key(i))),
    };
  };
  const goals = (label) => [
    { case: `bulwark, ${label}`, to: `bare Map, ${label} (floor)` },
    { case: `bulwark, ${label}`, to: `rate-limiter-flexible, ${label}` },
    { case: `bulwark, ${label}`, to: `express-rate-limit store, ${label}` },
  ];
  return runSuite({
    name: "limiter in memory",
    unit: "decisions/s",
    cases: { ...forKeys(false), ...forKeys(true) },
    ratios: [...goals("one key"), ...goals("100k keys")],
    note: "the ratios that a later version is to reach: 0.75 and 1.0 of the floor",
  });
}
