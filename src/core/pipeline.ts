import { type Awaitable, isPromise } from "./awaitable.ts";
import {
  BODY_RULES,
  boundBody,
  checkDeclaredLength,
  checkFraming,
  limitBody,
  readJson,
} from "./body.ts";
import { checkRequest } from "./check-request.ts";
import { tellOrigin } from "./cross-origin.ts";
import { EarlyAnswer, edgeGuards, httpsGuards } from "./edge-guards.ts";
import { BaseAPIError, ForbiddenError, UnauthorizedError, UnavailableError } from "./errors.ts";
import { Exchange, type RouteInfo } from "./exchange.ts";
import { finish, type Outcome } from "./finish.ts";
import type { Kernel, RequestTracing, Stage, StageRoute } from "./kernel.ts";
import { addressLimits, limitStage } from "./limit-stage.ts";
import { accepts } from "./negotiate.ts";
import type { PathParams } from "./path.ts";
import type { AuthInfo, AuthResult, Principal } from "./principal.ts";
import type { AnyHandler, AnyRoutePolicy } from "./route.ts";
import { limitTime } from "./time-limit.ts";
import type { Schema } from "./validate.ts";

/** What a handler class decides for its routes. */
interface RouteHooks {
  readonly principals: readonly Principal["kind"][];
  checkAuth(request: Request, info: AuthInfo): Awaitable<AuthResult>;
  validateQuery(schema: Schema, query: unknown): Awaitable<unknown>;
  validateBody(schema: Schema, body: unknown): Awaitable<unknown>;
}

export interface RouteDefinition {
  readonly kernel: Kernel;
  /** Undefined for what is answered alike whatever the method: unknown paths. */
  readonly method: string | undefined;
  readonly policy: AnyRoutePolicy;
  readonly stages: readonly Stage[];
  readonly handler: AnyHandler;
  readonly hooks: RouteHooks;
  /** Answers as soon as URL and Host are known, in the place of all that follows: for what a browser asks by itself. */
  readonly preflight?: (exchange: Exchange) => Awaitable<Response>;
}

/** RouteHandle answers a request; `params` are those that a router of ours has read from the path already. */
export type RouteHandle = (
  request: Request,
  info: RouteInfo,
  params?: PathParams,
) => Awaitable<Response>;

/** A step answers `'pass'`, or what ends the request. */
type Step = (exchange: Exchange) => Awaitable<Outcome>;

/**
 * composeRoute orders the stages of one route, once: Host, limits by address, authentication, limits by principal, CSRF,
 * authorization, input, handler. A request then runs down the list, and waits only for what is a promise.
 */
export function composeRoute(definition: RouteDefinition): RouteHandle {
  const { kernel, method, policy, stages } = definition;
  const route: StageRoute = {
    method: method ?? "*",
    path: policy.path,
    limits: policy.limits ?? [],
  };
  checkPhases(route, stages);
  const limited = policy.insecureUnlimited !== true;
  const bound = (list: readonly Stage[]): Step[] => list.map((stage) => stage.bind(kernel, route));
  const inPhase = (phase: Stage["phase"]): Step[] =>
    bound(stages.filter((stage) => stage.phase === phase));

  const steps: Step[] = [
    ...edgeGuards(kernel, policy),
    checkRequest(definition),
    ...httpsGuards(kernel, policy),
  ];
  let firstInput = steps.length;
  if (definition.preflight !== undefined) steps.push(definition.preflight);
  else {
    steps.unshift(...tellOrigin(kernel));
    steps.push(
      ...namedLimits(definition, route, limited),
      // What is outside the limits is not outside the rest.
      ...bound(kernel.edge.filter(({ phase }) => limited || phase !== "limit")),
      authenticate(definition),
      ...(limited ? bound(kernel.admission) : []),
      ...(policy.rateLimit === undefined ? [] : bound([limitStage(policy.rateLimit)])),
      ...inPhase("limit"),
      ...inPhase("csrf"),
      ...inPhase("authorize"),
    );
    firstInput = steps.length;
    steps.push(
      ...readInput(definition),
      (exchange) => definition.handler(exchange) as Awaitable<Outcome>,
    );
  }

  const conclude = (exchange: Exchange, outcome: Outcome): Awaitable<Response> =>
    finish(kernel, policy, exchange, outcome);
  const end = (exchange: Exchange, result: unknown): Awaitable<Response> =>
    result instanceof EarlyAnswer ? result.response : conclude(exchange, refusal(result));
  const inTime = limitTime(definition, conclude);

  const run = (exchange: Exchange, from: number): Awaitable<Response> => {
    try {
      for (let index = from; index < steps.length; index += 1) {
        const last = index === steps.length - 1;
        const result = (steps[index] as Step)(exchange);
        if (isPromise(result)) {
          const settled = (value: unknown): Awaitable<Response> => {
            if (last) return conclude(exchange, value);
            return value === "pass" ? run(exchange, index + 1) : end(exchange, value);
          };
          const thrown = (error: unknown): Awaitable<Response> =>
            conclude(exchange, thrownOutcome(error));
          // How long a body may take is its host's to say.
          const isInput = !last && index >= firstInput;
          return isInput ? result.then(settled, thrown) : inTime(exchange, result, settled, thrown);
        }
        if (last) return conclude(exchange, result);
        if (result !== "pass") return end(exchange, result);
      }
    } catch (thrown) {
      return conclude(exchange, thrownOutcome(thrown));
    }
    throw new Error("unreachable: the last step always concludes");
  };

  const measured = kernel.meter?.(method ?? "*", method === undefined ? "unknown" : policy.path);
  const limit = bodyLimitOf(definition);
  const plain: RouteHandle = (request, info, params) =>
    run(new Exchange(kernel, boundBody(request, info, limit), info, params), 0);
  const handle = measured === undefined ? plain : measure(plain, measured);
  const tracing = kernel.trace?.(method ?? "*", method === undefined ? "unknown" : policy.path);
  return tracing === undefined ? handle : traced(handle, tracing);
}

