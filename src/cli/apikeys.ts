import { type Command, InvalidArgumentError, Option } from "commander";
import type { APIKeyView, CreatedAPIKey, KeyLimit, KeyOwner } from "../api-keys/index.ts";
import type { Bulwark } from "../bulwark/index.ts";
import { checkTenant, type DatabaseCommand, print, userIdOf, withBulwark } from "./with-bulwark.ts";

/** Whose keys: a user by address, in a tenant where one is named besides; or a tenant's own. */
interface OwnerOptions {
  readonly email?: string | undefined;
  readonly tenant?: string | undefined;
}

interface CreateKeyOptions extends DatabaseCommand, OwnerOptions {
  readonly name: string;
  readonly scope: readonly string[];
  readonly expiresIn?: string | undefined;
  readonly address?: readonly string[] | undefined;
  readonly limit?: readonly KeyLimit[] | undefined;
  readonly monthlyQuota?: number | undefined;
}

/** addKeyCommands adds `apikeys create`, `list`, `rotate` and `revoke` to the program. */
export function addKeyCommands(program: Command, devOption: () => Option): void {
  const keys = program.command("apikeys").description("keys for programs");
  const json = (): Option => new Option("--json", "print JSON");
  const email = (): Option => new Option("--email <address>", "of the user whose keys they are");
  const tenant = (): Option =>
    new Option("--tenant <id>", "the tenant that the user's key acts in; without --email its own");

  keys
    .command("create")
    .description("make a key and print its id and the key, which is shown this once")
    .addOption(devOption())
    .addOption(email())
    .addOption(tenant())
    .requiredOption("--name <name>", "what it is for")
    .addOption(
      new Option("--scope <name...>", "what it may do").makeOptionMandatory().argParser(collect),
    )
    .option("--expires-in <duration>", "how long it lives (default: 365d)")
    .option("--address <range...>", "addresses and CIDR ranges from which it is accepted", collect)
    .option("--limit <name=requests/window...>", "such as burst=20/1s", collectLimits)
    .option("--monthly-quota <requests>", "requests of a calendar month in UTC", wholeNumber)
    .addOption(json())
    .action(createKey);
  keys
    .command("list")
    .description("print the keys of a user or a tenant")
    .addOption(devOption())
    .addOption(email())
    .addOption(tenant())
    .addOption(json())
    .action(listKeys);
  keys
    .command("rotate")
    .argument("<id>", "the key's id")
    .description("put a new key in the place of one, and print it")
    .addOption(devOption())
    .option("--overlap <duration>", "how long the old one is good beside it (default: 0)")
    .option(
      "--expires-in <duration>",
      "how long the new one lives (default: as long as the old one)",
    )
    .addOption(json())
    .action(rotateKey);
  keys
    .command("revoke")
    .argument("<id>", "the key's id")
    .description("end a key for good")
    .addOption(devOption())
    .addOption(json())
    .action(revokeKey);
}

const collect = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
];

function collectLimits(text: string, before: readonly KeyLimit[] = []): readonly KeyLimit[] {
  const [, name, requests, window] = /^([a-z][a-z0-9-]*)=(\d{1,9})\/(\w+)$/.exec(text) ?? [];
  if (name === undefined || window === undefined) {
    throw new InvalidArgumentError("expected name=requests/window, such as burst=20/1s");
  }
  return [...before, { name, requests: Number(requests), window }];
}

function wholeNumber(text: string): number {
  if (/^\d{1,13}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number");
}

/** createKey makes a key and prints it, the only time that it is shown. */
async function createKey(options: CreateKeyOptions): Promise<void> {
  const { name, scope, expiresIn, address, limit, monthlyQuota } = options;
  checkOwner(options);
  await withBulwark(options, async (bulwark) => {
    const input = {
      name,
      scopes: scope,
      expiresIn,
      allowedAddresses: address,
      limits: limit,
      monthlyQuota,
    };
    const made = await bulwark.apiKeys.create(
      input,
      await ownerOf(bulwark, options),
      undefined,
      {},
    );
    printCreated(made, options);
  });
}

/** listKeys prints the keys of an owner, one a line. */
async function listKeys(options: DatabaseCommand & OwnerOptions): Promise<void> {
  await withBulwark(options, async (bulwark) => {
    const keys = await bulwark.apiKeys.list(await ownerOf(bulwark, options), {});
    print(options.json === true ? JSON.stringify(keys) : keys.map(lineOf).join("\n"));
  });
}

/** rotateKey puts a new key in the place of one, and prints it. */
async function rotateKey(
  id: string,
  options: DatabaseCommand & {
    readonly overlap?: string | undefined;
    readonly expiresIn?: string | undefined;
  },
): Promise<void> {
  await withBulwark(options, async ({ apiKeys }) => {
    const { overlap, expiresIn } = options;
    const owner = await apiKeys.ownerOf(id);
    printCreated(await apiKeys.rotate(id, owner, undefined, { overlap, expiresIn }, {}), options);
  });
}

/** revokeKey ends a key for good. */
async function revokeKey(id: string, options: DatabaseCommand): Promise<void> {
  await withBulwark(options, async ({ apiKeys }) => {
    await apiKeys.revoke(id, await apiKeys.ownerOf(id), {});
    print(options.json === true ? JSON.stringify({ id, revoked: true }) : `${id} revoked`);
  });
}

function checkOwner({ email, tenant }: OwnerOptions): void {
  if ((email ?? tenant ?? "") !== "") return;
  throw new Error("--email or --tenant: expected one, came neither");
}

async function ownerOf(bulwark: Bulwark, { email, tenant }: OwnerOptions): Promise<KeyOwner> {
  await checkTenant(bulwark, tenant);
  if (email === undefined) {
    if (tenant === undefined) throw new Error("--email or --tenant: expected one, came neither");
    return { tenantId: tenant };
  }
  return { userId: await userIdOf(bulwark, email), tenantId: tenant };
}

function printCreated(made: CreatedAPIKey, { json }: DatabaseCommand): void {
  print(json === true ? JSON.stringify(made) : `${made.id} ${made.key}`);
}

const lineOf = (key: APIKeyView): string =>
  [
    key.id,
    key.state,
    `until ${key.expiresAt}`,
    key.lastUsedAt === null ? "never used" : `used ${key.lastUsedAt}`,
    key.scopes.join(",") || "no scopes",
    key.name,
  ].join("  ");
