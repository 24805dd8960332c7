/** A plan as one C file: a function a kernel, one a product, and one a segment of the program. */

import {
  allSteps,
  arenaOf,
  type Buffer,
  type Kernel,
  type Plan,
  type Product,
  type Step,
} from "@adjoint/compiler/targets";
import { type Features, Helpers } from "./helpers.ts";
import { kernelBody, kernelPart } from "./kernels.ts";
import { dividedProduct } from "./parts.ts";
import { defineProduct, type ProductShape, productWorkspace, readBeyond } from "./products.ts";
import { type Segments, segmentsOf } from "./segments.ts";
import { STACK, type StepContext, stackLines, writeSteps } from "./steps.ts";
import { sharingAt } from "./threads.ts";
import { elementType } from "./types.ts";

/** A program in C, and how its memory is laid out. */
export interface CProgram {
  readonly source: string;
  readonly segments: Segments;
  readonly offsets: ReadonlyMap<Buffer, number>;
  /** Bytes of memory that it works in. */
  readonly bytes: number;
  /** Whether there is anything that threads can share. */
  readonly isShared: boolean;
}

/** Where in memory the addresses of a library's products and of what shares parts are, and how many bytes stacks may take. */
export const HEADER = { sgemm: 0, dgemm: 8, stackLeft: 16, share: 24 } as const;
export const POINTERS = 32;
/** Vectors at the end of a row may be read beyond it. */
const MARGIN = 256;

/** The buffers that a plan's products may read beyond the end. */
export function readBeyondEnds({ steps }: Plan, features: Features, threads: number): ReadonlySet<Buffer> {
  const helpers = new Helpers(features);
  const products = allSteps(steps).flatMap((step) =>
    step.kind === "product" ? dividedProduct(step, threads) : [],
  );
  return new Set(
    products.flatMap((product) => {
      const operand = readBeyond(shapeOf(product), helpers);
      return operand === null ? [] : [product[operand].buffer];
    }),
  );
}

/** The functions of a program's segments, by their indices. */
export function segmentName(index: number): string {
  return `segment${index}`;
}

/**
 * Prints a plan, with its products in as many parts as there are threads. Buffers that are `outside` lie where the address
 * says that is in memory, in that order, from `POINTERS` on; the others in the arena.
 */
