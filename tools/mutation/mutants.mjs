// Mutants of core's derivative code: what is mutated, and what is written in its place, found from the syntax.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseAst } from "vitest/node";

const SOURCE = "packages/core/src";
const WHOLE = [
  "sweep",
  ...["grad", "vjp", "jvp", "jacobian", "vmap", "custom", "implicit", "checkpoint", "sparse", "trace"].map(
    (name) => `transforms/${name}.ts`,
  ),
];
/** The fields of a record that are mutated: what derivatives and batches are computed by. */
const RULES = new Set(["vjp", "jvp", "partial", "partials", "pull", "pulls", "batch", "linear"]);

const BINARY = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "===": "!==",
  "!==": "===",
  "&&": "||",
  "||": "&&",
};
const ASSIGNMENT = { "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=" };
const NAMES = Object.fromEntries(
  [
    ["add", "sub"],
    ["mul", "div"],
    ["sin", "cos"],
    ["one", "zero"],
    ["lt", "le"],
    ["eq", "ne"],
    ["and", "or"],
    ["max", "min"],
    ["maximum", "minimum"],
    ["every", "some"],
  ].flatMap(([a, b]) => [
    [a, b],
    [b, a],
  ]),
);
const COMMUTATIVE = new Set(
  "add mul max min maximum minimum eq ne and or hypot sameShape is union".split(" "),
);
/** Receivers that are no operand: of `m.exp(x)` what remains is x, of `x.exp()` as well. */
const NAMESPACES = new Set("m Math Object Array Number String Int32Array Float64Array JSON".split(" "));
const TYPES = /^(typeAnnotation|returnType|typeParameters|typeArguments|superTypeArguments|decorators)$/;

function filesBelow(path) {
  return statSync(path).isDirectory()
    ? readdirSync(path).flatMap((name) => filesBelow(join(path, name)))
    : [path];
}

const isNode = (x) => typeof x === "object" && x !== null && typeof x.type === "string";

/** The nodes below a node that are code: no types, no messages, no samples for the laws. */
function children(node) {
  if (node.type === "ThrowStatement") return [];
  if (node.type === "Property" && /^(domains?|samples|name)$/.test(node.key.name)) return [];
  const kept = [];
  for (const [key, x] of Object.entries(node)) {
    if (TYPES.test(key)) continue;
    for (const entry of Array.isArray(x) ? x : [x]) {
      const code = isNode(entry) && (!entry.type.startsWith("TS") || /As|NonNull|Satisfies/.test(entry.type));
      if (code) kept.push(entry);
    }
  }
  return kept;
}

function visit(node, f, parents = []) {
  f(node, parents);
  const below = [node, ...parents];
  for (const child of children(node)) visit(child, f, below);
}

const isFunction = (node) => /Function(Expression|Declaration)$/.test(node.type);

/** A file's functions by name, its statements, and where its imports come from. */
function readModule(file) {
  const text = readFileSync(file, "utf8");
  const { body } = parseAst(text, { lang: "ts" });
  const functions = new Map();
  const imports = new Map();
  const names = new Set();
  for (const statement of body) {
    if (statement.type === "ImportDeclaration") {
      const from = resolve(dirname(file), statement.source.value);
      for (const { local, imported } of statement.specifiers) {
        names.add(local.name);
        imports.set(local.name, { file: relative(".", from), name: imported?.name });
      }
      continue;
    }
    const declaration = statement.declaration ?? statement;
    if (declaration.type === "FunctionDeclaration") functions.set(declaration.id.name, declaration);
    for (const { id, init } of declaration.declarations ?? []) {
      names.add(id.name);
      if (init && isFunction(init)) functions.set(id.name, init);
    }
  }
  for (const name of functions.keys()) names.add(name);
  return { file, text, body, functions, imports, names };
}

