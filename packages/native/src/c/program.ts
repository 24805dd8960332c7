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
import { kernelBody } from "./kernels.ts";
import { defineProduct, type ProductShape, productWorkspace } from "./products.ts";
import { type Segments, segmentsOf } from "./segments.ts";
import { STACK, type StepContext, stackLines, writeSteps } from "./steps.ts";
import { elementType } from "./types.ts";

/** A program in C, and how its memory is laid out. */
export interface CProgram {
  readonly source: string;
  readonly segments: Segments;
  readonly offsets: ReadonlyMap<Buffer, number>;
  /** Bytes of memory that it works in. */
  readonly bytes: number;
}

/** Where the addresses of a library's products, and how many bytes stacks may take, are in memory. */
export const HEADER = { sgemm: 0, dgemm: 8, stackLeft: 16 } as const;
export const POINTERS = 24;
/** Vectors at the end of a row may be read beyond it. */
const MARGIN = 256;

/** The functions of a program's segments, by their indices. */
export function segmentName(index: number): string {
  return `segment${index}`;
}

/**
 * Prints a plan. Buffers that are `outside` lie where the address says that is in memory, in that order, from `POINTERS`
 * on; the others in the arena.
 */
export function programOf(plan: Plan, features: Features, outside: readonly Buffer[] = []): CProgram {
  const segments = segmentsOf(plan.steps);
  const pointers = new Map(outside.map((buffer, i) => [buffer, POINTERS + 8 * i]));
  const { offsets, bytes } = arenaOf(
    plan.lifetimes.filter(({ buffer }) => !pointers.has(buffer)),
    Math.ceil((POINTERS + 8 * outside.length) / 64) * 64,
  );
  const workspace = Math.ceil(bytes / 64) * 64;
  const helpers = new Helpers(features);
  const native = segments.all.flatMap(({ steps }) => allSteps(steps));
  const shapes = new Map(native.flatMap((step) => (step.kind === "product" ? [[step, shapeOf(step)]] : [])));
  const needed = [...shapes.values()].reduce(
    (most, shape) => Math.max(most, productWorkspace(shape, helpers)),
    0,
  );
  const bytesAt = (buffer: Buffer) => {
    const pointer = pointers.get(buffer);
    return pointer === undefined ? `m + ${offsets.get(buffer)}` : `*(char *const *)(m + ${pointer})`;
  };
  const kernels = new Map<Step, string>();
  const functions: string[] = [];
  for (const step of native) {
    if (step.kind !== "kernel") continue;
    const name = `k${kernels.size}_${identifier(step.kernel)}`;
    const lines = kernelBody({ helpers, addressOf: bytesAt, nameOf: ({ id }) => `b${id}` }, step.kernel);
    kernels.set(step, name);
    functions.push([`KERNEL void ${name}(char *m) {`, ...lines, "}"].join("\n"));
  }
  const products = new Map([...shapes].map(([step, shape]) => [step, defineProduct(shape, helpers)]));
  const context: Omit<StepContext, "stacks"> = {
    bytesAt,
    kernel: (step, indent) => [`${indent}${kernels.get(step)}(m);`],
    product: (step) => products.get(step) as string,
    elementsAt: (buffer, reads) =>
      `(${reads ? "const " : ""}${elementType(buffer.dtype)} *)(${bytesAt(buffer)})`,
    workspace: `(void *)(m + ${workspace})`,
    library: true,
  };
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
  const source = [
    "/* A program of Adjoint. All it works with lies behind m: numbers of its arguments, results and states. */",
    "#include <math.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <stdlib.h>\n#include <string.h>",
    '#if defined(_WIN32)\n#define EXPORT __declspec(dllexport)\n#else\n#define EXPORT __attribute__((visibility("default")))\n#endif',
    "#if defined(__has_builtin)\n#define HAS_BUILTIN(name) __has_builtin(name)\n#else\n#define HAS_BUILTIN(name) 0\n#endif",
    KERNEL,
    ...(shapes.size > 0 ? [LIBRARY] : []),
    ...(hasLoops ? [STACK] : []),
    helpers.toString(),
    ...functions,
    ...entries,
    "",
  ].join("\n\n");
  return { source, segments, offsets, bytes: workspace + needed + MARGIN };
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
