import type { Role } from "../access/index.ts";
import { configFromEnv, createBulwark } from "../bulwark/index.ts";
import { referenceMigrations } from "../server/index.ts";

export interface CreateUserOptions {
  readonly dev?: boolean | undefined;
  readonly email: string;
  readonly name?: string | undefined;
  readonly role: Role;
}

/** createUser makes an account; every role holds those below it in the reference application. */
export async function createUser(options: CreateUserOptions): Promise<void> {
  const {
    host: _host,
    port: _port,
    metricsToken: _metricsToken,
    ...config
  } = configFromEnv(process.env, {
    dev: options.dev === true,
  });
  const password = await firstLine();
  const bulwark = createBulwark({ ...config, migrations: referenceMigrations });
  try {
    await bulwark.ready();
    const name = options.name ?? options.email.slice(0, Math.max(1, options.email.indexOf("@")));
    const roles = options.role === "user" ? ["user"] : ["user", options.role];
    const user = await bulwark.registration.createUser(
      { email: options.email, name, password },
      { roles, verified: true },
      {},
    );
    process.stdout.write(`${user.id} ${user.email} ${user.roles.join(",")}\n`);
  } finally {
    await bulwark.close();
  }
}

const MAX_INPUT = 4_096;

async function firstLine(): Promise<string> {
  let input = "";
  for await (const chunk of process.stdin) {
    input += String(chunk);
    if (input.includes("\n") || input.length > MAX_INPUT) break;
  }
  return (input.split("\n")[0] ?? "").replace(/\r$/, "");
}
