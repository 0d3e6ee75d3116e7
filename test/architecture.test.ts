import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { IMPORT_TABLE, SECOND_DOORS } from "./support/import-table.ts";

const folderOf = (file: string): string => {
  const [first = ".", ...rest] = relative("src", file).split("/");
  return rest.length === 0 ? "." : first;
};

/** Every module that a file names: static, for its types alone, re-exported, dynamic. */
const importsIn = (text: string): string[] =>
  [
    ...text.matchAll(/^(?:import|export)\b[^;"']*?from\s+"([^"]+)"/gm),
    ...text.matchAll(/^import\s+"([^"]+)"/gm),
    ...text.matchAll(/\b(?:import|require)\(\s*"([^"]+)"/g),
  ].map((match) => match[1] ?? "");

const importsOf = (file: string): string[] => importsIn(readFileSync(file, "utf8"));

/** The text without its comments and literals: what is left are words of the language. */
const codeOf = (text: string): string =>
  text.replaceAll(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|\x60(?:[^\x60\\]|\\[\s\S])*\x60/g,
    '""',
  );

test.each<[text: string, names: readonly string[]]>([
  ['import { a } from "./a.ts";', ["./a.ts"]],
  ['import type { A } from "a";', ["a"]],
  ['import {\n  a,\n  type B,\n} from "a/b";', ["a/b"]],
  ['import "./side-effect.ts";', ["./side-effect.ts"]],
  ['export * from "./a.ts";\nexport { b } from "b";', ["./a.ts", "b"]],
  ['const x = await import("./late.ts");', ["./late.ts"]],
  ['type X = import("./types.ts").X;', ["./types.ts"]],
  ['const x = require("heavy");', ["heavy"]],
  ['import a from "a";\nimport b from "b";', ["a", "b"]],
])("%j imports %j", (text, names) => {
  expect(importsIn(text)).toEqual(names);
});

test.each<[text: string, named: boolean]>([
  ["const x: Record<string, any> = {};", true],
  ["function f(x: any[]): void {}", true],
  ["const x = y as any;", true],
  ["// any of them\nconst x = 1;", false],
  ["/** any of\n * them, any */ const x = 1;", false],
  ['const x = "any";', false],
  ["const x = `any and any`;", false],
  ["const company = 1;", false],
])("%j names the type any: %s", (text, named) => {
  expect(/\bany\b/.test(codeOf(text))).toBe(named);
});

const packageOf = (name: string): string => {
  if (name.startsWith("node:")) return "node:";
  return name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");
};

const files = readdirSync("src", { recursive: true, encoding: "utf8" })
  .map((file) => join("src", file))
  .filter((file) => file.endsWith(".ts"));
const sources = files.filter((file) => !/\.test(-d)?\.ts$/.test(file));

test("there is source to check", () => expect(sources.length).toBeGreaterThan(80));

test.each(Object.keys(IMPORT_TABLE))(
  "%s imports lower levels only, and no feature another",
  (name) => {
    const rules = IMPORT_TABLE[name];
    for (const folder of rules?.folders ?? []) {
      const other = IMPORT_TABLE[folder];
      const isListed = name === "server" && folder === "adapters";
      expect(other, folder).toBeDefined();
      if (!isListed) expect(other?.level, `${name} -> ${folder}`).toBeLessThan(rules?.level ?? 0);
    }
  },
);

describe.each(sources)("%s", (file) => {
  const rules = IMPORT_TABLE[folderOf(file)];

  test("imports what its folder may, by the doors", () => {
    expect(rules, `src/${folderOf(file)} is not in the import table`).toBeDefined();
    for (const name of importsOf(file)) {
      if (!name.startsWith(".")) {
        expect(rules?.packages, `${file} -> ${name}`).toContain(packageOf(name));
        continue;
      }
      const target = join(dirname(file), name);
      const to = folderOf(target);
      if (to === folderOf(file)) {
        const nested = `${dirname(target)}/index.ts`;
        const isOutside = !dirname(file).startsWith(dirname(target));
        if (isOutside && existsSync(nested)) expect(target, "a nested folder's door").toBe(nested);
        continue;
      }
      expect(rules?.folders, `${file} -> ${target}`).toContain(to);
      const doors = [`src/${to}/index.ts`, ...SECOND_DOORS];
      expect(doors, `${file} enters ${to} beside its doors`).toContain(target);
    }
  });

  test("is plain, short and honest", () => {
    const text = readFileSync(file, "utf8");
    const stranger = /[^\n\u0020-\u007e]/u.exec(text)?.[0];
    expect(stranger, "a character outside ASCII").toBeUndefined();
    expect(text.split("\n").length, "lines").toBeLessThanOrEqual(401);
    expect(text).not.toMatch(/@ts-ignore|@ts-nocheck|@ts-expect-error/);
    expect(codeOf(text), "the type any").not.toMatch(/\bany\b/);
    expect(text, "an import whose module is not written out").not.toMatch(/\bimport\((?!\s*")/);
    expect(text).not.toMatch(/^export default/m);
    expect(file).toMatch(/^src\/(?:[a-z0-9-]+\/)*[a-z0-9-]+\.ts$/);
    expect(file).not.toMatch(/\butils?\b/);
  });
});

test("no file imports itself in a circle", () => {
  const graph = new Map(
    sources.map((file) => [
      file,
      importsOf(file)
        .filter((name) => name.startsWith("."))
        .map((name) => join(dirname(file), name)),
    ]),
  );
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      throw new Error(`a circle: ${[...path.slice(path.indexOf(file)), file].join(" -> ")}`);
    }
    if (done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  expect(() => {
    for (const file of sources) visit(file, []);
  }).not.toThrow();
});

describe("doors", () => {
  const manifest = JSON.parse(readFileSync("package.json", "utf8")) as {
    exports: Record<string, string | { types: string; default: string }>;
  };
  const published = Object.entries(manifest.exports).filter(([door]) => door !== "./package.json");

  test.each(published)("%s stands for a file of its name", (door, target) => {
    const source = (typeof target === "string" ? target : target.default)
      .replace("./dist/", "src/")
      .replace(/\.js$/, ".ts");
    expect(existsSync(source), source).toBe(true);
    if (door !== "." && !SECOND_DOORS.includes(source)) {
      expect(source).toBe(`src/${door.slice(2)}/index.ts`);
    }
  });

  test("every second door is published", () => {
    const targets = published.map(([, target]) =>
      (typeof target === "string" ? target : target.default)
        .replace("./dist/", "src/")
        .replace(/\.js$/, ".ts"),
    );
    for (const door of SECOND_DOORS) expect(targets).toContain(door);
  });
});

test("ARCHITECTURE.md names every folder", () => {
  const page = readFileSync("ARCHITECTURE.md", "utf8");
  for (const folder of Object.keys(IMPORT_TABLE)) {
    if (folder !== ".") expect(page, folder).toContain(folder);
  }
});
