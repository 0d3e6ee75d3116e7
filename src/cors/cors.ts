import type { Awaitable, CrossOriginPolicy } from "../core/index.ts";
import { type CORSOptions, createCORSPolicy } from "./cors-policy.ts";

/** CORS is a policy as functions of a Request, for hosts whose routes are not in a router of ours. */
export interface CORS {
  readonly policy: CrossOriginPolicy;
  /**
   * middleware answers a preflight, and lets everything else pass: `next` makes the answer, which then says who may read it. Answers
   * vary by Origin, always. An origin that is not listed is served too, without a word of it.
   */
  middleware(request: Request, next: () => Awaitable<Response>): Promise<Response>;
  /** handlePreflight answers a browser's question: 204 with the permission, else an empty 403. `methods` are those of the path. */
  handlePreflight(request: Request, methods?: readonly string[]): Response;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/**
 * createCORS makes the functions of one allow-list.
 * Throws a ConfigurationError that lists every entry that is not valid, as {@link createCORSPolicy}.
 */
export function createCORS(options: CORSOptions): CORS {
  const policy = createCORSPolicy(options);

  const handlePreflight: CORS["handlePreflight"] = ({ headers }, methods = METHODS) => {
    const permission = policy.preflight({
      origin: headers.get("origin") ?? "",
      method: headers.get("access-control-request-method") ?? "",
      headers: headers.get("access-control-request-headers"),
      privateNetwork: headers.get("access-control-request-private-network") === "true",
      methods,
    });
    const isRefused = permission instanceof Error;
    const answer = new Response(
      null,
      isRefused ? { status: 403 } : { status: 204, headers: permission },
    );
    return varyByOrigin(answer);
  };

  const middleware: CORS["middleware"] = async (request, next) => {
    const { headers, method } = request;
    const isPreflight = method === "OPTIONS" && headers.has("access-control-request-method");
    if (isPreflight && headers.has("origin")) return handlePreflight(request);
    const answer = varyByOrigin(await next());
    const said = policy.headersFor(headers.get("origin") ?? "null");
    for (const [name, value] of Object.entries(said ?? {})) answer.headers.set(name, value);
    return answer;
  };
  return { policy, middleware, handlePreflight };
}

/** The headers of a fetched answer cannot be changed: it is made anew. Another host's own kind of answer stays as it is. */
function varyByOrigin(answer: Response): Response {
  const standing = answer.headers.get("vary")?.toLowerCase() ?? "";
  const names = standing.split(",").map((name) => name.trim());
  const missing = names.includes("origin") || names.includes("*") ? [] : ["Origin"];
  try {
    for (const name of missing) answer.headers.append("vary", name);
    return answer;
  } catch {
    const { body, status, statusText } = answer;
    return varyByOrigin(new Response(body, { status, statusText, headers: [...answer.headers] }));
  }
}
