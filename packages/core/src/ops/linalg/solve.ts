/** Systems of linear equations and what elimination gives: solve, inverse, LU. */

import type { Triangle } from "../../dense.ts";
import { allocate, commonDType } from "../../dtype.ts";
import { ShapeError } from "../../errors.ts";
import { broadcastStrides } from "../../loops.ts";
import { apply, type Draw, define, type Operation, operation, zerosLike } from "../../op.ts";
import { checkOptions, type OptionNames } from "../../options.ts";
import { broadcastShapes, formatShape, sizeOf, stridesOf } from "../../shape.ts";
import { type TensorType, tensorType } from "../../tensor-type.ts";
import type { Operand, Value } from "../../value.ts";
import { add, eq, mul, neg, sub } from "../elementwise.ts";
import { concat } from "../joining.ts";
import { alignBatch, broadcastTo, cast, expandDims, reshape } from "../movement.ts";
import { matmul } from "../products.ts";
import { slice } from "../slicing.ts";
import { identityMatrix, luFactor, solveSystem, solveTriangle } from "./factorisations.ts";
import {
  columns,
  identityLike,
  leading,
  mapMatrices,
  matrix,
  matrixType,
  part,
  rows,
  sizesOf,
  squareMatrix,
  strictlyLowerPart,
  system,
  transposed,
  upperPart,
} from "./matrices.ts";

/** How a system is solved: by elimination, or as one triangle. */
interface Solving {
  readonly transposeA: boolean;
  readonly triangle: Triangle | null;
}

const solveOperation: Operation<Solving> = /* @__PURE__ */ operation({
  name: "solve",
  infer: ([a, b], { triangle }) => {
    const [left, right] = [a as TensorType, b as TensorType];
    const where = triangle === null ? "solve" : "triangularSolve";
    const [n, m] = sizesOf(right);
    if (left.shape.at(-1) !== left.shape.at(-2) || left.shape.at(-1) !== n) {
      throw new ShapeError({
        where,
        expected: "a must be square, with as many rows as b",
        received: `a ${formatShape(left.shape)}, b ${formatShape(right.shape)}`,
      });
    }
    const batch = broadcastShapes(where, [left.shape.slice(0, -2), right.shape.slice(0, -2)]);
    return tensorType([...batch, n, m], commonDType([left, right]));
  },
  evaluate: ([a, b], { transposeA, triangle }, type) => {
    const [left, right] = [a as Value, b as Value];
    const [n, m] = sizesOf(type);
    const batch = type.shape.slice(0, -2);
    const strides = [left, right].map((x) => broadcastStrides(x.shape.slice(0, -2), batch));
    const steps = stridesOf(batch);
    const out = allocate(type.dtype, type.size);
    for (let k = 0, count = sizeOf(batch); k < count; k++) {
      const read = (x: Value, which: 0 | 1, size: number) => {
        const place = batch.reduce(
          (sum, size, axis) =>
            sum +
            (Math.floor(k / (steps[axis] as number)) % size) * ((strides[which] as number[])[axis] as number),
          0,
        );
        return new Float64Array(x.data.subarray(place * size, (place + 1) * size));
      };
      const [p, q] = [read(left, 0, n * n), read(right, 1, n * m)];
      const x = triangle === null ? solveSystem(p, q, n, m, transposeA) : solveTriangle(p, q, n, m, triangle);
      out.set(x, k * n * m);
    }
    return out;
  },
  vjp: (dx, { inputs: [a], output: x, attributes }, index) => {
    const db = solveWith(a as Value, dx, flipped(attributes));
    if (index === 1) return db;
    const outer = attributes.transposeA
      ? matmul(x, db, { transposeB: true })
      : matmul(db, x, { transposeB: true });
    return neg(readPart(outer, attributes));
  },
  jvp: ([ta, tb], { inputs: [a], output: x, attributes }) => {
    const moved = ta ? matmul(readPart(ta, attributes), x, { transposeA: attributes.transposeA }) : null;
    const right = moved === null ? (tb as Value) : tb ? sub(tb, moved) : neg(moved);
    return solveWith(a as Value, right, attributes);
  },
  batch: (inputs, batched, attributes) => {
    const rank = Math.max(...inputs.map((x, i) => x.rank - (batched[i] ? 1 : 0)));
    const [a, b] = inputs.map((x, i) => (batched[i] ? alignBatch(x, rank) : x)) as [Value, Value];
    return solveWith(a, b, attributes);
  },
});

