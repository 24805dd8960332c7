/** Norms and condition numbers of matrices. */

import { ArgumentError } from "../../errors.ts";
import { define } from "../../op.ts";
import type { Operand, Value } from "../../value.ts";
import { abs, div, eq, mul, sqrt, square, where } from "../elementwise.ts";
import { max, min, sum } from "../reduction.ts";
import { matrix, squareMatrix } from "./matrices.ts";
import { inverse, regular } from "./solve.ts";
import { svd } from "./spectral.ts";

/**
 * Which norm: "fro" the root of the sum of squares, "nuc" the sum of singular values, 2 and −2 the largest and smallest of them,
 * 1 and −1 the largest and smallest sum of a column's sizes, Infinity and −Infinity the same of rows.
 */
export type MatrixNormOrder = "fro" | "nuc" | number;

/**
 * A norm of matrices, by default Frobenius'.
 *
 * Shape: [..., n, m] → [...]; of an empty matrix 0. Derivative: of what it is made of; extremes share among ties; at 0
 * Frobenius' is 0.
 * Throws: ShapeError for a scalar or vector, ArgumentError for another order.
 *
 * @example
 * matrixNorm([[3, 0], [0, 4]]) // 5
 */
export const matrixNorm = /* @__PURE__ */ define(
  {
    name: "matrixNorm",
    operation: null,
    samples: (draw) => [
      [draw([2, 3])],
      ...(["nuc", 1, -1, 2, -2, Infinity, -Infinity] as const).map((order) => [
        regular(draw, [2, 3, 3]),
        order,
      ]),
    ],
  },
  (a: Operand, order: MatrixNormOrder = "fro"): Value => {
    const x = matrix("matrixNorm", a);
    if (order === "fro") {
      const total = sum(square(x), [-2, -1]);
      const zero = eq(total, 0);
      return where(zero, 0, sqrt(where(zero, 1, total)));
    }
    if (order === "nuc") return sum(svd(x).s, -1);
    const extreme = order < 0 ? min : x.size === 0 ? sum : max;
    if (Math.abs(order) === 2) return extreme(svd(x).s, -1);
    if (Math.abs(order) === 1) return extreme(sum(abs(x), -2), -1);
    if (Math.abs(order) === Infinity) return extreme(sum(abs(x), -1), -1);
    throw new ArgumentError({
      where: "matrixNorm",
      expected: 'order must be "fro", "nuc", 1, 2, Infinity or their negatives',
      received: String(order),
    });
  },
);

/**
 * The condition number of matrices, NumPy's `cond`: how much `solve` magnifies relative errors. A singular one's is Infinity.
 *
 * Shape: [..., n, m] → [...]. With order 2 (the default) the largest singular value over the smallest, −2 its inverse; with others the norm
 * times that of the inverse, for square matrices. Derivative: of these.
 * Throws: as `matrixNorm`.
 *
 * @example
 * conditionNumber([[2, 0], [0, 1]]) // 2
 */
export const conditionNumber = /* @__PURE__ */ define(
  {
    name: "conditionNumber",
    operation: null,
    samples: (draw) => [
      [regular(draw, [3, 3])],
      [regular(draw, [2, 2, 2]), "fro"],
      [regular(draw, [2, 2]), -2],
    ],
  },
  (a: Operand, order: MatrixNormOrder = 2): Value => {
    if (order === 2 || order === -2) {
      const { s } = svd(matrix("conditionNumber", a));
      const ratio = div(max(s, -1), min(s, -1));
      return order === 2 ? ratio : div(1, ratio);
    }
    const x = squareMatrix("conditionNumber", a);
    return mul(matrixNorm(x, order), matrixNorm(inverse(x), order));
  },
);
