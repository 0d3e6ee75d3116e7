import { statusTitle } from "./error-codes.ts";
import { BaseAPIError, RateLimitError } from "./errors.ts";
import { prefersProblem } from "./negotiate.ts";
import { APIResult } from "./response-builder.ts";
import { MAX_DETAILS } from "./validate.ts";

/** What a body says besides its data. */
export interface Envelope {
  readonly requestId: string;
  readonly timestamp: string;
  readonly version: string;
}

export interface RenderedBody {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

const metaOf = ({ requestId, timestamp, version }: Envelope): string =>
  `"meta":{"timestamp":"${timestamp}","version":${quoted(version)},"requestId":"${requestId}"}}`;

let lastVersion = "";
let lastQuoted = '""';

/** The version is the same on every answer. */
function quoted(version: string): string {
  if (version !== lastVersion) {
    lastQuoted = JSON.stringify(version);
    lastVersion = version;
  }
  return lastQuoted;
}

/** renderResult writes the success envelope; a value that is no APIResult is the `data` of a 200. */
export function renderResult(value: unknown, envelope: Envelope): RenderedBody {
  const result = value instanceof APIResult ? value : new APIResult(200, value);
  const data = JSON.stringify(result.data) ?? "null";
  let text = `{"success":true,"data":${data}`;
  if (result.message !== undefined) text += `,"message":${JSON.stringify(result.message)}`;
  if (result.pagination) text += `,"pagination":${JSON.stringify(result.pagination)}`;
  return {
    status: result.status,
    contentType: "application/json; charset=utf-8",
    text: `${text},${metaOf(envelope)}`,
  };
}

/** The sentence that a client gets for our own faults, whatever the error says. */
const OUR_FAULT: Readonly<Record<number, string>> = {
  502: "A service that this request needs failed.",
  503: "The service is not available now.",
};

/** publicMessage is what of an error may leave the process: a refusal's own words, never a fault's. */
const publicMessage = (error: BaseAPIError<string>): string =>
  error.statusCode < 500
    ? error.message
    : (OUR_FAULT[error.statusCode] ?? "Something went wrong on our side.");

/** renderError writes the error envelope, or the same facts as a problem document (RFC 9457) where the client asks for one. */
export function renderError(
  error: BaseAPIError<string>,
  envelope: Envelope,
  accept: string | null,
): RenderedBody {
  const status = error.statusCode;
  const message = publicMessage(error);
  const details = status < 500 ? error.details?.slice(0, MAX_DETAILS) : undefined;
  const violated = error instanceof RateLimitError && error.violatedPolicies.length > 0;
  // What is undefined does not stand in JSON.
  const extra = { details, "violated-policies": violated ? error.violatedPolicies : undefined };
  if (prefersProblem(accept)) {
    const problem = {
      type: `urn:bulwark:error:${error.code.toLowerCase().replaceAll("_", "-")}`,
      title: statusTitle(status),
      status,
      detail: message,
      code: error.code,
      requestId: envelope.requestId,
      timestamp: envelope.timestamp,
      version: envelope.version,
      ...extra,
    };
    return { status, contentType: "application/problem+json", text: JSON.stringify(problem) };
  }
  const facts = { success: false, error: message, code: error.code, statusCode: status, ...extra };
  const body = JSON.stringify({ ...facts, timestamp: envelope.timestamp });
  return {
    status,
    contentType: "application/json; charset=utf-8",
    text: `${body.slice(0, -1)},${metaOf(envelope)}`,
  };
}

/** asAPIError keeps a coded refusal and hides everything else behind INTERNAL_ERROR, with the cause for the log. */
export function asAPIError(thrown: unknown): BaseAPIError<string> {
  if (thrown instanceof BaseAPIError) return thrown;
  return new BaseAPIError("INTERNAL_ERROR", "unexpected error", { cause: thrown });
}
