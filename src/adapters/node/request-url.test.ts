import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { requestUrl } from "./request-url.ts";

const read = (url: string, host: string | undefined, socket: object = {}): string =>
  requestUrl({ url, headers: { host }, socket } as unknown as IncomingMessage);

describe("the URL is the one that a Request would have", () => {
  const TARGETS = [
    "/",
    "/products?page=2&name=a%20b",
    "/a//b/",
    "//evil.example/x",
    "/./a/../b",
    "/%2e%2e/a",
    "/a/.%2E/b",
    "/.well-known/x",
    "/caf%C3%A9",
    "/a?next=/../b",
    "/a?q='x'",
    "/a|b^c`d{e}",
    '/a"b<c>',
    "/a#b?c",
    "/a%zz",
    "/a[1]",
    "/a;b=c,d@e!$&()*+",
  ];
  test.each(TARGETS)("%s", (target) => {
    expect(read(target, "h.example")).toBe(new Request(`http://h.example${target}`).url);
  });

  const HOSTS = [
    "h.example",
    "H.Example",
    "h.example:80",
    "h.example:443",
    "h.example:8080",
    "127.0.0.1:3000",
    "[::1]:3000",
    "[::1]",
    "xn--caf-dma.example",
  ];
  test.each(HOSTS)("Host: %s", (host) => {
    for (let round = 0; round < 2; round += 1) {
      expect(read("/a", host)).toBe(new Request(`http://${host}/a`).url);
      expect(read("/a", host, { encrypted: true })).toBe(new Request(`https://${host}/a`).url);
    }
  });

  test("an absolute target stands for itself", () => {
    expect(read("HTTP://H.example/a/../b?c", "other.example")).toBe("http://h.example/b?c");
  });
});

describe("what makes no URL is refused", () => {
  const REFUSED: readonly (readonly [target: string, host: string | undefined])[] = [
    ["/", undefined],
    ["/", ""],
    ["/", "h.example/path"],
    ["/", "user@h.example"],
    ["/", "h.example?x"],
    ["/", "h.example#x"],
    ["/", "h.example:"],
    ["/", "h.example:99999"],
    ["/", "h.example:0080"],
    ["/", "h example"],
    ["/", "h.example, h.example"],
    ["/", "0x7f.1"],
    ["/", "h\\.example"],
    ["/a\\b", "h.example"],
    ["*", "h.example"],
    ["products", "h.example"],
    ["", "h.example"],
    ["h.example:80", "h.example"],
    ["ftp://h.example/", "h.example"],
    ["http://user:secret@h.example/", "h.example"],
    ["http://h.example\\a", "h.example"],
    ["http://", "h.example"],
  ];
  test.each(REFUSED)("%s of %s", (target, host) => {
    expect(() => read(target, host)).toThrow(
      expect.objectContaining({ code: "INVALID_REQUEST", statusCode: 400 }),
    );
  });
});
