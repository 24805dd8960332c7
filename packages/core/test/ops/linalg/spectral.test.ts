import {
  detectAnomaly,
  eig,
  eigh,
  grad,
  matmul,
  sum,
  svd,
  transpose,
  type Value,
  value,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { expectClose, SYMMETRIC, sized, TALL } from "./matrices.ts";

const IDENTITY = [
  [1, 0],
  [0, 1],
];

describe("eigh", () => {
  test("gives NumPy's eigenvalues, and vectors that reconstruct", () => {
    const { eigenvalues, eigenvectors } = eigh(SYMMETRIC);
    expectClose(eigenvalues, [1.019104940588871, 1.8835048179883207, 5.08396046535506, 7.273429776067742]);
    expectClose(matmul(eigenvectors.mul(eigenvalues), eigenvectors, { transposeB: true }), SYMMETRIC);
    const large = sized(1, 30, 30);
    const parts = eigh(large);
    const rebuilt = matmul(parts.eigenvectors.mul(parts.eigenvalues), parts.eigenvectors, {
      transposeB: true,
    });
    expectClose(rebuilt, large.add(transpose(large)).mul(0.5));
  });

  test("makes a largest element of each vector positive", () => {
    const { eigenvectors } = eigh([
      [2, 1],
      [1, 2],
    ]);
    const half = Math.SQRT1_2;
    expectClose(eigenvectors, [
      [half, half],
      [-half, half],
    ]);
  });

  test("of repeated eigenvalues differentiates what does not depend on the choice of vectors", () => {
    expect(grad((a) => sum(eigh(a).eigenvalues))(value(IDENTITY)).toArray()).toEqual(IDENTITY);
    const rebuilt = grad((a) => {
      const { eigenvalues, eigenvectors } = eigh(a);
      return sum(matmul(eigenvectors.mul(eigenvalues), eigenvectors, { transposeB: true }));
    })(value(IDENTITY));
    expect(rebuilt.data.some(Number.isNaN)).toBe(false);
  });

  test("divides by no gap that is 0, which would look like an anomaly", () => {
    const f = (a: Value) => sum(eigh(a).eigenvectors);
    expect(detectAnomaly(() => grad(f)(SYMMETRIC)).shape).toEqual([4, 4]);
  });

  test("of NaN is NaN", () => {
    expect(
      eigh([
        [Number.NaN, 0],
        [0, 1],
      ]).eigenvalues.data.some(Number.isNaN),
    ).toBe(true);
  });
});

describe("eig", () => {
  test("gives NumPy's eigenvalues in order, and vectors of length 1", () => {
    const a = value([
      [4, 1, 2],
      [0.5, 3, 1],
      [1, 1, -2],
    ]);
    const { eigenvalues, eigenvectors } = eig(a);
    expectClose(eigenvalues, [-2.443402356421358, 2.64289035029759, 4.800512006123766]);
    expectClose(matmul(a, eigenvectors), eigenvectors.mul(eigenvalues));
    expectClose(sum(eigenvectors.square(), 0), [1, 1, 1]);
  });

  test("finds the spectra that products of known factors have", () => {
    for (const n of [1, 2, 5, 12]) {
      const v = sized(n, n, n);
      const w = Array.from({ length: n }, (_, i) => (i - n / 3) * 1.5);
      const a = matmul(v.mul(w), v.inverse());
      expectClose(eig(a).eigenvalues, w, 1e-9);
    }
    expect(
      eig([
        [3, 1, 2],
        [0, 2, 5],
        [0, 0, 1],
      ]).eigenvalues.toArray(),
    ).toEqual([1, 2, 3]);
    expect(
      eig([
        [0, 0],
        [0, 0],
      ]).eigenvalues.toArray(),
    ).toEqual([0, 0]);
  });

  test("takes repeated eigenvalues that are complex by rounding only as real", () => {
    const v = sized(15, 15, 15);
    const w = Array.from({ length: 15 }, (_, i) => Math.floor(i / 3));
    const a = matmul(v.mul(w), v.inverse());
    const { eigenvalues, eigenvectors } = eig(a);
    expectClose(eigenvalues, w, 1e-9);
    expectClose(matmul(a, eigenvectors), eigenvectors.mul(eigenvalues), 1e-9);
  });

  test("refuses complex eigenvalues", () => {
    const message =
      "eig: all eigenvalues must be real, got a matrix with complex ones. Only real spectra are supported; symmetric matrices always have one (eigh).";
    expect(() =>
      eig([
        [0, 1],
        [-1, 0],
      ]),
    ).toThrow(message);
    expect(() =>
      eig([
        [0, 0, 1],
        [1, 0, 0],
        [0, 1, 0],
      ]),
    ).toThrow(message);
  });
});

describe("svd", () => {
  test("gives NumPy's singular values, and vectors that reconstruct", () => {
    expectClose(svd(TALL).s, [3.4589444127883664, 2.1060510183433214, 1.334972905109012]);
    for (const a of [TALL, transpose(TALL), sized(2, 3, 6, 4)]) {
      const { u, s, vh } = svd(a);
      expectClose(matmul(u.mul(s.expandDims(-2)), vh), a);
    }
  });

  test("of matrices without full rank has orthonormal vectors", () => {
    for (const a of [
      [
        [1, 1],
        [1, 1],
        [1, 1],
      ],
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      [
        [0, 0],
        [0, 3],
        [0, 0],
      ],
    ]) {
      const { u, s, vh } = svd(a);
      expectClose(matmul(u, u, { transposeA: true }), IDENTITY);
      expectClose(matmul(vh, vh, { transposeB: true }), IDENTITY);
      expectClose(matmul(u.mul(s), vh), a);
    }
    expect(
      grad((a) => sum(svd(a).s))(
        value([
          [1, 0],
          [0, 1],
        ]),
      ).toArray(),
    ).toEqual(IDENTITY);
  });

  test("of huge and tiny elements neither overflows nor vanishes", () => {
    expectClose(
      svd([
        [3e200, 0],
        [0, 4e200],
      ]).s,
      [4e200, 3e200],
    );
    expectClose(
      svd([
        [3e-200, 0],
        [0, 4e-200],
      ]).s,
      [4e-200, 3e-200],
    );
  });
});
