/** What a request says of where it comes from. */
export interface SiteFacts {
  readonly method: string;
  /** Sec-Fetch-Site, as the browser wrote it. */
  readonly site: string | null;
  /** Sec-Fetch-Mode. */
  readonly mode: string | null;
  readonly origin: string | null;
}

/** isSafeMethod names the methods that change nothing (RFC 9110 section 9.2.1); TRACE is served nowhere. */
export const isSafeMethod = (method: string): boolean =>
  method === "GET" || method === "HEAD" || method === "OPTIONS";

/**
 * crossSiteDecision tells whether a request that carries cookies is one of our own pages': it says `same-origin`, or comes from a
 * listed origin, or is a person's own navigation. Scheme and port count, and same-site is not enough. Where a client says
 * nothing of it, only a token can: `token`.
 */
export function crossSiteDecision(
  { method, site, mode, origin }: SiteFacts,
  allowed: ReadonlySet<string>,
): "pass" | "refuse" | "token" {
  if (isSafeMethod(method)) return "pass";
  // No page can write this header, and a browser tells the truth of it across redirects.
  if (site === "same-origin") return "pass";
  if (site === "none" && mode === "navigate") return "pass";
  if (origin !== null) return allowed.has(origin) ? "pass" : "refuse";
  return site === null ? "token" : "refuse";
}
