import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  type Authenticated,
  BaseAPIHandler,
  limitStage,
  type RequestContext,
  type Route,
  type Stage,
  type Wrapper,
  wrapper,
} from "./index.ts";

declare const stage: Stage;
const requireRole = (..._roles: ("admin" | "moderator")[]): Wrapper<Authenticated> =>
  wrapper<Authenticated>(stage);
const withLimit = (options: Parameters<typeof limitStage>[0]): Wrapper =>
  wrapper(limitStage(options));

class Handlers extends BaseAPIHandler {
  static override checkAuth() {
    return { isAuthenticated: false, reason: "absent" } as const;
  }
}

const body = z.object({ name: z.string(), size: z.string().transform((text) => text.length) });

test("a wrapper adds what it guarantees, and the route gives the rest", () => {
  const route = Handlers.DELETE(
    requireRole(
      "admin",
      "moderator",
    )(async (context) => {
      expectTypeOf(context).not.toBeAny();
      expectTypeOf(context.userId).toEqualTypeOf<string>();
      expectTypeOf(context.roles).toEqualTypeOf<readonly string[]>();
      expectTypeOf(context.params.id).toEqualTypeOf<string>();
      return { gone: context.params.id };
    }),
    {
      path: "/things/:id",
      requireAuth: true,
      rateLimit: { requests: 30, window: "1m", keyGenerator: (context) => context.userId },
    },
  );
  expectTypeOf(route).toEqualTypeOf<
    Route<"DELETE", "/things/:id", unknown, unknown, { gone: string }>
  >();
});

test("stacked wrappers see the schema's output, not its input", () => {
  const route = Handlers.POST(
    withLimit({ requests: 10, window: "1m", keyGenerator: (context) => context.userId })(
      requireRole("admin")(async (context) => {
        expectTypeOf(context.body).toEqualTypeOf<{ name: string; size: number }>();
        expectTypeOf(context.userId).toEqualTypeOf<string>();
        return { name: context.body.name };
      }),
    ),
    { path: "/things", requireAuth: true, body },
  );
  expectTypeOf(route).toEqualTypeOf<
    Route<"POST", "/things", unknown, { name: string; size: number }, { name: string }>
  >();
});

test("without requireAuth nobody may be there", () => {
  Handlers.GET(
    (context) => {
      expectTypeOf(context.userId).toEqualTypeOf<string | undefined>();
      expectTypeOf(context.body).toEqualTypeOf<unknown>();
      expectTypeOf(context.query).toEqualTypeOf<{ page: number }>();
      expectTypeOf(context.params.rest).toEqualTypeOf<string>();
      return [1, 2];
    },
    {
      path: "/files/*rest",
      requireAuth: false,
      query: z.object({ page: z.coerce.number() }),
    },
  );
  Handlers.PATCH(
    requireRole("admin")((context) => {
      expectTypeOf(context.userId).toEqualTypeOf<string>();
      return 1;
    }),
    { path: "/x", requireAuth: false },
  );
});

test("a handler that is defined apart keeps its own types", () => {
  const apart = async (
    context: RequestContext<true, { id: string }>,
  ): Promise<{ readonly id: string }> => ({ id: context.params.id });
  Handlers.GET(apart, { path: "/p/:id", requireAuth: true });
  Handlers.GET(requireRole("admin")(apart), { path: "/p/:id", requireAuth: true });
});

test("what states no policy does not compile", () => {
  const refused = (): void => {
    // @ts-expect-error a policy is not optional
    Handlers.GET(() => 1);
    // @ts-expect-error requireAuth must be said
    Handlers.GET(() => 1, { path: "/x" });
    // @ts-expect-error a path must be said
    Handlers.GET(() => 1, { requireAuth: false });
    // @ts-expect-error there is no such role
    requireRole("root");
    const { GET: loose } = Handlers;
    // @ts-expect-error a method is called on its class
    loose(() => 1, { path: "/x", requireAuth: false });
    // @ts-expect-error this handler needs a user, and its route promises none
    Handlers.GET((c: RequestContext<true>) => c.userId, { path: "/x", requireAuth: false });
    // @ts-expect-error there is no such parameter
    Handlers.GET((context) => context.params.other, { path: "/p/:id", requireAuth: false });
  };
  expectTypeOf(refused).toBeFunction();
});

/** The shape that Next.js' generated validator demands of what a route module exports. */
interface NextRequest extends Request {
  readonly nextUrl: URL;
}
type NextHandler<P> = (
  request: NextRequest,
  context: { params: Promise<P> },
) => Promise<Response | undefined> | Response | undefined;

test("a route is what Next.js expects of a module", () => {
  const one = Handlers.GET(() => 1, { path: "/p/:id", requireAuth: false });
  const rest = Handlers.PUT(() => 1, { path: "/files/*rest", requireAuth: false });
  const none = Handlers.POST(() => 1, { path: "/p", requireAuth: false });
  expectTypeOf(one).toExtend<NextHandler<{ id: string }>>();
  expectTypeOf(rest).toExtend<NextHandler<{ rest?: string[] }>>();
  expectTypeOf(none).toExtend<NextHandler<Record<string, never>>>();
});
