import { describe, expect, test } from "vitest";
import { canonicalAddress, clientAddressReader } from "./client-address.ts";

interface Row {
  readonly peer?: string;
  readonly proxies?: readonly string[];
  readonly header?: "x-forwarded-for" | "forwarded";
  readonly sent?: string;
}

const PROXIES = ["10.0.0.0/8", "fd00::/8"];

const clientOf = ({ peer, proxies = PROXIES, header, sent }: Row): string | undefined => {
  const read = clientAddressReader({ trustedProxies: proxies, forwardedHeader: header });
  const headers = sent === undefined ? undefined : { [header ?? "x-forwarded-for"]: sent };
  return read(new Headers(headers), peer);
};

// CVE-2026-30827, CVE-2026-47674: several spellings of one address, or one of several.
describe("one spelling", () => {
  test.each([
    ["1.2.3.4", "1.2.3.4"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["::ffff:5.6.7.8", "5.6.7.8"],
    ["::FFFF:102:304", "1.2.3.4"],
    ["0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4"],
    ["2001:DB8::1", "2001:db8::1"],
    ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
    ["2001:db8:0:0:0:0:0.0.0.1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["::1", "::1"],
  ])("%s is %s", (text, address) => {
    expect(canonicalAddress(text)).toBe(address);
    expect(clientOf({ peer: text, proxies: [] })).toBe(address);
  });

  test.each([
    "",
    "x",
    "1.2.3",
    "127.1",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "1.2.3.4.5",
    "1.2.3.256",
    "::g",
    "1.2.3.4:80",
    "2130706433",
  ])("%j is none", (text) => {
    expect(canonicalAddress(text)).toBeUndefined();
    expect(clientOf({ peer: text, proxies: [] })).toBeUndefined();
  });
});

// CVE-2026-3635: a header of an untrusted peer decides nothing.
describe("whom to believe", () => {
  test.each<[what: string, row: Row, client: string | undefined]>([
    ["nobody is known without a peer", { sent: "6.6.6.6" }, undefined],
    ["no proxy is trusted", { peer: "1.1.1.1", proxies: [], sent: "6.6.6.6" }, "1.1.1.1"],
    ["the peer is no proxy", { peer: "1.1.1.1", sent: "6.6.6.6" }, "1.1.1.1"],
    ["a proxy without the header", { peer: "10.0.0.1" }, "10.0.0.1"],
    ["a proxy tells", { peer: "10.0.0.1", sent: "1.1.1.1" }, "1.1.1.1"],
    ["a mapped proxy tells", { peer: "::ffff:10.0.0.1", sent: "1.1.1.1" }, "1.1.1.1"],
    ["an IPv6 proxy tells", { peer: "fd00::1", sent: "2001:DB8::1" }, "2001:db8::1"],
    ["the right-most counts", { peer: "10.0.0.1", sent: "6.6.6.6, 1.1.1.1" }, "1.1.1.1"],
    ["through two proxies", { peer: "10.0.0.1", sent: "6.6.6.6, 1.1.1.1, 10.0.0.2" }, "1.1.1.1"],
    ["proxies alone", { peer: "10.0.0.1", sent: "10.0.0.3, 10.0.0.2" }, "10.0.0.3"],
    [
      "a malformed hop ends the walk",
      { peer: "10.0.0.1", sent: "1.1.1.1, x, 10.0.0.2" },
      "10.0.0.2",
    ],
    ["an empty hop ends the walk", { peer: "10.0.0.1", sent: "1.1.1.1,, 10.0.0.2" }, "10.0.0.2"],
    ["an octal hop ends the walk", { peer: "10.0.0.1", sent: "0177.0.0.1" }, "10.0.0.1"],
    ["ports are dropped", { peer: "10.0.0.1", sent: "1.1.1.1:443" }, "1.1.1.1"],
    ["brackets and ports", { peer: "10.0.0.1", sent: "[2001:db8::1]:443" }, "2001:db8::1"],
    [
      "only so many hops are read",
      { peer: "10.0.0.1", sent: `1.1.1.1${", 10.0.0.2".repeat(40)}` },
      "10.0.0.2",
    ],
  ])("%s", (_what, row, client) => {
    expect(clientOf(row)).toBe(client);
  });

  test("the other header is not read", () => {
    const read = clientAddressReader({ trustedProxies: PROXIES });
    const headers = {
      forwarded: "for=6.6.6.6",
      "x-real-ip": "6.6.6.6",
      "cf-connecting-ip": "6.6.6.6",
    };
    expect(read(new Headers(headers), "10.0.0.1")).toBe("10.0.0.1");
  });
});

describe("Forwarded (RFC 7239)", () => {
  test.each<[sent: string, client: string]>([
    ["for=1.1.1.1", "1.1.1.1"],
    ["For=1.1.1.1;proto=https;by=10.0.0.9", "1.1.1.1"],
    ["proto=https; for=1.1.1.1", "1.1.1.1"],
    ['for="1.1.1.1:443"', "1.1.1.1"],
    ['for="[2001:db8::1]:443"', "2001:db8::1"],
    ["for=6.6.6.6, for=1.1.1.1", "1.1.1.1"],
    ["for=6.6.6.6, for=1.1.1.1, for=10.0.0.2", "1.1.1.1"],
    ["for=unknown", "10.0.0.1"],
    ["for=_hidden", "10.0.0.1"],
    ["proto=https", "10.0.0.1"],
    ["for=6.6.6.6;for=1.1.1.1", "10.0.0.1"],
    ["nofor=6.6.6.6", "10.0.0.1"],
    // A Host that a client made up, as its proxy quotes it: what stands in the quotes names nobody.
    ['host="x;for=6.6.6.6";for=1.1.1.1', "10.0.0.1"],
    ['host="x, for=6.6.6.6;y=";for=1.1.1.1', "10.0.0.1"],
    ['for=1.1.1.1;host="x, for=6.6.6.6"', "10.0.0.1"],
  ])("%s is %s", (sent, client) => {
    expect(clientOf({ peer: "10.0.0.1", header: "forwarded", sent })).toBe(client);
  });
});

describe("trusted proxies", () => {
  test.each([
    "x",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0.0/-1",
    "::/129",
    "10.0.0.0/8a",
    "::ffff:10.0.0.0/95",
  ])("%j is refused by name", (text) => {
    expect(() => clientAddressReader({ trustedProxies: [text] })).toThrow(TypeError);
    expect(() => clientAddressReader({ trustedProxies: [text] })).toThrow(
      `trustedProxies: expected an address or CIDR range, came ${JSON.stringify(text)}`,
    );
  });

  test("a mapped range is the IPv4 range", () => {
    const row = { peer: "10.1.2.3", proxies: ["::ffff:10.0.0.0/104"], sent: "1.1.1.1" };
    expect(clientOf(row)).toBe("1.1.1.1");
  });
});
