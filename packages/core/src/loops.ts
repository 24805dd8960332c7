/** Loop nests over broadcast operands: the fewest loops that reach every element with constant strides. */

import type { TypedArray } from "./dtype.ts";
import { type Shape, sameShape, sizeOf, stridesOf } from "./shape.ts";

/**
 * A loop nest. The two innermost loops have `outer` × `inner` iterations; along them operand `k` steps by
 * `outerStrides[k]` and `innerStrides[k]`. `starts[k]` holds where operand `k` begins in each run of the two.
 */
export interface Loops {
  readonly outer: number;
  readonly inner: number;
  readonly outerStrides: readonly number[];
  readonly innerStrides: readonly number[];
  readonly runs: number;
  readonly starts: readonly Int32Array[];
}

/** Strides of a row-major operand over the axes of the shape that it broadcasts to: 0 where it repeats. */
export function broadcastStrides(shape: Shape, to: Shape): number[] {
  const strides = stridesOf(shape);
  const offset = to.length - shape.length;
  return to.map((_, i) => (i < offset || shape[i - offset] === 1 ? 0 : (strides[i - offset] as number)));
}

/** The loop nest of row-major operands that broadcast to `shape`. */
export function broadcastLoops(shape: Shape, operands: readonly Shape[]): Loops {
  if (operands.every((operand) => sameShape(operand, shape) || sizeOf(operand) === 1)) {
    const strides = operands.map((operand) => (sizeOf(operand) === 1 ? 0 : 1));
    return single(sizeOf(shape), strides);
  }
  return stridedLoops(
    shape,
    operands.map((operand) => broadcastStrides(operand, shape)),
  );
}

/** The loop nest over `shape` of operands with given strides along its axes. */
export function stridedLoops(shape: Shape, strides: readonly (readonly number[])[]): Loops {
  const { sizes, steps } = mergeAxes(shape, strides);
  const inner = sizes[0] ?? 1;
  const outer = sizes[1] ?? 1;
  const rest = sizes.slice(2);
  const runs = sizeOf(rest);
  const starts = strides.map((_, k) => {
    const offsets = new Int32Array(runs);
    let filled = 1;
    rest.forEach((n, i) => {
      const step = (steps[i + 2] as number[])[k] as number;
      for (let j = 1; j < n; j++) {
        for (let r = 0; r < filled; r++) offsets[j * filled + r] = (offsets[r] as number) + j * step;
      }
      filled *= n;
    });
    return offsets;
  });
  const none = strides.map(() => 0);
  return { outer, inner, outerStrides: steps[1] ?? none, innerStrides: steps[0] ?? none, runs, starts };
}

/** Axes innermost first, those merged that every operand crosses with one stride; `steps[i][k]` is operand k's. */
function mergeAxes(
  shape: Shape,
  strides: readonly (readonly number[])[],
): { sizes: number[]; steps: number[][] } {
  const sizes: number[] = [];
  const steps: number[][] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const n = shape[axis] as number;
    if (n === 1) continue;
    const step = strides.map((s) => s[axis] as number);
    const last = sizes.length - 1;
    const inside = steps[last];
    if (inside !== undefined && step.every((s, k) => s === (inside[k] as number) * (sizes[last] as number))) {
      sizes[last] = (sizes[last] as number) * n;
    } else {
      sizes.push(n);
      steps.push(step);
    }
  }
  return { sizes, steps };
}

function single(size: number, innerStrides: readonly number[]): Loops {
  const none = innerStrides.map(() => 0);
  return {
    outer: 1,
    inner: size,
    outerStrides: none,
    innerStrides,
    runs: 1,
    starts: innerStrides.map(() => ORIGIN),
  };
}

const ORIGIN = new Int32Array(1);

/** A box of elements within a row-major array: where it begins, and its strides along the axes of `shape`. */
export interface Box {
  readonly shape: Shape;
  readonly start: number;
  readonly strides: readonly number[];
}

/** Shorter runs are copied faster one element after the other. */
const RUN = 24;

/** Copies a box of `from` into a contiguous array. */
export function readBox(from: TypedArray, { shape, start, strides }: Box, to: TypedArray): void {
  const { outer, inner, outerStrides, innerStrides, runs, starts } = stridedLoops(shape, [strides]);
  const p = outerStrides[0] as number;
  const q = innerStrides[0] as number;
  let o = 0;
  for (let run = 0; run < runs; run++) {
    for (let j = 0; j < outer; j++) {
      let i = start + (starts[0]?.[run] as number) + j * p;
      if (q === 1 && inner >= RUN) {
        to.set(from.subarray(i, i + inner), o);
        o += inner;
      } else for (const end = o + inner; o < end; o++, i += q) to[o] = from[i] as number;
    }
  }
}

/** Copies a contiguous array into a box of `to`. */
export function writeBox(from: TypedArray, to: TypedArray, { shape, start, strides }: Box): void {
  const { outer, inner, outerStrides, innerStrides, runs, starts } = stridedLoops(shape, [strides]);
  const p = outerStrides[0] as number;
  const q = innerStrides[0] as number;
  let o = 0;
  for (let run = 0; run < runs; run++) {
    for (let j = 0; j < outer; j++) {
      let i = start + (starts[0]?.[run] as number) + j * p;
      for (const end = o + inner; o < end; o++, i += q) to[i] = from[o] as number;
    }
  }
}
