import { expect, test } from "vitest";
import { BaseAPIHandler, bareKernel, type Kernel } from "../core/index.ts";
import { RateLimiter, withRateLimit } from "./index.ts";

class Handlers extends BaseAPIHandler {
  static override readonly kernel: Kernel = {
    ...bareKernel,
    limiter: new RateLimiter({ clock: { now: () => 0 } }),
  };
}

/** How many of `count` requests from one address pass. */
const burst = async (
  route: (request: Request, info: { peer: string }) => Promise<Response>,
  path: string,
  count: number,
  peer = "1.1.1.1",
): Promise<number> => {
  const asked = Array.from({ length: count }, () =>
    route(new Request(`http://h${path}`), { peer }),
  );
  return (await Promise.all(asked)).filter(({ status }) => status === 200).length;
};

test("a burst of 200 gets what the limit says, each address for itself", async () => {
  const handler = withRateLimit({ requests: 7, window: "1m" })(() => 1);
  const route = Handlers.GET(handler, { path: "/a", requireAuth: false });
  expect(await burst(route, "/a", 200)).toBe(7);
  expect(await burst(route, "/a", 200, "1.1.1.2")).toBe(7);
});

test("two limits on one route count apart, and the narrower decides", async () => {
  const handler = withRateLimit({ requests: 10, window: "1m" })(
    withRateLimit({ requests: 100, window: "1h" })(() => 1),
  );
  const rateLimit = { requests: 50, window: "1m" };
  const route = Handlers.GET(handler, { path: "/b", requireAuth: false, rateLimit });
  expect(await burst(route, "/b", 200)).toBe(10);
});

test("the same limit on two routes is two limits", async () => {
  const limit = withRateLimit({ requests: 3, window: "1m" });
  const c = Handlers.GET(
    limit(() => 1),
    { path: "/c", requireAuth: false },
  );
  const d = Handlers.GET(
    limit(() => 1),
    { path: "/d", requireAuth: false },
  );
  expect([await burst(c, "/c", 10), await burst(d, "/d", 10)]).toEqual([3, 3]);
});

test.each([
  { requests: 0, window: "1m" },
  { requests: 1, window: "soon" },
])("%o is refused when it is made", (options) => {
  expect(() => withRateLimit(options)).toThrow(RangeError);
});
