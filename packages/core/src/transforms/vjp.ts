/** vjp: a function's value, and its vector-Jacobian product as a function. */

import { isFloat } from "../dtype.ts";
import { ArgumentError } from "../errors.ts";
import { zerosLike } from "../op.ts";
import { checkedSeed } from "../sweep/backward.ts";
import { reverseSweep } from "../sweep/reverse.ts";
import type { Value } from "../value.ts";

import { dependsOnOutside, leaveLevel, runLevel } from "./trace.ts";
import { checkFloating, flatten, type TreeInput, type ValueTree } from "./tree.ts";

/** The cotangents of `xs` from those of `f`'s results, all flat lists; null where no path carries any. */
export function cotangentsOf(
  f: (xs: readonly Value[]) => readonly Value[],
  xs: readonly Value[],
  dys: readonly Value[],
): (Value | null)[] {
  const { leaves, result, floor } = runLevel(xs, f);
  const cotangents: (Value | null)[] = [];
  reverseSweep(result, dys, { floor, record: "needed", targets: leaves }, (_, dx) => {
    cotangents.push(dx);
  });
  return cotangents;
}

/** From a cotangent of the output (in its structure) to the cotangents of the arguments. */
export type VjpFunction<A extends readonly unknown[], R> = (cotangent: TreeInput<R>) => {
  -readonly [I in keyof A]: ValueTree<A[I]>;
};

/**
 * Runs `f` at the primals; returns its output and the function from the output's cotangent to the arguments'.
 *
 * Arguments and output may be values, or arrays and plain objects of values. The function may be called again with
 * other cotangents. Where the output does not depend on a leaf, its cotangent is zero.
 *
 * @example
 * const [y, pull] = vjp((x) => mul(x, x), value([1, 2]));
 * y // [1, 4]
 * pull(value([1, 10]))[0] // [2, 40]
 */
export function vjp<A extends readonly Value[], R>(
  f: (...args: A) => R,
  ...primals: TreeInput<NoInfer<A>>
): [output: ValueTree<R>, pullback: VjpFunction<A, R>];
export function vjp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...primals: TreeInput<NoInfer<A>>
): [output: ValueTree<R>, pullback: VjpFunction<A, R>];
export function vjp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...primals: TreeInput<NoInfer<A>>
): [output: ValueTree<R>, pullback: VjpFunction<A, R>] {
  const flat = flatten("vjp", primals);
  checkFloating("vjp", flat.leaves);
  const { leaves, result, floor } = runLevel(flat.leaves, (aliases) =>
    f(...(flat.rebuild(aliases) as unknown as A)),
  );
  const outputs = flatten("vjp", result);
  const outside = dependsOnOutside(outputs.leaves, floor);
  const pull = (cotangent: unknown) => {
    const given = flatten("vjp", cotangent).leaves;
    if (given.length !== outputs.leaves.length) {
      throw new ArgumentError({
        where: "vjp",
        expected: `the cotangent must have the output's structure (${outputs.leaves.length} values)`,
        received: String(given.length),
      });
    }
    const roots = outputs.leaves.filter((y) => isFloat(y.dtype));
    const seeds = outputs.leaves.flatMap((y, i) =>
      isFloat(y.dtype) ? [checkedSeed("vjp", y, given[i])] : [],
    );
    const cotangents: Value[] = [];
    reverseSweep(roots, seeds, { floor, record: "needed", targets: leaves }, (leaf, dx) => {
      cotangents.push(dx ?? zerosLike(leaf));
    });
    return flat.rebuild(cotangents);
  };
  const output = outputs.rebuild(outputs.leaves.map((y) => leaveLevel(y, outside)));
  return [output as ValueTree<R>, pull as unknown as VjpFunction<A, R>];
}