function solveWith(a: Value, b: Value, attributes: Solving): Value {
  return apply(solveOperation, [a, b], attributes);
}

/** The same equations with the matrix transposed. */
function flipped({ transposeA, triangle }: Solving): Solving {
  return {
    transposeA: !transposeA,
    triangle: triangle && { ...triangle, transposeA: !transposeA },
  };
}

/** The elements of the matrix that the solution depends on, zeros elsewhere. */
function readPart(a: Value, { triangle }: Solving): Value {
  if (triangle === null) return a;
  const { lower, unitDiagonal } = triangle;
  return part(a, (d) => (lower ? d < 0 : d > 0) || (d === 0 && !unitDiagonal));
}

/** A right-hand side as a matrix: a vector is one column, which goes again. */
function withColumns(b: Value, f: (b: Value) => Value): Value {
  if (b.rank !== 1) return f(b);
  const x = f(expandDims(b, 1));
  return reshape(x, x.shape.slice(0, -1));
}

function checkRank(where: string, b: Value): void {
  if (b.rank > 0) return;
  throw new ShapeError({ where, expected: "b must be a vector or a matrix", received: "a scalar" });
}

/** Well-conditioned square matrices: a random one plus a multiple of the identity. */
export function regular(draw: Draw, shape: readonly number[]): Value {
  return add(draw(shape, [-1, 1]), mul(identityLike(draw([]), shape.at(-1) as number), 3));
}

/** Matrices of full rank that are not square, one argument list each: a batch of tall ones, and a wide one. */
export function oblong(draw: Draw): [Value][] {
  const tall = add(draw([2, 3, 2]), [
    [3, 0],
    [0, 3],
    [0, 0],
  ]);
  const wide = add(draw([2, 3]), [
    [3, 0, 0],
    [0, 3, 0],
  ]);
  return [[tall], [wide]];
}

/**
 * The solution x of a x = b, by elimination with partial pivoting.
 *
 * Shape: a [..., n, n], b [..., n, m] → [..., n, m]; leading axes broadcast. A vector b (rank 1) gives a vector, as in
 * NumPy 2. Derivative: b̄ = a⁻ᵀ x̄, ā = −b̄ xᵀ.
 * Domain: invertible matrices; a singular one gives infinities and NaN, as the divisions by its zero pivots do.
 * Throws: ShapeError when a is not square or b has another number of rows.
 * Source: Golub & Van Loan, Matrix Computations (2013), §3.4; Giles, Collected Matrix Derivative Results for Forward and
 * Reverse Mode AD (2008), §2.3.1.
 *
 * @example
 * solve([[2, 0], [0, 4]], [2, 2]) // [1, 0.5]
 */
export const solve = /* @__PURE__ */ define(
  {
    name: "solve",
    operation: solveOperation,
    samples: (draw) => [
      [regular(draw, [3, 3]), draw([3, 2])],
      [regular(draw, [2, 2]), draw([2])],
      [regular(draw, [2, 1, 2, 2]), draw([3, 2, 1])],
      [regular(draw, [1, 1]), draw([2, 1, 2])],
      [draw([0, 0]), draw([0, 2])],
    ],
  },
  (a: Operand, b: Operand): Value => {
    const [left, right] = system("solve", a, b);
    checkRank("solve", right);
    return withColumns(right, (b) => solveWith(left, b, { transposeA: false, triangle: null }));
  },
);

/** Options of `triangularSolve`. */
export interface TriangularSolveOptions {
  /** Read the lower triangle of a; by default the upper one. */
  readonly lower?: boolean;
  /** Solve with aᵀ. */
  readonly transposeA?: boolean;
  /** Take the diagonal to be 1 without reading it. */
  readonly unitDiagonal?: boolean;
}

