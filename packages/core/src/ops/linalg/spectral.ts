/** Eigenvalues, eigenvectors and singular values. */

import { ArgumentError } from "../../errors.ts";
import { apply, define, type Operation, operation } from "../../op.ts";
import type { TensorType } from "../../tensor-type.ts";
import type { Operand, Value } from "../../value.ts";
import { add, div, eq, mul, sub, where } from "../elementwise.ts";
import { concat } from "../joining.ts";
import { expandDims } from "../movement.ts";
import { matmul } from "../products.ts";
import { sum } from "../reduction.ts";
import { slice } from "../slicing.ts";
import {
  diagonalMatrix,
  diagonalOf,
  leading,
  mapMatrices,
  matrix,
  matrixType,
  rows,
  sizesOf,
  squareMatrix,
  symmetric,
  symmetrise,
  transposed,
} from "./matrices.ts";
import { regular, solve } from "./solve.ts";
import { realEigen, singularValues, symmetricEigen } from "./spectra.ts";

/** Eigenvalues above eigenvectors. */
function eigenType([a]: readonly TensorType[]): TensorType {
  const n = sizesOf(a as TensorType)[0];
  return matrixType(a as TensorType, n + 1, n);
}

/** The row at a place of each matrix. */
function rowAt(y: Value, place: number): Value {
  return slice(y, ...leading(y), place);
}

/** What `eigenType` packs, apart. */
function eigenParts(y: Value): [values: Value, vectors: Value] {
  return [rowAt(y, 0), rows(y, 1, y.shape.at(-2) as number)];
}

function withRow(row: Value, below: Value): Value {
  return concat([expandDims(row, -2), below], -2);
}

/** 1/x, and 0 at 0. */
function reciprocal(x: Value): Value {
  const zero = eq(x, 0);
  return where(zero, 0, div(1, where(zero, 1, x)));
}

/** 1/(w_j − w_i), and 0 where the two are equal. */
function reciprocalGaps(w: Value): Value {
  return reciprocal(sub(expandDims(w, -2), expandDims(w, -1)));
}

const eighOperation: Operation<null> = /* @__PURE__ */ operation({
  name: "eigh",
  infer: eigenType,
  evaluate: ([a], _, type) => mapMatrices(a as Value, type, (x, n) => symmetricEigen(symmetrise(x, n), n)),
  vjp: [
    (dy, { output }) => {
      const [w, v] = eigenParts(output);
      const [dw, dv] = eigenParts(dy);
      const turned = mul(reciprocalGaps(w), matmul(v, dv, { transposeA: true }));
      const inner = add(diagonalMatrix(dw), turned);
      return symmetric(matmul(matmul(v, inner), v, { transposeB: true }));
    },
  ],
  jvp: ([ta], { output }) => {
    const [w, v] = eigenParts(output);
    const inner = matmul(matmul(v, symmetric(ta as Value), { transposeA: true }), v);
    return withRow(diagonalOf(inner), matmul(v, mul(reciprocalGaps(w), inner)));
  },
  batch: ([a]) => apply(eighOperation, [a as Value], null),
});

/**
 * Eigenvalues and eigenvectors of symmetric matrices.
 *
 * Shape: [..., n, n] → { eigenvalues [..., n] ascending, eigenvectors [..., n, n] }, one eigenvector a column, orthonormal;
 * the first of its largest elements is positive. The symmetric part (a + aᵀ)/2 is what is decomposed.
 * Derivative: ā = v (diag(w̄) + F∘(vᵀv̄)) vᵀ, F_ij = 1/(w_j − w_i). Where eigenvalues are equal to the last bit F is 0:
 * right for functions of the eigenvalues' sum or of the space that their vectors span, and no derivative exists of
 * others; where they nearly coincide the vectors' derivatives are large. Higher derivatives of repeated eigenvalues leave
 * the coupling within their space out.
 * Throws: ShapeError when not square.
 * Source: Golub & Van Loan (2013), §8.5; Giles (2008), §3.1.
 *
 * @example
 * eigh([[2, 1], [1, 2]]).eigenvalues // ~[1, 3]
 */
