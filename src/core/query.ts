/** A query as it came: a parameter given once is a text, one given more often is a list. No prototype. */
export type RawQuery = Readonly<Record<string, string | readonly string[]>>;

/** parseQuery reads the part of a URL after `?` (application/x-www-form-urlencoded). */
export function parseQuery(search: string): RawQuery {
  const query = Object.create(null) as Record<string, string | readonly string[]>;
  if (search === "") return query;
  for (const [name, value] of new URLSearchParams(search)) {
    const before = query[name];
    if (before === undefined) query[name] = value;
    else query[name] = typeof before === "string" ? [before, value] : [...before, value];
  }
  return query;
}
