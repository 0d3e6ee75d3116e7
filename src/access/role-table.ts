import type { Step } from "./conditions/index.ts";
import { type Entry, wholeOf } from "./rule-entry.ts";

/** Where the decisions on one action begin, by subject. */
type Starts = ReadonlyMap<string, Step>;

/** RoleTable has the whole decision on users with one role from code or none, which most have: one walk for denials and all that allows. */
export class RoleTable {
  readonly #none: ReadonlyMap<string, Starts>;
  /** By role and action. */
  readonly #tables: ReadonlyMap<string, ReadonlyMap<string, Starts>>;
  // What was asked last: many users have the same role, and one request asks the same of many objects.
  #role: string | undefined;
  #table: ReadonlyMap<string, Starts>;
  #action: string | undefined;
  #starts: Starts | undefined;

  constructor(entries: ReadonlyMap<string, ReadonlyMap<string, Entry>>, roles: readonly string[]) {
    this.#none = tableOf(entries, undefined);
    this.#table = this.#none;
    this.#tables = new Map(roles.map((role) => [role, tableOf(entries, role)]));
  }

  /** startOf is where the decision on a user with this role begins; undefined where no rule is about the action on the subject. */
  startOf(role: string | undefined, action: string, subject: string): Step | undefined {
    if (role !== this.#role) {
      this.#role = role;
      this.#table = role === undefined ? this.#none : (this.#tables.get(role) ?? this.#none);
      this.#action = undefined;
      this.#starts = undefined;
    }
    if (action !== this.#action) {
      this.#action = action;
      this.#starts = this.#table.get(action);
    }
    return this.#starts?.get(subject);
  }
}

function tableOf(
  entries: ReadonlyMap<string, ReadonlyMap<string, Entry>>,
  role: string | undefined,
): ReadonlyMap<string, Starts> {
  const table = new Map<string, Map<string, Step>>();
  for (const [subject, actions] of entries) {
    for (const [action, { all }] of actions) {
      const starts = table.get(action) ?? new Map<string, Step>();
      table.set(action, starts.set(subject, wholeOf(all, role)));
    }
  }
  return table;
}
