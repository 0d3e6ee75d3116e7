const moments = [Number.NaN, Number.NaN];
const texts = ["", ""];
let newest = 0;

/**
 * isoTime is the ISO 8601 text of a moment in UTC. Under load many requests share a millisecond, and each says two moments, now and
 * the end of its limit: the last two are kept.
 */
export function isoTime(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  if (whole === moments[0]) return texts[0] as string;
  if (whole === moments[1]) return texts[1] as string;
  newest = 1 - newest;
  moments[newest] = whole;
  texts[newest] = new Date(whole).toISOString();
  return texts[newest] as string;
}
