import type { Parameter } from "../../../openapi/index.ts";
import { type Entry, needsToken } from "./operations.ts";

/** What a person filled in. */
export interface Filled {
  /** By {@link keyOf} of a parameter; an empty text is none. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly body: string;
  /** The pasted token; empty for none. */
  readonly token: string;
}

export interface Problem {
  /** The {@link keyOf} of a parameter, or `body`. */
  readonly field: string;
  readonly message: string;
}

export interface Prepared {
  readonly url: string;
  readonly init: RequestInit;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly text: string;
  readonly milliseconds: number;
}

/** keyOf tells a parameter of the path from one of the query with the same name, and both from the body. */
export const keyOf = ({ name, in: place }: Parameter): string => `${place}-${name}`;

/** prepare makes the request of an operation, or says what is wrong with what was filled in. */
export function prepare(entry: Entry, filled: Filled): Prepared | readonly Problem[] {
  const problems: Problem[] = [];
  let path = entry.path;
  const query = new URLSearchParams();
  for (const parameter of entry.parameters ?? []) {
    const { name, in: place, required } = parameter;
    const field = keyOf(parameter);
    const value = filled.parameters[field] ?? "";
    if (value === "") {
      if (required) problems.push({ field, message: "Fill this in." });
    } else if (place === "query") query.set(name, value);
    else if (/(^|\/)\.{0,2}(\/|$)/.test(value)) {
      problems.push({ field, message: "This cannot stand in a path." });
    } else path = path.replace(`{${name}}`, value.split("/").map(encodeURIComponent).join("/"));
  }
  const headers: Record<string, string> = { accept: "application/json, */*;q=0.5" };
  const init: RequestInit = { method: entry.method, headers, credentials: "omit" };
  if (entry.requestBody !== undefined) {
    const wrong = jsonProblem(filled.body);
    if (wrong !== undefined) problems.push({ field: "body", message: wrong });
    headers["content-type"] = "application/json";
    init.body = filled.body;
  }
  // A token that nobody asks for is a second answer to who is calling, and could only be refused.
  if (filled.token !== "" && needsToken(entry)) headers["authorization"] = `Bearer ${filled.token}`;
  const search = query.toString();
  return problems.length > 0 ? problems : { url: search === "" ? path : `${path}?${search}`, init };
}

function jsonProblem(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `This is not JSON: ${(error as Error).message}`;
  }
}

/** send makes the call. Rejects only if no answer came. */
export async function send({ url, init }: Prepared): Promise<Answer> {
  const started = performance.now();
  const response = await fetch(url, init);
  const text = await response.text();
  return {
    status: response.status,
    statusText: response.statusText,
    headers: [...response.headers],
    text,
    milliseconds: Math.round(performance.now() - started),
  };
}

/** pretty is a JSON text with line breaks; any other is itself. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
