import { Cluster, type ClusterOptions, Redis, type RedisOptions } from "ioredis";
import { type Log, UnavailableError } from "../core/index.ts";
import { keepStringMethodsFast } from "./fast-strings.ts";
import type { RedisAddress } from "./redis-address.ts";

/** What a step may send, to a server or to a cluster. */
export type RedisClient = Pick<
  Redis,
  | "del"
  | "disconnect"
  | "eval"
  | "evalsha"
  | "get"
  | "getdel"
  | "info"
  | "ping"
  | "publish"
  | "set"
  | "subscribe"
  | "unsubscribe"
>;

export interface RedisConnectionOptions {
  readonly address: RedisAddress;
  /** Longest time that a call may take. */
  readonly budgetMs: number;
  readonly log: Log | undefined;
  /** Runs whenever the connection stands again. Default nothing. */
  readonly onReady?: (client: RedisClient) => void;
}

/**
 * RedisConnection is one connection that refuses rather than waits: a step that finds no connection rejects at once, one that
 * gets no answer rejects when the budget is spent, and none is sent twice. It connects with the first step, and again by itself
 * for as long as it is not closed; only a step that meets the very first attempt waits for it, within its budget.
 */
export class RedisConnection {
  readonly #client: Redis | Cluster;
  readonly #budgetMs: number;
  readonly #log: Log | undefined;
  #firstAttempt: Promise<void> | undefined;
  #lost: unknown;
  /** The database that was asked for was refused: the connection stands in another one. */
  #isElsewhere = false;
  #closed = false;

