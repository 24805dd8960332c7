/** Shapes: sizes, strides, axes and broadcasting. */

import { ArgumentError, describe, ShapeError } from "./errors.ts";

/** Sizes of the axes, outermost first. A scalar has the shape `[]`. */
export type Shape = readonly number[];

/** One axis or several; negative ones count from the end. */
export type Axes = number | readonly number[];

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** Distance in elements between neighbours along each axis of a row-major array. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] as number;
  }
  return strides;
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A shape as errors and printing show it. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Checks that what a user gave for a list is one. */
export function checkList<T>(where: string, expected: string, x: readonly T[]): readonly T[] {
  if (Array.isArray(x) || ArrayBuffer.isView(x)) return x;
  throw new ArgumentError({ where, expected, received: describe(x) });
}

/** A number or a list of them from a user as a list. */
export function listOf(where: string, name: string, x: number | readonly number[]): readonly number[] {
  return typeof x === "number" ? [x] : checkList(where, `${name} must be a number or a list of them`, x);
}

/** Checks that a shape from a user holds whole sizes ≥ 0. */
export function checkShape(where: string, shape: Shape): Shape {
  for (const n of checkList(where, "shape must be a list of sizes", shape)) {
    if (!Number.isInteger(n) || n < 0) {
      throw new ShapeError({
        where,
        expected: "sizes must be whole numbers ≥ 0",
        received: formatShape(shape),
      });
    }
  }
  return shape;
}

/** The shape that operands broadcast to: aligned at the last axis, sizes equal or 1. */
export function broadcastShapes(where: string, shapes: readonly Shape[]): Shape {
  const first = shapes[0] as Shape;
  if (shapes.every((shape) => sameShape(shape, first))) return first;
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const offset = rank - shape.length;
    for (let i = 0; i < shape.length; i++) {
      const n = shape[i] as number;
      if (n === 1 || out[offset + i] === n) continue;
      if (out[offset + i] !== 1) {
        throw new ShapeError({
          where,
          expected: "shapes must broadcast (sizes equal or 1, aligned at the last axis)",
          received: shapes.map(formatShape).join(" and "),
          advice: "Reshape or transpose one operand.",
        });
      }
      out[offset + i] = n;
    }
  }
  return out;
}

/** One axis from a user as an index ≥ 0. */
export function normalizeAxis(where: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis)) {
    throw new ArgumentError({ where, expected: "axis must be a whole number", received: describe(axis) });
  }
  if (axis < -rank || axis >= rank) {
    const expected =
      rank === 0 ? "a scalar has no axes" : `axis must be in [${-rank}, ${rank - 1}] for rank ${rank}`;
    throw new ShapeError({ where, expected, received: String(axis) });
  }
  return axis < 0 ? axis + rank : axis;
}

/**
 * Axes from a user as sorted distinct indices; `undefined` or `null` means all of them. A scalar takes 0 and −1, as in
 * NumPy: none.
 */
export function normalizeAxes(where: string, axes: Axes | null | undefined, rank: number): number[] {
  if (axes === undefined || axes === null) return Array.from({ length: rank }, (_, i) => i);
  const list = listOf(where, "axes", axes);
  if (rank === 0 && list.length === 1 && (list[0] === 0 || list[0] === -1)) return [];
  const out = list.map((axis) => normalizeAxis(where, axis, rank)).sort((a, b) => a - b);
  if (new Set(out).size !== out.length) {
    throw new ShapeError({ where, expected: "axes must be distinct", received: formatShape(list) });
  }
  return out;
}
