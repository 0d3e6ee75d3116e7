import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Awaitable } from "./awaitable.ts";
import { isPromise } from "./awaitable.ts";
import { type ErrorDetail, ValidationError } from "./errors.ts";

/** Schema is any Standard Schema: zod, valibot, arktype and others. */
export type Schema<T = unknown> = StandardSchemaV1<unknown, T>;

/** Not distributive, on purpose: else an absent `query` turns every wrapped handler's `body` and `params` into `unknown`. */
export type Output<S> = [S] extends [Schema<infer T>] ? T : unknown;

export const MAX_DETAILS = 50;

/** validate returns the schema's output. Throws a ValidationError only if the schema found issues. */
export function validate<T>(schema: Schema<T>, value: unknown): Awaitable<T> {
  const result = schema["~standard"].validate(value);
  return isPromise(result) ? result.then(outputOf) : outputOf(result);
}

function outputOf<T>(result: StandardSchemaV1.Result<T>): T {
  if (result.issues === undefined) return result.value;
  throw new ValidationError(result.issues.slice(0, MAX_DETAILS).flatMap(detailsOf));
}

/** An issue's `code` and `keys` are zod's; another schema's issue is `invalid`. */
interface ZodLikeIssue extends StandardSchemaV1.Issue {
  readonly code?: unknown;
  readonly keys?: unknown;
}

function detailsOf(issue: ZodLikeIssue): ErrorDetail[] {
  const path = (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
  const code = typeof issue.code === "string" ? issue.code : "invalid";
  if (code === "unrecognized_keys" && Array.isArray(issue.keys)) {
    return issue.keys.map((key) => ({
      field: [...path, String(key)].join("."),
      message: "Unknown field.",
      code: "unknown_field",
    }));
  }
  return [{ field: path.join("."), message: issue.message, code }];
}
