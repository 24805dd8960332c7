/** jvp: a function's value and its Jacobian-vector product, by the forward sweep. */

import { ArgumentError, ShapeError } from "../errors.ts";
import { zerosLike } from "../op.ts";
import { cast } from "../ops/movement.ts";
import { formatShape, sameShape } from "../shape.ts";
import { forwardSweep } from "../sweep/forward.ts";
import type { Value } from "../value.ts";

import { dependsOnOutside, leaveLevel, runLevel } from "./trace.ts";
import { checkFloating, flatten, type TreeInput, type ValueTree } from "./tree.ts";

/**
 * Runs `f` at the primals and pushes tangents of the same structure through it.
 *
 * Returns the output and its tangent J·t, in the output's structure; zero where the output does not depend on the
 * arguments. Throws: ShapeError where a tangent's shape is not its primal's.
 *
 * @example
 * jvp((x) => mul(x, x), [value([1, 2])], [value([1, 10])]) // [[1, 4], [2, 40]]
 */
export function jvp<A extends readonly Value[], R>(
  f: (...args: A) => R,
  primals: TreeInput<NoInfer<A>>,
  tangents: TreeInput<NoInfer<A>>,
): [output: ValueTree<R>, tangent: ValueTree<R>];
export function jvp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  primals: TreeInput<NoInfer<A>>,
  tangents: TreeInput<NoInfer<A>>,
): [output: ValueTree<R>, tangent: ValueTree<R>];
export function jvp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  primals: TreeInput<NoInfer<A>>,
  tangents: TreeInput<NoInfer<A>>,
): [output: ValueTree<R>, tangent: ValueTree<R>] {
  const flat = flatten("jvp", primals);
  checkFloating("jvp", flat.leaves);
  const given = flatten("jvp", tangents).leaves;
  if (given.length !== flat.leaves.length) {
    throw new ArgumentError({
      where: "jvp",
      expected: `tangents must have the primals' structure (${flat.leaves.length} values)`,
      received: String(given.length),
    });
  }
  const directions = given.map((t, i) => {
    const x = flat.leaves[i] as Value;
    if (sameShape(t.shape, x.shape)) return cast(t, x.dtype);
    throw new ShapeError({
      where: "jvp",
      expected: `a tangent must have its primal's shape ${formatShape(x.shape)}`,
      received: formatShape(t.shape),
    });
  });
  const { leaves, result, floor } = runLevel(flat.leaves, (aliases) =>
    f(...(flat.rebuild(aliases) as unknown as A)),
  );
  const outputs = flatten("jvp", result);
  const pushed = forwardSweep(outputs.leaves, leaves, directions, floor);
  const outside = dependsOnOutside(outputs.leaves, floor);
  return [
    outputs.rebuild(outputs.leaves.map((y) => leaveLevel(y, outside))) as ValueTree<R>,
    outputs.rebuild(outputs.leaves.map((y, i) => pushed[i] ?? zerosLike(y))) as ValueTree<R>,
  ];
}
