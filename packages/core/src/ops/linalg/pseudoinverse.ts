/** Least squares: the pseudoinverse, and solutions made with it. */

import { ShapeError } from "../../errors.ts";
import { apply, define, type Operation, operation } from "../../op.ts";
import { checkOptions, type OptionNames } from "../../options.ts";
import { formatShape } from "../../shape.ts";
import type { TensorType } from "../../tensor-type.ts";
import type { Operand, Value } from "../../value.ts";
import { add, sub } from "../elementwise.ts";
import { matmul } from "../products.ts";
import { identityLike, mapMatrices, matrix, matrixType, sizesOf, system } from "./matrices.ts";
import { oblong, regular } from "./solve.ts";
import { singularValues } from "./spectra.ts";

/** Options of `pinv` and `lstsq`. */
export interface PseudoinverseOptions {
  /**
   * Singular values at most this times the largest count as 0. By default the larger number of rows and columns times the
   * distance from 1 to the next number of the dtype.
   */
  readonly rcond?: number;
}

const PSEUDOINVERSE: OptionNames<PseudoinverseOptions> = { rcond: true };

const pinvOperation: Operation<{ readonly rcond: number }> = /* @__PURE__ */ operation({
  name: "pinv",
  infer: ([a]) => {
    const [n, m] = sizesOf(a as TensorType);
    return matrixType(a as TensorType, m, n);
  },
  evaluate: ([a], { rcond }, type) =>
    mapMatrices(a as Value, type, (x, n, m) =>
      n < m ? flip(pseudoinverse(flip(x, n, m), m, n, rcond), n, m) : pseudoinverse(x, n, m, rcond),
    ),
  vjp: [
    (dy, { inputs: [a], output: y }) => {
      const { left, right } = complements(a as Value, y);
      const first = matmul(matmul(y, dy, { transposeA: true }), y, { transposeB: true });
      const second = matmul(matmul(left, dy, { transposeB: true }), matmul(y, y, { transposeB: true }));
      const third = matmul(matmul(y, matmul(y, dy, { transposeB: true }), { transposeA: true }), right);
      return sub(add(second, third), first);
    },
  ],
  jvp: (tangents, { inputs: [a], output: y }) => {
    const [ta] = tangents as [Value];
    const { left, right } = complements(a as Value, y);
    const first = matmul(matmul(y, ta), y);
    const second = matmul(matmul(matmul(y, y, { transposeB: true }), ta, { transposeB: true }), left);
    const third = matmul(matmul(right, ta, { transposeB: true }), matmul(y, y, { transposeA: true }));
    return sub(add(second, third), first);
  },
  batch: ([a], _, attributes) => apply(pinvOperation, [a as Value], attributes),
});

/** The projections onto what a does not reach and onto what it takes to 0: I − a a⁺ and I − a⁺ a. */
function complements(a: Value, y: Value): { left: Value; right: Value } {
  const [n, m] = sizesOf(a);
  return { left: sub(identityLike(a, n), matmul(a, y)), right: sub(identityLike(a, m), matmul(y, a)) };
}

/** The transpose of an n × m matrix. */
function flip(x: Float64Array, n: number, m: number): Float64Array {
  return x.map((_, o) => x[(o % n) * m + Math.floor(o / n)] as number);
}

function pseudoinverse(x: Float64Array, n: number, m: number, rcond: number): Float64Array {
  const f = singularValues(x, n, m);
  const out = new Float64Array(m * n);
  const largest = f[n * m] ?? 0;
  for (let k = 0; k < m; k++) {
    const s = f[n * m + k] as number;
    // Not "s <= …", so that NaN stays.
    if (largest === 0 || s <= rcond * largest) continue;
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++)
        out[i * n + j] =
          (out[i * n + j] as number) + ((f[(n + 1 + k) * m + i] as number) / s) * (f[j * m + k] as number);
  }
  return out;
}

function relativeCondition(a: Value, { rcond }: PseudoinverseOptions): { rcond: number } {
  return { rcond: rcond ?? Math.max(...sizesOf(a)) * (a.dtype === "float32" ? 2 ** -23 : 2 ** -52) };
}

/**
 * The Moore–Penrose pseudoinverse, by singular values.
 *
 * Shape: [..., n, m] → [..., m, n]. Derivative: ẏ = −yȧy + yyᵀȧᵀ(I − ay) + (I − ya)ȧᵀyᵀy, which holds where the rank does not
 * change nearby. Throws: ShapeError for a scalar or vector.
 * Source: Golub & Pereyra, The Differentiation of Pseudo-Inverses and Nonlinear Least Squares Problems Whose Variables
 * Separate (1973), theorem 4.3.
 *
 * @example
 * pinv([[2, 0], [0, 0]]) // [[0.5, 0], [0, 0]]
 */
export const pinv = /* @__PURE__ */ define(
  {
    name: "pinv",
    operation: pinvOperation,
    samples: (draw) => [[regular(draw, [3, 3])], ...oblong(draw)],
  },
  (a: Operand, options: PseudoinverseOptions = {}): Value => {
    checkOptions("pinv", options, PSEUDOINVERSE);
    const input = matrix("pinv", a);
    return apply(pinvOperation, [input], relativeCondition(input, options));
  },
);

/**
 * The x that makes |a x − b| smallest, and of all such x the shortest.
 *
 * Shape: a [..., n, m], b [..., n, k] → [..., m, k]; a vector b gives a vector. Derivative: of pinv(a) b.
 * Throws: ShapeError when a and b differ in rows.
 *
 * @example
 * lstsq([[1, 0], [1, 1], [1, 2]], [1, 3, 5]) // ~[1, 2]
 */
export const lstsq = /* @__PURE__ */ define(
  {
    name: "lstsq",
    operation: null,
    samples: (draw) => [
      [
        add(draw([3, 2]), [
          [3, 0],
          [0, 3],
          [0, 0],
        ]),
        draw([3]),
      ],
      [
        add(draw([2, 3]), [
          [3, 0, 0],
          [0, 3, 0],
        ]),
        draw([2, 2, 1]),
      ],
    ],
  },
  (a: Operand, b: Operand, options: PseudoinverseOptions = {}): Value => {
    checkOptions("lstsq", options, PSEUDOINVERSE);
    const [left, right] = system("lstsq", a, b);
    const rows = right.rank === 0 ? 0 : right.shape.at(right.rank === 1 ? 0 : -2);
    if (right.rank === 0 || rows !== left.shape.at(-2)) {
      throw new ShapeError({
        where: "lstsq",
        expected: "a and b must have the same number of rows",
        received: `a ${formatShape(left.shape)}, b ${formatShape(right.shape)}`,
      });
    }
    return matmul(pinv(left, options), right);
  },
);
