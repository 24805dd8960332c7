/** Holds extraction and rewriting of examples to small pages. */
import { describe, expect, test } from "vitest";
import { docstringExamples, markdownExamples } from "./extract.ts";
import { exampleModule, exportsOf } from "./module.ts";

function body(code: string): string {
  const [example] = markdownExamples("page.md", `\`\`\`ts\n${code}\n\`\`\``);
  if (example === undefined) throw new Error("no example");
  return exampleModule(example, new Map(), "checks").split("\n").slice(1, -2).join("\n");
}

describe("markdownExamples", () => {
  test("markdownExamples finds ts blocks with their lines and tags", () => {
    const page = "# T\n```ts\na();\n```\n```sh\nls\n```\n- x\n  ```ts no-run\n  b();\n    c();\n  ```\n";
    expect(markdownExamples("p.md", page)).toEqual([
      { file: "p.md", origin: "markdown", chunks: [{ line: 3, text: "a();" }], runs: true },
      { file: "p.md", origin: "markdown", chunks: [{ line: 10, text: "b();\n  c();" }], runs: false },
    ]);
  });

  test("markdownExamples joins a continued block to the one before it", () => {
    const page = "```ts\na();\n```\ntext\n```ts continued\nb();\n```\n";
    expect(markdownExamples("p.md", page).map(({ chunks }) => chunks)).toEqual([
      [
        { line: 2, text: "a();" },
        { line: 6, text: "b();" },
      ],
    ]);
  });
});

describe("docstringExamples", () => {
  test("docstringExamples reads plain and fenced examples up to the next tag", () => {
    const source = `const s = "/** @example no */";
/**
 * Text.
 *
 * @example
 * f(1) // 2
 * f(2) // 3
 *
 * @example titled
 * \`\`\`ts no-run
 * g();
 * \`\`\`
 * @see other
 */
export function f() {}
`;
    expect(docstringExamples("f.ts", source)).toEqual([
      { file: "f.ts", origin: "docstring", chunks: [{ line: 6, text: "f(1) // 2\nf(2) // 3" }], runs: true },
      { file: "f.ts", origin: "docstring", chunks: [{ line: 11, text: "g();" }], runs: false },
    ]);
  });
});

describe("exampleModule", () => {
  test("exampleModule checks expressions, printed arguments, declared names and errors", () => {
    expect(body("f(1) // 2")).toBe('expectShown(f(1), " 2", "page.md:2");// 2'.replace("//", " //"));
    expect(body("console.log(f(1)); // 2")).toBe('expectShown(f(1), " 2", "page.md:2"); // 2');
    expect(body("const x = f(1); // 2")).toBe('const x = f(1);; expectShown(x, " 2", "page.md:2"); // 2');
    expect(body("f(1) // throws E: no")).toBe(
      'await expectThrown(async () => (f(1)), "E: no", "page.md:2"); // throws E: no',
    );
    expect(body("f(1)\n  .g() // [1, 2]")).toBe(
      'expectShown(f(1)\n  .g(), " [1, 2]", "page.md:3"); // [1, 2]',
    );
  });

  test("exampleModule leaves prose alone", () => {
    expect(body("f(1) // adds one\nfor (;;) { // 3\n}")).toBe("f(1) // adds one\nfor (;;) { // 3\n}");
  });

  test("exampleModule refuses what it cannot check", () => {
    expect(() => body("f(1) // 2 epochs")).toThrow('page.md:2: result "2 epochs"');
    expect(() => body("console.log(a, b) // 2")).toThrow("must have one argument");
    expect(() => body("const { a, b } = f() // 2")).toThrow("must belong to one name");
    expect(() => body("let 1x")).toThrow("page.md:2: ");
  });

  test("exampleModule keeps line numbers", () => {
    const [example] = markdownExamples("p.md", "\n\n```ts\na();\n```\n");
    expect(exampleModule(example ?? expect.fail(), new Map(), "c").split("\n")[3]).toBe("a();");
  });

  test("exampleModule imports what a docstring uses and does not declare", () => {
    const [example] = docstringExamples("f.ts", "/**\n * @example\n * const own: V = add(1)\n */");
    const scope = new Map([
      ["one", exportsOf("one.ts", 'export { add, type V } from "./v.ts"; export const own = 1;')],
      ["two", exportsOf("two.ts", "export function add() {} export const other = 1;")],
    ]);
    const [first] = exampleModule(example ?? expect.fail(), scope, "c").split("\n");
    expect(first).toBe('import { expectShown, expectThrown } from "c"; import { add, type V } from "one"; ');
  });
});
