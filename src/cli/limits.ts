import { type Command, Option } from "commander";
import { type Bulwark, configFromEnv } from "../bulwark/index.ts";
import { canonicalAddress } from "../core/index.ts";
import { type DatabaseCommand, print, withBulwark } from "./with-bulwark.ts";

interface LiftOptions extends DatabaseCommand {
  readonly key?: string | undefined;
}

/** addLimitCommands adds `limits list` and `lift` to the program. */
export function addLimitCommands(program: Command, devOption: () => Option): void {
  const limits = program.command("limits").description("addresses that are kept out");
  const json = (): Option => new Option("--json", "print JSON");

  limits
    .command("list")
    .description("print the bans that stand, the longest first")
    .addOption(devOption())
    .addOption(json())
    .action(listBans);
  limits
    .command("lift")
    .argument("[address]", "an IP address, or the network that a ban is shown as")
    .description("end an address's ban and forget what was counted of it")
    .addOption(devOption())
    .option("--key <key>", "in its place: a key as limits count it, such as a user's id or key:ID")
    .addOption(json())
    .action(liftLimits);
}

const PAGE = 1_000;

async function listBans(options: DatabaseCommand): Promise<void> {
  checkShared(options);
  await withBulwark(options, async ({ limits }) => {
    const all = await bansFrom(limits, 1);
    const views = all.map((ban) => ({ ...ban, until: new Date(ban.until).toISOString() }));
    const lines = views.map(({ network, until, step, reason }) =>
      [network, `until ${until}`, `step ${step}`, reason].join("  "),
    );
    print(options.json === true ? JSON.stringify(views) : lines.join("\n"));
  });
}

type Limits = Bulwark["limits"];

async function bansFrom(
  limits: Limits,
  page: number,
): Promise<Awaited<ReturnType<Limits["bans"]>>["bans"]> {
  const { bans } = await limits.bans({ page, limit: PAGE });
  return bans.length < PAGE ? bans : [...bans, ...(await bansFrom(limits, page + 1))];
}

async function liftLimits(address: string | undefined, options: LiftOptions): Promise<void> {
  const { key } = options;
  if ((address === undefined) === (key === undefined)) {
    throw new Error(
      `an address or --key: expected one, came ${key === undefined ? "none" : "both"}`,
    );
  }
  checkAddress(address);
  checkShared(options);
  await withBulwark(options, async ({ limits }) => {
    const target = address === undefined ? { key: key ?? "" } : { address };
    const lifted = await limits.lift(target, {});
    const said = lifted.wasBanned ? "banned no longer" : "lifted; it was not banned";
    const line = `${lifted.key} ${address === undefined ? "lifted" : said}`;
    print(options.json === true ? JSON.stringify(lifted) : line);
  });
}

function checkAddress(address: string | undefined): void {
  if (address === undefined || canonicalAddress(address.replace(/::\/64$/, "::")) !== undefined)
    return;
  throw new Error(`address: expected an IP address, came ${JSON.stringify(address)}`);
}

/** Without Redis, bans and limits are in the memory of the process that serves, which no other process can read. */
function checkShared({ dev }: DatabaseCommand): void {
  if (configFromEnv(process.env, { dev: dev === true }).redisUrl !== undefined) return;
  throw new Error(
    "REDIS_URL: expected one, came nothing: without Redis, bans and limits are in the memory of the server's process. " +
      "Ask it: GET /api/admin/limits/bans lists them, POST /api/admin/limits/lift lifts them (as an administrator).",
  );
}
