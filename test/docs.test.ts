import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const documents = [
  "README.md",
  "ARCHITECTURE.md",
  "SECURITY.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...readdirSync("docs").map((name) => join("docs", name)),
];

interface Block {
  readonly name: string;
  readonly language: string;
  readonly code: string;
}

const blocks: Block[] = documents.flatMap((document) =>
  [...readFileSync(document, "utf8").matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(
    ([, language = "", code = ""], index) => ({ name: `${document} ${index}`, language, code }),
  ),
);

test("every block of TypeScript in the documentation compiles against what is built", () => {
  const sources = blocks.filter(({ language }) => language === "ts");
  expect(sources.length).toBeGreaterThan(6);
  mkdirSync("coverage", { recursive: true });
  const folder = mkdtempSync(join("coverage", "docs-"));
  try {
    for (const [index, { name, code }] of sources.entries()) {
      writeFileSync(join(folder, `block-${index}.ts`), `// ${name}\n${code}\nexport {}\n`);
    }
    const compilerOptions = { noEmit: true, rootDir: resolve("."), composite: false };
    const configuration = { extends: resolve("tsconfig.json"), compilerOptions, include: ["*.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(configuration));
    const tsc = resolve("node_modules", ".bin", "tsc");
    const { stdout, status } = spawnSync(tsc, ["-p", folder, "--pretty", "false"], {
      encoding: "utf8",
    });
    expect(stdout).toBe("");
    expect(status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.each(blocks.filter(({ language }) => language === "json"))("$name is JSON", ({ code }) => {
  expect(() => JSON.parse(code) as unknown).not.toThrow();
});

/** The names by which a page's headings are linked to. */
const anchorsOf = (file: string): ReadonlySet<string> =>
  new Set(
    [...readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );

test.each(documents)("the links of %s lead to files and headings that are there", (document) => {
  const links = [...readFileSync(document, "utf8").matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g)];
  for (const [, target = "", anchor = ""] of links) {
    const file = target === "" ? document : resolve(document, "..", target);
    expect(() => readFileSync(file), `${document} -> ${target}`).not.toThrow();
    if (anchor !== "") expect(anchorsOf(file), `${document} -> ${target}`).toContain(anchor);
  }
  expect(readFileSync(document, "utf8").length).toBeGreaterThan(0);
});

test("every variable that is read from the environment is in the table of variables", () => {
  const read = readdirSync("src/bulwark")
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .flatMap((name) => [
      ...readFileSync(join("src/bulwark", name), "utf8").matchAll(
        /"((?:BULWARK|SMTP|REDIS|DATABASE)_[A-Z_]+|HOST|PORT)"/g,
      ),
    ])
    .map(([, variable = ""]) => variable);
  expect(read.length).toBeGreaterThan(30);
  const page = readFileSync("docs/configuration.md", "utf8");
  for (const variable of read) expect(page).toContain(`\`${variable}\``);
});

test.each(["BulwarkConfig", "AuthConfig"])("every field of %s is on its page", (name) => {
  const source = readFileSync("src/bulwark/config.ts", "utf8");
  const [, body = ""] =
    new RegExp(`interface ${name}\\b[^{]*{\\n([\\s\\S]*?)^}`, "m").exec(source) ?? [];
  const fields = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, field = ""]) => field);
  expect(fields.length).toBeGreaterThan(10);
  const page = readFileSync("docs/configuration.md", "utf8");
  for (const field of fields) expect(page).toMatch(new RegExp(`\`${field}[\`.]`));
});
