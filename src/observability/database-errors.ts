import { BaseAPIError, DatabaseError, UnavailableError } from "../core/index.ts";

interface PostgresError extends Error {
  readonly code?: string;
  readonly table?: string;
  readonly constraint?: string;
}

/** rootOf walks to the server's own error: drizzle's wrapper quotes the parameters, which may be secrets. */
function rootOf(error: unknown): PostgresError | undefined {
  let current = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    if (/^[0-9A-Z]{5}$/.test((current as PostgresError).code ?? "")) return current;
    if (current.cause === undefined) return current;
    current = current.cause;
  }
  return current instanceof Error ? current : undefined;
}

/** isUniqueViolation is true for SQLSTATE 23505, on the named constraint where one is given. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const root = rootOf(error);
  return root?.code === "23505" && (constraint === undefined || root.constraint === constraint);
}

/** Texts that are no UTF-8 of PostgreSQL's, numbers out of range, texts that are no number, date or UUID. */
const BAD_VALUE = /^22(P02|P05|001|003|007|008|009|021)$/;

/** isBadValue is true where a value cannot be one of its column's type. */
export function isBadValue(error: unknown): boolean {
  const root = rootOf(error);
  // PGlite reads some values before PostgreSQL does.
  return (
    BAD_VALUE.test(root?.code ?? "") || root?.message.startsWith("Invalid input for ") === true
  );
}

/** isConflict is true for a row that is there already, and for one that others refer to, or that refers to none. */
export const isConflict = (error: unknown): boolean => /^2350[35]$/.test(rootOf(error)?.code ?? "");

/**
 * The server cannot be reached, lets nobody in, goes away, has no room, only reads, or gave up: classes 08, 28 and 53, a database
 * that is not there, shutdowns, fail-overs and time-outs.
 */
const UNAVAILABLE_STATE =
  /^(08|28|53)|^3D000$|^25006$|^57P0[1-5]$|^57014$|^55P03$|^40(001|P01)$|^25P03$/;
const UNAVAILABLE_SYSTEM: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT",
]);
/** What the client says without a code. */
const UNAVAILABLE_WORDS =
  /timeout exceeded when trying to connect|query read timeout|connection terminated|client was closed|not queryable|PGlite is clos|after calling end on the pool/i;

/** isUnavailable tells a store that cannot answer from one that refused a statement. */
function isUnavailable(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    const { code } = current as PostgresError;
    if (code !== undefined && (UNAVAILABLE_STATE.test(code) || UNAVAILABLE_SYSTEM.has(code))) {
      return true;
    }
    if (UNAVAILABLE_WORDS.test(current.message)) return true;
    if (current instanceof AggregateError) return current.errors.some(isUnavailable);
    current = current.cause;
  }
  return false;
}

/** asUnavailable is the UnavailableError of a store that cannot answer, or undefined for any other error. */
export const asUnavailable = (error: unknown): UnavailableError | undefined => {
  const mapped = isUnavailable(error) ? toDatabaseError(error) : undefined;
  return mapped instanceof UnavailableError ? mapped : undefined;
};

/**
 * toDatabaseError keeps refusals that were thrown inside a transaction, and turns everything else into a DatabaseError
 * with the SQLSTATE, table and constraint, without the statement's parameters.
 */
export function toDatabaseError(error: unknown): Error {
  if (error instanceof BaseAPIError || error instanceof TypeError) return error;
  const root = rootOf(error);
  const cause = Object.assign(new Error(root?.message ?? "unknown failure"), {
    code: root?.code,
    table: root?.table,
    constraint: root?.constraint,
  });
  if (root?.stack !== undefined) cause.stack = root.stack;
  if (isUnavailable(error)) return new UnavailableError("the database is not available", { cause });
  return new DatabaseError(`a statement failed: ${root?.code ?? "no SQLSTATE"}`, { cause });
}
