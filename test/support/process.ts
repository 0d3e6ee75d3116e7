import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./app.ts";

/** How a process ended: a status, or the signal that killed it. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  /** Default: a temporary folder, removed by `stop`. */
  readonly dataDir?: string;
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A `bulwark start --dev` that serves. */
export interface StartedProcess {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  /** What stands behind the # of the first-admin link; empty where none was printed. */
  readonly setupToken: string;
  /** What was printed so far. */
  readonly stdout: () => string;
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<Ended>;
  /** until resolves once the output matches. */
  readonly until: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** stop ends the process, by SIGTERM unless another signal is named, and removes a temporary folder. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Ended>;
}

const DEADLINE_MS = 100_000;

/** commandEnv has nothing of the caller's that would configure Bulwark. */
const commandEnv = (env: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: process.env["HOME"],
  ...env,
});

interface Spawned {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly until: StartedProcess["until"];
  readonly stdout: () => string;
}

function run(
  command: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): Spawned {
  const child = spawn(command, args, {
    cwd: options.cwd ?? process.cwd(),
    env: commandEnv(options.env ?? {}),
    stdio: "pipe",
  });
  let stdout = "";
  let stderr = "";
  let done = false;
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of waiting) look();
  };
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    wake();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      done = true;
      wake();
      resolve({ code, signal, stdout, stderr });
    });
  });
  const until = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(deadline);
        waiting.delete(look);
        settle();
      };
      const look = (): void => {
        const match = pattern.exec(stdout);
        if (match !== null) finish(() => resolve(match));
        else if (done) fail("it ended");
      };
      const fail = (why: string): void =>
        finish(() => reject(new Error(`no ${pattern}: ${why}; it printed: ${stdout}${stderr}`)));
      const deadline = setTimeout(() => fail("the time is up"), DEADLINE_MS);
      waiting.add(look);
      look();
    });
  return { child, ended, until, stdout: () => stdout };
}

/** runCommand runs a command to its end. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly input?: string;
  } = {},
): Promise<Ended> {
  const { child, ended } = run(command, args, options);
  child.stdin?.on("error", () => {});
  child.stdin?.end(options.input ?? "");
  return ended;
}

/** bulwark runs `node bin/bulwark.js` to its end. */
export const bulwark = (
  args: readonly string[],
  options: Parameters<typeof runCommand>[2] = {},
): Promise<Ended> => runCommand(process.execPath, ["bin/bulwark.js", ...args], options);

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), "bulwark-test-"));

/** launch begins `bulwark start --dev` and does not wait for it to serve. */
export async function launch(
  options: StartOptions = {},
): Promise<Omit<StartedProcess, "setupToken">> {
  const port = options.port ?? (await freePort());
  const dataDir = options.dataDir ?? temporaryFolder();
  const env = { PORT: String(port), BULWARK_DATA_DIR: dataDir, ...options.env };
  const { child, ended, until, stdout } = run(
    process.execPath,
    ["bin/bulwark.js", "start", "--dev"],
    { env },
  );
  return {
    url: `http://localhost:${port}`,
    port,
    dataDir,
    stdout,
    ended,
    until,
    signal: (signal) => void child.kill(signal),
    stop: async (signal = "SIGTERM") => {
      child.kill(signal);
      const result = await ended;
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
      return result;
    },
  };
}

/** startProcess starts `bulwark start --dev` and waits for its address, and for the first-admin link of a new folder. */
export async function startProcess(options: StartOptions = {}): Promise<StartedProcess> {
  const launched = await launch(options);
  try {
    await launched.until(/Bulwark is listening on \S+/);
    const link =
      options.dataDir === undefined ? await launched.until(/\/setup#(\S+)\n/) : undefined;
    return { ...launched, setupToken: link?.[1] ?? "" };
  } catch (error) {
    await launched.stop("SIGKILL");
    throw error;
  }
}
