// Runs cases against each other: interleaved rounds in an order that a seed decides, a warm-up first, and for every case
// the median, the spread, and the ratio to a floor and to peers taken round by round, so that a machine whose speed drifts
// slows all of them alike.
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "9" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
  allowPositionals: true,
});

export const json = options.json;
export const only = options.only;
const rounds = Math.max(1, Number(options.rounds));

/** A small generator of repeatable numbers (mulberry32). */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled(list, next) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i -= 1) {
    const j = Math.floor(next() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const spread = (values) => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

/**
 * runSuite measures `cases` ({ name: async () => rate }) and prints each `ratio` ({ case, to, atLeast }) as met or not met. `note` is a line on
 * all of it, made when they have run.
 */
export async function runSuite({ name, unit, cases, ratios, note }) {
  const names = Object.keys(cases);
  for (const each of names) await cases[each]();
  const next = random(Number(options.seed));
  const rates = Object.fromEntries(names.map((each) => [each, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const each of shuffled(names, next)) rates[each].push(await cases[each]());
  }
  const figures = Object.fromEntries(names.map((each) => [each, spread(rates[each])]));
  const goals = ratios.map((ratio) => {
    const perRound = rates[ratio.case].map((rate, round) => rate / rates[ratio.to][round]);
    const measured = spread(perRound);
    const met = ratio.atLeast === undefined ? undefined : measured.median >= ratio.atLeast;
    return { ...ratio, ...measured, met };
  });
  const result = { suite: name, unit, rounds, seed: Number(options.seed), note: note?.(), figures, goals };
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else print(result);
  return result;
}

const number = (value) =>
  value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(value >= 10 ? 1 : 2);

function print({ suite, unit, rounds: count, note, figures, goals }) {
  const lines = [`\n${suite} (${unit}, ${count} rounds)${note ? `\n  ${note}` : ""}`];
  for (const [name, { median: m, min, max }] of Object.entries(figures)) {
    lines.push(`  ${name.padEnd(44)} ${number(m).padStart(12)}   ${number(min)} to ${number(max)}`);
  }
  for (const goal of goals) {
    const range = `${number(goal.min)} to ${number(goal.max)}`;
    const verdict = goal.met === undefined ? "" : goal.met ? "met" : "NOT MET";
    const wanted = goal.atLeast === undefined ? "" : `>= ${goal.atLeast}`;
    const what = `${goal.case} / ${goal.to}`;
    lines.push(`  ${what.padEnd(60)} ${number(goal.median)}  (${range})  ${wanted} ${verdict}`);
  }
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** rateOf times a synchronous loop for about `ms` and returns runs per second. */
export function rateOf(work, { ms = 200, batch = 1_000 } = {}) {
  const started = performance.now();
  let runs = 0;
  let elapsed = 0;
  do {
    for (let i = 0; i < batch; i += 1) work(runs + i);
    runs += batch;
    elapsed = performance.now() - started;
  } while (elapsed < ms);
  return (runs * 1_000) / elapsed;
}

/** asyncRateOf is rateOf for work that is awaited, `inFlight` at once. */
export async function asyncRateOf(work, { ms = 300, inFlight = 1 } = {}) {
  const started = performance.now();
  let runs = 0;
  const worker = async () => {
    while (performance.now() - started < ms) {
      await work(runs);
      runs += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return (runs * 1_000) / (performance.now() - started);
}
