/** Steps: what a program does in order, over buffers. */

import type { AnyOperation, TensorType } from "@adjoint/core/operations";
import { type Affine, type Buffer, type Counter, type Kernel, touchesOf } from "../kernels/language.ts";
import type { Lifetime } from "../memory/arena.ts";
import type { Storage } from "../program.ts";

/** A kernel; of several parts, one loop over them, whose iterations threads may do in any order. */
export interface KernelStep {
  readonly kind: "kernel";
  readonly kernel: Kernel;
  readonly parts: number;
}

/** Matrix products c = a·b, one for each place of a batch. */
export interface Product {
  readonly kind: "product";
  readonly dtype: "float32" | "float64";
  readonly n: number;
  readonly m: number;
  readonly k: number;
  readonly a: Operand;
  readonly b: Operand;
  readonly c: Operand;
  readonly counters: readonly Counter[];
}

/** A matrix of a batch: where it begins, and how far apart its rows and columns are, in elements. */
export interface Operand {
  readonly buffer: Buffer;
  readonly at: Affine;
  readonly row: number;
  readonly column: number;
}

/** An operation that is evaluated by core. */
export interface Evaluation {
  readonly kind: "evaluation";
  readonly op: AnyOperation;
  readonly attributes: unknown;
  readonly inputs: readonly Located[];
  readonly output: Located;
}

/** A buffer as a tensor. */
export interface Located {
  readonly buffer: Buffer;
  readonly type: TensorType;
}

/** All elements of one buffer into another of its dtype and size. */
interface Copy {
  readonly kind: "copy";
  readonly from: Buffer;
  readonly to: Buffer;
}

/** One of two lists of steps, as a bool scalar says. */
interface Choice {
  readonly kind: "choice";
  readonly condition: Buffer;
  readonly whenTrue: readonly Step[];
  readonly whenFalse: readonly Step[];
}

/** Steps that are done for each entry of streams, first to last, or last to first. */
export interface Scan {
  readonly kind: "scan";
  readonly length: number;
  readonly reverse: boolean;
  /** Before each time: an entry of a stream, of the size of `entry`. */
  readonly taken: readonly { readonly stream: Buffer; readonly entry: Buffer }[];
  readonly body: readonly Step[];
  /** After each time. */
  readonly given: readonly { readonly stream: Buffer; readonly entry: Buffer }[];
  /** What one time leaves for the next. */
  readonly carried: readonly Buffer[];
}

/**
 * Passes up and down the same steps: the first goes up while a test holds, the second down, and so on. What a pass saves
 * at a step later passes take from a stack.
 */
export interface Passes {
  readonly kind: "passes";
  /** Computes `holds`, a bool scalar, before each step of the first pass. */
  readonly test: readonly Step[];
  readonly holds: Buffer;
  readonly passes: readonly Pass[];
  /** What one step leaves for the next. */
  readonly carried: readonly Buffer[];
}

/** One pass. What it takes and saves is named by its place among what the pass that saves it does. */
export interface Pass {
  readonly taken: readonly { readonly pass: number; readonly place: number; readonly to: Buffer }[];
  /** What is saved before the body is done, and then what is saved after it. */
  readonly before: readonly Buffer[];
  readonly body: readonly Step[];
  readonly after: readonly Buffer[];
}

export type Step = KernelStep | Product | Evaluation | Copy | Choice | Scan | Passes;

/** Everything a target needs to know. */
export interface Plan {
  readonly steps: readonly Step[];
  /** One a program input; null where nothing reads it. */
  readonly inputs: readonly (Buffer | null)[];
  readonly constants: readonly { readonly buffer: Buffer; readonly data: Storage }[];
  /** One a program output. */
  readonly outputs: readonly Buffer[];
  /** When each buffer is needed. */
  readonly lifetimes: readonly Lifetime[];
}

/** The lists of steps within a step. */
function partsOf(step: Step): readonly (readonly Step[])[] {
  if (step.kind === "choice") return [step.whenTrue, step.whenFalse];
  if (step.kind === "scan") return [step.body];
  if (step.kind === "passes") return [step.test, ...step.passes.map(({ body }) => body)];
  return [];
}

