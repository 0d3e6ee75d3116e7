import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BaseAPIError } from "./errors.ts";
import { compilePath, segmentsOf, targetOf } from "./path.ts";

// GHSA-x732-6j76-qmhm, CVE-2026-29045, CVE-2026-47676: another spelling of a path is the same policy, or no route at all.
describe("segmentsOf", () => {
  test.each<[pathname: string, segments: readonly string[] | undefined, why: string]>([
    ["/", [], "the root"],
    ["/a", ["a"], "one segment"],
    ["/a/b", ["a", "b"], "two"],
    ["/A/b", ["A", "b"], "case is kept: another path"],
    ["/a%20b", ["a b"], "decoded"],
    ["/%61", ["a"], "decoded to the plain spelling"],
    ["/caf%C3%A9", ["caf\u00e9"], "UTF-8"],
    ["/%2561", ["%61"], "decoded once"],
    ["/a+b", ["a+b"], "a plus is a plus in a path"],
    ["/...", ["..."], "three dots are a name"],
    ["//", undefined, "empty segments"],
    ["//a", undefined, "an empty segment in front"],
    ["/a//b", undefined, "an empty segment inside"],
    ["/a/", undefined, "a trailing slash"],
    ["/a%20b/", undefined, "a trailing slash after an encoded segment"],
    ["/./a", undefined, "a dot segment"],
    ["/a/..", undefined, "a double dot segment"],
    ["/a/%2e", undefined, "an encoded dot segment"],
    ["/a/%2E%2e/b", undefined, "an encoded double dot segment"],
    ["/a/.%2e", undefined, "a half-encoded one"],
    ["/a%2fb", undefined, "an encoded slash"],
    ["/a%2Fb", undefined, "an encoded slash, upper case"],
    ["/a%5cb", undefined, "an encoded backslash"],
    ["/a\\b", undefined, "a backslash"],
    ["/a%00", undefined, "an encoded NUL"],
    ["/a\0", undefined, "a NUL"],
  ])("%j is %j: %s", (pathname, segments) => {
    expect(segmentsOf(pathname)).toEqual(segments);
  });

  test.each(["/%", "/a%2", "/%zz", "/%ff", "/%c3", "/%u0041", "/%c0%af"])(
    "%s is a broken encoding",
    (pathname) => {
      expect(() => segmentsOf(pathname)).toThrow(
        expect.objectContaining({ code: "INVALID_REQUEST", statusCode: 400 }),
      );
      expect(() => segmentsOf(pathname)).toThrow(BaseAPIError);
    },
  );

  test("whatever is written, no segment is empty, a dot, or holds a separator", () => {
    const piece = fc.constantFrom(
      "a",
      "/",
      ".",
      "..",
      "%2f",
      "%2e",
      "%5C",
      "%00",
      "%25",
      "\\",
      "%",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        let segments: readonly string[] | undefined;
        try {
          segments = segmentsOf(`/${pieces.join("")}`);
        } catch (error) {
          return error instanceof BaseAPIError;
        }
        return (segments ?? []).every((text) => !/^\.{0,2}$|[/\\\0]/.test(text));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("targetOf", () => {
  test.each([
    ["http://h/a", "/a", ""],
    ["http://h/a?b=c", "/a", "b=c"],
    ["http://h/a?b=/c?d", "/a", "b=/c?d"],
    ["http://h/?", "/", ""],
    ["http://h:80//a", "//a", ""],
    ["http://h/a#f", "/a", ""],
    ["http://h/a?b#f?g", "/a", "b"],
    ["http://h/a#f?g", "/a", ""],
  ])("%s", (url, pathname, search) => {
    expect(targetOf(url)).toEqual({ pathname, search });
  });
});

describe("compilePath", () => {
  const match = (pattern: string, path: string): Record<string, string> | undefined => {
    const params = compilePath(pattern).match(segmentsOf(path) ?? ["?"]);
    return params && { ...params };
  };

  test.each<[pattern: string, path: string, params: Record<string, string> | undefined]>([
    ["/", "/", {}],
    ["/", "/a", undefined],
    ["/products", "/products", {}],
    ["/products", "/Products", undefined],
    ["/products/:id", "/products/7", { id: "7" }],
    ["/products/:id", "/products/a%20b", { id: "a b" }],
    ["/products/:id", "/products", undefined],
    ["/products/:id", "/products/7/8", undefined],
    ["/:a/x/:b", "/1/x/2", { a: "1", b: "2" }],
    ["/files/*rest", "/files/a/b", { rest: "a/b" }],
    ["/files/*rest", "/files", undefined],
    ["/*rest", "/a", { rest: "a" }],
    ["/.well-known/jwks.json", "/.well-known/jwks.json", {}],
    ["/:__proto__", "/x", { ["__proto__"]: "x" }],
  ])("%s on %s", (pattern, path, params) => {
    expect(match(pattern, path)).toEqual(params);
  });

  test("parameters have no prototype", () => {
    expect(Object.getPrototypeOf(compilePath("/:id").match(["1"]))).toBeNull();
    expect(Object.getPrototypeOf(compilePath("/a").match(["a"]))).toBeNull();
  });

  test.each([
    "",
    "a",
    "/a/",
    "//",
    "/a//b",
    "/:",
    "/:1a",
    "/*",
    "/*rest/a",
    "/a b",
    "/a%20b",
    "/:a/:a",
    "/a:b",
  ])("%j is no pattern", (pattern) => {
    expect(() => compilePath(pattern)).toThrow(TypeError);
    expect(() => compilePath(pattern)).toThrow(JSON.stringify(pattern));
  });
});
