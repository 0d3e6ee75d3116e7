import { BaseAPIError, DatabaseError } from "../core/index.ts";

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
  return new DatabaseError(`a statement failed: ${root?.code ?? "no SQLSTATE"}`, { cause });
}
