import { configFromEnv } from "../bulwark/index.ts";
import { startServer } from "../server/index.ts";

/** Said at every start, since it is the one promise of a database that PGlite does not keep. */
const PGLITE_NOTE =
  "; it survives a kill of the process, not a loss of power. Use PostgreSQL in production.";

/** start serves until SIGINT or SIGTERM, then lets requests in flight finish and closes the database. */
export async function start(options: { readonly dev: boolean }): Promise<void> {
  const config = configFromEnv(process.env, options);
  const stop = stopSignal();
  const server = await startServer(config);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);

  say(`Bulwark is listening on ${server.url}${options.dev ? " (development)" : ""}`);
  say(
    `Data: ${server.bulwark.database.name}${server.bulwark.database.exclusive ? PGLITE_NOTE : ""}`,
  );
  if (server.setupUrl !== undefined) {
    say(`Make the first administrator within 15 minutes: ${server.setupUrl}`);
  }
  const signal = await stop;
  say(`${signal}: closing`);
  await server.close();
  say("closed");
}

/** The first signal ends the server in order; a second one ends the process. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        resolve(signal);
        process.once(signal, () => process.exit(1));
      });
    }
  });
}
