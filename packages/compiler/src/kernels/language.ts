/**
 * The kernel language: loops over buffers with affine indices, and scalar instructions inside them. Any target can print
 * it; `print.ts` prints it for people and `interpret.ts` runs it.
 */

import type { DType } from "@adjoint/core";

/** A row-major array in memory. Kernels of one program share its buffers. */
export interface Buffer {
  readonly id: number;
  readonly dtype: DType;
  /** Number of elements. */
  readonly size: number;
}

/** A number that an instruction makes, once in each iteration of the loops around it. */
export interface Register {
  readonly id: number;
  readonly dtype: DType;
}

/** A loop's counter, from 0 to `extent` − 1. */
export interface Counter {
  readonly id: number;
  readonly extent: number;
}

/** An index that is affine in loop counters: offset + Σ step·counter. */
export interface Affine {
  readonly offset: number;
  readonly terms: readonly Term[];
}

/** One counter of an affine index, and how far it steps; never 0. */
export interface Term {
  readonly counter: Counter;
  readonly step: number;
}

/** Where in a buffer: an affine index, and for gathering the elements of an index register, `step` apart. */
export interface Place {
  readonly buffer: Buffer;
  readonly at: Affine;
  readonly picked: { readonly index: Register; readonly step: number } | null;
}

/** Instructions of one operand and of two; `not` is of masks. */
type Unary = "neg" | "abs" | "sqrt" | "floor" | "ceil" | "trunc" | "nearest" | "not";
/** `eq`, `lt` and `le` make masks; `and` and `or` join them. Minimum and maximum are NaN where either operand is. */
type Binary = "add" | "sub" | "mul" | "div" | "min" | "max" | "eq" | "lt" | "le" | "and" | "or";

/** Instructions that compute a register from others. */
export type Operator = Unary | Binary | "select" | "convert";

/** How numbers are gathered into one. Which of two zeros an extreme is, is not said. */
export type Fold = "sum" | "max" | "min";

/** A function of numbers that a target has its own code for by its name, or else calls. */
export interface CalledFunction {
  readonly name: string;
  compute(...xs: number[]): number;
}

export type Statement =
  /** Iterations are independent of each other but for folds and additions to memory. */
  | { readonly kind: "loop"; readonly counter: Counter; readonly body: readonly Statement[] }
  | { readonly kind: "constant"; readonly to: Register; readonly value: number }
  | { readonly kind: "load"; readonly to: Register; readonly from: Place }
  | {
      readonly kind: "compute";
      readonly to: Register;
      readonly operator: Operator;
      readonly from: readonly Register[];
    }
  | {
      readonly kind: "call";
      readonly to: Register;
      readonly called: CalledFunction;
      readonly from: readonly Register[];
    }
  | { readonly kind: "store"; readonly to: Place; readonly from: Register }
  /** Adds to what is in memory, or takes the larger or smaller. */
  | { readonly kind: "combine"; readonly to: Place; readonly fold: Fold; readonly from: Register }
  /** Begins a fold with its neutral element; the loops after it gather into the register. */
  | { readonly kind: "begin"; readonly to: Register; readonly fold: Fold }
  | { readonly kind: "gather"; readonly into: Register; readonly fold: Fold; readonly from: Register }
  | { readonly kind: "fill"; readonly buffer: Buffer; readonly value: number };

/** A function that a kernel calls: for numbers of which dtype, and of how many. */
export interface Call {
  readonly called: CalledFunction;
  readonly dtype: DType;
  readonly arity: number;
}

/** The number of a counter that no loop of the statements has. */
export function unusedCounterId(statements: readonly Statement[]): number {
  return (
    1 + allStatements(statements).reduce((id, s) => (s.kind === "loop" ? Math.max(id, s.counter.id) : id), -1)
  );
}

/** The buffers that a kernel reads or writes, and what it calls; some perhaps more than once. */
export interface Touches {
  readonly buffers: readonly Buffer[];
  readonly calls: readonly Call[];
}

/** One pass over memory. */
export interface Kernel {
  readonly name: string;
  readonly body: readonly Statement[];
  /** Of a straight line without loops, at least what it touches: its body is made each time that it is asked for. */
  readonly straight?: Touches;
}

/** What a fold begins with. */
export function neutral(fold: Fold, dtype: DType): number {
  if (fold === "sum") return 0;
  if (dtype === "int32") return fold === "max" ? -(2 ** 31) : 2 ** 31 - 1;
  return fold === "max" ? -Infinity : Infinity;
}

/** All statements, those within loops too, in the order in which they stand. */
export function allStatements(statements: readonly Statement[]): Statement[] {
  const all: Statement[] = [];
  const visit = (list: readonly Statement[]): void => {
    for (const s of list) {
      all.push(s);
      if (s.kind === "loop") visit(s.body);
    }
  };
  visit(statements);
  return all;
}

/** What a kernel touches. */
export function touchesOf(kernel: Kernel): Touches {
  if (kernel.straight !== undefined) return kernel.straight;
  const { reads, writes } = buffersOf(kernel);
  const calls = allStatements(kernel.body).flatMap((s): Call[] =>
    s.kind === "call" ? [{ called: s.called, dtype: s.to.dtype, arity: s.from.length }] : [],
  );
  return { buffers: [...reads, ...writes], calls };
}

/** The buffers that a kernel reads and those that it writes; one that it adds to is both. */
export function buffersOf(kernel: Kernel): { readonly reads: Set<Buffer>; readonly writes: Set<Buffer> } {
  const reads = new Set<Buffer>();
  const writes = new Set<Buffer>();
  for (const s of allStatements(kernel.body)) {
    if (s.kind === "load") reads.add(s.from.buffer);
    else if (s.kind === "store") writes.add(s.to.buffer);
    else if (s.kind === "fill") writes.add(s.buffer);
    else if (s.kind === "combine") {
      reads.add(s.to.buffer);
      writes.add(s.to.buffer);
    }
  }
  return { reads, writes };
}

/** About how many instructions a statement is, over all its iterations; a called function counts as eight. */
export function workOf(s: Statement): number {
  if (s.kind === "loop") return s.counter.extent * s.body.reduce((sum, inner) => sum + workOf(inner), 0);
  return s.kind === "call" ? 8 : 1;
}
