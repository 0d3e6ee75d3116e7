import type { LimitRequest } from "../../core/index.ts";
import { nameOf } from "./key-name.ts";
import type { KnownLimit, KnownLimits } from "./known-limits.ts";

/** One decision. */
interface Asked {
  readonly requests: readonly LimitRequest[];
}

/** A batch as the script reads it. */
export interface Encoded {
  readonly keys: readonly string[];
  readonly values: readonly string[];
}

/** encode writes the decisions of a batch: each limit once, and once what decisions in a row ask alike. */
export function encode(batch: readonly Asked[], known: KnownLimits): Encoded {
  const keys: string[] = [];
  const limits = new Map<KnownLimit, number>();
  const numbers: string[] = [];
  const runs: string[] = [];
  let last: readonly LimitRequest[] = [];
  let times = 0;
  let timesAt = 0;
  for (const { requests } of batch) {
    const isNew = !asksAlike(requests, last);
    if (isNew) {
      if (times > 0) runs[timesAt] = String(times);
      timesAt = runs.length;
      times = 0;
      runs.push("", String(requests.length));
    }
    for (const request of requests) {
      const limit = known.of(request.policy);
      keys.push(nameOf(limit.head, request));
      if (!isNew) continue;
      let index = limits.get(limit);
      if (index === undefined) {
        index = limits.size + 1;
        limits.set(limit, index);
        numbers.push(...limit.numbers);
      }
      runs.push(String(index), String(request.cost ?? 1));
    }
    last = requests;
    times += 1;
  }
  runs[timesAt] = String(times);
  return { keys, values: [String(limits.size), ...numbers, ...runs] };
}

/** Whether two decisions differ in whom they count alone. */
function asksAlike(some: readonly LimitRequest[], others: readonly LimitRequest[]): boolean {
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index += 1) {
    const one = some[index];
    const other = others[index];
    if (one?.policy !== other?.policy || (one?.cost ?? 1) !== (other?.cost ?? 1)) return false;
  }
  return true;
}
