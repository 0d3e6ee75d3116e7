import ipaddr from "ipaddr.js";

/** Which header carries the client's address, and who may be believed about it. */
export interface ProxyTrust {
  /** Addresses and CIDR ranges of our own proxies. Default none: no header is read. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** The one header that those proxies write. Default `x-forwarded-for`. */
  readonly forwardedHeader?: "x-forwarded-for" | "forwarded" | undefined;
}

/** Whatever tells a header by its name: Headers, or a request on its way. */
interface HeaderSource {
  get(name: string): string | null;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [Address, number];

/** parseAddress reads one address in its one spelling: mapped IPv4 (`::ffff:1.2.3.4`) is IPv4, a zone is dropped. */
function parseAddress(text: string): Address | undefined {
  const bare = text.includes("%") ? text.slice(0, text.indexOf("%")) : text;
  // ipaddr.js also reads 0177.1 and 127.1, which no peer address ever is.
  if (!bare.includes(":") && !ipaddr.IPv4.isValidFourPartDecimal(bare)) return undefined;
  if (!ipaddr.isValid(bare)) return undefined;
  return ipaddr.process(bare);
}

/** canonicalAddress is the one spelling of an address, or undefined where the text is none. */
export const canonicalAddress = (text: string): string | undefined =>
  parseAddress(text)?.toString();

/** parseRange reads an address or a CIDR range. Throws a TypeError that names the field only if it is neither. */
function parseRange(text: string, field: string): Range {
  try {
    const [base = "", bits, ...more] = text.split("/");
    const address = more.length === 0 ? parseAddress(base) : undefined;
    if (address !== undefined && bits === undefined) {
      return [address, address.kind() === "ipv4" ? 32 : 128];
    }
    if (address !== undefined && /^\d{1,3}$/.test(bits ?? "")) {
      const prefix = Number(bits) - (address.kind() === "ipv4" && base.includes(":") ? 96 : 0);
      if (prefix >= 0 && prefix <= (address.kind() === "ipv4" ? 32 : 128)) return [address, prefix];
    }
  } catch {
    // Said below, like every other malformed range.
  }
  throw new TypeError(`${field}: expected an address or CIDR range, came ${JSON.stringify(text)}`);
}

function isInRanges(address: Address, ranges: readonly Range[]): boolean {
  return ranges.some(
    ([base, bits]) =>
      base.kind() === address.kind() && (address as ipaddr.IPv6).match(base as ipaddr.IPv6, bits),
  );
}

/**
 * addressRanges returns the function that tells whether an address lies in one of the addresses or CIDR ranges; one that is unknown lies
 * in none. Throws a TypeError that names the entry only if one is neither.
 */
export function addressRanges(
  texts: readonly string[],
  field: string,
): (address: string | undefined) => boolean {
  const ranges = texts.map((text, index) => parseRange(text, `${field}[${index}]`));
  return (text) => {
    const address = text === undefined ? undefined : parseAddress(text);
    return address !== undefined && isInRanges(address, ranges);
  };
}

/**
 * clientAddressReader returns the function that knows a client's address: the peer, or, while the hop is a trusted
 * proxy, the next one from the right of the forwarding header. A malformed hop ends the walk at the last good one.
 * Throws a TypeError only if a trusted proxy is not an address or range.
 */
export function clientAddressReader(
  trust: ProxyTrust,
): (source: HeaderSource, peer: string | undefined) => string | undefined {
  const ranges = (trust.trustedProxies ?? []).map((text) => parseRange(text, "trustedProxies"));
  const header = trust.forwardedHeader ?? "x-forwarded-for";
  const spellings = new Map<string, string | undefined>();

  const canonicalPeer = (peer: string): string | undefined => {
    if (spellings.has(peer)) return spellings.get(peer);
    const address = canonicalAddress(peer);
    if (spellings.size >= 1_000) spellings.clear();
    spellings.set(peer, address);
    return address;
  };

  return (source, peer) => {
    if (peer === undefined) return undefined;
    if (ranges.length === 0) return canonicalPeer(peer);
    return walk(peer, ranges, () => hopsOf(source.get(header), header)).client?.toString();
  };
}

/** proxyCheck returns the function that tells a trusted proxy by its address, or undefined where none is configured. */
export function proxyCheck(trust: ProxyTrust): ((peer: string) => boolean) | undefined {
  const { trustedProxies } = trust;
  if (trustedProxies === undefined || trustedProxies.length === 0) return undefined;
  return addressRanges(trustedProxies, "trustedProxies");
}

/**
 * plainHttpReader returns the function that tells whether a trusted proxy says that a request came to it over plain http. Of several
 * proxies the outermost trusted one is asked, which is the one that the client spoke to; whoever says nothing of it is not asked again.
 */
export function plainHttpReader(
  trust: ProxyTrust,
): (source: HeaderSource, peer: string | undefined) => boolean {
  const ranges = (trust.trustedProxies ?? []).map((text) => parseRange(text, "trustedProxies"));
  const header = trust.forwardedHeader ?? "x-forwarded-for";
  const schemesIn = (source: HeaderSource): string[] => {
    if (header === "x-forwarded-for") return elementsOf(source.get("x-forwarded-proto"));
    return elementsOf(source.get(header)).map((element) => parameterOf(element, "proto"));
  };
  return (source, peer) => {
    if (peer === undefined) return false;
    const { hop } = walk(peer, ranges, () => hopsOf(source.get(header), header));
    if (hop === undefined) return false;
    const schemes = schemesIn(source).reverse();
    // A proxy that puts its word in the place of those before it leaves one.
    const scheme = schemes[Math.min(hop, schemes.length - 1)];
    return /^\s*(?:http|ws)\s*$/i.test(scheme ?? "");
  };
}

interface Walked {
  readonly client: Address | undefined;
  /** Counted from the right, the entry that the outermost trusted proxy wrote; undefined where the peer is none. */
  readonly hop: number | undefined;
}

/** walk goes from the peer through trusted proxies alone, and ends at a hop that is malformed. */
function walk(peer: string, ranges: readonly Range[], hops: () => readonly string[]): Walked {
  let client = parseAddress(peer);
  if (client === undefined || !isInRanges(client, ranges)) return { client, hop: undefined };
  let last = 0;
  for (const [index, hop] of hops().toReversed().entries()) {
    const address = parseAddress(hop);
    if (address === undefined) break;
    client = address;
    last = index;
    if (!isInRanges(client, ranges)) break;
  }
  return { client, hop: last };
}

const MAX_HOPS = 32;

const elementsOf = (value: string | null): string[] =>
  value === null ? [] : value.split(",").slice(-MAX_HOPS);

const hopsOf = (value: string | null, header: string): string[] =>
  elementsOf(value).map((hop) =>
    stripPort(header === "forwarded" ? parameterOf(hop, "for") : hop.trim()),
  );

const PAIR = /^\s*([!#$%&'*+.^_`|~\w-]+)=(?:"([^"\\]*)"|([^"\\\s]*))\s*$/;

/**
 * parameterOf reads one parameter of one element of Forwarded (RFC 7239 section 4). An element that is not whole pairs, or that names the
 * parameter twice, tells nothing: a proxy may quote a client's Host there, with a comma or a semicolon in it.
 */
function parameterOf(element: string, parameter: string): string {
  let found: string | undefined;
  for (const pair of element.split(";")) {
    const [, name, quoted, plain] = PAIR.exec(pair) ?? [];
    if (name === undefined) return "";
    if (name.toLowerCase() !== parameter) continue;
    if (found !== undefined) return "";
    found = quoted ?? plain ?? "";
  }
  return found ?? "";
}

function stripPort(hop: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(hop);
  if (bracketed !== null) return bracketed[1] ?? "";
  return /^[\d.]+:\d+$/.test(hop) ? hop.slice(0, hop.indexOf(":")) : hop;
}