function traced(handle: RouteHandle, tracing: RequestTracing): RouteHandle {
  return (request, info, params) => {
    if (!tracing.isOn) return handle(request, info, params);
    const readHeader = (name: string): string | null =>
      info.header === undefined ? request.headers.get(name) : info.header(name);
    return tracing.run(readHeader, () => handle(request, info, params));
  };
}

const PHASES: readonly string[] = ["limit", "csrf", "authorize"] satisfies Stage["phase"][];

/** A stage of another phase would never be asked, and its route would stand open. */
function checkPhases(route: StageRoute, stages: readonly Stage[]): void {
  for (const { phase, policy } of stages) {
    if (PHASES.includes(phase)) continue;
    throw new TypeError(
      `route ${route.method} ${route.path}: ${policy.name}: phase: expected limit, csrf or authorize, came ${phase}`,
    );
  }
}

function measure(
  handle: RouteHandle,
  tell: (status: number, seconds: number) => void,
): RouteHandle {
  return (request, info, params) => {
    const started = performance.now();
    const told = (response: Response): Response => {
      tell(response.status, (performance.now() - started) / 1_000);
      return response;
    };
    const response = handle(request, info, params);
    return isPromise(response) ? response.then(told) : told(response);
  };
}

/** refusal keeps an error that a stage returned; anything else that is not 'pass' refuses too. */
const refusal = (result: unknown): Error =>
  result instanceof Error ? result : new TypeError("a stage answered neither 'pass' nor an error");

const thrownOutcome = (thrown: unknown): Error =>
  thrown instanceof Error
    ? thrown
    : new Error("a value that is no Error was thrown", { cause: thrown });

/** Refusals that say the same each time are made once: an error costs as much as all the rest of such an answer. */
const notAdmitted = new ForbiddenError("This credential cannot be used here.");
const unauthenticated = new UnauthorizedError("Authentication is required.", {
  headers: { "www-authenticate": "Bearer" },
});

/** namedLimits decides the route's own address limits; the edge decides `address` itself where a route names none. */
function namedLimits(
  { kernel, policy }: RouteDefinition,
  route: StageRoute,
  limited: boolean,
): Step[] {
  for (const name of route.limits) {
    if (!Object.hasOwn(kernel.namedLimits, name)) {
      throw new TypeError(
        `route ${route.method} ${policy.path}: limits: ${name} is not configured`,
      );
    }
  }
  if (!limited) return [];
  const policies = ["address", ...route.limits].flatMap((name) => kernel.namedLimits[name] ?? []);
  if (policies.length === 0) return [];
  return [addressLimits(kernel, policies)];
}

/** admittedKinds are the kinds of principal that a route lets in: those of its handler class, its policy and its stages. */
export const admittedKinds = (
  hooks: Pick<RouteHooks, "principals">,
  policy: AnyRoutePolicy,
  stages: readonly Stage[],
): readonly Principal["kind"][] => [
  ...new Set([
    ...hooks.principals,
    ...(policy.principals ?? []),
    ...stages.flatMap((stage) => stage.principals ?? []),
  ]),
];

