import type { Role } from "../access/index.ts";
import { print, withBulwark } from "./with-bulwark.ts";

export interface CreateUserOptions {
  readonly dev?: boolean | undefined;
  readonly email: string;
  readonly name?: string | undefined;
  readonly role: Role;
}

/** createUser makes an account; every role holds those below it in the reference application. */
export async function createUser(options: CreateUserOptions): Promise<void> {
  const password = await firstLine();
  await withBulwark(options, async (bulwark) => {
    const name = options.name ?? options.email.slice(0, Math.max(1, options.email.indexOf("@")));
    const roles = options.role === "user" ? ["user"] : ["user", options.role];
    const user = await bulwark.registration.createUser(
      { email: options.email, name, password },
      { roles, verified: true },
      {},
    );
    print(`${user.id} ${user.email} ${user.roles.join(",")}`);
  });
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