export const eigh = /* @__PURE__ */ define(
  {
    name: "eigh",
    operation: eighOperation,
    samples: (draw) => [
      [
        add(draw([3, 3], [-0.5, 0.5]), [
          [1, 0, 0],
          [0, 3, 0],
          [0, 0, 6],
        ]),
      ],
      [
        add(draw([2, 2, 2], [-0.5, 0.5]), [
          [4, 0],
          [0, 1],
        ]),
      ],
      [draw([1, 1])],
    ],
  },
  (a: Operand): { eigenvalues: Value; eigenvectors: Value } => {
    const [eigenvalues, eigenvectors] = eigenParts(apply(eighOperation, [squareMatrix("eigh", a)], null));
    return { eigenvalues, eigenvectors };
  },
);

const eigOperation: Operation<null> = /* @__PURE__ */ operation({
  name: "eig",
  infer: eigenType,
  evaluate: ([a], _, type) =>
    mapMatrices(a as Value, type, (x, n) => {
      const y = realEigen(x, n);
      if (y !== null) return y;
      throw new ArgumentError({
        where: "eig",
        expected: "all eigenvalues must be real",
        received: "a matrix with complex ones",
        advice: "Only real spectra are supported; symmetric matrices always have one (eigh).",
      });
    }),
  vjp: [
    (dy, { output }) => {
      const [w, v] = eigenParts(output);
      const [dw, dv] = eigenParts(dy);
      const turned = mul(reciprocalGaps(w), matmul(v, acrossColumns(v, dv), { transposeA: true }));
      return solve(transposed(v), matmul(add(diagonalMatrix(dw), turned), v, { transposeB: true }));
    },
  ],
  jvp: ([ta], { output }) => {
    const [w, v] = eigenParts(output);
    const inner = solve(v, matmul(ta as Value, v));
    return withRow(diagonalOf(inner), acrossColumns(v, matmul(v, mul(reciprocalGaps(w), inner))));
  },
  batch: ([a]) => apply(eigOperation, [a as Value], null),
});

/** The part of each column of x that is orthogonal to the unit vector in that column of v. */
function acrossColumns(v: Value, x: Value): Value {
  return sub(x, mul(v, sum(mul(v, x), -2, { keepDims: true })));
}

/**
 * Eigenvalues and eigenvectors of matrices whose eigenvalues are all real.
 *
 * Shape: [..., n, n] → { eigenvalues [..., n] ascending, eigenvectors [..., n, n] }, one eigenvector a column, of length 1; the
 * first of its largest elements is positive.
 * Derivative: ẇ = diag(v⁻¹ȧv); the vectors keep their length. Repeated eigenvalues as in `eigh`; infinite or NaN for
 * matrices without a basis of eigenvectors.
 * Throws: ShapeError when not square; ArgumentError where an eigenvalue is not real.
 * Source: Golub & Van Loan (2013), §7.4 and §7.5; Giles (2008), §3.1.
 *
 * @example
 * eig([[2, 1], [0, 3]]).eigenvalues // [2, 3]
 */
export const eig = /* @__PURE__ */ define(
  {
    name: "eig",
    operation: eigOperation,
    // Real spectra in whatever order the elements are: the laws for batches turn them.
    samples: (draw) => [
      [
        add(draw([3, 3], [-0.2, 0.2]), [
          [5, 2, 0],
          [5, 1, 3],
          [4, 5, -1],
        ]),
      ],
      [draw([2, 2, 2], [0.5, 2])],
      [draw([1, 1])],
    ],
  },
  (a: Operand): { eigenvalues: Value; eigenvectors: Value } => {
    const [eigenvalues, eigenvectors] = eigenParts(apply(eigOperation, [squareMatrix("eig", a)], null));
    return { eigenvalues, eigenvectors };
  },
);

