// Starts a private Redis and a private PostgreSQL for development and tests: `npm run services` keeps both in the foreground
// and prints REDIS_URL= and DATABASE_URL= lines; tests import the functions. Both listen on 127.0.0.1 alone, on free ports or
// on REDIS_PORT and PG_PORT, with random passwords, and keep their data in temporary folders that are removed at the end.
// They need the system's own binaries (`apt-get install redis-server postgresql`), run as an unprivileged user where the caller
// is root, and end with the process that started them, however that one ends. PostgreSQL runs without fsync: it may lose data
// with the machine's power, which is right for data that is thrown away, and wrong everywhere else.
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  accessSync,
  chownSync,
  constants,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";

const START_MS = 30_000;

/** findBinary returns the path of a program, from PATH or from where Debian keeps PostgreSQL's, newest first; undefined where it is missing. */
export function findBinary(name) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = [...folders, ...postgresFolders()].map((folder) => join(folder, name));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function postgresFolders() {
  const root = "/usr/lib/postgresql";
  try {
    const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(root, version, "bin"));
  } catch {
    return [];
  }
}

/**
 * startRedis starts a Redis. Options: `port` (default a free one), `password` (default random), `unref` (do not keep this process
 * alive), `settings` (more lines of its configuration).
 */
export async function startRedis({ port, password = secret(), unref = false, settings = [] } = {}) {
  const binary = required("redis-server");
  return start(port, (chosen, folder, as) => {
    const config = join(folder, "redis.conf");
    writeFileSync(
      config,
      `bind 127.0.0.1
port ${chosen}
requirepass ${password}
maxmemory-policy noeviction
save ""
appendonly no
dir ${folder}
${settings.map((line) => `${line}\n`).join("")}`,
      { mode: 0o600 },
    );
    hand(config, as);
    return {
      command: [binary, config],
      ready: /Ready to accept connections/,
      // Stops without saving, since there is nothing to save.
      signal: "TERM",
      url: `redis://:${password}@127.0.0.1:${chosen}`,
      unref,
    };
  });
}

/** startPostgres starts a PostgreSQL with the superuser `bulwark`. Options as of {@link startRedis}. */
export async function startPostgres({ port, password = secret(), unref = false } = {}) {
  const binary = required("postgres");
  const initdb = required("initdb");
  return start(port, (chosen, folder, as) => {
    const passwordFile = join(folder, "password");
    const data = join(folder, "data");
    writeFileSync(passwordFile, password, { mode: 0o600 });
    hand(passwordFile, as);
    const auth = ["--username=bulwark", `--pwfile=${passwordFile}`, "--auth=scram-sha-256"];
    const form = ["--encoding=UTF8", "--locale=C", "--no-sync"];
    execFileSync(initdb, [`--pgdata=${data}`, ...auth, ...form], {
      ...as,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const settings = {
      listen_addresses: "127.0.0.1",
      port: chosen,
      unix_socket_directories: "",
      // Allowed here alone: the folder is removed at the end.
      fsync: "off",
      synchronous_commit: "off",
      full_page_writes: "off",
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    return {
      command: [binary, "-D", data, ...flags],
      ready: /database system is ready to accept connections/,
      // The fast shutdown: it does not wait for clients.
      signal: "INT",
      url: `postgres://bulwark:${password}@127.0.0.1:${chosen}/postgres`,
      unref,
    };
  });
}

const secret = () => randomBytes(18).toString("hex");

function required(name) {
  const path = findBinary(name);
  if (path !== undefined) return path;
  throw new Error(`${name} was not found: apt-get install redis-server postgresql`);
}

/** A port that was free a moment ago can be taken by now: with a port of our own choice there are three attempts. */
async function start(port, prepare) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(port ?? (await freePort()), prepare);
    } catch (error) {
      if (port !== undefined || attempt === 3) throw error;
    }
  }
}

