import { sql } from "drizzle-orm";
import { type Orm, passkeys, recoveryCodes, totpCredentials } from "../../database/index.ts";

/**
 * secondFactorsOf returns what a user can prove as a second factor, in one query. Recovery codes count only beside an app or a
 * passkey: they stand in for one that was lost.
 */
export async function secondFactorsOf(
  orm: Orm,
  userId: string,
): Promise<readonly ("totp" | "recovery" | "passkey")[]> {
  const { rows } = (await orm.execute(sql`
      SELECT
        EXISTS (SELECT 1 FROM ${totpCredentials} WHERE user_id = ${userId} AND confirmed_at IS NOT NULL) AS totp,
        EXISTS (SELECT 1 FROM ${passkeys} WHERE user_id = ${userId}) AS passkey,
        EXISTS (SELECT 1 FROM ${recoveryCodes} WHERE user_id = ${userId} AND used_at IS NULL) AS recovery`)) as unknown as {
    rows: readonly { totp: boolean; passkey: boolean; recovery: boolean }[];
  };
  const [found] = rows;
  if (found === undefined || (!found.totp && !found.passkey)) return [];
  const methods: ("totp" | "recovery" | "passkey")[] = [];
  if (found.totp) methods.push("totp");
  if (found.passkey) methods.push("passkey");
  if (found.recovery) methods.push("recovery");
  return methods;
}
