/** Powers and exponentials of matrices. */

import { ArgumentError, describe } from "../../errors.ts";
import { apply, type Draw, define, type Operation, operation } from "../../op.ts";
import type { TensorType } from "../../tensor-type.ts";
import type { Operand, Value } from "../../value.ts";
import { concat } from "../joining.ts";
import { broadcastTo, cast } from "../movement.ts";
import { matmul } from "../products.ts";
import { columns, identityLike, mapMatrices, rows, squareMatrix, transposed } from "./matrices.ts";
import { inverse, regular } from "./solve.ts";
import { matrixExponential } from "./spectra.ts";

/**
 * A square matrix times itself, `exponent` times; the inverse's power where negative, the identity for 0.
 *
 * Shape: [..., n, n], unchanged. Derivative: of the products, about 2 log₂ of the exponent of them.
 * Throws: ShapeError when not square, ArgumentError for an exponent that is not whole.
 *
 * @example
 * matrixPower([[1, 1], [0, 1]], 5) // [[1, 5], [0, 1]]
 */
export const matrixPower = /* @__PURE__ */ define(
  {
    name: "matrixPower",
    operation: null,
    samples: (draw) => [
      [draw([3, 3]), 3],
      [draw([2, 2, 2]), 4],
      [regular(draw, [2, 2]), -2],
      [draw([2, 2]), 1],
    ],
  },
  (a: Operand, exponent: number): Value => {
    const input = squareMatrix("matrixPower", a);
    if (!Number.isInteger(exponent)) {
      throw new ArgumentError({
        where: "matrixPower",
        expected: "exponent must be a whole number",
        received: describe(exponent),
      });
    }
    let square = exponent < 0 ? inverse(input) : input;
    let power: Value | null = null;
    for (let rest = Math.abs(exponent); rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) power = power === null ? square : matmul(power, square);
      if (rest > 1) square = matmul(square, square);
    }
    return power ?? broadcastTo(identityLike(input, input.shape.at(-1) as number), input.shape);
  },
);

const expmOperation: Operation<null> = /* @__PURE__ */ operation({
  name: "expm",
  infer: ([a]) => a as TensorType,
  evaluate: ([a], _, type) => mapMatrices(a as Value, type, matrixExponential),
  vjp: [(dy, { inputs: [a] }) => expmChange(transposed(a as Value), dy)],
  jvp: ([ta], { inputs: [a] }) => expmChange(a as Value, ta as Value),
  batch: ([a]) => expm(a as Value),
});

/** How expm(a) changes along t: the upper right block of the exponential of [[a, t], [0, a]]. */
function expmChange(a: Value, t: Value): Value {
  const n = a.shape.at(-1) as number;
  const zeros = broadcastTo(cast(0, a.dtype), a.shape);
  const blocks = concat([concat([a, t], -1), concat([zeros, a], -1)], -2);
  return columns(rows(expm(blocks), 0, n), n, 2 * n);
}

function expmSamples(draw: Draw) {
  return [[draw([3, 3])], [draw([2, 2, 2])], [draw([1, 1])], [draw([2, 2], [-9, 9])]];
}

/**
 * The exponential Σ aᵏ/k! of square matrices. `exp` is that of each element.
 *
 * Shape: [..., n, n], unchanged. Derivative: along t the upper right block of expm([[a, t], [0, a]]); ā is that for aᵀ along ȳ.
 * Domain: finite elements; others make every element NaN. Throws: ShapeError when not square.
 * Source: Higham, The Scaling and Squaring Method for the Matrix Exponential Revisited (2005); Al-Mohy & Higham, Computing the
 * Fréchet Derivative of the Matrix Exponential (2009), (1.3).
 *
 * @example
 * expm([[0, 1], [0, 0]]) // [[1, 1], [0, 1]]
 */
export const expm = /* @__PURE__ */ define(
  { name: "expm", operation: expmOperation, samples: expmSamples },
  (a: Operand): Value => apply(expmOperation, [squareMatrix("expm", a)], null),
);