/** The pieces of syntax that are mutated: rules with the functions they call, and whole files. */
function regionsOf(modules) {
  const regions = new Map();
  const waiting = [];
  const add = (module, node) => {
    const list = regions.get(module) ?? new Set();
    if (list.has(node)) return;
    regions.set(module, list.add(node));
    waiting.push({ module, node });
  };
  for (const module of modules.values()) {
    const place = relative(SOURCE, module.file);
    if (WHOLE.some((part) => place.startsWith(part)))
      for (const statement of module.body) add(module, statement);
    else if (place.startsWith("ops/")) {
      for (const statement of module.body) {
        visit(statement, (node) => {
          if (node.type === "Property" && RULES.has(node.key.name)) add(module, node);
        });
      }
    }
  }
  for (const { module, node } of waiting) {
    visit(node, ({ type, name }) => {
      if (type !== "Identifier") return;
      const from = module.imports.get(name);
      const home = from === undefined ? module : modules.get(from.file);
      const called = home?.functions.get(from?.name ?? name);
      if (called !== undefined && relative(SOURCE, home.file).startsWith("ops/")) add(home, called);
    });
  }
  return regions;
}

/**
 * What may be written instead of a node: pieces of text, each with the range it replaces and the `unit` around it: an
 * expression or a statement that can stand beside its replacement.
 */
function replacements(node, parents, { text, names }) {
  const source = ({ start, end }) => text.slice(start, end);
  const found = [];
  const write = (range, to, unit = node) => found.push({ start: range.start, end: range.end, to, unit });
  const operator = (left, right, from, to) => {
    const start = text.indexOf(from, left.end);
    if (start < right.start) write({ start, end: start + from.length }, to);
  };
  const choose = (test) => {
    if (test.type === "Literal") return;
    write(test, "true", test);
    write(test, "false", test);
  };
  switch (node.type) {
    case "BinaryExpression":
    case "LogicalExpression":
      if (node.operator === "??") {
        write(node, `(${source(node.left)})`);
        write(node, `(${source(node.right)})`);
      } else if (node.operator in BINARY)
        operator(node.left, node.right, node.operator, BINARY[node.operator]);
      break;
    case "AssignmentExpression":
      if (node.operator in ASSIGNMENT) {
        operator(node.left, node.right, node.operator, ASSIGNMENT[node.operator]);
        operator(node.left, node.right, node.operator, "=");
      }
      break;
    case "UpdateExpression":
      write(
        node,
        source(node).replace(/\+\+|--/, (sign) => (sign === "++" ? "--" : "++")),
      );
      break;
    case "UnaryExpression":
      if (node.operator === "-" || node.operator === "!") write(node, `(${source(node.argument)})`);
      break;
    case "Literal":
      if (typeof node.value === "number") write(node, String(node.value === 1 ? 0 : node.value + 1));
      else if (typeof node.value === "boolean") write(node, String(!node.value));
      break;
    case "ConditionalExpression":
    case "IfStatement":
      choose(node.test);
      break;
    case "WhileStatement":
    case "ForStatement":
      if (node.test && node.test.type !== "Literal") write(node.test, "false", node.test);
      break;
    case "ExpressionStatement":
      write(node, "{}");
      break;
    case "MemberExpression": {
      const { name } = node.property;
      const called = parents[0]?.callee === node;
      const swaps = source(node.object) === "m" || (called && ["max", "min", "every", "some"].includes(name));
      if (!node.computed && name in NAMES && swaps)
        write(node.property, NAMES[name], called ? parents[0] : node);
      break;
    }
    case "CallExpression": {
      const { callee, arguments: args } = node;
      const name = callee.type === "MemberExpression" ? callee.property.name : callee.name;
      if (name === undefined) break;
      if (callee.type === "Identifier" && names.has(NAMES[name])) write(callee, NAMES[name]);
      const [a, b] = args;
      const plain = (x) => x !== undefined && x.type !== "SpreadElement";
      if (plain(a) && plain(b) && !COMMUTATIVE.has(name) && source(a) !== source(b)) {
        write({ start: a.start, end: b.end }, `${source(b)}${text.slice(a.end, b.start)}${source(a)}`);
      }
      if (parents[0]?.type === "ExpressionStatement") break;
      const method = callee.type === "MemberExpression" && !NAMESPACES.has(source(callee.object));
      const operand = method ? callee.object : a;
      // A number may stand for itself in the scalar language.
      if (source(callee) === "m.constant") break;
      if (operand !== undefined && /^(Identifier|Member|Call|TSAs|TSNonNull)/.test(operand.type))
        write(node, `(${source(operand)})`);
      break;
    }
    case "ArrayExpression":
      if (RULES.has(parents[0]?.key?.name))
        for (const rule of node.elements) if (rule && isFunction(rule)) write(rule, "null", rule);
      break;
    case "Property":
      if (node.key.name === "jvp" && isFunction(node.value)) write(node.value, "undefined", node.value);
      break;
  }
  return found;
}

