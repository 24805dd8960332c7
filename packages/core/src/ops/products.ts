/** Matrix products. */

import type { Matrix } from "../dense.ts";
import { allocate, commonDType } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { gemm } from "../gemm.ts";
import { broadcastStrides, stridedLoops } from "../loops.ts";
import { apply, define, type Operation, operands, operation } from "../op.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { broadcastShapes, formatShape, type Shape } from "../shape.ts";
import { type TensorType, tensorType } from "../tensor-type.ts";
import type { Operand, Value } from "../value.ts";
import { add } from "./elementwise.ts";
import { alignBatch, reshape } from "./movement.ts";

/** Whether each operand's last two axes are read in the other order. */
interface Orientation {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Rows and columns of an operand as the product reads it. */
function matrixSizes(shape: Shape, transposed: boolean): [rows: number, columns: number] {
  const rows = shape.at(-2) as number;
  const columns = shape.at(-1) as number;
  return transposed ? [columns, rows] : [rows, columns];
}

const matmulOperation: Operation<Orientation> = /* @__PURE__ */ operation({
  name: "matmul",
  lowering: ({ transposeA, transposeB }) => ({ kind: "product", transposeA, transposeB }),
  spread: ([a, b], { transposeA, transposeB }, type) => {
    const left = a as Value;
    const right = b as Value;
    const [n, k] = matrixSizes(left.shape, transposeA);
    const m = type.shape.at(-1) as number;
    const toLeft: number[] = [];
    const toRight: number[] = [];
    forEachPair(type.shape.slice(0, -2), left.shape, right.shape, (batch, startA, startB) => {
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < m; j++) {
          const o = (batch * n + i) * m + j;
          for (let l = 0; l < k; l++) {
            toLeft.push(o, startA + (transposeA ? l * n + i : i * k + l));
            toRight.push(o, startB + (transposeB ? j * k + l : l * m + j));
          }
        }
      }
    });
    return [Int32Array.from(toLeft), Int32Array.from(toRight)];
  },
  infer: ([a, b], { transposeA, transposeB }) => {
    const left = a as TensorType;
    const right = b as TensorType;
    const [n, k] = matrixSizes(left.shape, transposeA);
    const [k2, m] = matrixSizes(right.shape, transposeB);
    if (k !== k2) {
      throw new ShapeError({
        where: "matmul",
        expected: "inner sizes must match",
        received: `${k} and ${k2} (a ${formatShape(left.shape)}, b ${formatShape(right.shape)})`,
        advice: "Transpose or reshape one operand.",
      });
    }
    const batch = broadcastShapes("matmul", [left.shape.slice(0, -2), right.shape.slice(0, -2)]);
    const dtype = commonDType([left, right]);
    return tensorType([...batch, n, m], dtype === "bool" ? "int32" : dtype);
  },
  evaluate: ([a, b], { transposeA, transposeB }, type) => {
    const left = a as Value;
    const right = b as Value;
    const out = allocate(type.dtype, type.size);
    const [n, k] = matrixSizes(left.shape, transposeA);
    const m = type.shape.at(-1) as number;
    const matrixOf = (x: Value, transposed: boolean, start: number): Matrix => {
      const width = x.shape.at(-1) as number;
      return { data: x.data, start, row: transposed ? 1 : width, column: transposed ? width : 1 };
    };
    forEachPair(type.shape.slice(0, -2), left.shape, right.shape, (i, startA, startB) => {
      gemm(n, m, k, matrixOf(left, transposeA, startA), matrixOf(right, transposeB, startB), out, i * n * m);
    });
    return out;
  },
  vjp: [
    (dy, { inputs: [, b], attributes: { transposeA, transposeB } }) =>
      transposeA ? product(b as Value, dy, transposeB, true) : product(dy, b as Value, false, !transposeB),
    (dy, { inputs: [a], attributes: { transposeA, transposeB } }) =>
      transposeB ? product(dy, a as Value, true, transposeA) : product(a as Value, dy, !transposeA, false),
  ],
  jvp: ([ta, tb], { inputs: [a, b], attributes: { transposeA, transposeB } }) => {
    const left = ta ? product(ta, b as Value, transposeA, transposeB) : null;
    const right = tb ? product(a as Value, tb, transposeA, transposeB) : null;
    return left && right ? add(left, right) : (left ?? right);
  },
  batch: (inputs, batched, { transposeA, transposeB }) => {
    const rank = Math.max(...inputs.map((x, i) => x.rank - (batched[i] ? 1 : 0)));
    const [a, b] = inputs.map((x, i) => (batched[i] ? alignBatch(x, rank) : x)) as [Value, Value];
    return product(a, b, transposeA, transposeB);
  },
});

