import type { Awaitable } from "./awaitable.ts";
import type { ParamsOf, RequestContext } from "./context.ts";
import type { RouteInfo } from "./exchange.ts";
import { bareKernel, type Kernel } from "./kernel.ts";
import { admittedKinds, composeRoute } from "./pipeline.ts";
import type { AuthInfo, AuthResult, Principal } from "./principal.ts";
import { type AnyHandler, checkPolicy, type Route, type RoutePolicy } from "./route.ts";
import { type Handler, unwrap } from "./stage.ts";
import { type Output, type Schema, validate } from "./validate.ts";

/** Define makes a route of one method. It must be called on its class: `H.GET(...)`. */
export type Define<Method extends string> = <
  Path extends string,
  Auth extends boolean,
  R,
  Query extends Schema | undefined = undefined,
  Body extends Schema | undefined = undefined,
>(
  this: typeof BaseAPIHandler,
  handler: Handler<RequestContext<Auth, ParamsOf<Path>, Output<Query>, Output<Body>>, R>,
  policy: RoutePolicy<Path, Auth, Query, Body>,
) => Route<Method, Path, Output<Query>, Output<Body>, R>;

/**
 * BaseAPIHandler defines routes: `BaseAPIHandler.GET(handler, { path, requireAuth })`. Override `checkAuth`,
 * `validateQuery` or `validateBody` in a subclass to decide them otherwise for its routes.
 * Imported bare it has no authenticator: a route with `requireAuth: true` is then refused when it is defined.
 */
export class BaseAPIHandler {
  static readonly kernel: Kernel = bareKernel;

  /** Kinds of principal that the routes of the class admit: people alone, so that a key opens only what says that it may. */
  static readonly principals: readonly Principal["kind"][] = ["user"];

  /** checkAuth decides who the request acts for. Default: the kernel's authenticators. It throws when it cannot know. */
  static checkAuth(request: Request, info: AuthInfo): Awaitable<AuthResult> {
    // biome-ignore lint/complexity/noThisInStatic: a subclass brings its own kernel
    return this.kernel.authenticate(request, info);
  }

  /** validateQuery returns what the handler sees as `query`. Throws only a ValidationError. */
  static validateQuery(schema: Schema, query: unknown): Awaitable<unknown> {
    return validate(schema, query);
  }

  /** validateBody returns what the handler sees as `body`. Throws only a ValidationError. */
  static validateBody(schema: Schema, body: unknown): Awaitable<unknown> {
    return validate(schema, body);
  }

  static readonly GET: Define<"GET"> = define("GET");
  static readonly POST: Define<"POST"> = define("POST");
  static readonly PUT: Define<"PUT"> = define("PUT");
  static readonly PATCH: Define<"PATCH"> = define("PATCH");
  static readonly DELETE: Define<"DELETE"> = define("DELETE");
  static readonly HEAD: Define<"HEAD"> = define("HEAD");
  static readonly OPTIONS: Define<"OPTIONS"> = define("OPTIONS");
}

function define<Method extends string>(method: Method): Define<Method> {
  return function (handler, given) {
    const handlers = this as typeof BaseAPIHandler | undefined;
    if (typeof handlers?.checkAuth !== "function") {
      throw new TypeError(`${method}(...): call it on its class, such as BaseAPIHandler.${method}`);
    }
    const { stages, handler: inner } = unwrap(handler);
    const policy = checkPolicy(method, inner, given);
    const { kernel } = handlers;
    if (
      kernel === bareKernel &&
      policy.requireAuth &&
      handlers.checkAuth === BaseAPIHandler.checkAuth
    ) {
      throw new TypeError(
        `route ${method} ${policy.path}: requireAuth: this handler has no authenticator; take one from createBulwark().handlers`,
      );
    }
    const handle = composeRoute({
      kernel,
      method,
      policy,
      stages,
      handler: inner as AnyHandler,
      hooks: handlers,
    });
    const route = async (request: Request, info: RouteInfo = {}): Promise<Response> =>
      handle(request, info);
    const { rateLimit, requireAuth } = policy;
    const stated = [
      { name: "requireAuth", options: requireAuth },
      ...(rateLimit === undefined ? [] : [{ name: "rateLimit", options: rateLimit }]),
      ...stages.map((stage) => stage.policy),
    ];
    return Object.assign(route, {
      method,
      path: given.path,
      policies: stated,
      principals: admittedKinds(handlers, policy, stages),
      definition: policy,
      handle,
    });
  };
}
