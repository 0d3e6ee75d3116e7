import { expect, test } from "vitest";
import {
  BaseAPIHandler,
  bareKernel,
  clientAddressReader,
  type Kernel,
  limitPolicy,
} from "../../../src/core/index.ts";
import { BanLadder, RateLimiter } from "../../../src/rate-limit/index.ts";

const FIVE = limitPolicy("address", { requests: 5, window: "1d" });

function route(kernel: Partial<Kernel> = {}) {
  class Handlers extends BaseAPIHandler {
    static override readonly kernel: Kernel = {
      ...bareKernel,
      limiter: new RateLimiter({ clock: { now: () => 0 } }),
      namedLimits: { address: FIVE },
      clientAddress: clientAddressReader({ trustedProxies: ["10.0.0.0/8"] }),
      ...kernel,
    };
  }
  const ask = Handlers.GET(() => 1, { path: "/x", requireAuth: false });
  return (peer: string, headers: Record<string, string> = {}): Promise<Response> =>
    ask(new Request("http://h/x", { headers }), { peer });
}

const passed = async (asked: readonly Promise<Response>[]): Promise<number> =>
  (await Promise.all(asked)).filter(({ status }) => status === 200).length;

// CVE-2026-47674: five spellings of one address were five clients.
test("all spellings of one address are one client", async () => {
  const from = route();
  const spellings = [
    "2001:db8::1",
    "2001:DB8::1",
    "2001:db8:0:0:0:0:0:1",
    "2001:0db8:0000:0000:0000:0000:0000:0001",
    "2001:db8::0.0.0.1",
    "2001:db8::1%eth0",
  ];
  expect(await passed(spellings.flatMap((peer) => [from(peer), from(peer)]))).toBe(5);
  const mapped = ["1.2.3.4", "::ffff:1.2.3.4", "::ffff:102:304", "0:0:0:0:0:ffff:1.2.3.4"];
  expect(await passed(mapped.flatMap((peer) => [from(peer), from(peer)]))).toBe(5);
});

// CVE-2026-30827: ::ffff:1.2.3.4 and ::ffff:5.6.7.8 shared a bucket.
test("two IPv4 clients on an IPv6 socket are two", async () => {
  const from = route();
  const all = ["::ffff:1.2.3.4", "::ffff:5.6.7.8"].flatMap((peer) =>
    Array.from({ length: 10 }, () => from(peer)),
  );
  expect(await passed(all)).toBe(10);
});

// CVE-2026-45364: turning within a /64 escaped.
test("no address within a /64 is a new client, and no /64 within a /48 for ever", async () => {
  const wide = { "address-48": { ...FIVE, name: "address-48", requests: 20 } };
  const from = route({ namedLimits: { address: FIVE, ...wide } });
  const within64 = Array.from({ length: 100 }, (_, i) => from(`2001:db8:1:1::${i.toString(16)}`));
  expect(await passed(within64)).toBe(5);
  const within48 = Array.from({ length: 100 }, (_, i) => from(`2001:db8:1:${i.toString(16)}::1`));
  expect(await passed(within48)).toBeLessThanOrEqual(15);
});

// The left-most X-Forwarded-For is the client's own word.
test("a forged hop to the left changes nothing behind our proxy", async () => {
  const from = route();
  const forged = Array.from({ length: 50 }, (_, i) =>
    from("10.0.0.1", { "x-forwarded-for": `9.9.9.${i}, 1.2.3.4` }),
  );
  expect(await passed(forged)).toBe(5);
  const other = from("10.0.0.1", { "x-forwarded-for": "1.2.3.5" });
  expect((await other).status).toBe(200);
});

test("a flood from new addresses forgets nobody who is blocked, and takes no more memory", async () => {
  const limiter = new RateLimiter({ clock: { now: () => 0 }, maxKeys: 1_000 });
  const from = route({ limiter });
  for (let i = 0; i < 10; i += 1) await from("1.2.3.4");
  for (let i = 0; i < 5_000; i += 1) await from(`11.${i >> 8}.${i & 255}.1`);
  expect((await from("1.2.3.4")).status).toBe(429);
  expect(limiter.size).toBe(1_000);
  expect(limiter.tableBytes).toBeLessThan(200_000);
});

test("a proxy of ours that sends nonsense is limited, and never banned", async () => {
  const bans = new BanLadder({
    clock: { now: () => 0 },
    strikes: { requests: 1, window: "1d" },
    isExempt: (address) => address.startsWith("10."),
  });
  const from = route({ bans });
  for (let i = 0; i < 50; i += 1) {
    await from("10.0.0.1", { "x-forwarded-for": "nonsense" });
    await from("10.0.0.1", { "x-forwarded-for": "1.2.3.4" });
  }
  expect(bans.isBanned("10.0.0.1")).toBe(false);
  const banned = await from("10.0.0.1", { "x-forwarded-for": "1.2.3.4" });
  expect(await banned.json()).toMatchObject({ "violated-policies": ["ban"] });
});
