/** The source of an emitted function: a plan as one C function, in single numbers, with its memory on the stack or the heap. */

import { allSteps, arenaOf, type Buffer, bytesOf, type Plan, type Step } from "@adjoint/compiler/targets";
import { Helpers } from "../c/helpers.ts";
import { kernelBody } from "../c/kernels.ts";
import { defineProduct } from "../c/products.ts";
import { KERNEL, shapeOf } from "../c/program.ts";
import { STACK, type StepContext, stackLines, writeSteps } from "../c/steps.ts";
import { elementType, literal } from "../c/types.ts";
import { type Parameter, prototype, unused, wrapped } from "./parameters.ts";

/** What a source is printed from. */
export interface Sources {
  readonly name: string;
  readonly plan: Plan;
  readonly read: readonly Parameter[];
  readonly written: readonly Parameter[];
  /** Definitions that the header declares. */
  readonly definitions: string;
}

/** Memory of more bytes than that is not taken from the stack. */
const MOST_LOCAL = 16384;

/** Prints the source. */
export function sourceOf({ name, plan, read, written, definitions }: Sources): string {
  const helpers = new Helpers({ vectorBytes: 0, fused: false });
  const used = new Set([...read, ...written].map((p) => p.name));
  const names = new Map<Buffer, string>();
  const top: string[] = [];
  const end: string[] = [];
  plan.inputs.forEach((buffer, i) => {
    const { name, isScalar, example } = read[i] as Parameter;
    if (buffer === null) top.push(`  (void)${name};`);
    else if (isScalar) {
      const array = unused(`${name}_`, used);
      top.push(`  const ${elementType(example.dtype)} ${array}[1] = {${name}};`);
      names.set(buffer, array);
    } else names.set(buffer, name);
  });
  for (const [i, { buffer }] of plan.constants.entries()) names.set(buffer, `constant${i}`);
  plan.outputs.forEach((buffer, i) => {
    const { name, example } = written[i] as Parameter;
    const other = names.get(buffer);
    if (example.size === 0) top.push(`  (void)${name};`);
    if (other === undefined) names.set(buffer, name);
    else if (example.size > 0)
      end.push(`  memcpy(${name}, ${other}, ${example.size * bytesOf(example.dtype)});`);
  });
  const own = plan.lifetimes.filter(({ buffer }) => !names.has(buffer));
  for (const { buffer } of own) names.set(buffer, `buffer${buffer.id}`);
  const nameOf = (buffer: Buffer) => names.get(buffer) as string;
  const bytes = own.reduce((sum, { buffer }) => sum + buffer.size * bytesOf(buffer.dtype), 0);
  const isLocal = bytes <= MOST_LOCAL;
  if (isLocal) {
    const types = new Set(own.map(({ buffer }) => elementType(buffer.dtype)));
    for (const type of types) {
      const parts = own
        .filter(({ buffer }) => elementType(buffer.dtype) === type)
        .map(({ buffer }) => `${nameOf(buffer)}[${Math.max(1, buffer.size)}]`);
      top.push(wrapped(`  ${type} `, parts, ";", "    "));
    }
  } else {
    const arena = arenaOf(own, 0);
    top.push(`  char *const m = (char *)malloc(${arena.bytes});`, "  if (m == NULL) return 1;");
    for (const { buffer } of own) {
      const type = elementType(buffer.dtype);
      top.push(`  ${type} *const ${nameOf(buffer)} = (${type} *)(m + ${arena.offsets.get(buffer)});`);
    }
    end.push("  free(m);");
  }
  const context: StepContext = {
    bytesAt: (buffer) => `(char *)${nameOf(buffer)}`,
    elementsAt: nameOf,
    kernel: ({ kernel }, indent) => [
      `${indent}/* ${described(kernel.name)} */`,
      `${indent}{`,
      ...kernelBody({ helpers, addressOf: () => null, nameOf }, kernel).map((line) => indent + line),
      `${indent}}`,
    ],
    product: (step) => defineProduct(shapeOf(step), helpers),
    shared: () => null,
    workspace: "NULL",
    library: false,
    stacks: [],
  };
  const lines = writeSteps(plan.steps, context, "  ");
  const { declared, released } = stackLines(context);
  const steps: Step[] = allSteps(plan.steps);
  const mayFail = context.stacks.length > 0;
  // What only the planner has use for is left out.
  const mentioned = new Set([...lines, ...end].flatMap((line) => line.match(/\bconstant\d+\b/g) ?? []));
  const constants = plan.constants.filter(({ buffer }) => mentioned.has(nameOf(buffer)));
  return [
    `/* Made by Adjoint. ${name}.h says what this is. */`,
    `#include "${name}.h"\n\n#include <math.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <stdlib.h>\n#include <string.h>`,
    ...(steps.some(({ kind }) => kind === "product") ? [KERNEL] : []),
    ...(mayFail ? [STACK] : []),
    helpers.toString(),
    constants.map((constant) => defined(constant, nameOf(constant.buffer))).join("\n"),
    definitions,
    [
      `${prototype(name, read, written, true)} {`,
      ...(mayFail ? ["  int failed = 0;", "  int64_t left = INT64_MAX, *const stack_left = &left;"] : []),
      ...declared,
      ...top,
      ...lines,
      ...(mayFail ? ["done:"] : []),
      ...released,
      ...end,
      `  return ${mayFail ? "failed" : "0"};`,
      "}",
    ].join("\n"),
    "",
  ]
    .filter((text, i, all) => text !== "" || i === all.length - 1)
    .join("\n\n");
}

/** A kernel's name as a comment: its first operations, and how many it has where that is all that is told of the others. */
function described(name: string): string {
  return name.replace(/_(\d+)$/, " … $1 operations").replaceAll("_", ", ");
}

function defined({ buffer, data }: Plan["constants"][number], name: string): string {
  const head = `static const ${elementType(buffer.dtype)} ${name}[${Math.max(1, buffer.size)}] = {`;
  const numbers = typeof data === "number" ? new Array<number>(buffer.size).fill(data) : Array.from(data);
  // What is not given in C is 0.
  const parts = numbers.every((x) => Object.is(x, 0)) ? ["0"] : numbers.map((x) => literal(buffer.dtype, x));
  return wrapped(head, parts, "};", "  ");
}
