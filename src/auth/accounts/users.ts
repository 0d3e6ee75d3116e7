import { eq } from "drizzle-orm";
import {
  type EventContext,
  readHeader,
  UnauthorizedError,
  ValidationError,
} from "../../core/index.ts";
import { type Database, type Orm, users } from "../../database/index.ts";
import { normalizeEmail } from "./email.ts";

export type UserRow = typeof users.$inferSelect;

/** What anyone may be told of a user who is that user. */
export interface PublicUser {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly string[];
}

export const publicUser = ({ id, email, name, roles }: PublicUser): PublicUser => ({
  id,
  email,
  name,
  roles,
});

/** findByEmail returns the user of an address; a text that is no address finds nobody. */
export async function findByEmail(database: Database, text: string): Promise<UserRow | undefined> {
  let address: string;
  try {
    address = normalizeEmail(text);
  } catch {
    return undefined;
  }
  const [row] = await database.run((orm) =>
    orm.select().from(users).where(eq(users.email, address)),
  );
  return row;
}

export async function findById(orm: Orm, id: string): Promise<UserRow | undefined> {
  const [row] = await orm.select().from(users).where(eq(users.id, id));
  return row;
}

/**
 * lockById reads a user and holds the row until the transaction ends. Whoever begins, renews or ends sessions takes it first, so that no
 * session that is being made outlives an end that was decided meanwhile.
 */
export async function lockById(tx: Orm, id: string): Promise<UserRow | undefined> {
  const [row] = await tx.select().from(users).where(eq(users.id, id)).for("update");
  return row;
}

/** nameOf returns a person's name as it is stored. Throws a ValidationError only if it is not 1 to 100 characters on one line. */
export function nameOf(text: string): string {
  const name = text.normalize("NFC").trim();
  const isName = name.length >= 1 && name.length <= 100 && !/\p{Cc}/u.test(name);
  if (isName && name.isWellFormed()) return name;
  throw new ValidationError([
    { field: "name", message: "Expected 1 to 100 characters on one line.", code: "invalid_name" },
  ]);
}

/** An event of a person who is not signed in yet is not an event of whoever else the request may stand for. */
export const strangersContext = (context: EventContext): EventContext => ({
  requestId: context.requestId,
  address: context.address,
  get: (name) => readHeader(context, name),
});

export const agentOf = (context: EventContext): string | undefined =>
  readHeader(context, "user-agent") ?? undefined;

/** The one refusal of a sign-in, whatever was wrong. */
export const invalidCredentials = (): UnauthorizedError =>
  new UnauthorizedError("The e-mail address or the password is not right.", {
    code: "INVALID_CREDENTIALS",
  });
