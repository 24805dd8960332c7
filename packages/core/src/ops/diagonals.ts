/** Diagonals and triangles of matrices. */

import { ArgumentError, describe, ShapeError } from "../errors.ts";
import { define, filled, operand } from "../op.ts";
import { formatShape, normalizeAxis } from "../shape.ts";
import { tensorType } from "../tensor-type.ts";
import { constant, type Operand, type Value } from "../value.ts";
import { moveAxis } from "./arrangement.ts";
import { where } from "./elementwise.ts";
import { reshape } from "./movement.ts";
import { sum } from "./reduction.ts";
import { indexUpdate } from "./scatter.ts";
import { type Range, slice } from "./slicing.ts";

function checkOffset(call: string, offset: number): void {
  if (Number.isInteger(offset)) return;
  throw new ArgumentError({
    where: call,
    expected: "offset must be a whole number",
    received: describe(offset),
  });
}

/** Where a diagonal of a row-major matrix lies: the first place, the step, and the number of elements. */
function diagonalRange(rows: number, columns: number, offset: number): Range {
  const count = Math.max(0, Math.min(rows + Math.min(offset, 0), columns - Math.max(offset, 0)));
  const start = offset < 0 ? -offset * columns : offset;
  return count === 0 ? [0, 0] : [start, start + (count - 1) * (columns + 1) + 1, columns + 1];
}

/** The last two axes' sizes. */
function matrixOf(call: string, x: Value): [rows: number, columns: number] {
  if (x.rank < 2) {
    throw new ShapeError({
      where: call,
      expected: "a matrix, or a batch of them",
      received: formatShape(x.shape),
    });
  }
  return x.shape.slice(-2) as [number, number];
}

/**
 * A diagonal over two axes, by default the first two as in NumPy.
 *
 * Shape: the two axes go, the diagonal comes last. `offset` counts diagonals: 1 is the one above the main, −1 below.
 * Derivative: dy on the diagonal, 0 elsewhere. Throws: ShapeError for fewer than two axes, or one given twice.
 *
 * @example
 * diagonal([[1, 2], [3, 4]]) // [1, 4]
 */
export const diagonal = /* @__PURE__ */ define(
  {
    name: "diagonal",
    operation: null,
    samples: (draw) => [
      [draw([3, 3])],
      [draw([2, 4]), 1],
      [draw([4, 2]), -1],
      [draw([2, 3, 4]), 0, -2, -1],
      [draw([2, 3, 4]), 1, 2, 0],
      [draw([2, 3]), 5],
    ],
  },
  (x: Operand, offset = 0, axis1 = 0, axis2 = 1): Value => {
    const input = operand("diagonal", x);
    matrixOf("diagonal", input);
    checkOffset("diagonal", offset);
    const axes = [axis1, axis2].map((axis) => normalizeAxis("diagonal", axis, input.rank));
    if (axes[0] === axes[1]) {
      throw new ShapeError({
        where: "diagonal",
        expected: "axes must be distinct",
        received: formatShape([axis1, axis2]),
      });
    }
    const matrices = moveAxis(input, axes, [-2, -1]);
    const [rows, columns] = matrixOf("diagonal", matrices);
    const batch = matrices.shape.slice(0, -2);
    return slice(
      reshape(matrices, [...batch, rows * columns]),
      ...batch.map(() => null),
      diagonalRange(rows, columns, offset),
    );
  },
);

/**
 * A square matrix with the last axis on a diagonal, zeros elsewhere; PyTorch's diag_embed.
 *
 * Shape: [..., n] → [..., n + |offset|, n + |offset|]. Derivative: the diagonal of dy.
 * Throws: ShapeError for a scalar.
 *
 * @example
 * diagEmbed([1, 2]) // [[1, 0], [0, 2]]
 */
