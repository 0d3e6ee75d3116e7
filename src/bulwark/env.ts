import { checkTimeout } from "../core/index.ts";

/** The variables of a process. */
export type Env = Readonly<Record<string, string | undefined>>;

/** An empty variable is one that is not set. */
export function text(env: Env, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === "" ? undefined : value;
}

export function list(env: Env, name: string): readonly string[] | undefined {
  const entries = text(env, name)
    ?.split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  return entries?.length === 0 ? undefined : entries;
}

/** durationOf reads a time of at most a day; `expected` says what else the variable may be. */
export function durationOf(
  env: Env,
  name: string,
  problems: string[],
  expected = 'a duration such as "30s", at most "24h"',
): string | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  try {
    checkTimeout(value, name);
    return value;
  } catch {
    problems.push(`${name}: expected ${expected}, came ${JSON.stringify(value)}`);
    return undefined;
  }
}

/** countOf reads a whole number from 1. */
export function countOf(env: Env, name: string, problems: string[]): number | undefined {
  const value = text(env, name);
  if (value === undefined || /^[1-9]\d{0,8}$/.test(value)) {
    return value === undefined ? undefined : Number(value);
  }
  problems.push(`${name}: expected a whole number from 1, came ${JSON.stringify(value)}`);
  return undefined;
}
