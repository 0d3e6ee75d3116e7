import type { Awaitable } from "./awaitable.ts";
import type { RequestContext } from "./context.ts";
import type { Duration } from "./duration.ts";
import type { ErrorCode } from "./error-codes.ts";
import type { RouteInfo } from "./exchange.ts";
import type { StagePolicy } from "./kernel.ts";
import type { RateLimitOptions } from "./limit-stage.ts";
import { compilePath, type PathParams } from "./path.ts";
import type { Principal } from "./principal.ts";
import type { Handler } from "./stage.ts";
import type { Schema } from "./validate.ts";

/** RoutePolicy is what every route states; `path` and `requireAuth` have no default, on purpose. */
export interface RoutePolicy<Path extends string, Auth extends boolean, Query, Body> {
  /** Such as `/api/products/:id` or `/files/*rest`. */
  readonly path: Path;
  /** true: only a principal passes. false: anyone; a credential that is presented must still be good, and of a kind that the route admits. */
  readonly requireAuth: Auth;
  readonly query?: Query | undefined;
  /** Schema of a JSON body. Without one, the handler may read `context.request` itself, under the same byte limit. */
  readonly body?: Body | undefined;
  readonly rateLimit?: RateLimitOptions | undefined;
  /** Names of configured per-address limits, decided before authentication together with `address`. Default none. */
  readonly limits?: readonly string[] | undefined;
  /** Kinds of principal that pass besides those of its handler class and its stages. One without a `userId` must be named here. Default none. */
  readonly principals?: readonly Principal["kind"][] | undefined;
  /** Bytes of the body. Default: the application's, 1 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Longest time that a stage or the handler is waited for, such as `5s`, at most `24h`; then the answer is 503. Default: the application's, 30s. */
  readonly handlerTimeout?: Duration | undefined;
  /** Media types of the answer; a client that accepts none of them gets 406. Default application/json. */
  readonly produces?: readonly string[] | undefined;
  /** Schema of the `data` that the route answers. Documents and clients read it; no answer is checked against it. */
  readonly response?: Schema | undefined;
  /** Status of what the route answers when all is well, for documents. Default 200. */
  readonly status?: number | undefined;
  /** Codes that the handler itself refuses with, besides those that follow from the policy; for documents. Default none. */
  readonly errors?: readonly ErrorCode[] | undefined;
  /** What the route is for, in one line; OpenAPI shows it. */
  readonly summary?: string | undefined;
  /** Answers under any Host. For probes, which send addresses. Default false. */
  readonly insecureAnyHost?: boolean | undefined;
  /** Stands outside the application's limits, and is served under any load. For probes. Default false. */
  readonly insecureUnlimited?: boolean | undefined;
}

/** Route is a function of a Request, as Next.js exports it, that can tell its method, path and policies. */
export interface Route<Method extends string, Path extends string, Query, Body, R> {
  (request: Request, info?: RouteInfo): Promise<Response>;
  readonly method: Method;
  readonly path: Path;
  readonly policies: readonly StagePolicy[];
  /** Kinds of principal that it lets in; documents show it. */
  readonly principals: readonly Principal["kind"][];
  /** The policy that the route was defined with; documents and clients read it. */
  readonly definition: AnyRoutePolicy;
  /** handle is the route without the promise around an answer that is there already; for adapters. */
  readonly handle: (request: Request, info: RouteInfo, params?: PathParams) => Awaitable<Response>;
  readonly "~types"?: { readonly query: Query; readonly body: Body; readonly result: R };
}

/** AnyRoute is a route as routers and documents see it. */
export type AnyRoute = Route<string, string, unknown, unknown, unknown>;

/** What a route was defined with, after its wrappers were taken off. */
export interface AnyRoutePolicy extends RoutePolicy<string, boolean, Schema, Schema> {}

export type AnyHandler = Handler<RequestContext, unknown>;

/**
 * checkPolicy refuses a route that does not state its policy, when it is defined.
 * Throws a TypeError that names the route only if something is missing or malformed.
 */
export function checkPolicy(method: string, handler: unknown, policy: unknown): AnyRoutePolicy {
  const given = (policy ?? {}) as Partial<AnyRoutePolicy>;
  const named = typeof handler === "function" && handler.name !== "" ? ` (${handler.name})` : "";
  const name = typeof given.path === "string" ? `${method} ${given.path}` : `${method}${named}`;
  const refuse = (field: string, expected: string, came: unknown): never => {
    const shown = came === undefined ? "nothing" : (JSON.stringify(came) ?? typeof came);
    throw new TypeError(`route ${name}: ${field}: expected ${expected}, came ${shown}`);
  };
  if (typeof policy !== "object" || policy === null) {
    refuse("policy", "{ path, requireAuth }", policy);
  }
  if (typeof handler !== "function") refuse("handler", "a function", handler);
  if (typeof given.path !== "string") refuse("path", "a path", given.path);
  if (typeof given.requireAuth !== "boolean") {
    refuse("requireAuth", "true or false", given.requireAuth);
  }
  for (const field of ["query", "body", "response"] as const) {
    const schema = given[field];
    if (schema !== undefined && typeof schema?.["~standard"]?.validate !== "function") {
      refuse(field, "a Standard Schema", schema);
    }
  }
  if (given.body !== undefined && (method === "GET" || method === "HEAD")) {
    refuse("body", `no body on ${method}`, "a schema");
  }
  try {
    compilePath(given.path as string);
  } catch (error) {
    throw new TypeError(`route ${name}: ${(error as Error).message}`);
  }
  return given as AnyRoutePolicy;
}

/** assertRoute refuses what is not a route in a list of routes. Throws a TypeError that names the entry. */
export function assertRoute(value: unknown, index: number): asserts value is AnyRoute {
  if (typeof value === "function" && typeof (value as Partial<AnyRoute>).handle === "function") {
    return;
  }
  const name = typeof value === "function" && value.name !== "" ? ` (${value.name})` : "";
  throw new TypeError(
    `routes[${index}]${name}: expected a route made by GET, POST, ... with its policy, came ${typeof value}`,
  );
}
