import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const doors = Object.entries(manifest.exports).filter(([door]) => door !== "./package.json");
const nameOf = (door: string): string => `bulwark${door.slice(1)}`;

let project: string;
let packed: string[];

/** A project that has installed the tarball, its dependencies and its peers, and nothing else of this repository. */
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "bulwark-consumer-"));
  const { stdout } = spawnSync("npm", ["pack", "--json", "--pack-destination", project], {
    encoding: "utf8",
  });
  const [tarball] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  packed = (tarball?.files ?? []).map(({ path }) => path);
  const modules = join(project, "node_modules");
  const home = join(modules, "bulwark");
  mkdirSync(home, { recursive: true });
  spawnSync("tar", ["xzf", join(project, tarball?.filename ?? ""), "--strip", "1", "-C", home]);
  const names = [
    ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
    "@types/node",
    "@types/pg",
  ];
  for (const name of names) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(resolve("node_modules", name), join(modules, name));
  }
  writeFileSync(join(project, "package.json"), '{ "name": "consumer", "type": "module" }');
  writeFileSync(join(project, "app.ts"), source());
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify(configuration()));
}, 120_000);

afterAll(() => rmSync(project, { recursive: true, force: true }));

const source = (): string => `
${doors.map(([door], index) => `import * as door${index} from "${nameOf(door)}";`).join("\n")}
import { createBulwark, requireRoles, ResponseBuilder } from "bulwark";

export const doors = [${doors.map((_, index) => `door${index}`).join(", ")}];
export const bulwark = createBulwark({ issuer: "https://api.example.com", emailVerification: "off" });
export const DELETE = bulwark.handlers.AuthenticatedAPIHandler.DELETE(
  requireRoles("admin")((context) => ResponseBuilder.success({ id: context.params.id })),
  { path: "/api/products/:id", requireAuth: true },
);
// @ts-expect-error a route states whether it demands a user
export const open = bulwark.handlers.BaseAPIHandler.GET(() => 1, { path: "/open" });
`;

const configuration = () => ({
  compilerOptions: {
    target: "es2023",
    lib: ["es2023", "dom", "dom.iterable"],
    module: "nodenext",
    strict: true,
    composite: true,
    declaration: true,
    skipLibCheck: false,
    types: ["node"],
    rootDir: ".",
    outDir: "out",
  },
  include: ["app.ts"],
});

/** Known faults of drizzle-orm's own declarations (drizzle-orm#5187); nothing else may be wrong. */
const isDrizzles = (line: string): boolean => line.includes("node_modules/drizzle-orm/");

describe.each(["typescript", "typescript-6.0", "typescript-5.9"])("%s", (compiler) => {
  test("compiles a project that uses every door", () => {
    const tsc = resolve("node_modules", compiler, "bin", "tsc");
    const { stdout, status } = spawnSync(
      process.execPath,
      [tsc, "-p", project, "--pretty", "false"],
      {
        cwd: project,
        encoding: "utf8",
      },
    );
    const errors = stdout.split("\n").filter((line) => /error TS\d+/.test(line));
    expect(errors.filter((line) => !isDrizzles(line))).toEqual([]);
    expect(status === 0 || errors.length > 0).toBe(true);
  }, 120_000);
});

