/** Shapes: comparing them, and printing them in errors. */

import type { Shape } from "@adjoint/core";

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, axis) => n === b[axis]);
}

/** A shape as errors print it. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}
