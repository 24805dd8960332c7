/** emitC: a function, or a derivative of it, as C source that needs nothing but the C library. */

import {
  allSteps,
  arenaOf,
  type Buffer,
  bytesOf,
  type Plan,
  planOf,
  type Step,
} from "@adjoint/compiler/targets";
import {
  ArgumentError,
  capture,
  hessian,
  hvp,
  isValue,
  jacobian,
  type TypedArray,
  type Value,
  value,
  valueAndGrad,
} from "@adjoint/core";
import { storageOf } from "@adjoint/core/operations";
import { Helpers } from "./c/helpers.ts";
import { kernelBody } from "./c/kernels.ts";
import { defineProduct } from "./c/products.ts";
import { KERNEL, shapeOf } from "./c/program.ts";
import { unknownIn } from "./c/segments.ts";
import { STACK, type StepContext, stackLines, writeSteps } from "./c/steps.ts";
import { elementType, literal } from "./c/types.ts";

/** What `emitC` prints. */
export type Derivative = "value" | "gradient" | "jacobian" | "hessian" | "hvp";

/** Options of `emitC`. */
export interface EmitOptions {
  /** The name of the C function, and of its header. */
  readonly name: string;
  /**
   * The function itself, by default; its value and gradients by all floating arguments; its value and Jacobian or Hessian
   * by the first argument; or the product of that Hessian with a vector, a further argument.
   */
  readonly derivative?: Derivative;
  /** The names of the arguments; by default those that the function itself has for them, or x0, x1 … */
  readonly names?: readonly string[];
}

/** A C function as its source and its header. */
export interface Emitted {
  readonly source: string;
  readonly header: string;
}

type F = (...args: never[]) => unknown;

/** Something that the C function takes or gives. */
interface Parameter {
  readonly name: string;
  readonly example: Value;
  readonly isScalar: boolean;
}

/**
 * A function as C source, without JavaScript and without dependencies: to be compiled anywhere, called from anything.
 *
 * Arguments are as the examples in shape and dtype. Scalars are passed by value, all else as row-major arrays; results are
 * arrays that the caller has. What the function reads from outside, parameters too, is compiled in. Loops stay loops.
 *
 * Throws: ArgumentError for a name that is none in C, and where the function needs an operation that has no C.
 *
 * @example
 * const energy = (x: Value, k: Value) => x.square().sum().mul(k);
 * const { header } = emitC(energy, [[1, 2, 3], 0.5], { name: "energy", derivative: "gradient" });
 * header.includes("int energy(const double *x, double k, double *value, double *gradient_x, double *gradient_k);") // true
 */
export function emitC(
  f: F,
  examples: readonly (Value | number | readonly unknown[] | TypedArray)[],
  { name, derivative = "value", names }: EmitOptions,
): Emitted {
  checkName(name);
  const xs = examples.map((x) => (isValue(x) ? x : value(x as number)));
  const inputs = named(f, xs, names);
  const { g, taken, given } = derived(f, inputs, derivative);
  const graph = capture(g, ...taken.map(({ example }) => example));
  const plan = planOf({ graph, arguments: taken.length, results: graph.outputs.length, updates: [] });
  const outputs = graph.outputs.map(
    (example, i): Parameter => ({
      name: (given.length === graph.outputs.length ? given[i] : undefined) ?? `value${i}`,
      example,
      isScalar: false,
    }),
  );
  checkSteps(plan);
  const declared = prototype(name, taken, outputs, false);
  return {
    source: sourceOf(plan, name, taken, outputs),
    header: headerOf(name, declared, taken, outputs, derivative),
  };
}

