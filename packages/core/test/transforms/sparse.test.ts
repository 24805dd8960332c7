import {
  colourColumns,
  hessian,
  jacobian,
  matmul,
  random,
  type SparseMatrix,
  sparseHessian,
  sparseJacobian,
  sparsityPattern,
  type Value,
  value,
  where,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

function dense({ rows, columns, starts, indices, values }: SparseMatrix): number[][] {
  const out = Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
  for (let i = 0; i < rows; i++) {
    for (let e = starts[i] as number; e < (starts[i + 1] as number); e++) {
      (out[i] as number[])[indices[e] as number] = values.data[e] as number;
    }
  }
  return out;
}

/** A discretised nonlinear equation: three neighbours meet in each row. */
const tridiagonal = (x: Value) => {
  const n = x.size;
  const inner = x.slice([1, n - 1]);
  return x
    .slice([0, n - 2])
    .sub(inner.mul(2))
    .add(x.slice([2, n]))
    .add(inner.exp().mul(0.1));
};

const functions: [string, (x: Value) => Value, Value][] = [
  ["elementwise", (x) => x.sin().mul(x), random.uniform(random.key(1), [6], { dtype: "float64" })],
  ["tridiagonal", tridiagonal, random.uniform(random.key(2), [12], { dtype: "float64" })],
  ["row sums", (x) => x.square().sum(1), random.uniform(random.key(3), [3, 4], { dtype: "float64" })],
  ["row maxima", (x) => x.max(0), random.uniform(random.key(4), [3, 4], { dtype: "float64" })],
  [
    "broadcast",
    (x) =>
      x
        .slice([0, 2])
        .expandDims(1)
        .mul(x.slice([2, 5])),
    random.uniform(random.key(5), [5], { dtype: "float64" }),
  ],
  ["product", (x) => matmul(x, x.slice(0)), random.uniform(random.key(6), [3, 3], { dtype: "float64" })],
  [
    "batched product",
    (x) => matmul(x, x, { transposeB: true }),
    random.uniform(random.key(7), [2, 2, 3], { dtype: "float64" }),
  ],
  [
    "indexing",
    (x) =>
      x
        .take([3, 0, 0, -1])
        .mul(x.slice([0, 4]))
        .concat([x.transpose()]),
    random.uniform(random.key(8), [5], { dtype: "float64" }),
  ],
  [
    "choice",
    (x) => where(x.gt(0.5), x, x.slice(0)),
    random.uniform(random.key(9), [4], { dtype: "float64" }),
  ],
  [
    "constant",
    (x) => x.stopGradient().mul(2).add(x.slice(0).mul(0)),
    random.uniform(random.key(10), [3], { dtype: "float64" }),
  ],
  ["softmax", (x) => x.softmax(), random.uniform(random.key(11), [2, 3], { dtype: "float64" })],
];

describe("sparseJacobian", () => {
  test.each(functions)("of %s equals the dense one", (_name, f, x) => {
    const sparse = sparseJacobian(f, x);
    const full = jacobian(f)(x).reshape([sparse.rows, sparse.columns]).toArray() as number[][];
    expect(dense(sparse)).toEqual(full.map((row) => row.map((d) => expect.closeTo(d, 12))));
  });

  test("needs as many passes as colours, however many columns", () => {
    const pattern = sparsityPattern(tridiagonal, value(new Float64Array(1000)));
    expect(Math.max(...colourColumns(pattern)) + 1).toBe(3);
    expect(pattern.indices.length).toBe(998 * 3);
  });

  test("colours columns that do not meet alike, those of most entries first", () => {
    const coloursOf = (rows: readonly number[][], columns: number) => {
      const starts = Int32Array.from({ length: rows.length + 1 }, (_, i) => rows.slice(0, i).flat().length);
      const indices = Int32Array.from(rows.flat());
      return Math.max(...colourColumns({ rows: rows.length, columns, starts, indices })) + 1;
    };
    expect(coloursOf([[0], [1], [2], [2]], 3)).toBe(1);
    expect(coloursOf([[0, 1, 2]], 3)).toBe(3);
    // Two chains of four, a–b–c–d, whose columns in their order, or against it, would take a third colour.
    expect(
      coloursOf(
        [
          [0, 2],
          [2, 3],
          [1, 3],
          [5, 7],
          [4, 5],
          [4, 6],
        ],
        8,
      ),
    ).toBe(2);
  });

  test("has no entries where no derivative flows", () => {
    for (const f of [(x: Value) => x.stopGradient(), (x: Value) => x.floor(), (x: Value) => x.argmax()])
      expect(sparsityPattern(f, [1, 2]).indices.length).toBe(0);
  });

  test("takes a pattern found before and refuses one of another size", () => {
    const pattern = sparsityPattern((x) => x.exp(), [1, 2, 3]);
    expect(sparseJacobian((x) => x.exp(), [0, 0, 0], { pattern }).values.toArray()).toEqual([1, 1, 1]);
    expect(() => sparseJacobian((x) => x.exp(), [0, 0], { pattern })).toThrow(
      "sparseJacobian: the pattern must be of 2 rows and 2 columns, got 3 and 3.",
    );
    expect(() => sparseJacobian((x) => x.sum(), [0, 0, 0], { pattern })).toThrow(
      "sparseJacobian: the pattern must be of 1 rows and 3 columns, got 3 and 3.",
    );
    expect(() => sparseJacobian((x) => x.concat([value([1])]), [0, 0], { pattern })).toThrow(
      "sparseJacobian: the pattern must be of 3 rows and 2 columns, got 3 and 3.",
    );
  });

  test("of functions without dependence, and of nothing, has no entries", () => {
    expect(sparseJacobian(() => value([1, 2]), [1, 2, 3])).toMatchObject({
      rows: 2,
      columns: 3,
      indices: new Int32Array(0),
    });
    expect(sparseJacobian((x) => x.exp(), value([])).rows).toBe(0);
    for (const f of [(x: Value) => x.stopGradient(), (x: Value) => x.exp()]) {
      const { values } = sparseJacobian(f, value([], { dtype: "float32" }));
      expect([values.toArray(), values.dtype]).toEqual([[], "float32"]);
    }
    const { values } = sparseJacobian((x) => x, value([1, 2], { dtype: "float32" }));
    expect([values.toArray(), values.dtype]).toEqual([[1, 1], "float32"]);
  });
});

test("sparseHessian equals the dense one", () => {
  // Powell's chain: neighbours in pairs.
  const f = (x: Value) =>
    x
      .slice([1, null])
      .sub(x.slice([0, -1]).square())
      .square()
      .sum()
      .add(x.sin().sum());
  const x = random.uniform(random.key(12), [7], { dtype: "float64" });
  const sparse = sparseHessian(f, x);
  const full = hessian(f)(x).toArray() as number[][];
  expect(dense(sparse)).toEqual(full.map((row) => row.map((d) => expect.closeTo(d, 12))));
  expect(sparse.indices.length).toBeLessThanOrEqual(7 + 2 * 6 + 2 * 5);
});

test("sparsityPattern refuses a function that returns no value", () => {
  expect(() => sparsityPattern(() => 3 as never, [1])).toThrow(
    "sparsityPattern: f must return a value, got 3.",
  );
});
