import type { IncomingMessage, ServerResponse } from "node:http";
import { tooLarge } from "../../core/index.ts";
import { askForBody } from "./ask-for-body.ts";
import { forwardTo } from "./forward.ts";
import { readIncoming, stalled } from "./read-incoming.ts";
import type { StallWatch, Watched } from "./stall-watch.ts";

/**
 * NodeRequest stands in for the Request of a message until somebody needs more than its method and URL: building one costs more than
 * all the rest of most answers. `new Request(it)` throws; handlers get the real one.
 */
export class NodeRequest {
  readonly method: string;
  readonly url: string;
  /** Bytes that the Request's body may have; its reader fails past them. A route may say others. */
  limit = 0;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #bodies: StallWatch;
  #aborting: AbortController | undefined;
  #real: Request | undefined;
  #isBodyRead = false;

  constructor(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    url: string,
    bodies: StallWatch,
  ) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#bodies = bodies;
    this.method = incoming.method ?? "GET";
    this.url = url;
  }

  /** real returns the Request itself, the same each time. Throws a TypeError only for methods that a Request cannot have (TRACE). */
  real(): Request {
    this.#real ??= this.#build();
    return this.#real;
  }

  /** aborting returns what ends the work on the request: it aborts as the client goes away, and whoever has it may abort it before. */
  aborting(): AbortController {
    this.#aborting ??= abortingWith(this.#incoming, this.#outgoing);
    return this.#aborting;
  }

  /** clientLeft tells an answer that was still behind another one what node:http does not: nobody waits for it, nor for the stream that it is. */
  clientLeft(): void {
    if (this.#outgoing.socket !== null) return;
    this.#outgoing.destroy();
    this.#outgoing.emit("close");
  }

  /** readBody reads the body straight from its connection, counting bytes; undefined where the Request was made, which has the body then. */
  readBody(limit: number): Promise<Uint8Array | "too-large"> | undefined {
    if (this.#real !== undefined && this.#real.body !== null) return undefined;
    this.#isBodyRead = true;
    return readIncoming(this.#incoming, this.#outgoing, limit, this.#bodies);
  }

  #build(): Request {
    const { method, url } = this;
    const incoming = this.#incoming;
    const isSafe = method === "GET" || method === "HEAD";
    const real = new Request(url, {
      method,
      headers: headersOf(incoming),
      signal: this.aborting().signal,
      // The body of a GET means nothing (RFC 9110 section 9.3.1), and a Request of that method cannot have one.
      ...(isSafe || !announcesBody(incoming)
        ? {}
        : { body: bodyOf(incoming, this.#outgoing, this.#bodies, this), duplex: "half" }),
    } as RequestInit);
    // What was read by readBody is used up, as it is with any other host; an empty one would pass for what the client sent.
    if (this.#isBodyRead) real.body?.cancel().catch(() => {});
    return real;
  }
}

forwardTo(NodeRequest.prototype, Request.prototype, ["method", "url"]);

/** announcesBody tells whether a message has a body by its framing (RFC 9112 section 6.3). */
export const announcesBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined ||
  (headers["content-length"] !== undefined && headers["content-length"] !== "0");

const gone = (): Error => new Error("the client went away");

/** The client went away where its connection closed before all of the answer was written. */
function abortingWith({ socket }: IncomingMessage, outgoing: ServerResponse): AbortController {
  const aborting = new AbortController();
  const onClose = (): void => {
    if (!outgoing.writableFinished) aborting.abort(gone());
  };
  if (outgoing.destroyed || socket.destroyed) onClose();
  else outgoing.once("close", onClose);
  return aborting;
}

/** A body is read only as it is asked for, so that whoever reads it otherwise finds all of it. */
function bodyOf(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  bodies: StallWatch,
  bounds: { readonly limit: number },
): ReadableStream<Uint8Array> {
  let size = 0;
  let chunks: AsyncIterator<Buffer> | undefined;
  const next = async (): Promise<IteratorResult<Buffer>> => {
    chunks ??= incoming.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
    const asked = chunks.next();
    const late = new Promise<never>((_, reject) => {
      watched = bodies.watch(() => reject(stalled(outgoing)));
    });
    try {
      return await Promise.race([asked, late]);
    } finally {
      watched?.end();
    }
  };
  let watched: Watched | undefined;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        checkWanted(outgoing);
        askForBody(incoming, outgoing);
        const { done, value } = await next();
        checkWanted(outgoing);
        if (done === true) {
          controller.close();
          return;
        }
        size += value.byteLength;
        if (size > bounds.limit) throw tooLarge(bounds.limit);
        controller.enqueue(new Uint8Array(value));
      },
      async cancel() {
        await chunks?.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Once the answer is sent what is left of the body is dropped: it must not wait for a reader, and one that waits must not take its end for all. */
function checkWanted(outgoing: ServerResponse): void {
  if (outgoing.writableFinished) throw new Error("the answer was sent already");
}

function headersOf({ headers }: IncomingMessage): Headers {
  const list = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) list.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  return list;
}
