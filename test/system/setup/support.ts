import { sql } from "drizzle-orm";
import { PASSWORD, type TestApp } from "../../support/app.ts";

export const ADMIN = { email: "first@example.com", password: PASSWORD, name: "First" };

/** issueToken makes a first-admin token. Throws if an administrator stands in the way. */
export async function issueToken({ bulwark }: TestApp): Promise<string> {
  const token = await bulwark.firstAdmin.issue();
  if (token === undefined) throw new Error("an administrator exists already");
  return token;
}

export async function adminCount({ query }: TestApp): Promise<number> {
  return (await query(sql`SELECT id FROM bulwark.users WHERE 'admin' = ANY (roles)`)).length;
}
