import { AsyncLocalStorage } from "node:async_hooks";

const open = new AsyncLocalStorage<true>();

/** withinTransaction marks everything that `work` does as done while a transaction is open. */
export const withinTransaction = <T>(work: () => Promise<T>): Promise<T> => open.run(true, work);

/**
 * insideTransaction tells whether the caller runs while a transaction of ours is open. What must be durable by itself
 * then throws instead of waiting for the connection that the transaction holds.
 */
export const insideTransaction = (): boolean => open.getStore() === true;
