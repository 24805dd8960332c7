/** The header of an emitted function: what it reads and writes, where derivatives lie, and a program that calls it. */

import type { SparsityPattern } from "@adjoint/core";
import { storageOf } from "@adjoint/core/operations";
import { elementType, literal } from "../c/types.ts";
import type { Derivative } from "./derivative.ts";
import { type Parameter, prototype, wrapped } from "./parameters.ts";

/** What a header tells of a function. */
export interface Described {
  readonly name: string;
  readonly derivative: Derivative;
  readonly read: readonly Parameter[];
  readonly written: readonly Parameter[];
  /** Where a sparse derivative has entries. */
  readonly pattern: SparsityPattern | null;
}

const MEANINGS: Readonly<Record<Derivative, string>> = {
  value: "a function",
  gradient: "the value and the gradients of a function",
  jacobian: "the value and the Jacobian of a function",
  hessian: "the value and the Hessian of a function",
  sparseJacobian: "the value and the sparse Jacobian of a function",
  sparseHessian: "the value and the sparse Hessian of a function",
  hvp: "the product of a function's Hessian and a direction",
};

/** Prints the header. */
export function headerOf(described: Described): string {
  const { name, derivative, read, written, pattern } = described;
  const guard = `${name.toUpperCase()}_H`;
  const width = Math.max(0, ...[...read, ...written].map((p) => p.name.length));
  const line = (p: Parameter, meaning: string) =>
    ` *   ${p.name.padEnd(width)}  ${p.isScalar ? elementType(p.example.dtype) : `${elementType(p.example.dtype)} ${extents(p)}`}${meaning}`;
  const whole = [...read, ...written].some(({ example }) => example.rank > 1);
  return [
    "/*",
    ` * ${name}: ${MEANINGS[derivative]}. Made by Adjoint; needs the C library alone.`,
    " *",
    ...(read.length > 0 ? [" * Reads:", ...read.map((p) => line(p, "")), " *"] : []),
    " * Writes:",
    ...written.map((p) => line(p, meaningOf(p, described))),
    " *",
    ...(whole ? [" * Arrays are row-major: element (i, j) of a [2][3] is the one at 3 * i + j."] : []),
    " * Arrays that are written must not overlap with any other. Returns 0, or 1 where there is no memory.",
    " *",
    ` * An example, main.c; cc main.c ${name}.c -lm compiles it:`,
    " *",
    ...exampleOf(described).map((text) => ` *   ${text}`),
    " */",
    `#ifndef ${guard}\n#define ${guard}\n`,
    "#include <stdint.h>\n",
    '#ifdef __cplusplus\nextern "C" {\n#endif\n',
    ...(pattern === null ? [] : [sparsity(described, pattern)]),
    `${prototype(name, read, written, false)};\n`,
    "#ifdef __cplusplus\n}\n#endif\n",
    "#endif",
    "",
  ].join("\n");
}

/** The definitions of what a sparse derivative's header declares. */
export function patternOf(name: string, { starts, indices }: SparsityPattern): string {
  return Object.entries({ row_starts: starts, column_indices: indices })
    .map(([what, numbers]) => {
      const head = `const int32_t ${name}_${what}[${Math.max(1, numbers.length)}] = {`;
      return wrapped(head, Array.from(numbers.length === 0 ? [0] : numbers, String), "};", "  ");
    })
    .join("\n");
}

