import { type LimitFailure, parseDuration } from "../core/index.ts";
import { type BanConfig, DEFAULT_LIMITS, type LimitConfig } from "./limit-config.ts";

type Limits = Readonly<Record<string, LimitConfig>>;

/**
 * limitsFromEnv reads `name=requests/window`, such as `login=20/1m`, and which of them deny, count here or let pass while their store
 * is gone: `user=deny`. It adds a problem for each entry that is neither.
 */
export function limitsFromEnv(
  entries: readonly string[] | undefined,
  failures: readonly string[] | undefined,
  problems: string[],
): Limits | undefined {
  if (entries === undefined && failures === undefined) return undefined;
  const limits: Record<string, LimitConfig> = {};
  for (const entry of entries ?? []) {
    const [, name, requests, window] = /^([a-z][\w:.-]*)=(\d{1,9})\/(\w+)$/.exec(entry) ?? [];
    if (name === undefined || window === undefined) {
      problems.push(
        `BULWARK_LIMITS: expected name=requests/window, such as login=20/1m, came ${JSON.stringify(entry)}`,
      );
    } else limits[name] = { requests: Number(requests), window };
  }
  for (const entry of failures ?? []) addFailure(entry, limits, problems);
  return limits;
}

const FAILURE = /^([a-z][\w:.-]*)=(deny|local|insecureAllow)$/;

function addFailure(entry: string, limits: Record<string, LimitConfig>, problems: string[]): void {
  const [, name = "", onFailure] = FAILURE.exec(entry) ?? [];
  if (onFailure === undefined) {
    problems.push(
      `BULWARK_LIMIT_FAILURE: expected name=deny, name=local or name=insecureAllow, came ${JSON.stringify(entry)}`,
    );
    return;
  }
  const known: Limits = { ...DEFAULT_LIMITS, ...limits };
  const limit = Object.hasOwn(known, name) ? known[name] : undefined;
  if (limit === undefined) {
    problems.push(
      `BULWARK_LIMIT_FAILURE: expected one of ${Object.keys(known).join(", ")}, came ${JSON.stringify(name)}`,
    );
  } else limits[name] = { ...limit, onFailure: onFailure as LimitFailure };
}

/** bansFromEnv reads `off` or `requests/window`, and the steps of the ladder. It adds a problem for each that is none. */
export function bansFromEnv(
  strikes: string | undefined,
  steps: readonly string[] | undefined,
  problems: string[],
): BanConfig | "off" | undefined {
  if (strikes === undefined && steps === undefined) return undefined;
  if (strikes === "off") {
    if (steps !== undefined) {
      problems.push("BULWARK_BAN_STEPS: expected nothing while BULWARK_BANS is off, came a list");
    }
    return "off";
  }
  for (const step of steps ?? []) checkDuration(step, "BULWARK_BAN_STEPS", problems);
  if (strikes === undefined) return { steps };
  const [, requests, window = ""] = /^([1-9]\d{0,8})\/(\w+)$/.exec(strikes) ?? [];
  if (requests === undefined) {
    problems.push(
      `BULWARK_BANS: expected "off" or refusals/window, such as 1000/10m, came ${JSON.stringify(strikes)}`,
    );
  } else checkDuration(window, "BULWARK_BANS", problems);
  return { strikes: { requests: Number(requests), window }, steps };
}

function checkDuration(text: string, variable: string, problems: string[]): void {
  try {
    parseDuration(text, variable);
  } catch (error) {
    problems.push((error as Error).message);
  }
}
