import type { HeaderRecord } from "../../core/index.ts";
import { forwardTo } from "./forward.ts";

/** What is written of a response: the headers that stand on most answers, and its own besides, names and values in turn. */
export interface Parts {
  readonly body: string | null;
  readonly standing: HeaderRecord;
  readonly headers: string[];
}

/**
 * NodeResponse stands in for a Response whose status, headers and text are known, until somebody asks for more. The server writes
 * its parts as they are.
 */
export class NodeResponse {
  readonly status: number;
  readonly #parts: Parts;
  #real: Response | undefined;

  /** `parts` are its own from then on. */
  constructor(status: number, parts: Parts) {
    this.status = status;
    this.#parts = parts;
  }

  /** parts returns what is to be written, or undefined once the real Response was asked for: it may have been read, or changed. */
  parts(): Parts | undefined {
    return this.#real === undefined ? this.#parts : undefined;
  }

  /** real returns the Response itself, the same each time. */
  real(): Response {
    this.#real ??= this.#build();
    return this.#real;
  }

  #build(): Response {
    const { body, standing, headers } = this.#parts;
    const list = new Headers(standing);
    for (let index = 0; index < headers.length; index += 2) {
      list.append(headers[index] as string, headers[index + 1] as string);
    }
    return new Response(body, { status: this.status, headers: list });
  }
}

forwardTo(NodeResponse.prototype, Response.prototype, ["status"]);
