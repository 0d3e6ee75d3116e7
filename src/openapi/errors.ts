import { type AnyRoute, ERROR_STATUS, type ErrorCode, statusTitle } from "../core/index.ts";
import type { Reference, ResponseObject } from "./types.ts";

/** Policies that refuse with a status of their own; every other one that stands on a route forbids. */
const NOT_FORBIDDING: ReadonlySet<string> = new Set(["requireAuth", "rateLimit"]);

/** errorCodes are the codes that a route can answer: those that follow from its policy, and those that it states. */
export function errorCodes(route: AnyRoute): ErrorCode[] {
  const { definition, policies, path } = route;
  const { query, body, requireAuth, insecureAnyHost, insecureUnlimited } = definition;
  const guards = policies.filter(({ name }) => !NOT_FORBIDDING.has(name));
  const hasCsrf = guards.some(({ name }) => /csrf/i.test(name));
  const isForbidding = guards.some(({ name }) => !/csrf/i.test(name));
  const codes: (readonly [unknown, ...ErrorCode[]])[] = [
    [query !== undefined || body !== undefined, "VALIDATION_ERROR"],
    [body !== undefined, "INVALID_REQUEST", "PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"],
    [requireAuth, "UNAUTHORIZED", "TOKEN_EXPIRED"],
    [isForbidding, "FORBIDDEN"],
    [hasCsrf, "CSRF_REJECTED"],
    [/[:*]/.test(path), "NOT_FOUND"],
    [insecureAnyHost !== true, "MISDIRECTED_REQUEST"],
    [insecureUnlimited !== true, "RATE_LIMIT_EXCEEDED"],
    [true, "INTERNAL_ERROR", "SERVICE_UNAVAILABLE"],
  ];
  const derived = codes.flatMap(([stands, ...some]) => (stands === true ? some : []));
  return [...new Set([...derived, ...(definition.errors ?? [])])];
}

/** errorResponses refer to the shared responses, each with the codes that this route answers. */
export function errorResponses(codes: readonly ErrorCode[]): Record<string, Reference> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const status = ERROR_STATUS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, some]) => [
      String(status),
      {
        $ref: `#/components/responses/${responseName(status)}`,
        description: `${statusTitle(status)}: ${some.join(", ")}`,
      },
    ]),
  );
}

/** sharedErrors are the responses of all statuses that occur in `codes`. */
export function sharedErrors(codes: Iterable<ErrorCode>): Record<string, ResponseObject> {
  const statuses = new Set([...codes].map((code) => ERROR_STATUS[code]));
  return Object.fromEntries(
    [...statuses].sort((a, b) => a - b).map((status) => [responseName(status), errorOf(status)]),
  );
}

const responseName = (status: number): string => statusTitle(status).replaceAll(" ", "");

/** Headers that a refusal has besides those of every answer. */
const HEADERS: Readonly<Record<number, readonly string[]>> = {
  401: ["WWW-Authenticate"],
  429: ["Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"],
  503: ["Retry-After"],
};

function errorOf(status: number): ResponseObject {
  const names = ["X-Request-Id", ...(HEADERS[status] ?? [])];
  return {
    description: statusTitle(status),
    headers: headerReferences(names),
    content: {
      "application/json": { schema: { $ref: "#/components/schemas/Error" } },
      "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
    },
  };
}

/** headerReferences refer to the shared headers of these names. */
export const headerReferences = (names: readonly string[]): Record<string, Reference> =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
