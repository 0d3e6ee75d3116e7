let last = Number.NaN;
let text = "";

/** isoTime is the ISO 8601 text of a moment in UTC. Under load many requests share a millisecond: the last one is kept. */
export function isoTime(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  if (whole !== last) {
    text = new Date(whole).toISOString();
    last = whole;
  }
  return text;
}