function product(a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value {
  return apply(matmulOperation, [a, b], { transposeA, transposeB });
}

/** Visits the pairs of matrices of two broadcast batches, with where each begins. */
function forEachPair(
  batch: Shape,
  a: Shape,
  b: Shape,
  visit: (index: number, startA: number, startB: number) => void,
): void {
  const stridesOfBatch = (shape: Shape) => {
    const matrix = (shape.at(-2) as number) * (shape.at(-1) as number);
    return broadcastStrides(shape.slice(0, -2), batch).map((stride) => stride * matrix);
  };
  const { outer, inner, outerStrides, innerStrides, runs, starts } = stridedLoops(batch, [
    stridesOfBatch(a),
    stridesOfBatch(b),
  ]);
  let index = 0;
  for (let run = 0; run < runs; run++) {
    for (let j = 0; j < outer; j++) {
      for (let i = 0; i < inner; i++) {
        const at = (k: 0 | 1) =>
          (starts[k]?.[run] as number) + j * (outerStrides[k] as number) + i * (innerStrides[k] as number);
        visit(index++, at(0), at(1));
      }
    }
  }
}

/** Options of a product. */
export interface MatmulOptions {
  /** Read a's last two axes in the other order. */
  readonly transposeA?: boolean;
  /** Read b's last two axes in the other order. */
  readonly transposeB?: boolean;
}

const MATMUL: OptionNames<MatmulOptions> = { transposeA: true, transposeB: true };

/**
 * Matrix product.
 *
 * Shape: a [..., n, k], b [..., k, m] → [..., n, m]; leading axes broadcast. A vector a is a row and a vector b a
 * column whose axis goes from the result, as in NumPy; two vectors give a scalar.
 * Derivative: ā = ȳ bᵀ, b̄ = aᵀ ȳ, without a transpose in memory. Sums are float64, but for those of a
 * library (`useDense`).
 * Domain: all reals. NaN and ±Infinity follow IEEE 754.
 * Throws: ShapeError when the inner sizes differ, or an operand is a scalar.
 * Source: Giles, Collected Matrix Derivative Results for Forward and Reverse Mode AD (2008), §2.2.2.
 *
 * @example
 * matmul([[1, 2]], [[3], [4]]) // [[11]]
 */
export const matmul = /* @__PURE__ */ define(
  {
    name: "matmul",
    operation: matmulOperation,
    samples: (draw) => [
      [draw([2, 3]), draw([3, 4])],
      [draw([3, 2]), draw([4, 3]), { transposeA: true, transposeB: true }],
      [draw([2, 3]), draw([4, 3]), { transposeB: true }],
      [draw([3]), draw([3])],
      [draw([2, 3]), draw([3])],
      [draw([3]), draw([2, 3, 2])],
      [draw([2, 1, 2, 3]), draw([3, 3, 2])],
      [draw([2, 0]), draw([0, 3])],
      [draw([1, 1]), draw([5, 1, 2])],
    ],
  },
  (a: Operand, b: Operand, options: MatmulOptions = {}): Value => {
    const [left, right] = operands("matmul", [a, b]) as [Value, Value];
    for (const [name, x] of [
      ["a", left],
      ["b", right],
    ] as const) {
      if (x.rank === 0) {
        throw new ShapeError({
          where: "matmul",
          expected: "operands must be vectors or matrices",
          received: `a scalar ${name}`,
          advice: "Use mul for products with a scalar.",
        });
      }
    }
    const { transposeA = false, transposeB = false } = checkOptions("matmul", options, MATMUL);
    const row = left.rank === 1;
    const column = right.rank === 1;
    const y = product(
      row ? reshape(left, [1, left.size]) : left,
      column ? reshape(right, [right.size, 1]) : right,
      transposeA && !row,
      transposeB && !column,
    );
    if (!row && !column) return y;
    const batch = y.shape.slice(0, -2);
    const [n, m] = y.shape.slice(-2) as [number, number];
    return reshape(y, [...batch, ...(row ? [] : [n]), ...(column ? [] : [m])]);
  },
);
