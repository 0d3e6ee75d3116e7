import { type Command, InvalidArgumentError, Option } from "commander";
import type { AssignmentView, RoleView } from "../access/index.ts";
import type { Bulwark } from "../bulwark/index.ts";
import { NotFoundError, parseDuration } from "../core/index.ts";
import { checkTenant, type DatabaseCommand, print, userIdOf, withBulwark } from "./with-bulwark.ts";

interface TenantOption {
  readonly tenant?: string | undefined;
}

interface RoleOptions extends DatabaseCommand, TenantOption {
  readonly permission?: readonly string[] | undefined;
  readonly description?: string | undefined;
}

interface AssignOptions extends DatabaseCommand, TenantOption {
  readonly email: string;
  readonly expiresIn?: number | undefined;
}

const collect = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
];

const duration = (text: string): number => {
  try {
    return parseDuration(text, "--expires-in");
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
};

/** addRoleCommands adds `roles list`, `create`, `update`, `delete`, `assign`, `unassign` and `holders` to the program. */
export function addRoleCommands(program: Command, devOption: () => Option): void {
  const roles = program
    .command("roles")
    .description("roles from code and those made at run time, and who has them");
  const json = (): Option => new Option("--json", "print JSON");
  const tenant = (text: string): Option => new Option("--tenant <id>", text);
  const permissions = (): Option =>
    new Option("--permission <name...>", "what it may do").argParser(collect);
  const email = (): Option => new Option("--email <address>", "of the user").makeOptionMandatory();

  roles
    .command("list")
    .description("print the roles and what they may do")
    .addOption(devOption())
    .addOption(tenant("those of a tenant too"))
    .addOption(json())
    .action(listRoles);
  roles
    .command("create")
    .argument("<name>", "its name")
    .description("make a role")
    .addOption(devOption())
    .addOption(permissions().makeOptionMandatory())
    .option("--description <text>", "what it is for")
    .addOption(tenant("the tenant that it belongs to (default: it can be given everywhere)"))
    .addOption(json())
    .action(createRole);
  roles
    .command("update")
    .argument("<name>", "its name")
    .description("change what a role may do; the sessions of all who have it end")
    .addOption(devOption())
    .addOption(permissions())
    .option("--description <text>", "what it is for")
    .addOption(tenant("the tenant that it belongs to"))
    .addOption(json())
    .action(updateRole);
  roles
    .command("delete")
    .argument("<name>", "its name")
    .description("remove a role, and take it from all who have it")
    .addOption(devOption())
    .addOption(tenant("the tenant that it belongs to"))
    .addOption(json())
    .action(deleteRole);
  roles
    .command("assign")
    .argument("<role>", "the role's name")
    .description("give a role to a user; their sessions end")
    .addOption(devOption())
    .addOption(email())
    .addOption(tenant("the tenant in which it counts (default: everywhere)"))
    .addOption(
      new Option("--expires-in <duration>", "for how long (default: for good)").argParser(duration),
    )
    .addOption(json())
    .action(assignRole);
  roles
    .command("unassign")
    .argument("<role>", "the role's name")
    .description("take a role that was given to a user; their sessions end")
    .addOption(devOption())
    .addOption(email())
    .addOption(tenant("the tenant in which it counts"))
    .addOption(json())
    .action(unassignRole);
  roles
    .command("holders")
    .argument("<role>", "the role's name")
    .description("print who has a role")
    .addOption(devOption())
    .addOption(tenant("in a tenant too"))
    .addOption(json())
    .action(listHolders);
}

async function listRoles(options: DatabaseCommand & TenantOption): Promise<void> {
  await withBulwark(options, async (bulwark) => {
    const { access, roles } = bulwark;
    await checkTenant(bulwark, options.tenant);
    const fromCode = access.roles.map((name) => ({
      name,
      permissions: access.permissionsOfRoles({ roles: [name] }),
    }));
    const made = await roles.listRoles({ tenantId: options.tenant ?? null });
    const lines = [
      ...fromCode.map(({ name, permissions }) => `${name}  from code  ${listed(permissions)}`),
      ...made.map(lineOf),
    ];
    print(options.json === true ? JSON.stringify({ fromCode, made }) : lines.join("\n"));
  });
}

async function createRole(name: string, options: RoleOptions): Promise<void> {
  await withBulwark(options, async ({ roles }) => {
    const { permission: permissions = [], description, tenant: tenantId } = options;
    const made = await roles.createRole({ name, permissions, description, tenantId }, "system");
    printRole(made, options);
  });
}

async function updateRole(name: string, options: RoleOptions): Promise<void> {
  const { permission: permissions, description, tenant } = options;
  if (permissions === undefined && description === undefined) {
    throw new Error("--permission or --description: expected one, came neither");
  }
  await withBulwark(options, async (bulwark) => {
    const { id } = await roleOf(bulwark, name, tenant);
    printRole(await bulwark.roles.updateRole(id, { permissions, description }, "system"), options);
  });
}

async function deleteRole(name: string, options: DatabaseCommand & TenantOption): Promise<void> {
  await withBulwark(options, async (bulwark) => {
    const { id } = await roleOf(bulwark, name, options.tenant);
    await bulwark.roles.deleteRole(id, "system");
    print(options.json === true ? JSON.stringify({ id, deleted: true }) : `${name} deleted`);
  });
}

async function assignRole(role: string, options: AssignOptions): Promise<void> {
  await withBulwark(options, async (bulwark) => {
    const { tenant: tenantId, expiresIn } = options;
    const userId = await userIdOf(bulwark, options.email);
    const expiresAt = expiresIn === undefined ? null : new Date(bulwark.clock.now() + expiresIn);
    const given = await bulwark.roles.assign({ userId, role, tenantId, expiresAt }, "system");
    print(options.json === true ? JSON.stringify(given) : assignmentLine(given));
  });
}

async function unassignRole(role: string, options: AssignOptions): Promise<void> {
  await withBulwark(options, async (bulwark) => {
    const userId = await userIdOf(bulwark, options.email);
    await bulwark.roles.unassign({ userId, role, tenantId: options.tenant }, "system");
    const taken = { userId, role, unassigned: true };
    print(options.json === true ? JSON.stringify(taken) : `${role} taken from ${userId}`);
  });
}

async function listHolders(role: string, options: DatabaseCommand & TenantOption): Promise<void> {
  await withBulwark(options, async (bulwark) => {
    const { tenant } = options;
    await checkTenant(bulwark, tenant);
    const made = await bulwark.roles.listRoles({ tenantId: tenant ?? null });
    const isThere = bulwark.access.isRole(role) || made.some(({ name }) => name === role);
    if (!isThere) throw new NotFoundError("Role");
    const holders = await bulwark.roles.holdersOf(role, { tenantId: tenant ?? null });
    print(options.json === true ? JSON.stringify(holders) : holders.map(assignmentLine).join("\n"));
  });
}

/** Rejects with a NotFoundError only if no role was made by that name, there. */
async function roleOf(
  { roles }: Bulwark,
  name: string,
  tenant: string | undefined,
): Promise<RoleView> {
  const made = await roles.listRoles({ tenantId: tenant ?? null });
  const found = made.find((role) => role.name === name && role.tenantId === (tenant ?? null));
  if (found === undefined) throw new NotFoundError("Role");
  return found;
}

const listed = (names: readonly string[]): string => names.join(",") || "nothing";

const lineOf = ({ name, tenantId, permissions, description }: RoleView): string =>
  [
    name,
    tenantId === null ? "everywhere" : `tenant ${tenantId}`,
    listed(permissions),
    ...(description === null ? [] : [description]),
  ].join("  ");

const printRole = (role: RoleView, { json }: DatabaseCommand): void =>
  print(json === true ? JSON.stringify(role) : lineOf(role));

const assignmentLine = ({ userId, role, tenantId, expiresAt }: AssignmentView): string =>
  [
    userId,
    role,
    tenantId === null ? "everywhere" : `tenant ${tenantId}`,
    expiresAt === null ? "for good" : `until ${expiresAt}`,
  ].join("  ");
