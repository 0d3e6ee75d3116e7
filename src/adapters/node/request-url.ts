import type { IncomingMessage } from "node:http";
import { BaseAPIError } from "../../core/index.ts";

/** Targets that a URL parser leaves as they are: most, and parsing costs more than all the rest of the routing. */
const PLAIN_TARGET = /^\/[A-Za-z0-9\-._~!$&()*+,;=:@/]*(?:\?[A-Za-z0-9\-._~!$&()*+,;=:@/%?]*)?$/;

const MAX_REMEMBERED = 1_000;
const MAX_LENGTH = 300;
/** Origins by the Host that they were read from. */
const origins = { http: new Map<string, string>(), https: new Map<string, string>() };

/**
 * requestUrl is the absolute URL of a request: of its target and its Host, or of the target alone where that is absolute
 * (RFC 9112 section 3.2). Throws INVALID_REQUEST only if they make none.
 */
export function requestUrl(incoming: IncomingMessage): string {
  const target = incoming.url ?? "";
  if (!target.startsWith("/")) return absoluteForm(target);
  const scheme = "encrypted" in incoming.socket ? "https" : "http";
  const origin = originOf(scheme, incoming.headers.host ?? "");
  // A dot segment is resolved by a parser.
  if (PLAIN_TARGET.test(target) && !target.includes("/.")) return origin + target;
  return parse(origin + target, target).href;
}

function absoluteForm(target: string): string {
  if (!/^https?:\/\//i.test(target)) throw malformed();
  const url = parse(target, target);
  if (url.username !== "" || url.password !== "") throw malformed();
  return url.href;
}

/** A Host with a path, a user or a query in it would make another URL than it says. */
function originOf(scheme: "http" | "https", host: string): string {
  const known = origins[scheme].get(host);
  if (known !== undefined) return known;
  const { origin, host: parsed, hostname } = parse(`${scheme}://${host}`, host);
  const said = host.toLowerCase();
  const withDefaultPort = `${hostname}:${scheme === "http" ? 80 : 443}`;
  if (said !== parsed && said !== withDefaultPort) throw malformed();
  if (origins[scheme].size >= MAX_REMEMBERED) origins[scheme].clear();
  if (host.length <= MAX_LENGTH) origins[scheme].set(host, origin);
  return origin;
}

/** A parser turns a backslash of the path into a slash: whoever guards by the one reads another path than who routes by the other. */
function parse(url: string, target: string): URL {
  const query = target.indexOf("?");
  const path = query === -1 ? target : target.slice(0, query);
  if (path.includes("\\")) throw malformed();
  try {
    return new URL(url);
  } catch (cause) {
    throw malformed(cause);
  }
}

const malformed = (cause?: unknown): BaseAPIError =>
  new BaseAPIError("INVALID_REQUEST", "The request cannot be read.", { cause });
