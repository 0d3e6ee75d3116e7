import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { isRole, ROLES, type Role } from "../access/index.ts";
import { generateSecret } from "../crypto/index.ts";
import { addKeyCommands } from "./apikeys.ts";
import { addLimitCommands } from "./limits.ts";
import { addRoleCommands } from "./roles.ts";
import { start } from "./start.ts";
import { createUser } from "./users.ts";

const roleOf = (text: string): Role => {
  if (isRole(text)) return text;
  throw new InvalidArgumentError(`expected one of ${ROLES.join(", ")}`);
};

const devOption = () =>
  new Option("--dev", "development mode: loopback only, a secret of its own in the data folder");

/** createProgram is the `bulwark` command. It throws a CommanderError instead of ending the process. */
export function createProgram(): Command {
  const program = new Command("bulwark")
    .description("The security foundation of a TypeScript HTTP API.")
    .version(versionOf())
    .exitOverride()
    .showHelpAfterError("(bulwark --help shows the commands)");

  program
    .command("start")
    .description("serve the reference API; reads PORT, HOST, BULWARK_* (docs/configuration.md)")
    .addOption(devOption())
    .action((options: { dev?: boolean }) => start({ dev: options.dev === true }));

  const users = program.command("users").description("people who can sign in");
  users
    .command("create")
    .description("make an account whose address counts as verified")
    .addOption(devOption())
    .requiredOption("--email <address>", "its address")
    .option("--name <name>", "its name (default: the part of the address before the @)")
    .addOption(new Option("--role <role>", ROLES.join(", ")).default("user").argParser(roleOf))
    .requiredOption(
      "--password-stdin",
      "read the password from standard input, up to the line's end",
    )
    .action(createUser);

  addKeyCommands(program, devOption);
  addRoleCommands(program, devOption);
  addLimitCommands(program, devOption);

  program
    .command("secret")
    .description("secrets of the application")
    .command("generate")
    .description("print a new BULWARK_SECRET: 32 random bytes in base64url")
    .action(() => {
      process.stdout.write(`${generateSecret()}\n`);
    });

  return program;
}

function versionOf(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
