import { CommanderError } from "commander";
import { explain } from "./explain.ts";
import { createProgram } from "./program.ts";

/** main runs one command and returns its exit status: 0, or 1 with the reason on standard error. */
export async function main(argv: readonly string[]): Promise<number> {
  outliveReaders();
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

/**
 * A reader that has left (`bulwark roles list | head -1`) must not end a server, or what is half done, in the middle.
 * What could not be written for another reason, such as a full disk, is said, and the status is 1.
 */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") return;
      if (stream === process.stdout) process.stderr.write(`bulwark: output: ${error.message}\n`);
      process.once("exit", () => {
        process.exitCode = 1;
      });
    });
  }
}
