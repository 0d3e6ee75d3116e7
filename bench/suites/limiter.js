// One decision of the limiter in memory: one hot key and 100,000 keys, short ones and long ones, beside a bare Map and two
// popular stores; what a refusal costs; and the bytes that a key takes.
import { MemoryStore } from "express-rate-limit";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { RateLimiter } from "../../dist/rate-limit/index.js";
import { asyncRateOf, rateOf, runSuite } from "../harness.js";

const WINDOW = 86_400_000;
// A limit that one hot key never reaches, and one that 100,000 keys do not reach and that is still of use when a key comes again:
// a bucket that is full says nothing, and its place is anybody's.
const HOT = 1_000_000_000;
const MANY = 10_000;
const KEYS = 100_000;
const keysOf = (length) =>
  Array.from({ length: KEYS }, (_, i) => `user:${i.toString(36).padStart(length - 5, "0")}`);

/** GCRA on a Map, and nothing else: what a decision cannot cost less than. */
function bareGcra(requests) {
  const arrivals = new Map();
  const interval = WINDOW / requests;
  return (key) => {
    const now = Date.now();
    const next = Math.max(arrivals.get(key) ?? now, now) + interval;
    if (next - now > WINDOW) return false;
    arrivals.set(key, next);
    return true;
  };
}

const hot = { requests: HOT, window: "1d" };
const many = { requests: MANY, window: "1d" };

/** The cases of one length of keys: one hot key, or all of them in turn. */
function casesOf(keys, label, isHot) {
  const key = isHot ? () => keys[0] : (i) => keys[i % KEYS];
  const options = isHot ? hot : many;
  const bare = bareGcra(options.requests);
  const ours = new RateLimiter({ maxKeys: 200_000 });
  return {
    [`bare Map, ${label} (floor)`]: () => rateOf((i) => bare(key(i))),
    [`bulwark, ${label}`]: () => rateOf((i) => ours.consume(key(i), options)),
  };
}

function peersOf(keys, label, isHot) {
  const key = isHot ? () => keys[0] : (i) => keys[i % KEYS];
  const flexible = new RateLimiterMemory({ points: isHot ? HOT : MANY, duration: 86_400 });
  const express = new MemoryStore();
  express.init({ windowMs: WINDOW });
  return {
    [`rate-limiter-flexible, ${label}`]: () => asyncRateOf((i) => flexible.consume(key(i), 1)),
    [`express-rate-limit store, ${label}`]: () => asyncRateOf((i) => express.increment(key(i))),
  };
}

export async function limiter() {
  const policy = { name: "bench", requests: HOT, windowMs: WINDOW };
  const deciding = new RateLimiter();
  const refusing = new RateLimiter();
  const one = { requests: 1, window: "1d" };
  refusing.consume("user:0000000000001", one);
  const short = keysOf(18);
  const long = keysOf(48);
  const floor = (label) => `bare Map, ${label} (floor)`;
  const toFloor = (label, atLeast) => ({ case: `bulwark, ${label}`, to: floor(label), atLeast });
  const toPeer = (label, peer, atLeast) => ({
    case: `bulwark, ${label}`,
    to: `${peer}, ${label}`,
    atLeast,
  });
  await runSuite({
    name: "limiter in memory",
    unit: "decisions/s",
    cases: {
      ...casesOf(short, "18 characters, one key", true),
      ...casesOf(short, "18 characters, 100k keys", false),
      ...casesOf(long, "48 characters, one key", true),
      ...casesOf(long, "48 characters, 100k keys", false),
      ...peersOf(short, "18 characters, one key", true),
      ...peersOf(short, "18 characters, 100k keys", false),
      "bulwark, decide() of one limit": () =>
        rateOf(() => deciding.decide([{ policy, key: short[0] }])),
      "bulwark, a refusal": () => rateOf(() => refusing.consume("user:0000000000001", one)),
    },
    ratios: [
      toFloor("18 characters, one key", 0.75),
      toFloor("18 characters, 100k keys", 1),
      toFloor("48 characters, one key", 0.3),
      toFloor("48 characters, 100k keys", 0.75),
      toPeer("18 characters, one key", "rate-limiter-flexible", 3),
      toPeer("18 characters, 100k keys", "rate-limiter-flexible", 2.5),
      toPeer("18 characters, one key", "express-rate-limit store"),
      toPeer("18 characters, 100k keys", "express-rate-limit store"),
      { case: "bulwark, a refusal", to: "bulwark, 18 characters, one key", atLeast: 1 },
    ],
  });
  return memory();
}

/** The bytes of a key are counted from the tables, which hold nothing but numbers. */
function memory() {
  const full = new RateLimiter();
  for (const key of keysOf(48)) full.consume(key, many);
  const bytes = full.tableBytes / full.size;
  process.stdout.write(
    `  bytes per key, 100,000 keys of 48 characters: ${bytes.toFixed(1)} (both tables)  <= 64 ${bytes <= 64 ? "met" : "NOT MET"}\n`,
  );
  return bytes;
}