/** U, the singular values and Vᵀ below each other; of matrices with at least as many rows as columns. */
const svdOperation: Operation<null> = /* @__PURE__ */ operation({
  name: "svd",
  infer: ([a]) => {
    const [n, m] = sizesOf(a as TensorType);
    return matrixType(a as TensorType, n + 1 + m, m);
  },
  evaluate: ([a], _, type) => mapMatrices(a as Value, type, singularValues),
  vjp: [
    (dy, { output }) => {
      const { u, s, vt } = svdParts(output);
      const { u: du, s: ds, vt: dvt } = svdParts(dy);
      const [row, column] = [expandDims(s, -2), expandDims(s, -1)];
      const gaps = squareGaps(s);
      const left = matmul(u, du, { transposeA: true });
      const right = matmul(vt, dvt, { transposeB: true });
      const inner = add(
        diagonalMatrix(ds),
        add(
          mul(mul(gaps, sub(left, transposed(left))), row),
          mul(column, mul(gaps, sub(right, transposed(right)))),
        ),
      );
      const outside = mul(sub(du, matmul(u, left)), reciprocal(row));
      return matmul(add(matmul(u, inner), outside), vt);
    },
  ],
  jvp: ([ta], { output }) => {
    const { u, s, vt } = svdParts(output);
    const [row, column] = [expandDims(s, -2), expandDims(s, -1)];
    const gaps = squareGaps(s);
    const tv = matmul(ta as Value, vt, { transposeB: true });
    const p = matmul(u, tv, { transposeA: true });
    const pt = transposed(p);
    const du = matmul(u, mul(gaps, add(mul(p, row), mul(column, pt))));
    const outside = mul(sub(tv, matmul(u, p)), reciprocal(row));
    const dv = mul(gaps, add(mul(column, p), mul(pt, row)));
    const below = matmul(dv, vt, { transposeA: true });
    return concat([add(du, outside), expandDims(diagonalOf(p), -2), below], -2);
  },
  batch: ([a]) => apply(svdOperation, [a as Value], null),
});

/** 1/(s_j² − s_i²), and 0 where the two are equal. */
function squareGaps(s: Value): Value {
  const [row, column] = [expandDims(s, -2), expandDims(s, -1)];
  return reciprocal(mul(sub(row, column), add(row, column)));
}

function svdParts(y: Value): { u: Value; s: Value; vt: Value } {
  const [height, m] = sizesOf(y);
  const n = height - 1 - m;
  return { u: rows(y, 0, n), s: rowAt(y, n), vt: rows(y, n + 1, height) };
}

/**
 * The reduced singular value decomposition a = u diag(s) vh.
 *
 * Shape: [..., n, m] → { u [..., n, k], s [..., k] descending, vh [..., k, m] }, k the smaller of n and m (NumPy's
 * `full_matrices=False`). Signs: the first largest element of each row of vh is positive, of each column of u where m > n.
 * Derivative: of s uᵀȧv; of the vectors through 1/(s_j² − s_i²), taken as 0 where two are equal to the last bit, and 1/s, taken
 * as 0 at 0: conventions under which functions that do not depend on the choice of vectors have their derivatives.
 * Throws: ShapeError for a scalar or vector.
 * Source: Golub & Van Loan (2013), §8.6.3; Townsend, Differentiating the Singular Value Decomposition (2016).
 *
 * @example
 * svd([[3, 0], [4, 5]]).s // ~[6.708203932499369, 2.23606797749979]
 */
export const svd = /* @__PURE__ */ define(
  {
    name: "svd",
    operation: svdOperation,
    samples: (draw) => [
      [
        add(draw([3, 3], [-0.4, 0.4]), [
          [5, 0, 0],
          [0, 3, 0],
          [0, 0, 1],
        ]),
      ],
      [
        add(draw([2, 3, 2], [-0.4, 0.4]), [
          [1, 0],
          [0, 3],
          [0, 0],
        ]),
      ],
      [
        add(draw([2, 3], [-0.4, 0.4]), [
          [1, 0, 0],
          [0, 3, 0],
        ]),
      ],
      [regular(draw, [1, 1])],
    ],
  },
  (a: Operand): { u: Value; s: Value; vh: Value } => {
    const input = matrix("svd", a);
    const [n, m] = sizesOf(input);
    const { u, s, vt } = svdParts(apply(svdOperation, [n < m ? transposed(input) : input], null));
    return n < m ? { u: transposed(vt), s, vh: transposed(u) } : { u, s, vh: vt };
  },
);
