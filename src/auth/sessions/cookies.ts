/** Names of our cookies. `__Host-`: from this host alone, over HTTPS (or localhost), for every path (RFC 6265bis section 4.1.3.2). */
export const SESSION_COOKIE = "__Host-session";
export const DEVICE_COOKIE = "__Host-device";
/** Binds a registration, or a link asked for by mail, to the browser that began it. */
export const BROWSER_COOKIE = "__Host-browser";

const VALUE = /^[A-Za-z0-9._~-]{1,512}$/;

/**
 * readCookie returns the value of a cookie by its exact name: undefined where there is none, and `"ambiguous"` where it comes twice or
 * is nothing that we set, since then it cannot be told whose it is.
 */
export function readCookie(
  header: string | null,
  name: string,
): { readonly value: string } | "ambiguous" | undefined {
  if (header === null || !header.includes(name)) return undefined;
  let found: string | undefined;
  for (const part of header.split(";")) {
    const pair = part.trim();
    if (!pair.startsWith(`${name}=`)) continue;
    if (found !== undefined) return "ambiguous";
    found = pair.slice(name.length + 1);
  }
  if (found === undefined) return undefined;
  return VALUE.test(found) ? { value: found } : "ambiguous";
}

/** setCookie writes a cookie for this host alone, which no script reads. Throws a TypeError only if the value is not plain text. */
export function setCookie(name: string, value: string, maxAgeSeconds: number): string {
  if (!VALUE.test(value)) throw new TypeError(`cookie ${name}: expected plain text as its value`);
  return `${name}=${value}; Max-Age=${Math.max(0, Math.floor(maxAgeSeconds))}; Path=/; HttpOnly; Secure; SameSite=Lax`;
}

/** expireCookie makes a browser forget a cookie of ours. */
export const expireCookie = (name: string): string =>
  `${name}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`;
