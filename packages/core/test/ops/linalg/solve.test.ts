import {
  det,
  grad,
  inverse,
  jvp,
  lu,
  matmul,
  slogdet,
  solve,
  take,
  triangularSolve,
  value,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { A, B, expectClose, sized } from "./matrices.ts";

const SINGULAR = [
  [1, 2],
  [2, 4],
];

describe("solve, inverse, det, slogdet", () => {
  test("give NumPy's numbers", () => {
    expectClose(solve(A, B), [
      [2.044314393619515, -3.51411247948916],
      [5.646903174198637, -11.888058882879903],
      [6.35945664270522, -17.91355819402036],
      [-1.0771476405482383, 2.460656490740821],
    ]);
    expectClose(inverse(A), [
      [1.133232121914191, 1.0707292107289152, 0.44401492496053085, -1.0238851627821195],
      [1.7321063247543464, 3.256734289477029, 1.4583886379641784, -3.6117568840616747],
      [3.6224254445187944, 5.119838166079717, 0.5746085399901446, -5.222210903575947],
      [-0.511573357892692, -1.0547863294147675, -0.2004410232678968, 0.46221101634164263],
    ]);
    expectClose(det(A), 0.47532186);
    expect(slogdet(A).sign.item()).toBe(1);
    expectClose(slogdet(A).logAbsDet, -0.7437631044147236);
  });

  test("take vectors, broadcast batches and integers", () => {
    expect(
      solve(
        [
          [0, 2],
          [1, 0],
        ],
        [2, 3],
      ).toArray(),
    ).toEqual([3, 1]);
    const batch = sized(1, 3, 1, 4, 4);
    const right = sized(2, 2, 4, 1);
    expectClose(
      matmul(batch, solve(batch, right)),
      right.add(value(new Float64Array(24), { shape: [3, 2, 4, 1] })),
    );
    expect(inverse(value(new Int32Array([2, 0, 0, 4]), { shape: [2, 2] })).dtype).toBe("float64");
    expect(det(value([], { shape: [3, 0, 0] })).toArray()).toEqual([1, 1, 1]);
  });

  test("of large matrices leave small residuals", () => {
    const a = sized(3, 60, 60);
    expectClose(
      matmul(a, inverse(a)),
      value(
        Float64Array.from({ length: 3600 }, (_, i) => (i % 61 === 0 ? 1 : 0)),
        { shape: [60, 60] },
      ),
      1e-11,
    );
    expectClose(det(a), slogdet(a).sign.mul(slogdet(a).logAbsDet.exp()), 1e-10);
  });

  test("of singular matrices are 0, −Infinity, or not finite", () => {
    expect(det(SINGULAR).item()).toBeCloseTo(0, 300);
    expect(slogdet(SINGULAR).sign.item()).toBe(0);
    expect(slogdet(SINGULAR).logAbsDet.item()).toBe(-Infinity);
    expect(inverse(SINGULAR).data.some(Number.isFinite)).toBe(false);
    expect(det([[Number.NaN]]).item()).toBeNaN();
  });

  test("det has its derivative at singular matrices, of rank n − 1 and less", () => {
    expect(grad(det)(value(SINGULAR)).toArray()).toEqual([
      [4, -2],
      [-2, 1],
    ]);
    // Cofactors by hand.
    const rankTwo = value([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
    expectClose(grad(det)(rankTwo), [
      [-3, 6, -3],
      [6, -12, 6],
      [-3, 6, -3],
    ]);
    expect(
      grad(det)(
        value([
          [1, 1, 1],
          [1, 1, 1],
          [1, 1, 1],
        ]),
      ).toArray(),
    ).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  test("det has second derivatives at singular matrices too", () => {
    // det = ad − bc: along (1, 0, 0, 1) the gradient changes by (1, 0, 0, 1).
    const swapped = jvp(
      grad(det),
      [value(SINGULAR)],
      [
        value([
          [1, 0],
          [0, 1],
        ]),
      ],
    )[1];
    expectClose(swapped, [
      [1, 0],
      [0, 1],
    ]);
    // A cubic: central differences of its quadratic gradient are exact but for rounding.
    const a = value([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
    const t = sized(9, 3, 3);
    const difference = grad(det)(a.add(t))
      .sub(grad(det)(a.sub(t)))
      .mul(0.5);
    expectClose(jvp(grad(det), [a], [t])[1], difference);
  });

  test("say what is wrong with shapes", () => {
    expect(() => solve([[1, 2]], [1])).toThrow(
      "solve: a must be square, with as many rows as b, got a [1, 2], b [1, 1].",
    );
    expect(() => solve([[1]], 1)).toThrow("solve: b must be a vector or a matrix, got a scalar.");
    expect(() => triangularSolve([[1]], [1, 2])).toThrow(
      "triangularSolve: a must be square, with as many rows as b, got a [1, 1], b [2, 1].",
    );
    expect(() => inverse([1])).toThrow("inverse: a matrix, or a batch of them, got shape [1].");
    expect(() => det([[1, 2]])).toThrow("det: square matrices, got shape [1, 2].");
  });
});

test("triangularSolve reads one triangle only", () => {
  const a = value([
    [2, 100],
    [1, 4],
  ]);
  expect(triangularSolve(a, [2, 5], { lower: true }).toArray()).toEqual([1, 1]);
  expect(triangularSolve(a, [2, 4], { lower: true, transposeA: true }).toArray()).toEqual([0.5, 1]);
  expect(triangularSolve(a, [102, 1]).toArray()).toEqual([38.5, 0.25]);
  expect(triangularSolve(a, [102, 1], { unitDiagonal: true }).toArray()).toEqual([2, 1]);
});

describe("lu", () => {
  test("gives factors of the rows in order, with partial pivoting", () => {
    for (const shape of [
      [4, 4],
      [5, 3],
      [3, 5],
    ] as const) {
      const a = sized(5, ...shape);
      const { permutation, l, u } = lu(a);
      expectClose(matmul(l, u), take(a, permutation, 0));
      expect(Math.max(...l.data.map(Math.abs))).toBe(1);
    }
    expect(lu(A).permutation.toArray()).toEqual([0, 2, 3, 1]);
    expect(lu(A).permutation.dtype).toBe("int32");
  });
});