/** The function that is captured, what it takes, and what its results are called, as far as that is known. */
function derived(
  f: F,
  inputs: readonly Parameter[],
  derivative: Derivative,
): { g: (...xs: Value[]) => unknown; taken: readonly Parameter[]; given: readonly string[] } {
  const whole = f as (...xs: Value[]) => Value;
  const along = (rest: readonly Value[]) => (x: Value) => whole(x, ...rest);
  const [first] = inputs;
  if (derivative === "value") return { g: whole, taken: inputs, given: ["value"] };
  if (first === undefined || !isFloat(first.example)) {
    throw new ArgumentError({
      where: "emitC",
      expected: "the first argument of what is differentiated must be floating",
      received: first === undefined ? "no arguments" : first.example.dtype,
    });
  }
  if (derivative === "gradient") {
    const argnums = [...inputs.keys()].filter((i) => isFloat((inputs[i] as Parameter).example));
    return {
      g: valueAndGrad(whole, { argnums }) as (...xs: Value[]) => unknown,
      taken: inputs,
      given: ["value", ...argnums.map((i) => `gradient_${(inputs[i] as Parameter).name}`)],
    };
  }
  if (derivative === "hvp") {
    const direction: Parameter = { ...first, name: "direction" };
    return {
      g: (...xs) => hvp(along(xs.slice(1, -1)), xs[0] as Value, xs.at(-1) as Value),
      taken: [...inputs, direction],
      given: ["product"],
    };
  }
  const transform = derivative === "jacobian" ? jacobian : hessian;
  return {
    g: (x, ...rest) => [along(rest)(x as Value), transform(along(rest))(x as Value)],
    taken: inputs,
    given: ["value", derivative],
  };
}

function isFloat({ dtype }: Value): boolean {
  return dtype === "float64" || dtype === "float32";
}

/** Names that mean something in generated code, or in C. */
const RESERVED =
  /^(value|gradient_.*|jacobian|hessian|product|direction|m|failed|done|left|stack_left|NULL|i|[bcipr]\d+|(all|fold|parts|stack|step|steps|value)\d*|auto|break|case|char|const|continue|default|do|double|else|enum|extern|float|for|goto|if|inline|int|long|register|restrict|return|short|signed|sizeof|static|struct|switch|typedef|union|unsigned|void|volatile|while|main|[esx]xp|sin|cos|tan|log|pow|abs|div|exp|sqrt|floor|ceil|y[01n]|j[01n]|gamma)$/;

function named(f: F, xs: readonly Value[], names: readonly string[] | undefined): Parameter[] {
  const own = names ?? parametersOf(f);
  const used = new Set<string>();
  return xs.map((example, i) => {
    const wanted = own[i];
    const usable = wanted !== undefined && /^[A-Za-z_]\w*$/.test(wanted) && !used.has(wanted);
    const name = usable ? (RESERVED.test(wanted) ? `${wanted}_` : wanted) : `x${i}`;
    used.add(name);
    return { name, example, isScalar: example.rank === 0 };
  });
}

/** The names of a function's parameters as it was written, where they are plain. */
function parametersOf(f: F): string[] {
  const text = f.toString();
  const list = /^(?:function\s*\w*\s*)?\(([^()=]*)\)/.exec(text)?.[1] ?? /^(\w+)\s*=>/.exec(text)?.[1] ?? "";
  return list.split(",").map((name) => name.trim());
}

function checkName(name: string): void {
  if (/^[A-Za-z_]\w*$/.test(name)) return;
  throw new ArgumentError({
    where: "emitC",
    expected: "name must be one that C has for functions",
    received: JSON.stringify(name),
  });
}

function checkSteps({ steps }: Plan): void {
  for (const step of allSteps(steps)) {
    const missing =
      step.kind === "evaluation"
        ? step.op.name
        : step.kind === "kernel"
          ? unknownIn(step.kernel)[0]
          : undefined;
    if (missing === undefined) continue;
    throw new ArgumentError({
      where: "emitC",
      expected: "every operation must have C code",
      received: missing,
      advice: "Compute that outside, and pass it as an argument.",
    });
  }
}