/**
 * All mutants of files whose path matches `only`, and for each file the functions that a test may enter. A mutant has
 * `file`, `start`, `end`, `to`, `line`, `from` and `owners`: the numbers of the functions that a test must
 * enter to notice it, of which one is enough.
 */
export function mutantsOf(only) {
  const modules = new Map(
    filesBelow(SOURCE)
      .filter((file) => file.endsWith(".ts"))
      .map((file) => [file, readModule(file)]),
  );
  const mutants = [];
  const functions = [];
  for (const [module, nodes] of regionsOf(modules)) {
    if (!only.test(module.file)) continue;
    const numbers = new Map();
    const numberOf = (node) => {
      let n = numbers.get(node);
      if (n === undefined) {
        n = functions.length;
        numbers.set(node, n);
        functions.push({
          file: module.file,
          start: node.body.start,
          end: node.body.end,
          block: node.body.type === "BlockStatement",
        });
      }
      return n;
    };
    const seen = new Set();
    for (const region of nodes) {
      visit(region, (node, parents) => {
        for (const { start, end, to, unit } of replacements(node, parents, module)) {
          const key = `${start} ${end} ${to}`;
          if (seen.has(key) || module.text.slice(start, end) === to) continue;
          seen.add(key);
          // A rule that is dropped, or else the innermost function around.
          const owner = isFunction(unit) ? unit : parents.find((p) => isFunction(p) && p.body.start <= start);
          mutants.push({
            file: module.file,
            start,
            end,
            from: module.text.slice(start, end),
            to,
            unit: { start: unit.start, end: unit.end, isStatement: unit.type === "ExpressionStatement" },
            line: module.text.slice(0, start).split("\n").length,
            owner: owner === undefined ? null : numberOf(owner),
          });
        }
      });
    }
  }
  // Outside of functions, tests are asked that enter any in the same statement, or else in the same file.
  const within = (of, from, to) =>
    functions.flatMap(({ file, start, end }, n) => (file === of && from <= start && end <= to ? [n] : []));
  for (const mutant of mutants) {
    const { file, owner } = mutant;
    const { body } = modules.get(file);
    const around = body.find(({ start, end }) => start <= mutant.start && mutant.start < end);
    const near = owner === null ? within(file, around.start, around.end) : [owner];
    mutant.owners = near.length > 0 ? near : within(file, 0, Infinity);
  }
  mutants.sort((a, b) => (a.file === b.file ? a.start - b.start : a.file < b.file ? -1 : 1));
  return { mutants, functions };
}

/** A file's text with all its mutants in it, each at work where the global `__mutant` is its `id`. */
export function woven(text, mutants) {
  const units = new Map();
  for (const mutant of mutants) {
    const { start, end } = mutant.unit;
    const key = `${start} ${end}`;
    const unit = units.get(key) ?? { ...mutant.unit, mutants: [], inner: [] };
    unit.mutants.push(mutant);
    units.set(key, unit);
  }
  // Units are pieces of syntax, so one lies in another or apart from it.
  const root = { start: 0, end: text.length, mutants: [], inner: [] };
  const open = [root];
  for (const unit of [...units.values()].sort((a, b) => a.start - b.start || b.end - a.end)) {
    while (open.at(-1).end < unit.end || open.at(-1).end <= unit.start) open.pop();
    open.at(-1).inner.push(unit);
    open.push(unit);
  }
  const render = ({ start, end, isStatement, mutants, inner }) => {
    let at = start;
    let original = "";
    for (const unit of inner) {
      original += text.slice(at, unit.start) + render(unit);
      at = unit.end;
    }
    original += text.slice(at, end);
    if (mutants.length === 0) return original;
    if (isStatement) return `if (__mutant !== ${mutants[0].id}) {${original}}`;
    const choices = mutants.map(
      (m) => `__mutant === ${m.id} ? (${text.slice(start, m.start)}${m.to}${text.slice(m.end, end)}) : `,
    );
    return `(${choices.join("")}(${original}))`;
  };
  return render(root);
}
