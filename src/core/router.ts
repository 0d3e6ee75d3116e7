import type { Awaitable } from "./awaitable.ts";
import { methodNotAllowed } from "./check-request.ts";
import { answerPreflight, isPreflight } from "./cross-origin.ts";
import { NotFoundError } from "./errors.ts";
import type { RouteInfo } from "./exchange.ts";
import type { BaseAPIHandler } from "./handler.ts";
import { compilePath, type PathParams, type PathPattern, segmentsOf, targetOf } from "./path.ts";
import { composeRoute, type RouteDefinition, type RouteHandle } from "./pipeline.ts";
import { type AnyRoute, assertRoute } from "./route.ts";

/** Router answers any request: by its route, or by 404 or 405 that pass the same edge and carry the same headers. */
export type Router = (request: Request, info: RouteInfo) => Awaitable<Response>;

interface Entry {
  readonly pattern: PathPattern;
  readonly routes: Map<string, AnyRoute>;
}

const noParams: PathParams = Object.freeze(Object.create(null) as Record<string, string>);

interface Found {
  readonly entry: Entry;
  readonly params: PathParams;
}

/**
 * createRouter mounts a list of routes. A literal path wins over one with parameters, and those over `*rest`.
 * Throws a TypeError that names the entry only if one is no route or stands twice.
 */
export function createRouter(
  handlers: Pick<typeof BaseAPIHandler, "kernel">,
  routes: readonly AnyRoute[],
): Router {
  const { kernel } = handlers;
  const literal = new Map<string, Entry>();
  const patterns: Entry[] = [];
  for (const [index, route] of routes.entries()) {
    assertRoute(route, index);
    mount(route, literal, patterns);
  }
  patterns.sort((a, b) => (order(a.pattern.source) < order(b.pattern.source) ? -1 : 1));

  const besideRoutes = (answer: Pick<RouteDefinition, "stages" | "preflight">): RouteHandle =>
    composeRoute({
      kernel,
      method: undefined,
      policy: { path: "/*path", requireAuth: false },
      ...answer,
      handler: () => undefined,
      hooks: {
        principals: [],
        // Nothing is told here that a credential would open, so none is read.
        checkAuth: () => ({ isAuthenticated: false, reason: "absent" }),
        validateBody: () => undefined,
        validateQuery: () => undefined,
      },
    });
  const elsewhere = (error: Error): RouteHandle => {
    const policy = { name: "elsewhere", options: undefined };
    return besideRoutes({ stages: [{ phase: "authorize", policy, bind: () => () => error }] });
  };
  const preflightOf = (methods: readonly string[] | undefined): RouteHandle =>
    besideRoutes({ stages: [], preflight: answerPreflight(kernel, methods) });
  const notFound = elsewhere(new NotFoundError("Path"));
  const unknownPreflight = preflightOf(undefined);
  const others = new Map<Entry, RouteHandle>();
  const preflights = new Map<Entry, RouteHandle>();
  for (const entry of [...literal.values(), ...patterns]) {
    const methods = [...entry.routes.keys()];
    others.set(entry, elsewhere(methodNotAllowed(methods)));
    if (kernel.cors !== undefined) preflights.set(entry, preflightOf(methods));
  }

  const find = (pathname: string): Found | undefined => {
    const exact = literal.get(pathname);
    if (exact !== undefined) return { entry: exact, params: noParams };
    const segments = segmentsOf(pathname);
    if (segments === undefined) return undefined;
    for (const entry of patterns) {
      const params = entry.pattern.match(segments);
      if (params !== undefined) return { entry, params };
    }
    return undefined;
  };

  return (request, info) => {
    const found = find(pathnameOf(request));
    if (kernel.cors !== undefined && isPreflight(request, info)) {
      const preflight = found === undefined ? undefined : preflights.get(found.entry);
      return (preflight ?? unknownPreflight)(request, info, noParams);
    }
    if (found === undefined) return notFound(request, info, noParams);
    const { entry, params } = found;
    const method = request.method === "HEAD" && !entry.routes.has("HEAD") ? "GET" : request.method;
    const route = entry.routes.get(method);
    if (route !== undefined) return route.handle(request, info, params);
    return (others.get(entry) ?? notFound)(request, info, noParams);
  };
}

/** A path whose encoding is broken is no path of ours. */
function pathnameOf(request: Request): string {
  const { pathname } = targetOf(request.url);
  if (!pathname.includes("%")) return pathname;
  try {
    segmentsOf(pathname);
    return pathname;
  } catch {
    return "//";
  }
}

function mount(route: AnyRoute, literal: Map<string, Entry>, patterns: Entry[]): void {
  const pattern = compilePath(route.path);
  const shape = order(route.path);
  const isLiteral = shape === route.path;
  let entry = isLiteral
    ? literal.get(route.path)
    : patterns.find((other) => order(other.pattern.source) === shape);
  if (entry !== undefined && entry.pattern.source !== route.path) {
    throw new TypeError(
      `route ${route.method} ${route.path}: the same path stands as ${entry.pattern.source}; name its parameters alike`,
    );
  }
  if (entry === undefined) {
    entry = { pattern, routes: new Map() };
    if (isLiteral) literal.set(route.path, entry);
    else patterns.push(entry);
  }
  if (entry.routes.has(route.method)) {
    throw new TypeError(`route ${route.method} ${route.path} is defined twice`);
  }
  entry.routes.set(route.method, route);
}

/** order sorts, by code unit, literal segments before parameters, and those before the rest. */
const order = (source: string): string =>
  source.replaceAll(/:\w+/g, "\ufffe").replace(/\*\w+/, "\uffff");
