/** The values within arguments and results, each with the path that reports name it by. */

import type { Value } from "@adjoint/core";
import { flatten } from "@adjoint/core/operations";

/** A value within a tree. */
export interface Leaf {
  /** How a reader finds it: `inputs[0].weight`, with the value's label where it has one. */
  readonly path: string;
  readonly value: Value;
}

/** The values of a tree, and a way to build the same tree of others. */
export interface Leaves {
  readonly leaves: readonly Leaf[];
  rebuild(values: readonly Value[]): unknown;
}

/** Takes a tree of values, numbers, arrays and plain objects apart; `root` begins the paths. */
export function leavesOf(where: string, tree: unknown, root: string): Leaves {
  const { leaves, paths, rebuild } = flatten(where, tree, root);
  const named = leaves.map((value, i) => {
    const path = paths[i] as string;
    return { path: value.label === null ? path : `${path} (${value.label})`, value };
  });
  return { leaves: named, rebuild };
}

/** Whether a value's dtype carries derivatives. */
export function isFloating({ dtype }: Value): boolean {
  return dtype === "float64" || dtype === "float32";
}

/** All values that some were computed from, themselves included, as far as they are recorded. */
export function ancestors(values: readonly Value[]): Set<Value> {
  const seen = new Set(values);
  for (const x of seen) for (const input of x.inputs) seen.add(input);
  return seen;
}

/** The place of a flat row-major index along each axis. */
export function unravel(flat: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const n = shape[axis] as number;
    index[axis] = flat % n;
    flat = Math.floor(flat / n);
  }
  return index;
}
