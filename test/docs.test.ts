import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const documents = [
  "README.md",
  "ARCHITECTURE.md",
  "SECURITY.md",
  "CONTRIBUTING.md",
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

test.each(documents)("the links of %s lead to files that are there", (document) => {
  const links = [...readFileSync(document, "utf8").matchAll(/\]\((?!https?:|#)([^)#]+)/g)];
  for (const [, target = ""] of links) {
    const file = resolve(document, "..", target);
    expect(() => readFileSync(file), `${document} -> ${target}`).not.toThrow();
  }
  expect(readFileSync(document, "utf8").length).toBeGreaterThan(0);
});
