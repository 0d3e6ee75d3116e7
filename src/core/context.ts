import type { Principal } from "./principal.ts";

type NamesOf<P extends string> = P extends `${infer Head}/${infer Tail}`
  ? NamesOf<Head> | NamesOf<Tail>
  : P extends `:${infer Name}` | `*${infer Name}`
    ? Name
    : never;

/** ParamsOf reads the parameter names off a path: `/products/:id` has `id`, `/files/*rest` has `rest`. */
export type ParamsOf<P extends string> = { readonly [Name in NamesOf<P>]: string };

/** What a wrapper such as `requireRoles` adds to what its handler may rely on. */
export interface Authenticated {
  readonly principal: Principal;
  readonly userId: string;
  readonly roles: readonly string[];
}

/** RequestContext is all that a handler gets: who asks, from where, and the validated input. */
export interface RequestContext<
  Auth extends boolean = boolean,
  Params = unknown,
  Query = unknown,
  Body = unknown,
> {
  readonly request: Request;
  readonly requestId: string;
  /** The client's address as seen through trusted proxies; undefined where the host cannot know it. */
  readonly address: string | undefined;
  /** Aborts when the client goes away or the time is up. */
  readonly signal: AbortSignal;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly principal: Auth extends true ? Principal : Principal | undefined;
  readonly userId: Auth extends true ? string : string | undefined;
  readonly roles: Auth extends true ? readonly string[] : readonly string[] | undefined;
  /** The tenant that the principal acts in; undefined outside of any. */
  readonly tenantId: string | undefined;
  /** The request's method, where that costs less than `request.method`. */
  readonly method?: string;
  /** Reads a header of the request where that costs less than `request.headers.get(name)`. */
  get?(name: string): string | null;
  /**
   * header sets a header of the one Response that is built at the end; `set-cookie` and `vary` are added to what is set before. Where
   * the principal is known, `cache-control` stays `no-store`.
   */
  header(name: string, value: string): void;
}
