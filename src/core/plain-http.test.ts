import { describe, expect, test } from "vitest";
import { plainHttpReader } from "./client-address.ts";

interface Row {
  readonly peer?: string;
  readonly header?: "x-forwarded-for" | "forwarded";
  readonly headers?: Readonly<Record<string, string>>;
}

const trustedProxies = ["10.0.0.0/8"];
const cameAsHttp = ({ peer = "10.0.0.1", header, headers = {} }: Row): boolean =>
  plainHttpReader({ trustedProxies, forwardedHeader: header })(new Headers(headers), peer);

const PROTO = "x-forwarded-proto";
const FOR = "x-forwarded-for";

// CVE-2026-3635: a header of an untrusted peer decides nothing.
describe("by X-Forwarded-Proto, a request came over plain http", () => {
  test.each<[what: string, row: Row, plain: boolean]>([
    ["where a trusted proxy says so", { headers: { [PROTO]: "http" } }, true],
    ["in capitals, with spaces", { headers: { [PROTO]: " HTTP " } }, true],
    ["as a websocket", { headers: { [PROTO]: "ws" } }, true],
    ["not over https", { headers: { [PROTO]: "https" } }, false],
    ["not where nothing is said", {}, false],
    ["not where it says something else", { headers: { [PROTO]: "h2c" } }, false],
    ["not by the word of a stranger", { peer: "192.0.2.1", headers: { [PROTO]: "http" } }, false],
    ["not by the word of nobody", { peer: "", headers: { [PROTO]: "http" } }, false],
    [
      "not by the other family's word",
      { headers: { forwarded: "for=192.0.2.1;proto=http" } },
      false,
    ],
    [
      "where the client put https in front of the proxy's word",
      { headers: { [PROTO]: "https, http", [FOR]: "192.0.2.1" } },
      true,
    ],
    [
      "not where only the way between two proxies was plain",
      { headers: { [PROTO]: "https, http", [FOR]: "192.0.2.1, 10.0.0.2" } },
      false,
    ],
    [
      "where the outer of two proxies says so",
      { headers: { [PROTO]: "http, https", [FOR]: "192.0.2.1, 10.0.0.2" } },
      true,
    ],
    [
      "where the inner of two proxies has put its word in the place of both",
      { headers: { [PROTO]: "http", [FOR]: "192.0.2.1, 10.0.0.2" } },
      true,
    ],
    [
      "not by what stands behind a malformed hop",
      { headers: { [PROTO]: "http, https", [FOR]: "10.0.0.9, nonsense" } },
      false,
    ],
  ])("%s", (_what, row, plain) => {
    expect(cameAsHttp(row)).toBe(plain);
  });
});

describe("by Forwarded, a request came over plain http", () => {
  const by = (forwarded: string): Row => ({ header: "forwarded", headers: { forwarded } });
  test.each<[what: string, row: Row, plain: boolean]>([
    ["where a trusted proxy says so", by("for=192.0.2.1;proto=http"), true],
    ["in quotes", by('for=192.0.2.1; Proto="http"'), true],
    ["not over https", by("for=192.0.2.1;proto=https"), false],
    ["not where nothing is said", by("for=192.0.2.1"), false],
    [
      "where the client put https in front",
      by("for=192.0.2.9;proto=https, for=192.0.2.1;proto=http"),
      true,
    ],
    [
      "not by the client's own element",
      by("for=192.0.2.9;proto=http, for=192.0.2.1;proto=https"),
      false,
    ],
    ["by the outer of two proxies", by("for=192.0.2.1;proto=http, for=10.0.0.2;proto=https"), true],
    ["not by a scheme that is said twice", by("for=192.0.2.1;proto=http;proto=https"), false],
    [
      "not by the other family's word",
      { header: "forwarded", headers: { [PROTO]: "http", [FOR]: "192.0.2.1" } },
      false,
    ],
  ])("%s", (_what, row, plain) => {
    expect(cameAsHttp(row)).toBe(plain);
  });
});
