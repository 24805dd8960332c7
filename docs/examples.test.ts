/** Runs every example of the Markdown pages and of the docstrings, and type-checks them all. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { docstringExamples, type Example, markdownExamples } from "./testing/extract.ts";
import { exampleModule, exportsOf, type Scope } from "./testing/module.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = join(root, "docs", ".examples");

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** The files below a folder with a given ending, as paths from the root, with `/` on every platform. */
function filesBelow(path: string, ending: string): string[] {
  if (!existsSync(join(root, path))) return [];
  return readdirSync(join(root, path), { recursive: true, encoding: "utf8" })
    .map((file) => `${path}/${file.split(sep).join("/")}`)
    .filter((file) => file.endsWith(ending) && !/(^|\/)(node_modules|\.[^/]*)\//.test(file))
    .sort();
}

const packages = readdirSync(join(root, "packages")).filter((name) =>
  existsSync(join(root, "packages", name, "src")),
);

/** The entry points of a package that exist: specifier and source file. */
function entries(name: string): [specifier: string, file: string][] {
  return ["index", "functions"]
    .map((entry): [string, string] => [
      entry === "index" ? `@adjoint/${name}` : `@adjoint/${name}/${entry}`,
      `packages/${name}/src/${entry}.ts`,
    ])
    .filter(([, file]) => existsSync(join(root, file)));
}

/** What a docstring's example may use without importing it: its package, then its own file, then core. */
function scopeOf(name: string, file: string): Scope {
  const own = entries(name);
  const core = name === "core" ? [] : entries("core");
  const itself: [string, string] = [relative(folder, join(root, file)).split(sep).join("/"), file];
  return new Map(
    [...own, itself, ...core].map(([specifier, path]) => [specifier, exportsOf(path, read(path))]),
  );
}

const nothing: Scope = new Map();
const pages = [
  ...(existsSync(join(root, "README.md")) ? ["README.md"] : []),
  ...packages.map((name) => `packages/${name}/README.md`).filter((file) => existsSync(join(root, file))),
  ...filesBelow("docs", ".md"),
];
const examples: [Example, Scope][] = [
  ...pages.flatMap((file) =>
    markdownExamples(file, read(file)).map((one): [Example, Scope] => [one, nothing]),
  ),
  ...packages.flatMap((name) =>
    filesBelow(`packages/${name}/src`, ".ts").flatMap((file) => {
      const found = docstringExamples(file, read(file));
      return found.map((one): [Example, Scope] => [one, scopeOf(name, file)]);
    }),
  ),
];

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const perFile = new Map<string, [Example, Scope][]>();
for (const entry of examples) {
  perFile.set(entry[0].file, [...(perFile.get(entry[0].file) ?? []), entry]);
}

describe.each([...perFile])("the examples of %s", (file, found) => {
  for (const [example, scope] of found) {
    const line = example.chunks[0]?.line ?? 1;
    const path = join(folder, `${file.replaceAll("/", "__")}.${line}.ts`);
    // Written while the tests are collected, so that the type check below sees all of them.
    let failure: unknown;
    try {
      writeFileSync(path, exampleModule(example, scope, "../testing/shown.ts"));
    } catch (error) {
      failure = error;
    }
    test(`line ${line} ${example.runs ? "gives the results it shows" : "is TypeScript"}`, async () => {
      if (failure !== undefined) throw failure;
      if (example.runs) await import(/* @vite-ignore */ pathToFileURL(path).href);
    });
  }
});

describe("the examples together", () => {
  test.skipIf(examples.length === 0)("have no type errors", () => {
    const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
    const options = ["-p", "docs/tsconfig.examples.json", "--pretty", "false"];
    const { stdout } = spawnSync(process.execPath, [compiler, ...options], { cwd: root, encoding: "utf8" });
    // Errors in the sources themselves are the type check's own business.
    const errors = stdout
      .split(/\r?\n/)
      .map((line) => /^docs[\\/]\.examples[\\/](.+?)\.\d+\.ts\((\d+),\d+\)(: .*)$/.exec(line))
      .flatMap((found) =>
        found === null ? [] : [`${found[1]?.replaceAll("__", "/")}:${found[2]}${found[3]}`],
      );
    expect(errors).toEqual([]);
  });
});
