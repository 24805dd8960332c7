/** Cholesky and QR factorisations. */

import { apply, type Draw, define, type Operation, operation } from "../../op.ts";
import type { TensorType } from "../../tensor-type.ts";
import type { Operand, Value } from "../../value.ts";
import { add, mul, sub } from "../elementwise.ts";
import { concat } from "../joining.ts";
import { matmul } from "../products.ts";
import { choleskyFactor, qrFactor } from "./factorisations.ts";
import {
  columns,
  identityLike,
  lowerPart,
  mapMatrices,
  matrix,
  matrixType,
  rows,
  sizesOf,
  squareMatrix,
  strictlyLowerPart,
  symmetric,
  symmetrise,
  transposed,
  upperPart,
} from "./matrices.ts";
import { oblong, regular, triangularSolve } from "./solve.ts";

/** The lower triangle with half of the diagonal. */
function halfLower(x: Value): Value {
  return mul(add(lowerPart(x), strictlyLowerPart(x)), 0.5);
}

const choleskyOperation: Operation<null> = /* @__PURE__ */ operation({
  name: "cholesky",
  infer: ([a]) => a as TensorType,
  evaluate: ([a], _, type) => mapMatrices(a as Value, type, (x, n) => choleskyFactor(symmetrise(x, n), n)),
  vjp: [
    (dy, { output: l }) => {
      const inner = halfLower(matmul(l, lowerPart(dy), { transposeA: true }));
      const onLeft = (x: Value) => triangularSolve(l, x, { lower: true, transposeA: true });
      return symmetric(onLeft(transposed(onLeft(inner))));
    },
  ],
  jvp: ([ta], { output: l }) => {
    const onLeft = (x: Value) => triangularSolve(l, x, { lower: true });
    return matmul(l, halfLower(onLeft(transposed(onLeft(symmetric(ta as Value))))));
  },
  batch: ([a]) => cholesky(a as Value),
});

/** Symmetric positive definite matrices but for what the laws move. */
function definite(draw: Draw, shape: readonly number[]): Value {
  const a = draw(shape, [-1, 1]);
  return add(matmul(a, a, { transposeB: true }), identityLike(a, shape.at(-1) as number));
}

/**
 * The Cholesky factor: the lower triangular l, positive on its diagonal, with a = l lᵀ.
 *
 * Shape: [..., n, n], unchanged. The symmetric part (a + aᵀ)/2 is what is factored.
 * Derivative: ā = the symmetric part of l⁻ᵀ Φ(lᵀ l̄) l⁻¹, Φ the lower triangle with half of the diagonal.
 * Domain: positive definite matrices; for others elements of the factor are NaN. Throws: ShapeError when not square.
 * Source: Golub & Van Loan (2013), §4.2; Murray, Differentiation of the Cholesky Decomposition (2016), §3.
 *
 * @example
 * cholesky([[4, 2], [2, 2]]) // [[2, 0], [1, 1]]
 */
export const cholesky = /* @__PURE__ */ define(
  {
    name: "cholesky",
    operation: choleskyOperation,
    samples: (draw) => [[definite(draw, [3, 3])], [definite(draw, [2, 2, 2])], [definite(draw, [1, 1])]],
  },
  (a: Operand): Value => apply(choleskyOperation, [squareMatrix("cholesky", a)], null),
);

/** Q above R. */
const qrOperation: Operation<null> = /* @__PURE__ */ operation({
  name: "qr",
  infer: ([a]) => {
    const [n, m] = sizesOf(a as TensorType);
    return matrixType(a as TensorType, n + m, m);
  },
  evaluate: ([a], _, type) => mapMatrices(a as Value, type, qrFactor),
  vjp: [
    (dy, { output }) => {
      const [q, r] = stackedParts(output);
      const [dq, dr] = stackedParts(dy);
      const m = sub(matmul(r, upperPart(dr), { transposeB: true }), matmul(dq, q, { transposeA: true }));
      const copied = add(lowerPart(m), transposed(strictlyLowerPart(m)));
      const left = add(dq, matmul(q, copied));
      return transposed(triangularSolve(r, transposed(left)));
    },
  ],
  jvp: ([ta], { output }) => {
    const [q, r] = stackedParts(output);
    const moved = transposed(triangularSolve(r, transposed(ta as Value), { transposeA: true }));
    const inner = matmul(q, moved, { transposeA: true });
    const below = strictlyLowerPart(inner);
    const turned = sub(inner, sub(below, transposed(below)));
    return concat([sub(moved, matmul(q, turned)), matmul(turned, r)], -2);
  },
  batch: ([a]) => apply(qrOperation, [a as Value], null),
});

/** The n × m part above the m × m one. */
function stackedParts(y: Value): [Value, Value] {
  const [height, m] = sizesOf(y);
  return [rows(y, 0, height - m), rows(y, height - m, height)];
}

/**
 * The reduced QR factorisation: q has orthonormal columns, r is upper triangular, a = q r.
 *
 * Shape: [..., n, m] → { q [..., n, k], r [..., k, m] }, k the smaller of n and m. Signs are LAPACK's and NumPy's: a diagonal
 * element of r has the sign opposite to the one it is reflected from, so it may be negative.
 * Derivative: with M = r r̄ᵀ − q̄ᵀq, ā = (q̄ + q·copyltu(M)) r⁻ᵀ; where m > n, that of the first n columns and of
 * r₂ = qᵀa₂. Infinite or NaN where the first k columns are dependent. Throws: ShapeError for a scalar or vector.
 * Source: Golub & Van Loan (2013), §5.2; Walter & Lehmann, Algorithmic Differentiation of Linear Algebra Functions (2010),
 * §3.2.
 *
 * @example
 * qr([[3, 1], [4, 2]]).r // ~[[-5, -2.2], [0, 0.4]]
 */
export const qr = /* @__PURE__ */ define(
  {
    name: "qr",
    operation: qrOperation,
    samples: (draw) => [[regular(draw, [3, 3])], ...oblong(draw), [regular(draw, [1, 1])]],
  },
  (a: Operand): { q: Value; r: Value } => {
    const input = matrix("qr", a);
    const [n, m] = sizesOf(input);
    const [q, r] = stackedParts(apply(qrOperation, [n < m ? columns(input, 0, n) : input], null));
    if (n >= m) return { q, r };
    return { q, r: concat([r, matmul(q, columns(input, n, m), { transposeA: true })], -1) };
  },
);