  constructor(options: RedisConnectionOptions) {
    this.#budgetMs = options.budgetMs;
    this.#log = options.log;
    this.#client = clientOf(options);
    keepStringMethodsFast();
    // Without a listener the client would write to the console.
    this.#client.on("error", (error) => {
      if (isOfSelect(error)) this.#giveUp();
      this.#onLost(error);
    });
    // A server that ends in good order closes without an error.
    this.#client.on("close", () => {
      this.#isElsewhere = false;
      this.#onLost(new Error("the connection was closed"));
    });
    this.#client.on("ready", () => {
      if (this.#isElsewhere) return;
      if (this.#lost !== undefined) this.#log?.info({}, "Redis answers again");
      this.#lost = undefined;
      options.onReady?.(this.#client);
    });
  }

  /** Hands every message of the subscribed channels to the listener. */
  onMessage(listener: (channel: string, message: string) => void): void {
    this.#client.on("message", listener);
  }

  /** run sends what `work` sends. Rejects only with an UnavailableError; the step may then have been taken, or not. */
  async run<T>(work: (client: RedisClient) => Promise<T>): Promise<T> {
    if (this.#closed) throw new UnavailableError("the state is closed");
    const step = (client: RedisClient): Promise<T> =>
      this.#isElsewhere ? Promise.reject(this.#lost) : work(client);
    try {
      if (this.#client.status === "ready") return await this.#take(step);
      if (this.#client.status === "wait") this.#connect();
      if (this.#firstAttempt === undefined) throw this.#lost ?? new Error("not connected");
      return await this.#runAfter(this.#firstAttempt, step);
    } catch (error) {
      throw new UnavailableError("Redis did not answer", { cause: withoutCommand(error) });
    }
  }

  /** runAll is run on each server that holds keys: the one, or the primaries of a cluster. */
  async runAll<T>(step: (client: RedisClient) => Promise<T>): Promise<readonly T[]> {
    return this.run((client) =>
      Promise.all(client instanceof Cluster ? client.nodes("master").map(step) : [step(client)]),
    );
  }

  /** A server's answers are timed by the client; what a cluster's client does in between, and its listening connection, are not. */
  #take<T>(step: (client: RedisClient) => Promise<T>): Promise<T> {
    if (!(this.#client instanceof Cluster)) return step(this.#client);
    return this.#runAfter(Promise.resolve(), step);
  }

  /** close waits for what was sent, within the budget, and ends the connection for good. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#client.status === "ready") {
      await this.#client.quit().catch(() => {
        // It is closed without a farewell below.
      });
    }
    this.#client.disconnect();
  }

  #connect(): void {
    const settled = (): void => {
      this.#firstAttempt = undefined;
    };
    this.#firstAttempt = new Promise((resolve, reject) => {
      this.#client.connect().then(resolve, reject);
      // Where a cluster answers that it is not ready, its client says nothing more of this attempt.
      this.#client.once("close", () => reject(new Error("the connection was closed")));
    });
    this.#firstAttempt.then(settled, settled);
  }

  /** One budget for the connection and the step; a step whose caller was refused is not sent any more. */
  #runAfter<T>(connected: Promise<void>, step: (client: RedisClient) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        reject(new Error(`no connection and answer within ${this.#budgetMs} ms`));
      }, this.#budgetMs);
      connected
        .then(async () => {
          if (!late) resolve(await step(this.#client));
        })
        .catch((error: unknown) => reject(this.#lost ?? error))
        .finally(() => clearTimeout(timer));
    });
  }

  /** The client would go on in database 0, among the keys of another application. */
  #giveUp(): void {
    this.#isElsewhere = true;
    this.#client.disconnect(true);
  }

  /** Every attempt to connect again fails alike: the log, and the cause of what is refused meanwhile, is the first. */
  #onLost(error: unknown): void {
    if (this.#closed || this.#lost !== undefined) return;
    this.#lost = withoutCommand(error);
    this.#log?.warn({ err: this.#lost }, "Redis does not answer");
  }
}

function clientOf(options: RedisConnectionOptions): Redis | Cluster {
  const { nodes } = options.address;
  const shared = clientOptions(options);
  if (nodes === undefined) return new Redis(shared);
  return new Cluster(
    nodes.map((node) => ({ ...node })),
    { ...CLUSTER, redisOptions: shared, clusterRetryStrategy: shared.retryStrategy },
  );
}

/** A step that was under way when a connection broke is not sent again; what a node refused, since it is another's, is. */
const CLUSTER = {
  lazyConnect: true,
  // Of a node that is only just being connected to: what waits is given up within the budget, as everything is.
  enableOfflineQueue: true,
  retryDelayOnFailover: 0,
  slotsRefreshTimeout: 5_000,
  // A certificate names hosts: they are not replaced by their addresses.
  dnsLookup: (address, done) => done(null, address),
} as const satisfies ClusterOptions;

function clientOptions({
  address,
  budgetMs,
}: RedisConnectionOptions): RedisOptions & { readonly replyMapping: "legacy" } {
  const { tls, host, port, username, password, db } = address;
  return {
    host,
    port,
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: { ...tls } }),
    replyMapping: "legacy",
    lazyConnect: true,
    connectionName: "bulwark",
    disableClientInfo: true,
    // Nothing waits for a connection, and nothing is sent a second time: an increment would count twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // The channels are subscribed again by us: the client leaves a failure of its own attempt unhandled.
    autoResubscribe: false,
    commandTimeout: budgetMs,
    // A server from which nothing comes at all is given up, so that commands do not heap up behind a stalled connection.
    socketTimeout: 2 * budgetMs,
    connectTimeout: Math.max(budgetMs, 5_000),
    disconnectTimeout: budgetMs,
    maxLoadingRetryTime: 1_000,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1_000) + Math.random() * 50,
    // After a failover the old primary refuses writes: the name leads to the new one.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  };
}

const isOfSelect = (error: unknown): boolean =>
  error instanceof Error &&
  (error as { readonly command?: { readonly name?: string } }).command?.name === "select";

/** The client's errors carry the command with its arguments, a password or a token among them: they must not reach a log. */
function withoutCommand(error: unknown): unknown {
  if (error instanceof Error && "command" in error) delete error.command;
  return error;
}
