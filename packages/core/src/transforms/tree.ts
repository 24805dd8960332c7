/** Arguments and results of transforms: values, or arrays and plain objects of values, nested at will. */

import { isFloat } from "../dtype.ts";
import { ArgumentError, DTypeError, describe } from "../errors.ts";
import { operand } from "../op.ts";
import { isValue, type Value } from "../value.ts";

/** A value or a number, or an array or plain object of such. */
export type Tree = Value | number | readonly Tree[] | { readonly [key: string]: Tree };

/** The same structure with a value at every leaf. */
export type ValueTree<T> = T extends Value | number ? Value : { -readonly [K in keyof T]: ValueTree<T[K]> };

/** The same structure where a number may stand for every value. */
export type TreeInput<T> = T extends Value
  ? Value | number
  : T extends number
    ? number | Value
    : { readonly [K in keyof T]: TreeInput<T[K]> };

/** The leaves of a tree in order, and a way to build the same structure of other leaves. */
export interface Flattened {
  readonly leaves: Value[];
  /** Where each leaf stands, for example `argument.layers[0]`. */
  readonly paths: readonly string[];
  rebuild(leaves: readonly Value[]): unknown;
}

/** Takes a tree apart; `root` begins the paths. Object keys keep their order. */
export function flatten(where: string, tree: unknown, root = "argument"): Flattened {
  const leaves: Value[] = [];
  const paths: string[] = [];
  const visit = (x: unknown, path: string): ((from: readonly Value[]) => unknown) => {
    if (isValue(x) || typeof x === "number") {
      const i = leaves.push(operand(where, x)) - 1;
      paths.push(path);
      return (from) => from[i];
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
      received: describe(x),
      ...(x instanceof Promise ? { advice: "An async function cannot be differentiated." } : {}),
    });
  };
  const rebuild = visit(tree, root);
  return { leaves, paths, rebuild };
}

/** The leaves in the order of the paths of a like structure, whose keys may stand in another order; null for another. */
export function leavesAt({ leaves, paths }: Flattened, like: readonly string[]): Value[] | null {
  const places = new Map(paths.map((path, i) => [path, i]));
  if (paths.length !== like.length || !like.every((path) => places.has(path))) return null;
  return like.map((path) => leaves[places.get(path) as number] as Value);
}

function isPlainObject(x: unknown): x is Record<string, unknown> {
  if (typeof x !== "object" || x === null) return false;
  const prototype = Object.getPrototypeOf(x);
  return prototype === Object.prototype || prototype === null;
}

/** Refuses leaves that have no derivative. */
export function checkFloating(where: string, leaves: readonly Value[]): void {
  const wrong = leaves.find((x) => !isFloat(x.dtype));
  if (wrong === undefined) return;
  throw new DTypeError({
    where,
    expected: "what is differentiated by must be float64 or float32",
    received: wrong.dtype,
    advice: 'Cast it, for example with cast(x, "float64").',
  });
}