/** All steps, those within others too, in the order in which they stand. */
export function allSteps(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) => [step, ...partsOf(step).flatMap(allSteps)]);
}

/** Steps with each list of them replaced by another, those within others first. */
export function replaceLists(
  steps: readonly Step[],
  replace: (list: readonly Step[]) => readonly Step[],
): readonly Step[] {
  const within = (list: readonly Step[]) => replaceLists(list, replace);
  return replace(
    steps.map((step): Step => {
      if (step.kind === "choice")
        return { ...step, whenTrue: within(step.whenTrue), whenFalse: within(step.whenFalse) };
      if (step.kind === "scan") return { ...step, body: within(step.body) };
      if (step.kind !== "passes") return step;
      const passes = step.passes.map((pass) => ({ ...pass, body: within(pass.body) }));
      return { ...step, test: within(step.test), passes };
    }),
  );
}

/** The buffers that a step touches by itself. */
function touched(step: Step): readonly Buffer[] {
  switch (step.kind) {
    case "kernel":
      return touchesOf(step.kernel).buffers;
    case "product":
      return [step.a.buffer, step.b.buffer, step.c.buffer];
    case "evaluation":
      return [...step.inputs.map(({ buffer }) => buffer), step.output.buffer];
    case "copy":
      return [step.from, step.to];
    case "choice":
      return [step.condition];
    case "scan":
      return [...step.taken, ...step.given].flatMap(({ stream, entry }) => [stream, entry]);
    case "passes":
      return [
        step.holds,
        ...step.passes.flatMap(({ taken, before, after }) => [
          ...taken.map(({ to }) => to),
          ...before,
          ...after,
        ]),
      ];
  }
}

/**
 * When each buffer is needed, in the order of all steps. What is `lasting` is needed from the start to the end; what a
 * loop shares with what stands around it, or with its next time, is needed through all of the loop.
 */
export function lifetimesOf(
  steps: readonly Step[],
  lasting: Iterable<Buffer>,
  outputs: readonly Buffer[],
): Lifetime[] {
  const spans: { readonly buffer: Buffer; from: number; to: number }[] = [];
  /** The spans by the ids of buffers. */
  const spanOf: (typeof spans)[number][] = [];
  const loops: { from: number; to: number; inside: Set<Buffer> }[] = [];
  const open: (typeof loops)[number][] = [];
  let time = 0;
  const touch = (buffer: Buffer) => {
    const span = spanOf[buffer.id];
    if (span !== undefined) span.to = time;
    else {
      const begun = { buffer, from: time, to: time };
      spans.push(begun);
      spanOf[buffer.id] = begun;
    }
    for (const loop of open) loop.inside.add(buffer);
  };
  const visit = (list: readonly Step[]): void => {
    for (const step of list) {
      time++;
      const isLoop = step.kind === "scan" || step.kind === "passes";
      const loop = isLoop ? { from: time, to: time, inside: new Set<Buffer>() } : null;
      if (loop !== null) open.push(loop);
      touched(step).forEach(touch);
      if (isLoop) step.carried.forEach(touch);
      for (const part of partsOf(step)) visit(part);
      if (loop === null) continue;
      time++;
      // A loop's own traffic is at both of its ends.
      touched(step).forEach(touch);
      loop.to = time;
      open.pop();
      loops.push(loop);
    }
  };
  visit(steps);
  time++;
  for (const buffer of outputs) touch(buffer);
  // Inner loops were closed first.
  for (const { from, to, inside } of loops) {
    for (const buffer of inside) {
      const span = spanOf[buffer.id] as (typeof spans)[number];
      const isLocal = span.from > from && span.to < to;
      if (isLocal) continue;
      span.from = Math.min(span.from, from);
      span.to = Math.max(span.to, to);
    }
  }
  for (const buffer of lasting) {
    touch(buffer);
    (spanOf[buffer.id] as (typeof spans)[number]).from = 0;
  }
  return spans;
}
