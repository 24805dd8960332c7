/** linearize, jacobian, hessian and hvp. */

import { ArgumentError, describe, ShapeError } from "../errors.ts";
import { filled, operand, zerosLike } from "../op.ts";
import { cast, reshape } from "../ops/movement.ts";
import { oneHot } from "../ops/selection.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { formatShape, sameShape } from "../shape.ts";
import { state } from "../state.ts";
import { withRecording } from "../sweep/backward.ts";
import { forwardSweep } from "../sweep/forward.ts";
import { tensorType } from "../tensor-type.ts";
import { isValue, type Operand, type Value } from "../value.ts";
import { grad } from "./grad.ts";
import { jvp } from "./jvp.ts";
import { dependsOnOutside, leaveLevel, runLevel } from "./trace.ts";
import { checkFloating } from "./tree.ts";
import { vjp } from "./vjp.ts";
import { vmap } from "./vmap.ts";

type F = (x: Value) => Value;

/**
 * The output of `f` at x, and its derivative there as a function of the tangent: f runs once, however many tangents
 * follow.
 *
 * @example
 * const [y, push] = linearize((x) => mul(x, x), value([1, 2]));
 * [y, push([1, 0]), push([0, 1])] // [[1, 4], [2, 0], [0, 4]]
 */
export function linearize(f: F, x: Operand): [output: Value, pushforward: (tangent: Operand) => Value] {
  const input = operand("linearize", x);
  checkFloating("linearize", [input]);
  const { leaves, result, floor } = runLevel([input], ([leaf]) => f(leaf as Value));
  if (!isValue(result)) {
    throw new ArgumentError({
      where: "linearize",
      expected: "f must return a value",
      received: describe(result),
    });
  }
  const push = (tangent: Operand): Value => {
    const t = operand("linearize", tangent);
    if (!sameShape(t.shape, input.shape)) {
      throw new ShapeError({
        where: "linearize",
        expected: `a tangent must have its primal's shape ${formatShape(input.shape)}`,
        received: formatShape(t.shape),
      });
    }
    return forwardSweep([result], leaves, [cast(t, input.dtype)], floor)[0] ?? zerosLike(result);
  };
  return [leaveLevel(result, dependsOnOutside([result], floor)), push];
}

/** Options of `jacobian`. */
export interface JacobianOptions {
  /** "forward" costs one pass an input element, "reverse" one an output element; by default the cheaper. */
  readonly mode?: "forward" | "reverse";
}

const JACOBIAN: OptionNames<JacobianOptions> = { mode: true };

/**
 * The Jacobian of a function of one value, as a function.
 *
 * Shape: f: s → r gives [...r, ...s]; entry [i, j] is ∂fᵢ/∂xⱼ. All passes run as one batch.
 *
 * @example
 * jacobian((x) => mul(x, x))(value([1, 2])) // [[2, 0], [0, 4]]
 */
export function jacobian(f: F, options: JacobianOptions = {}): (x: Operand) => Value {
  const { mode } = checkOptions("jacobian", options, JACOBIAN);
  return (x) => {
    const input = operand("jacobian", x);
    checkFloating("jacobian", [input]);
    const forward = (): Value => {
      const [y, push] = linearize(f, input);
      if (input.size === 0) return zerosOf(y, input);
      const map = vmap((t: Value) => push(reshape(t, input.shape)), { outAxes: y.rank });
      const columns = withRecording(state.recording && y.tracked, () => map(basis(input)));
      return reshape(columns, [...y.shape, ...input.shape]);
    };
    if (mode === "forward") return forward();
    const [y, pull] = vjp(f, input as never) as [Value, (dy: Value) => readonly Value[]];
    if (mode === undefined && input.size <= y.size) return forward();
    if (y.size === 0) return zerosOf(y, input);
    const map = vmap((dy: Value) => pull(reshape(dy, y.shape))[0] as Value);
    const rows = withRecording(state.recording && y.tracked, () => map(basis(y)));
    return reshape(rows, [...y.shape, ...input.shape]);
  };
}

function zerosOf(y: Value, x: Value): Value {
  return filled(tensorType([...y.shape, ...x.shape], y.dtype), 0);
}

/** The unit vectors of a value's space, one a row. */
function basis(x: Value): Value {
  const indices = Int32Array.from({ length: x.size }, (_, i) => i);
  return oneHot(indices, x.size, x.dtype);
}

/**
 * The Hessian of a scalar function of one value, as a function: forward over reverse.
 *
 * Shape: x of shape s → [...s, ...s].
 *
 * @example
 * hessian((x) => mul(x, mul(x, x)).sum())(value([1, 2])) // [[6, 0], [0, 12]]
 */
export function hessian(f: F): (x: Operand) => Value {
  return jacobian(grad(f as (x: Value) => Value) as F, { mode: "forward" });
}

/**
 * The product of a scalar function's Hessian with a vector, without the Hessian: forward over reverse.
 *
 * @example
 * hvp((x) => mul(x, mul(x, x)).sum(), [1, 2], [1, 1]) // [6, 12]
 */
export function hvp(f: F, x: Operand, v: Operand): Value {
  const gradient = grad(f as (x: Value) => Value) as F;
  return jvp(gradient, [operand("hvp", x)] as never, [operand("hvp", v)] as never)[1] as Value;
}