/** The declaration of the C function; without restrict, C++ can read it. */
function prototype(
  name: string,
  taken: readonly Parameter[],
  given: readonly Parameter[],
  restrict: boolean,
): string {
  const pointer = restrict ? "*restrict " : "*";
  const parameters = [
    ...taken.map(({ name, example, isScalar }) =>
      isScalar
        ? `${elementType(example.dtype)} ${name}`
        : `const ${elementType(example.dtype)} ${pointer}${name}`,
    ),
    ...given.map(({ name, example }) => `${elementType(example.dtype)} ${pointer}${name}`),
  ];
  return `int ${name}(${parameters.join(", ")})`;
}

/** Memory of more bytes than that is not taken from the stack. */
const MOST_LOCAL = 16384;

function sourceOf(
  plan: Plan,
  name: string,
  taken: readonly Parameter[],
  given: readonly Parameter[],
): string {
  const helpers = new Helpers({ vectorBytes: 0, fused: false });
  const names = new Map<Buffer, string>();
  const top: string[] = [];
  const end: string[] = [];
  plan.inputs.forEach((buffer, i) => {
    const { name, isScalar, example } = taken[i] as Parameter;
    if (buffer === null) top.push(`  (void)${name};`);
    else if (isScalar) {
      top.push(`  const ${elementType(example.dtype)} ${name}_[1] = {${name}};`);
      names.set(buffer, `${name}_`);
    } else names.set(buffer, name);
  });
  const constants = plan.constants.map(({ buffer, data }, i) => {
    names.set(buffer, `c${i}`);
    const numbers = typeof data === "number" ? new Array<number>(buffer.size).fill(data) : Array.from(data);
    const text = numbers.map((x) => literal(buffer.dtype, x)).join(", ");
    return `static const ${elementType(buffer.dtype)} c${i}[${Math.max(1, buffer.size)}] = {${text}};`;
  });
  plan.outputs.forEach((buffer, i) => {
    const { name, example } = given[i] as Parameter;
    const other = names.get(buffer);
    if (other === undefined) names.set(buffer, name);
    else if (example.size > 0)
      end.push(`  memcpy(${name}, ${other}, ${example.size * bytesOf(example.dtype)});`);
  });
  const rest = plan.lifetimes.filter(({ buffer }) => !names.has(buffer));
  for (const { buffer } of rest) names.set(buffer, `b${buffer.id}`);
  const nameOf = (buffer: Buffer) => names.get(buffer) as string;
  const bytes = rest.reduce((sum, { buffer }) => sum + buffer.size * bytesOf(buffer.dtype), 0);
  const isLocal = bytes <= MOST_LOCAL;
  if (isLocal) {
    for (const { buffer } of rest)
      top.push(`  ${elementType(buffer.dtype)} ${nameOf(buffer)}[${Math.max(1, buffer.size)}];`);
  } else {
    const arena = arenaOf(rest, 0);
    top.push(`  char *const m = (char *)malloc(${arena.bytes});`, "  if (m == NULL) return 1;");
    for (const { buffer } of rest) {
      const type = elementType(buffer.dtype);
      top.push(`  ${type} *const ${nameOf(buffer)} = (${type} *)(m + ${arena.offsets.get(buffer)});`);
    }
    end.push("  free(m);");
  }
  const context: StepContext = {
    bytesAt: (buffer) => `(char *)${nameOf(buffer)}`,
    elementsAt: nameOf,
    kernel: ({ kernel }, indent) => [
      `${indent}/* ${kernel.name.replaceAll("_", ", ")} */`,
      `${indent}{`,
      ...kernelBody({ helpers, addressOf: () => null, nameOf }, kernel).map((line) => indent + line),
      `${indent}}`,
    ],
    product: (step) => defineProduct(shapeOf(step), helpers),
    workspace: "NULL",
    library: false,
    stacks: [],
  };
  const lines = writeSteps(plan.steps, context, "  ");
  const { declared, released } = stackLines(context);
  const steps: Step[] = allSteps(plan.steps);
  const hasStacks = context.stacks.length > 0;
  // What only the planner has use for is left out.
  const isUsed = (text: string) =>
    lines.some((line) => new RegExp(`\\b${/c\d+/.exec(text)?.[0]}\\b`).test(line));
  return [
    `/* Made by Adjoint. ${name}.h says what this is. */`,
    `#include "${name}.h"\n\n#include <math.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <stdlib.h>\n#include <string.h>`,
    ...(steps.some(({ kind }) => kind === "product") ? [KERNEL] : []),
    ...(hasStacks ? [STACK] : []),
    ...[helpers.toString(), constants.filter(isUsed).join("\n")].filter((text) => text !== ""),
    [
      `${prototype(name, taken, given, true)} {`,
      "  int failed = 0;",
      ...(hasStacks ? ["  int64_t left = INT64_MAX;", "  int64_t *const stack_left = &left;"] : []),
      ...declared,
      ...top,
      ...lines,
      ...(hasStacks ? ["  goto done;", "done:"] : []),
      ...released,
      ...end,
      "  return failed;",
      "}",
    ].join("\n"),
    "",
  ].join("\n\n");
}

