/** Turns an example into a module in which the results that it shows are checked. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Node, parseSync, Visitor } from "oxc-parser";
import type { Example } from "./extract.ts";
import { looksLikeResult, parseShown } from "./shown.ts";

/** What a module exports: each name, and whether it is only a type. */
export type Exports = ReadonlyMap<string, { readonly isType: boolean }>;

/** Where the names that a docstring uses may come from, the first to have a name first. */
export type Scope = ReadonlyMap<string, Exports>;

/** The names that a source file exports, those that it passes on with `export *` included. */
export function exportsOf(file: string, source: string): Exports {
  const names = new Map<string, { isType: boolean }>();
  for (const statement of parseSync(file, source).module.staticExports) {
    for (const { exportName, isType, moduleRequest } of statement.entries) {
      if (exportName.name !== null) names.set(exportName.name, { isType });
      else if (moduleRequest?.value.startsWith(".")) {
        const from = join(dirname(file), moduleRequest.value);
        for (const [name, kind] of exportsOf(from, readFileSync(from, "utf8"))) names.set(name, kind);
      }
    }
  }
  return names;
}

/** The example's own text at its own line numbers, so that an error's line is the line to look at. */
function placed(example: Example): string {
  const lines: string[] = [];
  for (const { line, text } of example.chunks) {
    while (lines.length < line - 1) lines.push("");
    lines.push(...text.split("\n"));
  }
  return lines.join("\n");
}

/** The names that a pattern or a declaration binds. */
function boundNames(node: Node | null | undefined): string[] {
  switch (node?.type) {
    case "Identifier":
      return [node.name];
    case "ObjectPattern":
      return node.properties.flatMap((part) =>
        boundNames(part.type === "Property" ? part.value : part.argument),
      );
    case "ArrayPattern":
      return node.elements.flatMap(boundNames);
    case "AssignmentPattern":
      return boundNames(node.left);
    case "RestElement":
      return boundNames(node.argument);
    case "VariableDeclaration":
      return node.declarations.flatMap((declarator) => boundNames(declarator.id));
    case "ImportDeclaration":
      return node.specifiers.map((specifier) => specifier.local.name);
    case "ExportNamedDeclaration":
      return boundNames(node.declaration);
    case "FunctionDeclaration":
    case "ClassDeclaration":
    case "TSTypeAliasDeclaration":
    case "TSInterfaceDeclaration":
      return boundNames(node.id);
    default:
      return [];
  }
}

/** The import statements for the names of the scope that the text uses and does not declare. */
function importsFor(text: string, declared: ReadonlySet<string>, scope: Scope): string {
  const wanted = new Set(text.match(/[A-Za-z_$][\w$]*/g));
  for (const name of declared) wanted.delete(name);
  let imports = "";
  for (const [specifier, names] of scope) {
    const found = [...names].filter(([name]) => wanted.delete(name));
    if (found.length === 0) continue;
    const list = found.map(([name, { isType }]) => (isType ? `type ${name}` : name));
    imports += `import { ${list.join(", ")} } from ${JSON.stringify(specifier)}; `;
  }
  return imports;
}

/** The one argument of `console.log(x)`, or the expression itself. */
function printed(expression: Node, where: string): Node {
  if (expression.type !== "CallExpression" || expression.callee.type !== "MemberExpression")
    return expression;
  const { object, property } = expression.callee;
  if (object.type !== "Identifier" || object.name !== "console" || property.type !== "Identifier")
    return expression;
  const [argument, ...others] = expression.arguments;
  if (argument === undefined || others.length > 0 || argument.type === "SpreadElement") {
    throw new SyntaxError(
      `${where}: a console.${property.name} that shows its result must have one argument.`,
    );
  }
  return argument;
}

/**
 * The module of an example. A statement followed on its last line by a comment that starts as a literal does is
 * checked against it: an expression's value, the argument of `console.log`, or the value of a declared name.
 * A comment `throws …` asks for an error with that text. `checks` is the specifier of the checking functions.
 */
export function exampleModule(example: Example, scope: Scope, checks: string): string {
  const source = placed(example);
  const { program, comments, errors } = parseSync("example.ts", source, { sourceType: "module" });
  const [error] = errors;
  if (error !== undefined) {
    const line = source.slice(0, error.labels[0]?.start ?? 0).split("\n").length;
    throw new SyntaxError(`${example.file}:${line}: ${error.message}`);
  }

  const edits: { start: number; end: number; text: string }[] = [];
  function visit(statement: Node): void {
    const comment = comments.find(({ type, start }) => type === "Line" && start >= statement.end);
    if (comment === undefined || !/^[ \t;]*$/.test(source.slice(statement.end, comment.start))) return;
    const where = `${example.file}:${source.slice(0, comment.start).split("\n").length}`;
    const { start, end } = statement;
    const thrown = /^\s*throws\s+(.+)$/.exec(comment.value)?.[1];
    if (statement.type === "ExpressionStatement" && thrown !== undefined) {
      const code = source.slice(statement.expression.start, statement.expression.end);
      const rest = `${JSON.stringify(thrown)}, ${JSON.stringify(where)}`;
      edits.push({ start, end, text: `await expectThrown(async () => (${code}), ${rest});` });
      return;
    }
    if (!looksLikeResult(comment.value)) return;
    try {
      parseShown(comment.value);
    } catch (error) {
      throw new SyntaxError(`${where}: ${error instanceof Error ? error.message : String(error)}`);
    }
    const rest = `${JSON.stringify(comment.value)}, ${JSON.stringify(where)}`;
    if (statement.type === "ExpressionStatement") {
      const target = printed(statement.expression, where);
      edits.push({ start, end, text: `expectShown(${source.slice(target.start, target.end)}, ${rest});` });
    } else if (statement.type === "VariableDeclaration") {
      const names = boundNames(statement);
      if (names.length !== 1) throw new SyntaxError(`${where}: a shown result must belong to one name.`);
      edits.push({ start: end, end, text: `; expectShown(${names[0]}, ${rest});` });
    }
  }
  new Visitor({ ExpressionStatement: visit, VariableDeclaration: visit }).visit(program);

  const declared = new Set(program.body.flatMap((statement) => boundNames(statement)));
  let text = source;
  for (const edit of edits.sort((a, b) => b.start - a.start)) {
    text = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
  }
  const imports = example.origin === "docstring" ? importsFor(source, declared, scope) : "";
  // Everything added stands on the first line, which no example occupies: lines keep their numbers.
  return `import { expectShown, expectThrown } from ${JSON.stringify(checks)}; ${imports}${text}\nexport {};\n`;
}
