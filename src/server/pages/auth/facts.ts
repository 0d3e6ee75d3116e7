/** What the pages of accounts say of the application's configuration. */
export interface AuthFacts {
  /** Whether people can sign in by a mailed link. */
  readonly magicLink: boolean;
  /** Whether an address is proved before its first session. */
  readonly verification: boolean;
  /** How long a deleted account can be taken back, such as `30 days`. */
  readonly deletionGrace: string;
}

const UNITS = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1_000, "second"],
  [1, "millisecond"],
] as const;

/** inWords writes a length of time in the largest unit that measures it whole: `30 days`, `36 hours`. */
export function inWords(milliseconds: number): string {
  const [size, unit] = UNITS.find(([each]) => milliseconds % each === 0) ?? UNITS[4];
  const count = milliseconds / size;
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
