import { describe, expect, test } from "vitest";
import { BaseAPIHandler } from "./handler.ts";
import type { Stage } from "./kernel.ts";
import { unwrap, wrapper } from "./stage.ts";

const stageOf = (name: string, check: () => unknown = () => "pass"): Stage => ({
  phase: "authorize",
  policy: { name, options: undefined },
  bind: () => check as () => "pass",
});

const answer = async (stage: Stage): Promise<{ status: number; ran: boolean }> => {
  let ran = false;
  const route = BaseAPIHandler.GET(
    wrapper(stage)(() => {
      ran = true;
    }),
    { path: "/", requireAuth: false },
  );
  const { status } = await route(new Request("http://h/"));
  return { status, ran };
};

const refusal = new Error("no");
const throws = (thrown: unknown) => () => {
  throw thrown;
};

describe("only 'pass' passes", () => {
  test.each<[what: string, check: () => unknown]>([
    ["pass", () => "pass"],
    ["pass, later", async () => "pass"],
  ])("%s", async (_what, check) => {
    expect(await answer(stageOf("s", check))).toEqual({ status: 200, ran: true });
  });

  test.each<[what: string, check: () => unknown]>([
    ["an error returned", () => refusal],
    ["an error returned, later", async () => refusal],
    ["an error thrown", throws(refusal)],
    ["an error thrown, later", async () => throws(refusal)()],
    ["a text thrown", throws("no")],
    ["'pass' thrown", throws("pass")],
    ["'pass' thrown, later", async () => throws("pass")()],
    ["nothing thrown", throws(undefined)],
    ["nothing", () => undefined],
    ["nothing, later", async () => undefined],
    ["null", () => null],
    ["true", () => true],
    ["false", () => false],
    ["0", () => 0],
    ["PASS", () => "PASS"],
    ["pass with a space", () => "pass "],
    ["a text object", () => Object("pass")],
    ["a list", () => ["pass"]],
    ["a response", () => new Response("ok")],
    ["a function", () => () => "pass"],
  ])("%s refuses", async (_what, check) => {
    expect(await answer(stageOf("s", check))).toEqual({ status: 500, ran: false });
  });

  test("a stage of no known phase does not start: it would never be asked", () => {
    const stage = { ...stageOf("s"), phase: "authorise" } as unknown as Stage;
    const define = (): unknown =>
      BaseAPIHandler.GET(
        wrapper(stage)(() => 1),
        { path: "/a", requireAuth: false },
      );
    expect(define).toThrow(TypeError);
    expect(define).toThrow("route GET /a: s: phase: expected limit, csrf or authorize");
  });
});

describe("wrapper", () => {
  test("a wrapped handler does nothing outside a route", () => {
    let ran = false;
    const wrapped = wrapper(stageOf("requireX"))(() => {
      ran = true;
    });
    expect(() => wrapped({} as never)).toThrow(TypeError);
    expect(() => wrapped({} as never)).toThrow(
      "requireX(...): a wrapped handler runs only in a route",
    );
    expect(ran).toBe(false);
  });

  test.each([undefined, null, "f", {}, new Response()])("%s is no handler", (handler) => {
    expect(() => wrapper(stageOf("requireX"))(handler as never)).toThrow(TypeError);
    expect(() => wrapper(stageOf("requireX"))(handler as never)).toThrow(
      "requireX(...): expected a handler",
    );
  });

  test("unwrap gives the stages, outermost first, and the handler", () => {
    const handler = (): number => 1;
    const [outer, inner] = [stageOf("outer"), stageOf("inner")];
    const wrapped = wrapper(outer)(wrapper(inner)(handler));
    expect(unwrap(wrapped)).toEqual({ stages: [outer, inner], handler });
    expect(unwrap(handler)).toEqual({ stages: [], handler });
  });

  test("a stage is bound once, when its route is defined", async () => {
    const bound: unknown[] = [];
    const stage: Stage = {
      ...stageOf("s"),
      bind: (_kernel, route) => {
        bound.push(route);
        return () => "pass";
      },
    };
    const policy = { path: "/p", requireAuth: false } as const;
    const route = BaseAPIHandler.PUT(
      wrapper(stage)(() => 1),
      policy,
    );
    await route(new Request("http://h/p", { method: "PUT" }));
    await route(new Request("http://h/p", { method: "PUT" }));
    expect(bound).toEqual([{ method: "PUT", path: "/p", limits: [] }]);
  });
});