const MEANINGS: Readonly<Record<Derivative, string>> = {
  value: "a function",
  gradient: "the value and the gradients of a function",
  jacobian: "the value and the Jacobian of a function",
  hessian: "the value and the Hessian of a function",
  hvp: "the product of a function's Hessian and a direction",
};

function headerOf(
  name: string,
  declared: string,
  taken: readonly Parameter[],
  given: readonly Parameter[],
  derivative: Derivative,
): string {
  const describe = (way: string) => (p: Parameter) =>
    ` *   ${p.name}: ${p.isScalar ? elementType(p.example.dtype) : `${elementType(p.example.dtype)} [${p.example.shape.join("][")}]`}, ${way}`;
  const guard = `${name.toUpperCase()}_H`;
  return [
    "/*",
    ` * ${name}: ${MEANINGS[derivative]}. Made by Adjoint; needs the C library alone.`,
    " *",
    ...taken.map(describe("taken")),
    ...given.map(describe("given")),
    " *",
    " * Arrays are row-major, and none of those that are given may overlap another. Returns 0, or 1 where there is no memory.",
    " *",
    ` * An example, main.c; cc main.c ${name}.c -lm compiles it:`,
    " *",
    ...exampleOf(name, taken, given).map((line) => ` *   ${line}`),
    " */",
    `#ifndef ${guard}\n#define ${guard}\n`,
    "#include <stdint.h>\n",
    '#ifdef __cplusplus\nextern "C" {\n#endif\n',
    `${declared};\n`,
    "#ifdef __cplusplus\n}\n#endif\n",
    "#endif",
    "",
  ].join("\n");
}

/** A program that calls the function at the examples, and prints what it gives. */
function exampleOf(name: string, taken: readonly Parameter[], given: readonly Parameter[]): string[] {
  const values = ({ example }: Parameter) => {
    const data = storageOf(example);
    const numbers = data === null ? [] : typeof data === "number" ? [data] : Array.from(data);
    const shown = numbers.slice(0, 8).map((x) => literal(example.dtype, x));
    return numbers.length === 0 ? "0" : shown.join(", ");
  };
  const sizeOf = ({ example }: Parameter) => Math.max(1, example.size);
  return [
    "#include <stdio.h>",
    "#include <math.h>",
    `#include "${name}.h"`,
    "int main(void) {",
    ...taken.map((p) =>
      p.isScalar
        ? `  const ${elementType(p.example.dtype)} ${p.name} = ${values(p)};`
        : `  static const ${elementType(p.example.dtype)} ${p.name}[${sizeOf(p)}] = {${values(p)}};`,
    ),
    ...given.map((p) => `  static ${elementType(p.example.dtype)} ${p.name}[${sizeOf(p)}];`),
    `  if (${name}(${[...taken, ...given].map((p) => p.name).join(", ")}) != 0) return 1;`,
    ...given.map(
      (p) =>
        `  for (int i = 0; i < ${p.example.size}; i++) printf("${p.name}[%d] = %.17g\\n", i, (double)${p.name}[i]);`,
    ),
    "  return 0;",
    "}",
  ];
}
