/** Shapes and received things, as sizes and as error messages show them. */

import type { Shape } from "@adjoint/core";

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((size, n) => size * n, 1);
}

/** A shape as an error shows it. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** A received thing as an error shows it: short, and never a wall of numbers. */
export function describe(x: unknown): string {
  if (typeof x === "string") return JSON.stringify(x);
  if (Array.isArray(x)) return `an array of ${x.length}`;
  if (ArrayBuffer.isView(x)) return x.constructor.name;
  return typeof x === "object" && x !== null ? "an object" : String(x);
}
