import { CommanderError } from "commander";
import { explain } from "./explain.ts";
import { createProgram } from "./program.ts";

/** main runs one command and returns its exit status: 0, or 1 with the reason on standard error. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...argv], { from: "user" });
    return 0;
  } catch (error) {
    // Commander has already said what is wrong with the arguments.
    if (error instanceof CommanderError) return error.exitCode;
    process.stderr.write(`bulwark: ${explain(error)}\n`);
    return 1;
  }
}
