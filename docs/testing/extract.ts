/** Finds the examples in Markdown pages and in docstrings, with the lines that they stand on. */
import { parseSync } from "oxc-parser";

/** Some lines of a file: the first one's number, counted from 1, and their text. */
interface Chunk {
  readonly line: number;
  readonly text: string;
}

/** One example: a block, with the blocks that continue it. */
export interface Example {
  readonly file: string;
  readonly origin: "markdown" | "docstring";
  readonly chunks: readonly Chunk[];
  /** False for blocks tagged `no-run`, which are only type-checked. */
  readonly runs: boolean;
}

const opening = /^(\s*)(`{3,}|~{3,})\s*(ts|typescript)\b(.*)$/;

/** The fenced TypeScript blocks among some lines; a block tagged `continued` joins the one before it. */
function fencedBlocks(
  file: string,
  origin: Example["origin"],
  lines: readonly string[],
  first: number,
): Example[] {
  const examples: Example[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const fence = opening.exec(lines[index] ?? "");
    if (fence === null) continue;
    const [, indent = "", marks = "", , info = ""] = fence;
    const start = index + 1;
    do index += 1;
    while (index < lines.length && lines[index]?.trim() !== marks);
    const body = lines
      .slice(start, index)
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    const chunk = { line: first + start, text: body.join("\n") };
    const tags = info.trim().split(/\s+/);
    const runs = !tags.includes("no-run");
    const previous = tags.includes("continued") ? examples.pop() : undefined;
    if (previous === undefined) examples.push({ file, origin, chunks: [chunk], runs });
    else examples.push({ ...previous, chunks: [...previous.chunks, chunk], runs: runs && previous.runs });
  }
  return examples;
}

/** The examples of a Markdown page: its blocks fenced as `ts`. */
export function markdownExamples(file: string, source: string): Example[] {
  return fencedBlocks(file, "markdown", source.split(/\r?\n/), 1);
}

/** The examples of a source file: the `@example` blocks of its docstrings. */
export function docstringExamples(file: string, source: string): Example[] {
  const examples: Example[] = [];
  for (const comment of parseSync(file, source).comments) {
    if (comment.type !== "Block" || !comment.value.startsWith("*")) continue;
    const first = source.slice(0, comment.start).split("\n").length;
    const lines = comment.value.split(/\r?\n/).map((line) => line.replace(/^\s*\* ?/, ""));
    for (let index = 0; index < lines.length; index += 1) {
      // What stands on the tag's own line is a title.
      if (!/^\s*@example\b/.test(lines[index] ?? "")) continue;
      const start = index + 1;
      while (index + 1 < lines.length && !/^\s*@[a-z]/.test(lines[index + 1] ?? "")) index += 1;
      const body = lines.slice(start, index + 1);
      if (body.some((line) => opening.test(line))) {
        examples.push(...fencedBlocks(file, "docstring", body, first + start));
      } else if (body.join("").trim() !== "") {
        const chunks = [{ line: first + start, text: body.join("\n").trimEnd() }];
        examples.push({ file, origin: "docstring", chunks, runs: true });
      }
    }
  }
  return examples;
}
