import { connect, type Socket } from "node:net";
import {
  type NodeServer,
  type NodeServerOptions,
  serve,
} from "../../../src/adapters/node/serve.ts";
import {
  BaseAPIHandler,
  bareKernel,
  createRouter,
  type Kernel,
  type RefusalReason,
} from "../../../src/core/index.ts";

/** What a test holds open and lets go. */
interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

export interface TestServer {
  readonly port: number;
  readonly refused: RefusalReason[];
  /** How many handlers began, and the signals that they were given. */
  readonly begun: AbortSignal[];
  /** Lets all handlers of /wait go. */
  readonly waiting: Gate;
  /** Opens as a stream of /endless is cancelled. */
  readonly cancelled: Gate;
  /** refusedTimes resolves once a reason was told so many times. */
  refusedTimes(reason: RefusalReason, times: number): Promise<void>;
  close(): Promise<void>;
}

const schema = {
  "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) },
} as const;

/** start serves a few routes under the limits that a test is about. */
export async function start(
  limits: Partial<NodeServerOptions>,
  kernel: Partial<Kernel> = {},
): Promise<TestServer> {
  const refused: RefusalReason[] = [];
  const begun: AbortSignal[] = [];
  const waiting = gate();
  const cancelled = gate();
  class Handlers extends BaseAPIHandler {
    static override readonly kernel: Kernel = {
      ...bareKernel,
      edgeRefused: (reason) => void refused.push(reason),
      ...kernel,
    };
  }
  const open = { requireAuth: false } as const;
  const big = new Uint8Array(65_536).fill(0x61);
  const routes = [
    Handlers.GET(() => "ok", { ...open, path: "/ok" }),
    Handlers.POST(({ body }) => body, { ...open, path: "/json", body: schema }),
    Handlers.POST(async ({ request }) => (await request.text()).length, { ...open, path: "/text" }),
    Handlers.GET(() => "x".repeat(1_000), { ...open, path: "/kilobyte" }),
    Handlers.GET(() => "x".repeat(20_000_000), { ...open, path: "/megabytes" }),
    Handlers.GET(
      async ({ signal }) => {
        begun.push(signal);
        await waiting.opened;
        return "waited";
      },
      { ...open, path: "/wait" },
    ),
    Handlers.GET(
      ({ signal }) => {
        begun.push(signal);
        return new Promise(() => {});
      },
      { ...open, path: "/hang" },
    ),
    Handlers.GET(
      () =>
        new Response(
          new ReadableStream(
            { pull: (controller) => controller.enqueue(big), cancel: () => cancelled.open() },
            { highWaterMark: 0 },
          ),
        ),
      { ...open, path: "/endless" },
    ),
  ];
  const router = createRouter(Handlers, routes);
  const server: NodeServer = await serve({ handlers: Handlers, router, port: 0, ...limits });
  return {
    port: server.port,
    refused,
    begun,
    waiting,
    cancelled,
    refusedTimes: async (reason, times) => {
      while (refused.filter((one) => one === reason).length < times) await turn(5);
    },
    close: () => {
      waiting.open();
      return server.close();
    },
  };
}

/** A moment of real time: these tests are about the clocks of sockets, which nobody can set. */
export const turn = (milliseconds = 0): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

export interface Client {
  readonly socket: Socket;
  /** What came so far. */
  readonly text: () => string;
  readonly connected: Promise<boolean>;
  /** Resolves with all that came, once the connection is over, be it by a reset. */
  readonly closed: Promise<string>;
}

/** open connects, from another loopback address where one is named, and says nothing by itself. It never ends because the server does. */
export function open(port: number, localAddress?: string): Client {
  let text = "";
  const socket = connect({
    port,
    host: "127.0.0.1",
    allowHalfOpen: true,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  const closed = new Promise<string>((resolve) => {
    socket.once("close", () => resolve(text));
    // Whoever says nothing more never learns that the other side is wholly gone.
    socket.once("end", () => setTimeout(() => resolve(text), 700));
  });
  const connected = new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("close", () => resolve(false));
  });
  return { socket, text: () => text, connected, closed };
}

/** drip sends a text a byte at a time, and goes on with its last byte until the connection is gone, whatever the server says. */
export function drip({ socket }: Client, text: string, everyMs: number): void {
  let index = 0;
  const timer = setInterval(() => {
    socket.write(text[Math.min(index, text.length - 1)] ?? "x");
    index += 1;
  }, everyMs);
  socket.once("close", () => clearInterval(timer));
}

/** statusesOf are the statuses of the answers in what came. */
export const statusesOf = (text: string): string[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status ?? "");

/** talk sends one piece of bytes, and resolves with all that came until the server ended the connection. */
export async function talk(port: number, bytes: string, localAddress?: string): Promise<string> {
  const { socket, closed } = open(port, localAddress);
  socket.once("end", () => socket.end());
  socket.write(bytes);
  return closed;
}

/** ask sends a GET of its own, and resolves with its status; 0 where the connection was closed without an answer. */
export async function ask(port: number, path = "/ok", localAddress?: string): Promise<number> {
  const request = `GET ${path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n`;
  return Number(statusesOf(await talk(port, request, localAddress))[0] ?? 0);
}
