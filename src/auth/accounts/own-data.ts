import { eq } from "drizzle-orm";
import {
  apiKeys,
  type Database,
  devices,
  identities,
  passkeys,
  recoveryCodes,
  sessions,
  totpCredentials,
  users,
} from "../../database/index.ts";

/** ownData returns what is stored of a user, without anything that authenticates, or undefined where there is no such user. */
export function ownData(
  database: Database,
  userId: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  return database.run(async (orm) => {
    const [user] = await orm.select().from(users).where(eq(users.id, userId));
    if (user === undefined) return undefined;
    const { passwordHash, shortPassword: _short, ...account } = user;
    const [app] = await orm
      .select({ createdAt: totpCredentials.createdAt, confirmedAt: totpCredentials.confirmedAt })
      .from(totpCredentials)
      .where(eq(totpCredentials.userId, userId));
    return {
      account: { ...account, hasPassword: passwordHash !== null },
      sessions: await orm
        .select({
          id: sessions.id,
          mode: sessions.mode,
          methods: sessions.methods,
          address: sessions.address,
          agent: sessions.agent,
          createdAt: sessions.createdAt,
          lastSeenAt: sessions.lastSeenAt,
          expiresAt: sessions.expiresAt,
        })
        .from(sessions)
        .where(eq(sessions.userId, userId)),
      devices: await orm
        .select({
          agent: devices.agent,
          createdAt: devices.createdAt,
          lastSeenAt: devices.lastSeenAt,
        })
        .from(devices)
        .where(eq(devices.userId, userId)),
      totp: app ?? null,
      recoveryCodes: await orm
        .select({ createdAt: recoveryCodes.createdAt, usedAt: recoveryCodes.usedAt })
        .from(recoveryCodes)
        .where(eq(recoveryCodes.userId, userId)),
      passkeys: await orm
        .select({
          name: passkeys.name,
          backedUp: passkeys.backedUp,
          createdAt: passkeys.createdAt,
          lastUsedAt: passkeys.lastUsedAt,
        })
        .from(passkeys)
        .where(eq(passkeys.userId, userId)),
      identities: await orm
        .select({
          provider: identities.provider,
          issuer: identities.issuer,
          subject: identities.subject,
          createdAt: identities.createdAt,
        })
        .from(identities)
        .where(eq(identities.userId, userId)),
      apiKeys: await orm
        .select({
          id: apiKeys.id,
          name: apiKeys.name,
          scopes: apiKeys.scopes,
          allowedAddresses: apiKeys.allowedAddresses,
          createdAt: apiKeys.createdAt,
          expiresAt: apiKeys.expiresAt,
          lastUsedAt: apiKeys.lastUsedAt,
        })
        .from(apiKeys)
        .where(eq(apiKeys.userId, userId)),
    };
  });
}
