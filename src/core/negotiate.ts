/** How much of a header is read: what stands behind it is not a client's honest preference. */
const MAX_ACCEPT = 1_024;

interface Preference {
  readonly type: string;
  readonly q: number;
}

function preferencesOf(accept: string): Preference[] {
  return accept
    .slice(0, MAX_ACCEPT)
    .split(",")
    .map((part) => {
      const [type = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
      const q = parameters.find((parameter) => parameter.startsWith("q="));
      const weight = q === undefined ? 1 : Number(q.slice(2));
      return { type, q: Number.isFinite(weight) ? weight : 1 };
    });
}

/** qualityOf is the weight that an Accept header gives a media type; the most specific range decides (RFC 9110 section 12.5.1). */
function qualityOf(preferences: readonly Preference[], type: string): number {
  const ranges = [type, `${type.slice(0, type.indexOf("/"))}/*`, "*/*"];
  for (const range of ranges) {
    const found = preferences.find((preference) => preference.type === range);
    if (found !== undefined) return found.q;
  }
  return 0;
}

/** accepts tells whether a client takes one of `types`; no Accept header takes everything. */
export function accepts(accept: string | null, types: readonly string[]): boolean {
  if (accept === null || accept === "" || accept === "*/*") return true;
  const preferences = preferencesOf(accept);
  return types.some((type) => qualityOf(preferences, type) > 0);
}

/** prefersProblem is true where problem+json (RFC 9457) is asked for by name and not below application/json. */
export function prefersProblem(accept: string | null): boolean {
  if (accept?.toLowerCase().includes("application/problem+json") !== true) return false;
  const preferences = preferencesOf(accept);
  const problem = qualityOf(preferences, "application/problem+json");
  const named = preferences.find((preference) => preference.type === "application/json");
  return problem > 0 && problem >= (named?.q ?? 0);
}