export const diagEmbed = /* @__PURE__ */ define(
  {
    name: "diagEmbed",
    operation: null,
    samples: (draw) => [[draw([3])], [draw([2, 2]), 1], [draw([2, 1]), -1], [draw([0])]],
  },
  (x: Operand, offset = 0): Value => {
    const input = operand("diagEmbed", x);
    checkOffset("diagEmbed", offset);
    if (input.rank === 0)
      throw new ShapeError({ where: "diagEmbed", expected: "at least one axis", received: "a scalar" });
    const size = (input.shape.at(-1) as number) + Math.abs(offset);
    const batch = input.shape.slice(0, -1);
    const zeros = filled(tensorType([...batch, size * size], input.dtype), 0);
    const places = [...batch.map(() => null), diagonalRange(size, size, offset)];
    return reshape(indexUpdate(zeros, places, input), [...batch, size, size]);
  },
);

/**
 * A vector as a diagonal matrix, or a matrix's diagonal as a vector.
 *
 * Shape: [n] → [n + |offset|, n + |offset|]; [n, m] → its diagonal. Derivative: that of `diagEmbed` or `diagonal`.
 * Throws: ShapeError for other ranks.
 *
 * @example
 * diag([1, 2]) // [[1, 0], [0, 2]]
 * diag([[1, 2], [3, 4]], 1) // [2]
 */
export const diag = /* @__PURE__ */ define(
  {
    name: "diag",
    operation: null,
    samples: (draw) => [[draw([3])], [draw([2]), -1], [draw([3, 2])], [draw([2, 3]), 1]],
  },
  (x: Operand, offset = 0): Value => {
    const input = operand("diag", x);
    if (input.rank === 1) return diagEmbed(input, offset);
    if (input.rank === 2) return diagonal(input, offset);
    throw new ShapeError({
      where: "diag",
      expected: "a vector or a matrix",
      received: formatShape(input.shape),
    });
  },
);

/**
 * The sum of a diagonal over two axes, by default the first two as in NumPy.
 *
 * Shape: the two axes go. Derivative: dy on the diagonal, 0 elsewhere. Throws: as `diagonal`.
 *
 * @example
 * trace([[1, 2], [3, 4]]) // 5
 */
export const trace = /* @__PURE__ */ define(
  {
    name: "trace",
    operation: null,
    samples: (draw) => [[draw([3, 3])], [draw([2, 3]), 1], [draw([2, 3, 3]), 0, -2, -1]],
  },
  (x: Operand, offset = 0, axis1 = 0, axis2 = 1): Value => sum(diagonal(x, offset, axis1, axis2), -1),
);

/** The elements of matrices where column − row satisfies a condition; 0 elsewhere. */
function triangle(call: string, x: Operand, offset: number, keep: (distance: number) => boolean): Value {
  const input = operand(call, x);
  const [rows, columns] = matrixOf(call, input);
  checkOffset(call, offset);
  const mask = new Uint8Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) if (keep(j - i)) mask[i * columns + j] = 1;
  return where(
    constant(tensorType([rows, columns], "bool"), mask),
    input,
    filled(tensorType([], input.dtype), 0),
  );
}

const triangleSamples: Parameters<typeof define>[0]["samples"] = (draw) => [
  [draw([3, 3])],
  [draw([2, 4]), 1],
  [draw([4, 2]), -1],
  [draw([2, 3, 2]), 5],
  [draw([0, 2])],
];

/**
 * The upper triangle of matrices: elements on and above a diagonal, 0 below.
 *
 * Shape: [..., n, m], unchanged. `offset` counts diagonals: 1 is the one above the main. Derivative: that of dy.
 * Throws: ShapeError for fewer than two axes.
 *
 * @example
 * triu([[1, 2], [3, 4]]) // [[1, 2], [0, 4]]
 */
export const triu = /* @__PURE__ */ define(
  { name: "triu", operation: null, samples: triangleSamples },
  (x: Operand, offset = 0): Value => triangle("triu", x, offset, (distance) => distance >= offset),
);

/**
 * The lower triangle of matrices: elements on and below a diagonal, 0 above.
 *
 * Shape: [..., n, m], unchanged. `offset` counts diagonals: 1 is the one above the main. Derivative: that of dy.
 * Throws: ShapeError for fewer than two axes.
 *
 * @example
 * tril([[1, 2], [3, 4]]) // [[1, 0], [3, 4]]
 */
export const tril = /* @__PURE__ */ define(
  { name: "tril", operation: null, samples: triangleSamples },
  (x: Operand, offset = 0): Value => triangle("tril", x, offset, (distance) => distance <= offset),
);
