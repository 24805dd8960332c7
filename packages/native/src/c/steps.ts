/** Steps as statements in C: calls of kernels and products, branches, and loops with their stacks. */

import {
  type Affine,
  type Buffer,
  bytesOf,
  type Counter,
  type Passes,
  type Product,
  type Scan,
  type Step,
} from "@adjoint/compiler/targets";

type KernelStep = Extract<Step, { kind: "kernel" }>;

/** What steps are written with. */
export interface StepContext {
  /** A buffer's first byte, in C. */
  bytesAt(buffer: Buffer): string;
  /** A buffer's first element, in C, to be read or written. */
  elementsAt(buffer: Buffer, reads: boolean): string;
  /** The statements of a kernel. */
  kernel(step: KernelStep, indent: string): readonly string[];
  /** The name of a product's function. */
  product(step: Product): string;
  /** The statement that does a product in parts; null where it is done as a whole. */
  shared(step: Product): string | null;
  /** The pointer to the workspace of products, in C. */
  readonly workspace: string;
  /** Whether products may be done by a library. */
  readonly library: boolean;
  /** The names of stacks, and bytes of their records: they are declared before the steps and released after them. */
  readonly stacks: { readonly name: string; readonly bytes: number }[];
}

/** Products of less, in multiplications times bytes, are our own in any case: a library is no faster at them. */
const LIBRARY_LEAST = 2 ** 30;

/** The statements of steps. What fails sets `failed` and goes to `done`. */
export function writeSteps(steps: readonly Step[], context: StepContext, indent: string): string[] {
  return steps.flatMap((step) => writeStep(step, context, indent));
}

function writeStep(step: Step, context: StepContext, indent: string): string[] {
  const inner = `${indent}  `;
  switch (step.kind) {
    case "kernel":
      return [...context.kernel(step, indent)];
    case "product":
      return product(step, context, indent);
    case "evaluation":
      throw new Error("an evaluation must not be written in C");
    case "copy":
      return move(context.bytesAt(step.to), context.bytesAt(step.from), sizeOf(step.from), indent);
    case "choice":
      return [
        `${indent}if (*(const uint8_t *)(${context.bytesAt(step.condition)}) != 0) {`,
        ...writeSteps(step.whenTrue, context, inner),
        `${indent}} else {`,
        ...writeSteps(step.whenFalse, context, inner),
        `${indent}}`,
      ];
    case "scan":
      return scan(step, context, indent);
    case "passes":
      return passes(step, context, indent);
  }
}

function scan({ length, reverse, taken, body, given }: Scan, context: StepContext, indent: string): string[] {
  const inner = `${indent}  `;
  const i = `i${indent.length}`;
  const entryOf = (stream: Buffer, entry: Buffer) => `${context.bytesAt(stream)} + ${i} * ${sizeOf(entry)}`;
  const head = reverse
    ? `for (ptrdiff_t ${i} = ${length - 1}; ${i} >= 0; ${i}--) {`
    : `for (ptrdiff_t ${i} = 0; ${i} < ${length}; ${i}++) {`;
  return [
    `${indent}${head}`,
    ...taken.flatMap(({ stream, entry }) =>
      move(context.bytesAt(entry), entryOf(stream, entry), sizeOf(entry), inner),
    ),
    ...writeSteps(body, context, inner),
    ...given.flatMap(({ stream, entry }) =>
      move(entryOf(stream, entry), context.bytesAt(entry), sizeOf(entry), inner),
    ),
    `${indent}}`,
  ];
}

/** A loop of passes. Each pass keeps what later ones read in records, one a step, on a stack of its own. */
function passes({ test, holds, passes }: Passes, context: StepContext, indent: string): string[] {
  const records = passes.map(({ before, after }) => {
    const sizes = [...before, ...after].map((buffer) => Math.ceil(sizeOf(buffer) / 8) * 8);
    const bytes = sizes.reduce((sum, n) => sum + n, 0);
    const name = `stack${context.stacks.length}`;
    if (bytes > 0) context.stacks.push({ name, bytes });
    return { name, bytes, offsets: sizes.map((_, i) => sizes.slice(0, i).reduce((sum, n) => sum + n, 0)) };
  });
  const outer = `${indent}  `;
  const inner = `${outer}  `;
  const within = (pass: number, place: number) => {
    const { name, offsets, bytes } = records[pass] as (typeof records)[number];
    return `${name}.base + step * ${bytes} + ${offsets[place]}`;
  };
  const take = (p: number, count: string, at: string) => {
    const { name, bytes } = records[p] as (typeof records)[number];
    if (bytes === 0) return [];
    return [
      `${at}if (!reserve(&${name}, (size_t)(${count}), ${bytes}, stack_left)) { failed = 1; goto done; }`,
    ];
  };
  const run = (p: number): string[] => {
    const { taken, before, body, after } = passes[p] as Passes["passes"][number];
    return [
      ...taken.flatMap(({ pass, place, to }) =>
        move(context.bytesAt(to), within(pass, place), sizeOf(to), inner),
      ),
      ...before.flatMap((buffer, i) => move(within(p, i), context.bytesAt(buffer), sizeOf(buffer), inner)),
      ...writeSteps(body, context, inner),
      ...after.flatMap((buffer, i) =>
        move(within(p, before.length + i), context.bytesAt(buffer), sizeOf(buffer), inner),
      ),
    ];
  };
  const lines = [
    `${indent}{`,
    `${outer}ptrdiff_t steps = 0;`,
    `${outer}for (;; steps++) {`,
    ...writeSteps(test, context, inner),
    `${inner}if (*(const uint8_t *)(${context.bytesAt(holds)}) == 0) break;`,
    ...take(0, "steps + 1", inner),
    `${inner}const ptrdiff_t step = steps;`,
    `${inner}(void)step;`,
    ...run(0),
    `${outer}}`,
  ];
  for (let p = 1; p < passes.length; p++) {
    const head =
      p % 2 === 1
        ? "for (ptrdiff_t step = steps - 1; step >= 0; step--) {"
        : "for (ptrdiff_t step = 0; step < steps; step++) {";
    lines.push(...take(p, "steps", outer), `${outer}${head}`, ...run(p), `${outer}}`);
  }
  for (const { name, bytes } of records)
    if (bytes > 0) lines.push(`${outer}release(&${name}, ${bytes}, stack_left);`);
  return [...lines, `${indent}}`];
}