describe("the tarball", () => {
  test("holds what is meant to be published, and nothing else", () => {
    const tops = [...new Set(packed.map((path) => path.split("/")[0] ?? ""))].sort((a, b) =>
      a < b ? -1 : 1,
    );
    expect(tops).toEqual([
      "ARCHITECTURE.md",
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "SECURITY.md",
      "bin",
      "dist",
      "docs",
      "package.json",
    ]);
    expect(packed.filter((path) => /\.test\.|\.test-d\.|\.tsbuildinfo$/.test(path))).toEqual([]);
  });

  test.each(doors)("has the files of %s", (_door, target) => {
    const file = typeof target === "string" ? target : target.default;
    expect(packed).toContain(file.slice(2));
    expect(packed).toContain(file.slice(2).replace(/\.js$/, ".d.ts"));
  });

  test("has the pages that its README, its command and its messages name", () => {
    const pages = readdirSync("docs").map((name) => `docs/${name}`);
    expect(packed.filter((path) => path.startsWith("docs/")).sort()).toEqual(pages.sort());
  });

  test("runs its command", () => {
    const command = join(project, "node_modules", "bulwark", "bin", "bulwark.js");
    const { stdout, stderr } = spawnSync(process.execPath, [command, "--version"], {
      cwd: project,
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

/** Every package that loading a door loads, but for what it imports on demand. */
function externalsOf(file: string, seen = new Set<string>()): Set<string> {
  const found = new Set<string>();
  if (seen.has(file)) return found;
  seen.add(file);
  for (const [, target] of readFileSync(file, "utf8").matchAll(
    /^(?:import|export) (?:[\w$*{}\s,]+? from )?"([^"]+)";/gm,
  )) {
    const name = target ?? "";
    if (name.startsWith(".")) {
      for (const each of externalsOf(join(dirname(file), name), seen)) found.add(each);
    } else if (!name.startsWith("node:")) {
      found.add(
        name
          .split("/")
          .slice(0, name.startsWith("@") ? 2 : 1)
          .join("/"),
      );
    }
  }
  return found;
}

/** What an application pays for only where it asks for it. */
const HEAVY = ["pg", "@electric-sql/pglite", "ioredis", "hono", "@hono/node-server", "nodemailer"];

/** What each door loads as soon as it is imported. A heavy or optional package must never appear here by accident. */
const DATABASE = ["drizzle-orm"];
const APPLICATION = [
  ...DATABASE,
  "@node-rs/argon2",
  "@opentelemetry/api",
  "ipaddr.js",
  "jose",
  "pino",
  "uqr",
  "zod",
];
const EXTERNALS: Readonly<Record<string, readonly string[]>> = {
  ".": APPLICATION,
  "./auth": APPLICATION,
  "./bulwark": APPLICATION,
  "./server": APPLICATION,
  "./rate-limit/redis": ["ipaddr.js"],
  "./core": ["ipaddr.js"],
  "./cors": ["ipaddr.js"],
  "./crypto": [],
  "./csrf": ["ipaddr.js"],
  "./headers": [],
  "./multipart": ["ipaddr.js"],
  "./rate-limit": ["ipaddr.js"],
  "./openapi": ["ipaddr.js"],
  "./state": ["ipaddr.js"],
  "./state/redis": ["ioredis", "ipaddr.js"],
  "./access": [...DATABASE, "@opentelemetry/api", "ipaddr.js", "pino"],
  "./observability": ["@opentelemetry/api", "ipaddr.js", "pino"],
  "./database": [...DATABASE, "@opentelemetry/api", "ipaddr.js", "pino"],
  "./database/pglite": [...DATABASE, "@electric-sql/pglite"],
  "./database/postgres": [...DATABASE, "@opentelemetry/api", "ipaddr.js", "pg", "pino"],
  "./auth/passkeys": [...DATABASE, "@opentelemetry/api", "ipaddr.js", "pino"],
  "./auth/oidc": [...DATABASE, "@opentelemetry/api", "ipaddr.js", "pino"],
  "./mail": [...DATABASE, "@opentelemetry/api", "ipaddr.js", "pino"],
  "./mail/smtp": ["ipaddr.js", "nodemailer"],
  "./api-keys": [...DATABASE, "@opentelemetry/api", "ipaddr.js", "pino"],
  "./audit": [...DATABASE, "@opentelemetry/api", "ipaddr.js", "pino"],
  "./adapters/node": ["ipaddr.js"],
};

describe("importing a door loads no more than it must", () => {
  test("every door is pinned", () =>
    expect(Object.keys(EXTERNALS).sort()).toEqual(doors.map(([door]) => door).sort()));

  test.each(Object.entries(EXTERNALS))("%s", (door, expected) => {
    const target = manifest.exports[door];
    const file = typeof target === "object" ? target.default : "";
    expect([...externalsOf(resolve(file))].sort()).toEqual([...expected].sort());
  });

  test("no door loads an optional store or server by itself", () => {
    for (const [door, target] of doors) {
      if (/^\.\/(database|mail|state|rate-limit)\/|^\.\/(adapters|server|validation)/.test(door))
        continue;
      const file = typeof target === "object" ? target.default : "";
      const loaded = [...externalsOf(resolve(file))];
      for (const heavy of HEAVY) {
        expect(loaded, door).not.toContain(heavy);
      }
    }
  });

  test("there are doors to look at", () => {
    expect(existsSync("dist/index.js")).toBe(true);
    expect(readdirSync("dist").length).toBeGreaterThan(10);
  });
});
