/** A server that runs until it is stopped, or until the process that started it ends. */
export interface Service {
  readonly url: string;
  readonly port: number;
  /** Of the server itself, for tests that pause or kill it. */
  readonly pid: number;
  /** Resolves when the server has ended, for whatever reason. */
  readonly ended: Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface ServiceOptions {
  /** Default: a free one. */
  readonly port?: number | undefined;
  /** Default: random. */
  readonly password?: string | undefined;
  /** Whether this process may end without stopping it; the server ends all the same. Default false. */
  readonly unref?: boolean | undefined;
  /** More lines of a Redis' configuration. Default none. */
  readonly settings?: readonly string[] | undefined;
}

export declare function findBinary(name: string): string | undefined;
export declare function startRedis(options?: ServiceOptions): Promise<Service>;
export declare function startPostgres(options?: ServiceOptions): Promise<Service>;
