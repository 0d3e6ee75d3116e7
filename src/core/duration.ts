const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PATTERN = /^(\d{1,12})(ms|s|m|h|d)$/;

/** Duration is a whole number and a unit: `250ms`, `10s`, `15m`, `1h`, `7d`. */
export type Duration = string;

/**
 * parseDuration returns the milliseconds of a {@link Duration}.
 * Throws a RangeError only if the text is not one, or is longer than a timer or a date can carry.
 */
export function parseDuration(text: Duration, field = "duration"): number {
  const match = PATTERN.exec(text);
  if (match !== null) {
    const milliseconds = Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
    if (milliseconds > 0 && milliseconds <= 8_640_000_000_000) return milliseconds;
  }
  throw new RangeError(
    `${field}: expected a duration such as "30s", "15m" or "1h", came ${JSON.stringify(text)}`,
  );
}