const TRIANGULAR: OptionNames<TriangularSolveOptions> = { lower: true, transposeA: true, unitDiagonal: true };

/**
 * The solution x of a x = b where a is triangular; the other triangle is not read.
 *
 * Shape: as `solve`. Derivative: b̄ = a⁻ᵀ x̄, ā the triangle of −b̄ xᵀ.
 * Domain: diagonals without zeros; a zero there gives infinities and NaN.
 * Throws: ShapeError when a is not square or b has another number of rows.
 *
 * @example
 * triangularSolve([[2, 0], [1, 1]], [2, 3], { lower: true }) // [1, 2]
 */
export const triangularSolve = /* @__PURE__ */ define(
  {
    name: "triangularSolve",
    operation: solveOperation,
    samples: (draw) => [
      [regular(draw, [3, 3]), draw([3, 2])],
      [regular(draw, [3, 3]), draw([3]), { lower: true }],
      [regular(draw, [2, 2, 2]), draw([2, 1]), { lower: true, transposeA: true }],
      [regular(draw, [3, 3]), draw([2, 3, 1]), { transposeA: true, unitDiagonal: true }],
    ],
  },
  (a: Operand, b: Operand, options: TriangularSolveOptions = {}): Value => {
    const {
      lower = false,
      transposeA = false,
      unitDiagonal = false,
    } = checkOptions("triangularSolve", options, TRIANGULAR);
    const [left, right] = system("triangularSolve", a, b);
    checkRank("triangularSolve", right);
    const triangle = { lower, transposeA, unitDiagonal };
    return withColumns(right, (b) => solveWith(left, b, { transposeA, triangle }));
  },
);

const inverseOperation: Operation<null> = /* @__PURE__ */ operation({
  name: "inverse",
  infer: ([a]) => a as TensorType,
  evaluate: ([a], _, type) =>
    mapMatrices(a as Value, type, (x, n) => solveSystem(x, identityMatrix(n), n, n, false)),
  vjp: [(dy, { output: y }) => neg(matmul(matmul(y, dy, { transposeA: true }), y, { transposeB: true }))],
  jvp: ([ta], { output: y }) => neg(matmul(matmul(y, ta as Value), y)),
  batch: ([a]) => inverse(a as Value),
});

/**
 * The inverse of square matrices. To multiply by it, `solve` is faster and loses fewer digits.
 *
 * Shape: [..., n, n], unchanged. Derivative: ā = −yᵀ ȳ yᵀ.
 * Domain: invertible matrices; a singular one gives infinities and NaN. Throws: ShapeError when not square.
 * Source: Giles (2008), §2.2.3.
 *
 * @example
 * inverse([[2, 0], [0, 4]]) // [[0.5, 0], [0, 0.25]]
 */
export const inverse = /* @__PURE__ */ define(
  {
    name: "inverse",
    operation: inverseOperation,
    samples: (draw) => [[regular(draw, [3, 3])], [regular(draw, [2, 1, 1])], [draw([0, 0])]],
  },
  (a: Operand): Value => apply(inverseOperation, [squareMatrix("inverse", a)], null),
);

