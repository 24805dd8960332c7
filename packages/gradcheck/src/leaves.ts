/** The values within arguments and results, each with the path that reports name it by. */

import { ArgumentError, isValue, type Value, value } from "@adjoint/core";

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
  const leaves: Leaf[] = [];
  const visit = (x: unknown, path: string): ((from: readonly Value[]) => unknown) => {
    if (isValue(x) || typeof x === "number") {
      const leaf = isValue(x) ? x : value(x);
      const name = leaf.label === null ? path : `${path} (${leaf.label})`;
      const place = leaves.push({ path: name, value: leaf }) - 1;
      return (from) => from[place];
    }
    if (Array.isArray(x)) {
      const parts = x.map((entry, i) => visit(entry, `${path}[${i}]`));
      return (from) => parts.map((part) => part(from));
    }
    if (isPlainObject(x)) {
      const parts = Object.entries(x).map(([key, entry]) => [key, visit(entry, `${path}.${key}`)] as const);
      return (from) => Object.fromEntries(parts.map(([key, part]) => [key, part(from)]));
    }
    throw new ArgumentError({
      where,
      expected: `${path} must be a value, a number, or an array or plain object of them`,
      received: x instanceof Promise ? "a Promise" : x === null ? "null" : `a ${typeof x}`,
      ...(x instanceof Promise ? { advice: "An async function cannot be checked." } : {}),
    });
  };
  const rebuild = visit(tree, root);
  return { leaves, rebuild };
}

function isPlainObject(x: unknown): x is Record<string, unknown> {
  if (typeof x !== "object" || x === null) return false;
  const prototype = Object.getPrototypeOf(x);
  return prototype === Object.prototype || prototype === null;
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
