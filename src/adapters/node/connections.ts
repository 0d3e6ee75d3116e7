import type { Server } from "node:http";
import type { Socket } from "node:net";
import { canonicalAddress, type Kernel, limitAddress } from "../../core/index.ts";

export interface ConnectionCaps {
  readonly total: number;
  readonly perAddress: number;
}

/** openConnections are those that are open, of whomever. */
export function openConnections(server: Server): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return open;
}

/**
 * guardConnections closes a connection before a byte of it is read: from an address that is denied, above its address's share, or
 * above the total. An IPv6 address counts by its /64 and a mapped one as IPv4, as in the limits. Our own proxies carry everybody's
 * connections: nothing of this is theirs.
 */
export function guardConnections(server: Server, kernel: Kernel, caps: ConnectionCaps): void {
  const { isTrustedProxy, addresses } = kernel;
  const open = new Map<string, number>();
  let all = 0;

  const refusalOf = (peer: string, key: string): "denied" | "total" | "address" | undefined => {
    if (addresses?.isDenied(peer) === true) return "denied";
    if (all >= caps.total) return "total";
    return (open.get(key) ?? 0) >= caps.perAddress ? "address" : undefined;
  };

  server.on("connection", (socket: Socket) => {
    const peer = socket.remoteAddress;
    if (peer !== undefined && isTrustedProxy?.(peer) === true) return;
    // Whose address is gone has gone as well.
    const key = peer === undefined ? "gone" : limitAddress(canonicalAddress(peer) ?? peer);
    const refusal = refusalOf(peer ?? "", key);
    if (refusal !== undefined) {
      kernel.edgeRefused?.(REASONS[refusal], peer);
      socket.destroy();
      return;
    }
    all += 1;
    open.set(key, (open.get(key) ?? 0) + 1);
    socket.once("close", () => {
      all -= 1;
      const left = (open.get(key) ?? 1) - 1;
      if (left === 0) open.delete(key);
      else open.set(key, left);
    });
  });

  // Where everybody counts, node:http closes what is above the total before it makes anything of it.
  if (isTrustedProxy !== undefined) return;
  server.maxConnections = caps.total;
  server.on("drop", () => kernel.edgeRefused?.(REASONS.total));
}

const REASONS = {
  denied: "denied_connection",
  total: "connections",
  address: "connections_per_address",
} as const;
