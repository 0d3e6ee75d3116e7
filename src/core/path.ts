import { BaseAPIError } from "./errors.ts";

/** The path and the query text of a URL, both as they came. */
export interface Target {
  readonly pathname: string;
  readonly search: string;
}

let lastUrl = "";
let lastTarget: Target = { pathname: "", search: "" };

/** targetOf cuts an absolute URL by hand: parsing it costs more than the rest of the routing. The router and the pipeline ask one after the other. */
export function targetOf(url: string): Target {
  if (url !== lastUrl) {
    lastTarget = cut(url);
    lastUrl = url;
  }
  return lastTarget;
}

function cut(url: string): Target {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const mark = url.indexOf("?", start);
  const hash = url.indexOf("#", start);
  const end = hash === -1 ? url.length : hash;
  if (mark === -1 || mark > end) return { pathname: url.slice(start, end), search: "" };
  return { pathname: url.slice(start, mark), search: url.slice(mark + 1, end) };
}

/** Paths that say what they say: nothing to decode, and no dot in front of a segment. */
const PLAIN = /^(?:\/[^%/\\.\0][^%/\\\0]*)+$/;

/**
 * segmentsOf is the one place where a path is decoded, once. It is undefined for a path that has no canonical form
 * (empty segments, a trailing slash, an encoded slash, backslash, NUL or dot segment), which no route matches; so no guard can
 * read a path otherwise than the router did. Throws INVALID_REQUEST only if the percent-encoding is broken.
 */
export function segmentsOf(pathname: string): readonly string[] | undefined {
  if (pathname === "/") return [];
  const raw = pathname.slice(1).split("/");
  if (PLAIN.test(pathname)) return raw;
  const decoded: string[] = [];
  for (const part of raw) {
    const text = decode(part);
    if (text === "" || text === "." || text === ".." || /[/\\\0]/.test(text)) return undefined;
    decoded.push(text);
  }
  return decoded;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new BaseAPIError("INVALID_REQUEST", "The path has a broken percent-encoding.", { cause });
  }
}

export type PathParams = Readonly<Record<string, string>>;

export interface PathPattern {
  readonly source: string;
  /** match returns the parameters, or undefined where the path is another. */
  match(segments: readonly string[]): PathParams | undefined;
}

const PATTERN = /^\/(?:$|(?:(?:[A-Za-z0-9._~-]+|:[A-Za-z_]\w*)(?:\/(?!$)|$))*(?:\*[A-Za-z_]\w*)?$)/;
const none: PathParams = Object.freeze(Object.create(null) as Record<string, string>);

/**
 * compilePath reads `/products/:id` and `/files/*rest` (the rest, at least one segment, slashes kept).
 * Throws a TypeError only if the pattern is malformed or names a parameter twice.
 */
export function compilePath(source: string): PathPattern {
  const parts = source === "/" ? [] : source.slice(1).split("/");
  const names = parts.filter((part) => /^[:*]/.test(part)).map((part) => part.slice(1));
  if (!PATTERN.test(source) || new Set(names).size !== names.length) {
    throw new TypeError(`path: expected such as "/products/:id", came ${JSON.stringify(source)}`);
  }
  const rest = parts.at(-1)?.startsWith("*") ? parts.length - 1 : -1;

  const match = (segments: readonly string[]): PathParams | undefined => {
    if (rest === -1 ? segments.length !== parts.length : segments.length <= rest) return undefined;
    let params: Record<string, string> | undefined;
    for (const [index, part] of parts.entries()) {
      const segment = segments[index] as string;
      const kind = part[0];
      if (kind === ":" || kind === "*") {
        params ??= Object.create(null) as Record<string, string>;
        params[part.slice(1)] = kind === ":" ? segment : segments.slice(index).join("/");
      } else if (part !== segment) return undefined;
    }
    return params ?? none;
  };
  return { source, match };
}
