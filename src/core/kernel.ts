import type { Awaitable } from "./awaitable.ts";
import type { BodyRules } from "./body.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { RequestContext } from "./context.ts";
import type { AuditSink, Limiter, LimitPolicy, Log } from "./ports.ts";
import type { AuthInfo, AuthResult, Principal } from "./principal.ts";

/** The facts a response is built on, as far as its headers depend on them. */
export type HeaderRecord = Readonly<Record<string, string>>;

/** The route that a stage is bound to, as far as a policy may need it. */
export interface StageRoute {
  readonly method: string;
  readonly path: string;
  readonly limits: readonly string[];
}

export interface StagePolicy {
  readonly name: string;
  readonly options: unknown;
}

/**
 * Stage is one policy's decision in one phase of a request. `bind` runs once, when the route is defined, and
 * returns the check that each request gets. Only `'pass'` passes: an error returned, thrown, or anything else refuses.
 */
export interface Stage {
  readonly phase: "limit" | "csrf" | "authorize";
  /** What the stage demands, readable: OpenAPI, the doctor and the client show it. */
  readonly policy: StagePolicy;
  /** Kinds of principal that the route admits besides its own, since this stage judges them. Default none. */
  readonly principals?: readonly Principal["kind"][] | undefined;
  bind(kernel: Kernel, route: StageRoute): (context: RequestContext) => Awaitable<"pass" | Error>;
}

/** RequestTracing runs the work of a request in a span, where somebody listens. */
export interface RequestTracing {
  readonly isOn: boolean;
  run(
    readHeader: (name: string) => string | null,
    work: () => Awaitable<Response>,
  ): Awaitable<Response>;
}

/** What a browser asks before a page of another origin may send a request (Fetch section 3.3.3). */
export interface Preflight {
  readonly origin: string;
  /** Access-Control-Request-Method. */
  readonly method: string;
  /** Access-Control-Request-Headers, as it came. */
  readonly headers: string | null;
  /** Whether the page stands on a more public network than this server. */
  readonly privateNetwork: boolean;
  /** Methods that routes of the path answer. */
  readonly methods: readonly string[];
}

/** CrossOriginPolicy is what pages of other origins may do. */
export interface CrossOriginPolicy {
  /** headersFor returns what an answer says to the pages of an origin, or undefined where they may not read it. */
  headersFor(origin: string): HeaderRecord | undefined;
  /** preflight returns the headers of the permission, or an error that says what is not allowed. */
  preflight(asked: Preflight): HeaderRecord | Error;
}

/** RefusedAddresses knows which addresses are banned, and hears which were refused by a limit. */
export interface RefusedAddresses {
  /** Milliseconds that an address is still banned; 0 where it is not. */
  bannedFor(address: string | undefined): number;
  refused(address: string | undefined): void;
}

/** Why something was refused or cut before a route looked at it, or since it took too long. */
export type RefusalReason =
  | "address"
  | "connections"
  | "connections_per_address"
  | "denied_connection"
  | "handler_timeout"
  | "headers"
  | "overload"
  | "pipelining"
  | "plain_http"
  | "slow_body"
  | "slow_reader"
  | "slow_request";

/** AddressList is which clients are served at all. */
export interface AddressList {
  /** admits is false for a denied address, and, where some are allowed, for any other and for an unknown one. */
  readonly admits: (address: string | undefined) => boolean;
  readonly isDenied: (address: string | undefined) => boolean;
}

/** HttpsPolicy knows what came over plain http, and where it is served instead. */
export interface HttpsPolicy {
  /** The issuer's origin, https. */
  readonly origin: string;
  cameAsHttp(source: { get(name: string): string | null }, peer: string | undefined): boolean;
}