async function startOnce(port, prepare) {
  const as = unprivileged();
  const folder = mkdtempSync(join(tmpdir(), "bulwark-service-"));
  try {
    hand(folder, as);
    return await guarded(port, folder, as, prepare(port, folder, as));
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

// The guard runs the server, and ends it by its own id and removes its folder as soon as the guard's standard input ends. The
// other end of that pipe is ours alone: it closes when we say so, and when this process dies, by SIGKILL too. Nobody reads what
// the guard prints then, and a shell that writes all the same ("Terminated") dies of it: hence its silence after the id.
const GUARD = `
folder=$1; signal=$2; shift 2
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
echo "pid $server"
exec >/dev/null 2>&1
(
  while read -r line; do :; done <&3
  kill -CONT $server; kill -$signal $server
  tries=100
  while kill -0 $server && [ $tries -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
  kill -KILL $server
) &
watch=$!
wait $server
kill $watch
wait $watch
cd / && rm -rf "$folder"
`;

function guarded(port, folder, as, { command, ready, signal, url, unref }) {
  // In a session of its own: a Ctrl-C at the terminal is ours to answer, in order.
  const guard = spawn("/bin/sh", ["-c", GUARD, "guard", folder, signal, ...command], {
    ...as,
    cwd: folder,
    detached: true,
    env: { PATH: process.env.PATH, LC_ALL: "C" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  guard.stdin.on("error", () => {
    // The server has ended already.
  });
  const ended = new Promise((resolve) => {
    guard.once("exit", () => {
      guard.stdin.destroy();
      resolve();
    });
  });
  const stop = async () => {
    // A process that waits for the end must live until then.
    guard.ref();
    guard.stdin.end();
    await ended;
  };
  return new Promise((resolve, reject) => {
    let output = "";
    const fail = (why) => {
      clearTimeout(deadline);
      stop().then(() => reject(new Error(`${command[0]} ${why}: ${output.slice(-2_000)}`)));
    };
    const deadline = setTimeout(() => fail(`is not ready after ${START_MS} ms`), START_MS);
    const look = (chunk) => {
      // Once it is ready, what it says is read, so that it is never held up, and dropped.
      if (output === undefined) return;
      output += chunk;
      const pid = /^pid (\d+)$/m.exec(output)?.[1];
      if (pid === undefined || !ready.test(output)) return;
      output = undefined;
      clearTimeout(deadline);
      guard.removeListener("exit", early);
      if (unref) for (const each of [guard, guard.stdin, guard.stdout, guard.stderr]) each.unref();
      resolve({ url, port, pid: Number(pid), ended, stop });
    };
    const early = () => fail("ended");
    guard.once("error", (error) => {
      clearTimeout(deadline);
      reject(error);
    });
    guard.once("exit", early);
    guard.stdout.on("data", look);
    guard.stderr.on("data", look);
  });
}

/** PostgreSQL refuses root, and nothing here needs it: the user that the package made, or nobody. */
function unprivileged() {
  if (process.getuid?.() !== 0) return {};
  for (const user of ["postgres", "nobody"]) {
    try {
      return { uid: idOf("-u", user), gid: idOf("-g", user) };
    } catch {
      // There is no such user.
    }
  }
  throw new Error("expected a user `postgres` or `nobody` to run as, came neither");
}

const idOf = (flag, user) =>
  Number(
    execFileSync("id", [flag, user], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
  );

function hand(path, as) {
  if (as.uid !== undefined) chownSync(path, as.uid, as.gid);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function portOf(name) {
  const text = process.env[name];
  if (text === undefined || text === "") return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new Error(`${name}: expected a number from 1 to 65535, came ${JSON.stringify(text)}`);
}

async function main() {
  const stopping = new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => resolve(0));
  });
  const starting = [
    startRedis({ port: portOf("REDIS_PORT") }),
    startPostgres({ port: portOf("PG_PORT") }),
  ];
  const settled = await Promise.allSettled(starting);
  const services = settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  let code = 1;
  for (const { reason } of settled) if (reason !== undefined) console.error(reason.message);
  if (services.length === starting.length) {
    console.log(`REDIS_URL=${services[0].url}\nDATABASE_URL=${services[1].url}`);
    const died = services.map(({ ended, url }) => ended.then(() => new URL(url).protocol));
    const first = await Promise.race([stopping, ...died]);
    if (first === 0) code = 0;
    else console.error(`${first} ended by itself`);
  }
  await Promise.all(services.map(({ stop }) => stop()));
  process.exitCode = code;
  process.exit();
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