/** Both factors in one n × m matrix, L without its diagonal of 1, then a column that says where each row came from. */
const luOperation: Operation<null> = /* @__PURE__ */ operation({
  name: "lu",
  infer: ([a]) => {
    const [n, m] = sizesOf(a as TensorType);
    return matrixType(a as TensorType, n, m + 1);
  },
  evaluate: ([a], _, type) =>
    mapMatrices(a as Value, type, (x, n, m) => {
      const { order } = luFactor(x, n, m);
      const out = new Float64Array(n * (m + 1));
      order.forEach((from, i) => {
        out.set(x.subarray(i * m, (i + 1) * m), i * (m + 1));
        out[i * (m + 1) + m] = from;
      });
      return out;
    }),
  vjp: [
    (dy, { inputs: [a], output }) => {
      const { permutation, l, u } = luParts(output, a as Value);
      // The triangles that are taken depend on those of dy alone that belong to the factor.
      const both = columns(dy, 0, u.shape.at(-1) as number);
      const inner = add(
        strictlyLowerPart(matmul(l, both, { transposeA: true })),
        upperPart(matmul(both, u, { transposeB: true })),
      );
      const left = triangularSolve(l, inner, { lower: true, transposeA: true, unitDiagonal: true });
      return matmul(permutation, transposed(triangularSolve(u, transposed(left))));
    },
  ],
  jvp: ([ta], { inputs: [a], output }) => {
    const { permutation, l, u } = luParts(output, a as Value);
    const rowsInOrder = matmul(permutation, ta as Value, { transposeA: true });
    const left = triangularSolve(l, rowsInOrder, { lower: true, unitDiagonal: true });
    const inner = transposed(triangularSolve(u, transposed(left), { transposeA: true }));
    const change = add(matmul(l, strictlyLowerPart(inner)), matmul(upperPart(inner), u));
    const m = u.shape.at(-1) as number;
    return concat([change, zerosLike(columns(output, m, m + 1))], -1);
  },
  batch: ([a]) => apply(luOperation, [a as Value], null),
});

/** The permutation P and the factors of an n × m matrix, a = P L U, made square with the identity where they are not. */
function luParts(y: Value, a: Value): { permutation: Value; l: Value; u: Value } {
  const [n, m] = sizesOf(a);
  const { permutation, l, u } = luFactors(y);
  const k = Math.min(n, m);
  const batch = y.shape.slice(0, -2);
  const right = broadcastTo(columns(identityLike(y, n), k, n), [...batch, n, n - k]);
  const below = broadcastTo(rows(identityLike(y, m), k, m), [...batch, m - k, m]);
  const places = Array.from({ length: n }, (_, i) => i);
  return {
    permutation: cast(eq(expandDims(places, 1), expandDims(permutation, -2)), y.dtype),
    l: concat([l, right], -1),
    u: concat([u, below], -2),
  };
}

/** The packed factors apart. */
function luFactors(y: Value): { permutation: Value; l: Value; u: Value } {
  const [n, m] = [y.shape.at(-2) as number, (y.shape.at(-1) as number) - 1];
  const k = Math.min(n, m);
  const below = strictlyLowerPart(columns(y, 0, k));
  return {
    permutation: cast(slice(y, ...leading(y), null, -1), "int32"),
    l: add(below, columns(identityLike(y, n), 0, k)),
    u: upperPart(rows(columns(y, 0, m), 0, k)),
  };
}

/**
 * The factors of elimination with partial pivoting: the rows of a in the order `permutation` are l u.
 *
 * Shape: [..., n, m] → { permutation [..., n] (int32), l [..., n, k], u [..., k, m] }, k the smaller of n and m. l has 1 on its
 * diagonal, and no element larger than 1; of equal pivots the first is taken, as in LAPACK.
 * Derivative: L̇ = L·tril(L⁻¹ȧU⁻¹, −1), U̇ = triu(L⁻¹ȧU⁻¹)·U with the rows of ȧ in order; infinite or NaN where the first k
 * columns are dependent. The permutation has none. Throws: ShapeError for a scalar or vector.
 * Source: Golub & Van Loan (2013), §3.4; de Hoog, Anderssen & Lukas, Differentiation of Matrix Functionals Using
 * Triangular Factorization (2011).
 *
 * @example
 * lu([[1, 2], [4, 4]]).u // [[4, 4], [0, 1]]
 */
export const lu = /* @__PURE__ */ define(
  {
    name: "lu",
    operation: luOperation,
    samples: (draw) => [
      [regular(draw, [3, 3])],
      [regular(draw, [2, 2, 2])],
      [
        add(draw([3, 2], [-0.5, 0.5]), [
          [3, 0],
          [0, 3],
          [0, 0],
        ]),
      ],
      [
        add(draw([2, 2, 3], [-0.5, 0.5]), [
          [3, 0, 1],
          [0, 3, 1],
        ]),
      ],
    ],
  },
  (a: Operand): { permutation: Value; l: Value; u: Value } =>
    luFactors(apply(luOperation, [matrix("lu", a)], null)),
);