/** Kernel is what a route is bound to when it is defined: the ports, and the policies that stand on every route. */
export interface Kernel {
  readonly clock: Clock;
  readonly log: Log;
  /** Version of the API, in every envelope. */
  readonly version: string;
  /** Bytes of a request body. Default 1 MiB. */
  readonly maxBodyBytes: number;
  /** How packed bodies are taken, and what JSON may hold. Default BODY_RULES. */
  readonly bodies?: BodyRules | undefined;
  /** Characters of a request's URL. Default 8,192. */
  readonly maxUrlLength: number;
  /** Headers that stand on every response. */
  readonly responseHeaders: HeaderRecord;
  /** What pages of other origins may do. Default nothing. */
  readonly cors?: CrossOriginPolicy | undefined;
  /** csrfToken tells whether a request shows a token of the session that its cookie carries; `exempt` where it carries none. */
  csrfToken?(context: RequestContext): "valid" | "missing" | "invalid" | "exempt";
  /** Stages after the limits by address and before authentication, on every route that is not exempt. */
  readonly edge: readonly Stage[];
  /** Stages after authentication, on every route that is not exempt. */
  readonly admission: readonly Stage[];
  /** Limits that a route's `limits` may name. */
  readonly namedLimits: Readonly<Record<string, LimitPolicy>>;
  /** Whether a 403 says what was required. Default false: it is nobody's business in production. */
  readonly explainRefusals?: boolean | undefined;
  readonly limiter: Limiter | undefined;
  /** Told of each limit of a route, when the route is defined, and whom it counts. */
  limitDefined?(policy: LimitPolicy, counts: "principal" | "own"): void;
  /** Milliseconds that a stage or a handler is waited for. Default 30,000. */
  readonly handlerTimeoutMs?: number | undefined;
  /** Whether the process has more to do than it can; read by every request. Default never. */
  readonly load?: { readonly isShedding: boolean } | undefined;
  /** Which clients are served. Default all. */
  readonly addresses?: AddressList | undefined;
  /** Default: plain http is served, as behind a proxy that speaks https to everybody. */
  readonly https?: HttpsPolicy | undefined;
  /** isTrustedProxy tells our own proxies by their address: caps never apply to them. Default there are none. */
  readonly isTrustedProxy?: ((peer: string) => boolean) | undefined;
  /** Told of what is refused or cut before a route looks at it, and of whom where it is known. */
  readonly edgeRefused?: ((reason: RefusalReason, address?: string) => void) | undefined;
  /** Who is kept out, and who comes to be. Default nobody. */
  readonly bans?: RefusedAddresses | undefined;
  /** A keyed hash of whom a limit counts, in base64, for the header. Default: it is not told. */
  readonly partitionOf?: ((key: string) => string) | undefined;
  readonly audit: AuditSink | undefined;
  /** meter returns, once per route, what is told of each of its answers: the status, and the seconds it took. */
  meter?(method: string, path: string): (status: number, seconds: number) => void;
  /** trace returns, once per route, what puts each of its requests in a span. */
  trace?(method: string, path: string): RequestTracing;
  /** isHostAllowed decides on the Host header; null where none came. */
  isHostAllowed(host: string | null): boolean;
  clientAddress(
    source: { get(name: string): string | null },
    peer: string | undefined,
  ): string | undefined;
  authenticate(request: Request, info: AuthInfo): Awaitable<AuthResult>;
  /** prepare connects and checks before the first request; afterwards it returns at once. */
  prepare(): Awaitable<void>;
}

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };

/**
 * bareKernel serves handlers that no application has bound: no principals, no limits, no audit, no Host list.
 * A route that demands a user or a limit on it is refused when it is defined.
 */
export const bareKernel: Kernel = {
  clock: systemClock,
  log: silent,
  version: "0",
  maxBodyBytes: 1_048_576,
  maxUrlLength: 8_192,
  responseHeaders: { "x-content-type-options": "nosniff", "cache-control": "no-store" },
  edge: [],
  admission: [],
  namedLimits: {},
  limiter: undefined,
  audit: undefined,
  isHostAllowed: () => true,
  clientAddress: (_source, peer) => peer,
  authenticate: () => ({ isAuthenticated: false, reason: "absent" }),
  prepare: () => undefined,
};
