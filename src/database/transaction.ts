import { AsyncLocalStorage } from "node:async_hooks";

/** One transaction, as what runs inside it sees it. */
interface Mark {
  isOpen: boolean;
  readonly database: object;
}

const marks = new AsyncLocalStorage<Mark>();
let open = 0;

/** withinTransaction marks everything that `work` does as done while a transaction of a database is open. */
export async function withinTransaction<T>(database: object, work: () => Promise<T>): Promise<T> {
  const mark: Mark = { isOpen: true, database };
  open += 1;
  try {
    return await marks.run(mark, work);
  } finally {
    // What the work left running is outside from now on, whatever its context says.
    mark.isOpen = false;
    open -= 1;
    // An enabled store costs every request of the process some microseconds, though only those in a transaction need it.
    if (open === 0) marks.disable();
  }
}

/**
 * insideTransaction tells whether the caller runs while a transaction of ours is open. What must be durable by itself
 * then throws instead of waiting for the connection that the transaction holds.
 */
export const insideTransaction = (): boolean => marks.getStore()?.isOpen === true;

/** insideTransactionOf tells the same of one database alone. */
export const insideTransactionOf = (database: object): boolean => {
  const mark = marks.getStore();
  return mark?.isOpen === true && mark.database === database;
};
