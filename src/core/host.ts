/**
 * hostCheck returns the decision on a Host header: byte for byte one of `hosts` (`name` or `name:port`), but for case.
 * A missing Host is refused (RFC 9110 section 7.2).
 * Throws a TypeError only if an entry is not a host.
 */
export function hostCheck(hosts: readonly string[]): (host: string | null) => boolean {
  const allowed = new Set(hosts.map((host) => parseHost(host)));
  return (host) => host !== null && (allowed.has(host) || allowed.has(host.toLowerCase()));
}

function parseHost(host: string): string {
  const lower = host.toLowerCase();
  const url = tryUrl(`http://${lower}/`);
  const plain = url !== null && url.pathname === "/" && url.username === "" && url.search === "";
  if (!plain || !/^[a-z0-9.[\]:_-]+$/.test(lower)) {
    throw new TypeError(`hosts: expected "name" or "name:port", came ${JSON.stringify(host)}`);
  }
  return lower;
}

function tryUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