/** The declarations of stacks, and what gives their memory back. */
export function stackLines({ stacks }: StepContext): { declared: string[]; released: string[] } {
  return {
    declared: stacks.map(({ name }) => `  struct stack ${name} = {0};`),
    released: stacks.map(({ name, bytes }) => `  release(&${name}, ${bytes}, stack_left);`),
  };
}

/** What loops keep their records in. */
export const STACK = `/* Records of the steps of a loop. */
struct stack { char *base; size_t records; };

/* Makes room for a number of records; 0 where there is no memory for them, or they would take more than is left. */
static int reserve(struct stack *stack, size_t records, size_t bytes, int64_t *left) {
  if (records <= stack->records) return 1;
  size_t wanted = stack->records + stack->records / 2 + 16;
  if (wanted < records) wanted = records;
  for (;;) {
    if (wanted <= PTRDIFF_MAX / bytes && (int64_t)((wanted - stack->records) * bytes) <= *left) {
      char *const base = (char *)realloc(stack->base, wanted * bytes);
      if (base != NULL) {
        *left -= (int64_t)((wanted - stack->records) * bytes);
        stack->base = base;
        stack->records = wanted;
        return 1;
      }
    }
    if (wanted == records) return 0;
    wanted = records;
  }
}

static void release(struct stack *stack, size_t bytes, int64_t *left) {
  *left += (int64_t)(stack->records * bytes);
  free(stack->base);
  stack->base = NULL;
  stack->records = 0;
}`;

function product(step: Product, context: StepContext, indent: string): string[] {
  const { n, m, k, a, b, c, counters, dtype } = step;
  if (n * m === 0 || counters.some(({ extent }) => extent === 0)) return [];
  const pointer = ({ buffer, at }: { readonly buffer: Buffer; readonly at: Affine }, constant: boolean) => {
    const parts = at.terms.map(({ counter, step: size }) => `${size} * p${indexOf(counters, counter)}`);
    if (at.offset !== 0) parts.push(String(at.offset));
    return `${context.elementsAt(buffer, constant)}${parts.map((x) => ` + ${x}`).join("")}`;
  };
  const each = (lines: readonly string[]) => {
    const at = (depth: number) => indent + "  ".repeat(depth);
    return [
      ...counters.map(({ extent }, i) => `${at(i)}for (ptrdiff_t p${i} = 0; p${i} < ${extent}; p${i}++) {`),
      ...lines.map((line) => at(counters.length) + line),
      ...counters.map((_, i) => `${at(counters.length - 1 - i)}}`),
    ];
  };
  const shared = context.shared(step);
  if (shared !== null) return [`${indent}${shared}`];
  const own = `${context.product(step)}(${pointer(a, true)}, ${pointer(b, true)}, ${pointer(c, false)}, ${context.workspace});`;
  if (!context.library || n * m * k * bytesOf(dtype) < LIBRARY_LEAST) return each([own]);
  const [ta, lda] = a.column === 1 ? [111, Math.max(a.row, k)] : [112, Math.max(a.column, n)];
  const [tb, ldb] = b.column === 1 ? [111, Math.max(b.row, m)] : [112, Math.max(b.column, k)];
  const gemm = dtype === "float64" ? "dgemm" : "sgemm";
  return each([
    `if (${gemm} != NULL) ${gemm}(101, ${ta}, ${tb}, ${n}, ${m}, ${k}, 1, ${pointer(a, true)}, ${lda}, ${pointer(b, true)}, ${ldb}, 0, ${pointer(c, false)}, ${c.row});`,
    `else ${own}`,
  ]);
}

function indexOf(counters: readonly Counter[], counter: Counter): number {
  return counters.indexOf(counter);
}

function move(to: string, from: string, bytes: number, indent: string): string[] {
  return bytes === 0 ? [] : [`${indent}memcpy(${to}, ${from}, ${bytes});`];
}

function sizeOf({ dtype, size }: Buffer): number {
  return size * bytesOf(dtype);
}
