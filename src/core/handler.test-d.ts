import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  type AuthResult,
  BaseAPIError,
  BaseAPIHandler,
  type ErrorCode,
  type ParamsOf,
  type Principal,
  type RequestContext,
  ResponseBuilder,
  type Route,
  type Stage,
  type Wrapper,
  wrapper,
} from "./index.ts";

// What a handler sees, field by field; how wrappers and routes refine it is in routes.test-d.ts.

class Handlers extends BaseAPIHandler {
  static override async checkAuth(_request: Request): Promise<AuthResult> {
    return { isAuthenticated: false, reason: "absent" };
  }
}

test("a path tells its parameters", () => {
  expectTypeOf<ParamsOf<"/a/:id/b/:name">>().toEqualTypeOf<{
    readonly id: string;
    readonly name: string;
  }>();
  expectTypeOf<ParamsOf<"/files/*rest">>().toEqualTypeOf<{ readonly rest: string }>();
  expectTypeOf<keyof ParamsOf<"/a/b">>().toBeNever();
});

test("no field of a context is any", () => {
  const query = z.object({ page: z.coerce.number() });
  const body = z.object({ size: z.string().transform((text) => text.length) });
  const policy = { path: "/a/:id", requireAuth: true, query, body } as const;
  Handlers.POST((context) => {
    expectTypeOf(context).not.toBeAny();
    expectTypeOf(context.params).not.toBeAny();
    expectTypeOf(context.query).not.toBeAny();
    expectTypeOf(context.body).not.toBeAny();
    expectTypeOf(context.principal).toEqualTypeOf<Principal>();
    expectTypeOf(context.userId).toEqualTypeOf<string>();
    expectTypeOf(context.query.page).toBeNumber();
    expectTypeOf(context.body.size).toBeNumber();
    expectTypeOf(context.address).toEqualTypeOf<string | undefined>();
    expectTypeOf(context.request).toEqualTypeOf<Request>();
    return null;
  }, policy);
});

test("without schemas there is nothing to rely on", () => {
  Handlers.POST(
    (context) => {
      expectTypeOf(context.query).toBeUnknown();
      expectTypeOf(context.body).toBeUnknown();
      expectTypeOf(context.principal).toEqualTypeOf<Principal | undefined>();
    },
    { path: "/a", requireAuth: false },
  );
});

test("every method makes a route of its own name", () => {
  const policy = { path: "/a", requireAuth: false } as const;
  type Made<M extends string> = Route<M, "/a", unknown, unknown, number>;
  expectTypeOf(Handlers.GET(() => 1, policy)).toEqualTypeOf<Made<"GET">>();
  expectTypeOf(Handlers.POST(async () => 1, policy)).toEqualTypeOf<Made<"POST">>();
  expectTypeOf(Handlers.PUT(() => 1, policy)).toEqualTypeOf<Made<"PUT">>();
  expectTypeOf(Handlers.PATCH(() => 1, policy)).toEqualTypeOf<Made<"PATCH">>();
  expectTypeOf(Handlers.DELETE(() => 1, policy)).toEqualTypeOf<Made<"DELETE">>();
  expectTypeOf(Handlers.HEAD(() => 1, policy)).toEqualTypeOf<Made<"HEAD">>();
  expectTypeOf(Handlers.OPTIONS(() => 1, policy)).toEqualTypeOf<Made<"OPTIONS">>();
});

test("codes are a closed union, unless one names its own", () => {
  const refused = (): void => {
    // @ts-expect-error there is no such code
    new BaseAPIError<"NOT_FOUND">("NOT_FOUNDD", "m");
    // @ts-expect-error nor is it one of the union
    const code: ErrorCode = "INSUFFICIENT_FUNDS";
    expectTypeOf(code).toBeString();
  };
  expectTypeOf(refused).toBeFunction();
  const options = { statusCode: 402 };
  const own = new BaseAPIError<"INSUFFICIENT_FUNDS">("INSUFFICIENT_FUNDS", "m", options);
  expectTypeOf(own.code).toEqualTypeOf<"INSUFFICIENT_FUNDS">();
  expectTypeOf(ResponseBuilder.success({ id: 1 }).data).toEqualTypeOf<{ id: number }>();
});

test("a stage stands in one of three phases, and answers 'pass' or an error", () => {
  type Answer = ReturnType<ReturnType<Stage["bind"]>>;
  expectTypeOf<Stage["phase"]>().toEqualTypeOf<"limit" | "csrf" | "authorize">();
  expectTypeOf<Answer>().toEqualTypeOf<"pass" | Error | Promise<"pass" | Error>>();
  expectTypeOf<boolean>().not.toExtend<Answer>();
  expectTypeOf<undefined>().not.toExtend<Answer>();
  expectTypeOf<true>().not.toExtend<ReturnType<typeof BaseAPIHandler.checkAuth>>();
});

test("a wrapper that guarantees nothing changes nothing", () => {
  const none: Wrapper = wrapper({} as Stage);
  const wrapped = none((context: RequestContext<false>) => context.userId);
  expectTypeOf(wrapped).returns.resolves.toEqualTypeOf<string | undefined>();
});