function sparsity({ name, derivative, read, written }: Described, pattern: SparsityPattern): string {
  const { rows, columns, indices } = pattern;
  const [by, result] = [(read[0] as Parameter).name, (written.at(-1) as Parameter).name];
  const ofRows = derivative === "sparseHessian" ? by : "value";
  return [
    "/*",
    ` * Where the ${derivative === "sparseHessian" ? "Hessian" : "Jacobian"} has entries, in compressed sparse rows: those of row i are ${result}[k], in column`,
    ` * ${name}_column_indices[k], for k from ${name}_row_starts[i] to ${name}_row_starts[i + 1] - 1. All others are 0 for`,
    ` * whatever is read. Rows are the elements of ${ofRows}, columns those of ${by}. Columns ascend within a row.`,
    " */",
    `enum { ${name}_rows = ${rows}, ${name}_columns = ${columns}, ${name}_nonzeros = ${indices.length} };`,
    `extern const int32_t ${name}_row_starts[${rows + 1}];`,
    `extern const int32_t ${name}_column_indices[${Math.max(1, indices.length)}];\n`,
  ].join("\n");
}

/** The extents of an array, as C has them. */
function extents({ example }: Parameter): string {
  return example.rank === 0 ? "[1]" : `[${example.shape.join("][")}]`;
}

/** What a result is, where its name alone does not say so. */
function meaningOf(p: Parameter, { derivative, read, written }: Described): string {
  const last = p === written.at(-1);
  const [x] = read;
  if (derivative === "hvp") return `: the Hessian by ${x?.name}, times direction`;
  if (p.name.startsWith("gradient_")) return `: the derivatives of value by ${p.name.slice(9)}`;
  if (!last || x === undefined) return "";
  const n = x.example.size;
  const by = (at: string) => (x.isScalar ? x.name : `${x.name}[${at}]`);
  const place = x.isScalar ? "i" : `${n} * i + j`;
  if (derivative === "jacobian") return `: ${p.name}[${place}] is the derivative of value[i] by ${by("j")}`;
  if (derivative === "hessian")
    return `: ${p.name}[${place}] is the second derivative of value by ${by("i")} and ${by("j")}`;
  if (derivative.startsWith("sparse")) return ": its entries, row by row; see below";
  return "";
}

/** How many numbers of an argument an example shows. */
const SHOWN = 8;

/** A program that calls the function at the examples, and prints what it gives. */
function exampleOf({ name, read, written, pattern }: Described): string[] {
  const declared = (p: Parameter) => {
    const data = storageOf(p.example);
    const numbers = data === null ? [] : typeof data === "number" ? [data] : Array.from(data);
    const shown = numbers
      .slice(0, SHOWN)
      .map((x) => literal(p.example.dtype, x).replace(/^\((-[\d.e+-]+f?)\)$/, "$1"));
    const type = elementType(p.example.dtype);
    if (p.isScalar) return `  const ${type} ${p.name} = ${shown[0] ?? "0"};`;
    const rest = numbers.length > SHOWN ? " // The first of them; others are 0." : "";
    return `  static const ${type} ${p.name}[${sizeOf(p)}] = {${shown.join(", ") || "0"}};${rest}`;
  };
  const sizeOf = ({ example }: Parameter) => Math.max(1, example.size);
  const inputs = read.map(declared);
  const printed = written.map((p) => {
    if (pattern === null || p !== written.at(-1))
      return `  for (int i = 0; i < ${p.example.size}; i++) printf("${p.name}[%d] = %.17g\\n", i, (double)${p.name}[i]);`;
    return [
      `  for (int i = 0; i < ${name}_rows; i++)`,
      `    for (int k = ${name}_row_starts[i]; k < ${name}_row_starts[i + 1]; k++)`,
      `      printf("${p.name}[%d][%d] = %.17g\\n", i, (int)${name}_column_indices[k], (double)${p.name}[k]);`,
    ].join("\n *   ");
  });
  return [
    "#include <stdio.h>",
    ...(inputs.some((line) => /NAN|INFINITY/.test(line)) ? ["#include <math.h>"] : []),
    `#include "${name}.h"`,
    "int main(void) {",
    ...inputs,
    ...written.map((p) => `  static ${elementType(p.example.dtype)} ${p.name}[${sizeOf(p)}];`),
    `  if (${name}(${[...read, ...written].map((p) => p.name).join(", ")}) != 0) return 1;`,
    ...printed,
    "  return 0;",
    "}",
  ];
}
