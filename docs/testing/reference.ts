/** Writes the reference: a page a family, from the docstrings of what @adjoint/core exports. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Comment, type Node, parseSync } from "oxc-parser";
import { exportsOf } from "./module.ts";

const SOURCES = "packages/core/src";

/** One exported function, class or constant. */
interface Entry {
  readonly name: string;
  /** Its docstring without the comment's stars. */
  readonly text: string;
}

/** The text of a docstring. */
function textOf(comment: Comment): string {
  return comment.value
    .replace(/^\*/, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .trim();
}

/** The names that a statement exports with a declaration of their own. */
function declared(node: Node): string[] {
  if (node.type !== "ExportNamedDeclaration" || node.declaration === null) return [];
  const { declaration } = node;
  if (declaration.type === "VariableDeclaration") {
    return declaration.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []));
  }
  switch (declaration.type) {
    case "FunctionDeclaration":
    case "TSDeclareFunction":
    case "ClassDeclaration":
      return declaration.id === null ? [] : [declaration.id.name];
    default:
      return [];
  }
}

/** What a file exports, with docstrings, in the order of the file; overloads count once. */
function entriesOf(file: string, source: string, wanted: (name: string) => boolean): Entry[] {
  const { program, comments } = parseSync(file, source);
  const entries = new Map<string, Entry>();
  for (const node of program.body) {
    const comment = comments.find(
      ({ end, type, value }) =>
        type === "Block" &&
        value.startsWith("*") &&
        end <= node.start &&
        source.slice(end, node.start).trim() === "",
    );
    for (const name of declared(node)) {
      if (wanted(name) && comment !== undefined && !entries.has(name)) {
        entries.set(name, { name, text: textOf(comment) });
      }
    }
  }
  return [...entries.values()];
}

/** A docstring as Markdown: its facts a line each, its example as code. */
function section({ name, text }: Entry, prefix: string): string {
  const [prose = "", ...examples] = text.split(/^@example\n?/m);
  const facts = prose
    .trim()
    .replace(/\{@link ([^}]*)\}/g, "`$1`")
    .replace(
      /(^|[.;] )(Shape|Derivative|Domain|Kinks?|Throws|Source|dtype): /gm,
      (_, before, fact) => `${before.trim()}

**${fact}.** `,
    )
    .replace(/\n{3,}/g, "\n\n");
  const code = examples.map((example) => `\n\`\`\`js\n${example.trim()}\n\`\`\``).join("\n");
  return `## \`${prefix}${name}\`\n\n${facts.trim()}\n${code}`;
}

/** The source files below a folder, by their paths within it. */
function filesBelow(folder: string, path = ""): string[] {
  return readdirSync(join(folder, path))
    .sort()
    .flatMap((name) => {
      const inner = join(path, name);
      return statSync(join(folder, inner)).isDirectory() ? filesBelow(folder, inner) : [inner];
    });
}

/** The pages of the reference by file name, `README.md` the index. */
export function referencePages(): Map<string, string> {
  const index = join(SOURCES, "functions.ts");
  const names = exportsOf(index, readFileSync(index, "utf8"));
  const pages = new Map<string, string>();
  const rows: string[] = [];
  for (const path of filesBelow(SOURCES)) {
    const source = readFileSync(join(SOURCES, path), "utf8");
    const isRandom = path === "random.ts";
    const entries = entriesOf(path, source, (name) => isRandom || names.has(name));
    const [family] = /^(?:ops|transforms|graph|sweep)\/.*|^random\.ts|^value\.ts/.exec(path) ?? [];
    if (family === undefined || entries.length === 0) continue;
    const page = `${family
      .replace(/\.ts$/, "")
      .replace(/^ops\//, "")
      .replaceAll("/", "-")}.md`;
    const title = (/^\/\*\*([\s\S]*?)\*\//.exec(source)?.[1] ?? "")
      .replace(/^\s*\* ?/gm, "")
      .trim()
      .split("\n\n")[0];
    const prefix = isRandom ? "random." : "";
    const body = entries.map((entry) => section(entry, prefix)).join("\n\n");
    pages.set(
      page,
      `<!-- Written by \`npm run reference\` from packages/core/src/${path}. -->\n\n${title}\n\n${body}\n`,
    );
    rows.push(
      `| [${page.replace(/\.md$/, "")}](${page}) | ${entries.map(({ name }) => `\`${prefix}${name}\``).join(" ")} |`,
    );
  }
  pages.set(
    "README.md",
    `<!-- Written by \`npm run reference\`. -->\n\n# Reference\n\nWhat \`@adjoint/core\` exports, a page a family.\n\n| page | |\n| --- | --- |\n${rows.join("\n")}\n`,
  );
  return pages;
}