function authenticate({ hooks, policy, stages }: RouteDefinition): Step {
  const admitted = new Set(admittedKinds(hooks, policy, stages));
  // Its context promises a user: whoever has none must have been named by the route itself.
  const withoutUser = new Set(policy.principals);
  const admit = (exchange: Exchange, result: AuthResult): "pass" => {
    if (!result.isAuthenticated) {
      if (result.reason === "absent" && !policy.requireAuth) return "pass";
      throw unauthorized(result);
    }
    const { principal } = result;
    if (!admitted.has(principal.kind)) throw notAdmitted;
    if (policy.requireAuth && !hasUser(principal) && !withoutUser.has(principal.kind)) {
      throw unauthorized(undefined);
    }
    exchange.principal = result.principal;
    return "pass";
  };
  return (exchange) => {
    let result: Awaitable<AuthResult>;
    try {
      result = hooks.checkAuth(exchange.handed, exchange);
    } catch (cause) {
      throw cannotKnow(cause);
    }
    if (!isPromise(result)) return admit(exchange, result);
    return result.then(
      (settled) => admit(exchange, settled),
      (cause: unknown) => {
        throw cannotKnow(cause);
      },
    );
  };
}

/** An authenticator that throws cannot know who asks: its own refusal stands, and anything else is a 503. */
const cannotKnow = (cause: unknown): BaseAPIError<string> =>
  cause instanceof BaseAPIError
    ? cause
    : new UnavailableError("who asks could not be decided", { cause });

const hasUser = (principal: Principal): boolean =>
  "userId" in principal && typeof principal.userId === "string" && principal.userId !== "";

/** unauthorized says by RFC 6750 section 3 what was wrong: nothing where no credential came, `invalid_token` where a bad one did. */
function unauthorized(result: (AuthResult & { isAuthenticated: false }) | undefined): Error {
  if (result?.code === "INVALID_REQUEST") {
    return new BaseAPIError("INVALID_REQUEST", "Send one credential, not several.");
  }
  if (result === undefined || result.reason === "absent") return unauthenticated;
  const expired = result.code === "TOKEN_EXPIRED";
  return new UnauthorizedError(
    expired ? "The token has expired." : "The credential is not valid.",
    {
      code: expired ? "TOKEN_EXPIRED" : "UNAUTHORIZED",
      headers: { "www-authenticate": 'Bearer error="invalid_token"' },
    },
  );
}

function bodyLimitOf({
  kernel,
  method,
  policy,
}: Pick<RouteDefinition, "kernel" | "method" | "policy">): number {
  const limit = policy.maxBodyBytes ?? kernel.maxBodyBytes;
  if (Number.isSafeInteger(limit) && limit >= 0) return limit;
  const name = `route ${method ?? "*"} ${policy.path}`;
  throw new TypeError(`${name}: maxBodyBytes: expected a whole number from 0, came ${limit}`);
}

/** readInput validates what the handler is given: cheap checks first, and a body only for those who may send it. */
function readInput({ kernel, method, policy, hooks }: RouteDefinition): Step[] {
  const produces = policy.produces ?? ["application/json", "application/problem+json"];
  const limit = bodyLimitOf({ kernel, method, policy });
  const rules = kernel.bodies ?? BODY_RULES;
  const steps: Step[] = [
    (exchange) => {
      if (accepts(exchange.get("accept"), produces)) return "pass";
      throw new BaseAPIError("NOT_ACCEPTABLE", `This answers ${produces[0]}.`);
    },
  ];
  const { query, body } = policy;
  if (query !== undefined) {
    steps.push((exchange) =>
      assign(hooks.validateQuery(query, exchange.query), (value) => {
        exchange.query = value;
      }),
    );
  }
  if (body !== undefined) {
    const keep = (exchange: Exchange, raw: unknown): Awaitable<"pass"> =>
      assign(hooks.validateBody(body, raw), (value) => {
        exchange.body = value;
      });
    steps.push((exchange) => readJson(exchange, limit, rules).then((raw) => keep(exchange, raw)));
  } else {
    steps.push((exchange) => {
      // A GET's body means nothing (RFC 9110 section 9.3.1), but one that declares itself too large is refused all the same.
      if (method === "GET" || method === "HEAD")
        checkDeclaredLength(exchange.get("content-length"), limit);
      else if (mayHaveBody(exchange)) {
        checkFraming(exchange, limit, rules.coding);
        exchange.limitRequest((request) => limitBody(request, limit, rules.coding));
      }
      return "pass";
    });
  }
  return steps;
}

/** Without a host that knows its framing, any request may have one. */
const mayHaveBody = (exchange: Exchange): boolean =>
  exchange.info.readBody === undefined ||
  exchange.get("content-length") !== null ||
  exchange.get("transfer-encoding") !== null;

const assign = (value: Awaitable<unknown>, keep: (value: unknown) => void): Awaitable<"pass"> => {
  if (!isPromise(value)) {
    keep(value);
    return "pass";
  }
  return value.then((settled) => {
    keep(settled);
    return "pass";
  });
};
