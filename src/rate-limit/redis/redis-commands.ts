/**
 * RedisCommands is what a limiter needs of a client: `Redis` and `Cluster` of ioredis have it. A client that sends a command again
 * when it got no answer would charge twice: leave `autoResendUnfulfilledCommands` off, and `enableOfflineQueue` too.
 * @public
 */
export interface RedisCommands {
  evalsha(sha: string, keyCount: number, ...keysAndValues: (string | number)[]): Promise<unknown>;
  eval(script: string, keyCount: number, ...keysAndValues: (string | number)[]): Promise<unknown>;
}
