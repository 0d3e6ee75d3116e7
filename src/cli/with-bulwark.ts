import { normalizeEmail } from "../auth/index.ts";
import { type Bulwark, configFromEnv, createBulwark } from "../bulwark/index.ts";
import { NotFoundError } from "../core/index.ts";
import { referenceMigrations } from "../server/index.ts";

/** What every command that opens the database takes. */
export interface DatabaseCommand {
  readonly dev?: boolean | undefined;
  /** Prints JSON. */
  readonly json?: boolean | undefined;
}

/** withBulwark opens the application of the environment for one piece of work. */
export async function withBulwark(
  options: DatabaseCommand,
  work: (bulwark: Bulwark) => Promise<void>,
): Promise<void> {
  const {
    host: _host,
    port: _port,
    metricsToken: _metricsToken,
    ...config
  } = configFromEnv(process.env, { dev: options.dev === true });
  const bulwark = createBulwark({ ...config, migrations: referenceMigrations });
  try {
    await bulwark.ready();
    await work(bulwark);
  } finally {
    await bulwark.close();
  }
}

/** userIdOf finds an account by its address. Rejects with a NotFoundError only if there is none. */
export async function userIdOf(bulwark: Bulwark, email: string): Promise<string> {
  const address = normalizeEmail(email);
  for (let page = 1; ; page += 1) {
    // The search is for a part of an address.
    const { rows } = await bulwark.accounts.list({ page, limit: 100, search: address });
    const user = rows.find((row) => row.email === address);
    if (user !== undefined) return user.id;
    if (rows.length === 0) throw new NotFoundError("User");
  }
}

/** checkTenant rejects with a NotFoundError only if there is no such tenant: a slip must not look like one that has nothing. */
export async function checkTenant(bulwark: Bulwark, tenant: string | undefined): Promise<void> {
  if (tenant !== undefined) await bulwark.tenants.members(tenant, { page: 1, limit: 1 });
}

/** print writes a line, or nothing at all for an empty text. */
export const print = (text: string): void => {
  if (text !== "") process.stdout.write(`${text}\n`);
};
