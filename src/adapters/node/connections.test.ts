import { EventEmitter } from "node:events";
import type { Server } from "node:http";
import { describe, expect, test } from "vitest";
import { addressList, bareKernel, type Kernel } from "../../core/index.ts";
import { guardConnections } from "./connections.ts";

class FakeSocket extends EventEmitter {
  isCut = false;
  readonly remoteAddress: string | undefined;

  constructor(remoteAddress: string | undefined) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.isCut = true;
    this.emit("close");
  }
}

/** A server that nobody listens on, and what it does with connections from some addresses. */
function guarded(
  caps: { readonly total?: number; readonly perAddress?: number },
  change: Partial<Kernel> = {},
) {
  const server = new EventEmitter() as Server;
  const refused: (readonly [string, string | undefined])[] = [];
  const edgeRefused: Kernel["edgeRefused"] = (reason, address) =>
    void refused.push([reason, address]);
  const { total = 1_000, perAddress = 1_000 } = caps;
  guardConnections(server, { ...bareKernel, edgeRefused, ...change }, { total, perAddress });
  const connect = (address: string | undefined): FakeSocket => {
    const socket = new FakeSocket(address);
    server.emit("connection", socket);
    return socket;
  };
  return { server, connect, refused };
}

// CVE-2026-45364: rotating within a /64 escaped. CVE-2026-30827, CVE-2026-47674: several spellings of one address.
describe("connections count as one address's", () => {
  test.each<[what: string, first: string, second: string, same: boolean]>([
    ["an IPv4 address and itself", "192.0.2.1", "192.0.2.1", true],
    ["an IPv4 address and its neighbour", "192.0.2.1", "192.0.2.2", false],
    ["an IPv4 address and itself as mapped", "192.0.2.1", "::ffff:192.0.2.1", true],
    ["two mapped addresses", "::ffff:192.0.2.1", "::ffff:192.0.2.2", false],
    ["two addresses of one /64", "2001:db8:0:1::1", "2001:db8:0:1:ffff::9", true],
    ["two addresses of neighbouring /64s", "2001:db8:0:1::1", "2001:db8:0:2::1", false],
    ["one address in two spellings", "2001:db8::1", "2001:0DB8:0:0:0:0:0:1", true],
    ["one address on two zones", "fe80::1%eth0", "fe80::1%eth1", true],
  ])("%s: %s, %s", (_what, first, second, same) => {
    const { connect } = guarded({ perAddress: 1 });
    expect(connect(first).isCut).toBe(false);
    expect(connect(second).isCut).toBe(same);
  });
});

test("those whose address is gone share one place", () => {
  const { connect } = guarded({ perAddress: 2 });
  expect([1, 2, 3].map(() => connect(undefined).isCut)).toEqual([false, false, true]);
});

test("a place is free as its connection closes, once", () => {
  const { connect } = guarded({ perAddress: 2, total: 2 });
  const [one] = [connect("192.0.2.1"), connect("192.0.2.1")];
  expect(connect("192.0.2.1").isCut).toBe(true);
  one?.emit("close");
  one?.emit("close");
  expect(connect("192.0.2.1").isCut).toBe(false);
  expect(connect("192.0.2.1").isCut).toBe(true);
  expect(connect("192.0.2.2").isCut).toBe(true);
});

test("what node:http drops by itself is counted, and behind proxies nothing is", () => {
  const plain = guarded({ total: 7 });
  expect(plain.server.maxConnections).toBe(7);
  plain.server.emit("drop", {});
  expect(plain.refused).toEqual([["connections", undefined]]);
  const behind = guarded({ total: 7 }, { isTrustedProxy: () => false });
  expect(behind.server.maxConnections).toBeUndefined();
});

test("a proxy is told before the deny list is asked, and anybody else by it first", () => {
  const { connect, refused } = guarded(
    { total: 1 },
    {
      isTrustedProxy: (peer) => peer === "10.0.0.1",
      addresses: addressList({ deny: ["10.0.0.0/8"] }),
    },
  );
  expect(connect("10.0.0.1").isCut).toBe(false);
  expect(connect("::ffff:10.0.0.2").isCut).toBe(true);
  expect(connect("192.0.2.1").isCut).toBe(false);
  expect(connect("10.0.0.2").isCut).toBe(true);
  expect(refused).toEqual([
    ["denied_connection", "::ffff:10.0.0.2"],
    ["denied_connection", "10.0.0.2"],
  ]);
});