export function programOf(
  plan: Plan,
  features: Features,
  outside: readonly Buffer[] = [],
  threads = 1,
): CProgram {
  const segments = segmentsOf(plan.steps);
  const pointers = new Map(outside.map((buffer, i) => [buffer, POINTERS + 8 * i]));
  const { offsets, bytes } = arenaOf(
    plan.lifetimes.filter(({ buffer }) => !pointers.has(buffer)),
    Math.ceil((POINTERS + 8 * outside.length) / 64) * 64,
  );
  const helpers = new Helpers(features);
  const native = segments.all.flatMap(({ steps }) => allSteps(steps));
  const products = native.flatMap((step) => {
    if (step.kind !== "product") return [];
    const parts = dividedProduct(step, threads);
    const shapes = parts.map(shapeOf);
    const needed = Math.max(...shapes.map((shape) => productWorkspace(shape, helpers)));
    return [{ step, parts, names: shapes.map((shape) => defineProduct(shape, helpers)), needed }];
  });
  const workspace = Math.ceil(bytes / 64) * 64;
  const largest = products.reduce((most, { needed }) => Math.max(most, needed), 0);
  const needed = Math.ceil(largest / 64) * 64;
  const slots = products.reduce((most, { parts }) => Math.max(most, parts.length), 1);
  const bytesAt = (buffer: Buffer) => {
    const pointer = pointers.get(buffer);
    return pointer === undefined ? `m + ${offsets.get(buffer)}` : `*(char *const *)(m + ${pointer})`;
  };
  const kernels = new Map<Step, string>();
  const called = new Map<Step, string>();
  const shared = new Map<Step, string>();
  const context: Omit<StepContext, "stacks"> = {
    bytesAt,
    elementsAt: (buffer, reads) =>
      `(${reads ? "const " : ""}${elementType(buffer.dtype)} *)(${bytesAt(buffer)})`,
    kernel: (step, indent) => [`${indent}${kernels.get(step)}`],
    product: (step) => called.get(step) as string,
    shared: (step) => shared.get(step) ?? null,
    workspace: `(void *)(m + ${workspace})`,
    library: true,
  };
  const functions: string[] = [];
  const inKernels = { helpers, addressOf: bytesAt, nameOf: ({ id }: Buffer) => `b${id}` };
  for (const step of native) {
    if (step.kind !== "kernel") continue;
    const { kernel, parts } = step;
    const name = `k${kernels.size}_${identifier(kernel)}`;
    if (parts === 1) {
      kernels.set(step, `${name}(m);`);
      functions.push(defined(name, "", kernelBody(inKernels, kernel)));
    } else {
      const { lines, part } = kernelPart(inKernels, kernel);
      kernels.set(step, `in_parts(${name}, m, ${parts});`);
      functions.push(defined(name, `, ptrdiff_t ${part}`, lines));
    }
  }
  for (const [i, { step, parts, names }] of products.entries()) {
    if (parts.length === 1) {
      called.set(step, names[0] as string);
      continue;
    }
    const cases = parts.flatMap((part, at) => {
      const own: StepContext = {
        ...context,
        product: () => names[at] as string,
        shared: () => null,
        workspace: `(void *)(m + ${workspace + at * needed})`,
        stacks: [],
      };
      return [`  case ${at}:`, ...writeSteps([part], own, "    "), "    break;"];
    });
    shared.set(step, `in_parts(parts${i}, m, ${parts.length});`);
    functions.push(defined(`parts${i}`, ", ptrdiff_t part", ["  switch (part) {", ...cases, "  }"]));
  }
  const entries = segments.all.map(({ index, steps }) => {
    const own: StepContext = { ...context, stacks: [] };
    const lines = writeSteps(steps, own, "  ");
    const { declared, released } = stackLines(own);
    return [
      `EXPORT int ${segmentName(index)}(char *m) {`,
      "  int failed = 0;",
      `  int64_t *const stack_left = (int64_t *)(m + ${HEADER.stackLeft});`,
      "  (void)stack_left;",
      ...declared,
      ...lines,
      "  goto done;",
      "done:",
      ...released,
      "  return failed;",
      "}",
    ].join("\n");
  });
  const hasLoops = native.some(({ kind }) => kind === "passes");
  const isShared = shared.size > 0 || native.some((step) => step.kind === "kernel" && step.parts > 1);
  const source = [
    "/* A program of Adjoint. All it works with lies behind m: numbers of its arguments, results and states. */",
    "#include <math.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <stdlib.h>\n#include <string.h>",
    '#if defined(_WIN32)\n#define EXPORT __declspec(dllexport)\n#else\n#define EXPORT __attribute__((visibility("default")))\n#endif',
    "#if defined(__has_builtin)\n#define HAS_BUILTIN(name) __has_builtin(name)\n#else\n#define HAS_BUILTIN(name) 0\n#endif",
    KERNEL,
    ...(products.length > 0 ? [LIBRARY] : []),
    ...(isShared ? [sharingAt(HEADER.share)] : []),
    ...(hasLoops ? [STACK] : []),
    helpers.toString(),
    ...functions,
    ...entries,
    "",
  ].join("\n\n");
  return { source, segments, offsets, bytes: workspace + slots * needed + MARGIN, isShared };
}

function defined(name: string, parameters: string, lines: readonly string[]): string {
  return [`KERNEL void ${name}(char *m${parameters}) {`, ...lines, "}"].join("\n");
}

// GCC 12 takes some kernels for functions without effects, and drops calls of them: what it believes of them must stay in
// them.
export const KERNEL = `/* A pass over memory. */
#if defined(__clang__)
#define KERNEL static __attribute__((noinline))
#elif defined(__GNUC__)
#define KERNEL static __attribute__((noipa))
#else
#define KERNEL static
#endif`;

const LIBRARY = `/* Products of a BLAS library; NULL where there is none. */
typedef void (*sgemm_t)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
typedef void (*dgemm_t)(int, int, int, int, int, int, double, const double *, int, const double *, int, double, double *, int);
#define sgemm (*(const sgemm_t *)(m + ${HEADER.sgemm}))
#define dgemm (*(const dgemm_t *)(m + ${HEADER.dgemm}))`;

/** A kernel's name as part of one in C. */
function identifier({ name }: Kernel): string {
  return name.replaceAll(/\W/g, "_");
}

/** A product without its places. */
export function shapeOf({ dtype, n, m, k, a, b, c }: Product): ProductShape {
  return {
    dtype,
    n,
    m,
    k,
    a: { row: a.row, column: a.column },
    b: { row: b.row, column: b.column },
    c: c.row,
  };
}
