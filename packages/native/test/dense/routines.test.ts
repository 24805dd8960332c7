/** A library's routines against core's own. */

import { compile } from "@adjoint/compiler";
import {
  cholesky,
  det,
  eig,
  eigh,
  inverse,
  isValue,
  lu,
  matmul,
  mul,
  pinv,
  qr,
  random,
  slogdet,
  solve,
  sum,
  svd,
  triangularSolve,
  type Value,
  value,
} from "@adjoint/core";
import { useDense } from "@adjoint/core/operations";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { library, throughLibrary } from "./library.ts";

const draw = (seed: number, ...shape: number[]): Value =>
  random.uniform(random.key(seed), shape, { low: -1, dtype: "float64" });

/** A square matrix whose elements are as the function says; by default random ones. */
function square(n: number, change: (x: number, i: number, j: number) => number = (x) => x): Value {
  return value(
    draw(n, n, n).data.map((x, at) => change(x, Math.floor(at / n), at % n)),
    { shape: [n, n] },
  );
}

const definite = (n: number): Value => {
  const a = square(n);
  return matmul(a, a, { transposeB: true }).add(square(n, (_, i, j) => (i === j ? 1 : 0)));
};

/** All the numbers of a result. */
function numbersOf(y: unknown): number[] {
  return isValue(y) ? [...y.data] : Object.values(y as object).flatMap(numbersOf);
}

/** What core gives by itself. */
function alone<R>(f: () => R): R {
  const before = useDense({});
  try {
    return f();
  } finally {
    useDense(before);
  }
}

/** Expects numbers as core itself gives them: infinities and NaN where it has them, all else but for rounding. */
function expectAsAlone(f: () => unknown, error: number): void {
  const [actual, expected] = [numbersOf(f()), numbersOf(alone(f))];
  expect(actual.length).toBe(expected.length);
  const finite = expected.filter(Number.isFinite).map(Math.abs);
  const scale = finite.reduce((most, x) => Math.max(most, x), 0);
  actual.forEach((x, i) => {
    const wanted = expected[i] as number;
    if (Number.isFinite(wanted)) expect(Math.abs(x - wanted)).toBeLessThanOrEqual(error * scale);
    else expect(x).toBe(wanted);
  });
}

/** What is made of an elimination or of reflections; of any matrix, it is what it is. */
const direct: Readonly<Record<string, (a: Value) => unknown>> = {
  cholesky,
  lu,
  qr,
  inverse,
  det,
  slogdet,
  solve: (a) => solve(a, draw(1, a.shape[0] as number, 3)),
  triangularSolve: (a) => triangularSolve(a, draw(1, a.shape[0] as number, 3)),
};

/** Where values are equal, their vectors are a choice. */
const spectral: Readonly<Record<string, (a: Value) => unknown>> = { eigh, eig, svd, pinv };

describe.skipIf(library === null)("with a library", () => {
  throughLibrary("product", "cholesky", "lu", "triangular", "qr", "symmetricEigen", "singularValues");

  test("products are core's in all layouts and both dtypes, with NaN and infinities where those are", () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 60 }));
    const special = fc.constantFrom(0, 0, 0, Number.NaN, Infinity, -Infinity, -0);
    fc.assert(
      fc.property(
        ...[size, size, size, fc.boolean(), fc.boolean()],
        ...[fc.constantFrom("float64", "float32"), special, fc.nat(), fc.nat()],
        (n, m, k, transposeA, transposeB, dtype, x, placeA, placeB) => {
          const operand = (seed: number, shape: number[], place: number) => {
            const { data } = draw(seed, ...shape);
            data[place % data.length] = x;
            return value(data, { shape }).cast(dtype as "float64" | "float32");
          };
          const a = operand(1, transposeA ? [k, n] : [n, k], placeA);
          const b = operand(2, transposeB ? [m, k] : [k, m], placeB);
          const error = dtype === "float64" ? 1e-13 : 1e-5;
          expectAsAlone(() => matmul(a, b, { transposeA, transposeB }), error);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("products of different dtypes, of whole numbers and of nothing are left to core", () => {
    const a = draw(1, 9, 9);
    expectAsAlone(() => matmul(a.cast("float32"), a), 1e-13);
    expect(matmul(a.mul(10).cast("int32"), a.mul(10).cast("int32")).dtype).toBe("int32");
    expect(matmul(value([], { shape: [3, 0] }), value([], { shape: [0, 2] })).toArray()).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  test.each(Object.entries({ ...direct, ...spectral }))(
    "%s is core's, with its signs and its order",
    (_, f) => {
      for (const n of [2, 3, 7, 20, 41]) {
        expectAsAlone(() => f(definite(n)), 1e-10);
        expectAsAlone(() => f(definite(n).cast("float32")), 1e-4);
      }
    },
  );

  test.each(Object.entries({ lu, qr, svd, pinv }))("%s of oblong matrices is core's", (_, f) => {
    for (const shape of [
      [30, 12],
      [12, 30],
      [40, 1],
    ])
      expectAsAlone(() => f(draw(4, ...shape)), 1e-11);
  });

  test.each(Object.entries(direct))("%s of singular matrices is core's", (_, f) => {
    for (const a of [
      square(30, () => 0),
      square(30, (x, _, j) => (j === 7 ? 0 : x)),
      square(30, (x, i, j) => (i > j || (i === 5 && j === 5) ? 0 : x)),
    ])
      expectAsAlone(() => f(a), 1e-9);
  });

  test.each(Object.entries({ ...direct, ...spectral }))("%s of infinities and NaN is core's", (_, f) => {
    for (const x of [Number.NaN, Infinity]) {
      for (const [row, column] of [
        [3, 4],
        [0, 0],
        [29, 29],
      ]) {
        const a = square(30, (y, i, j) => (i === row && j === column ? x : y));
        // What is refused is refused.
        expectAsAlone(() => {
          try {
            return f(a);
          } catch (error) {
            return value([...String(error)].map((letter) => letter.charCodeAt(0)));
          }
        }, 1e-9);
      }
    }
  });

  test("cholesky of what is not definite is core's, NaN from the first pivot on that is not positive", () => {
    const a = definite(30);
    a.data[12 * 31] = -1;
    expectAsAlone(() => cholesky(a), 1e-12);
    expect(cholesky(a).data[12 * 31]).toBeNaN();
  });

  test("svd and eigh of singular matrices reconstruct, with orthonormal vectors", () => {
    const identity = square(30, (_, i, j) => (i === j ? 1 : 0));
    for (const a of [square(30, () => 0), square(30, () => 1), square(30, (x, _, j) => (j < 20 ? 0 : x))]) {
      const { u, s, vh } = svd(a);
      const symmetric = a.add(a.transpose()).mul(0.5);
      const { eigenvalues: w, eigenvectors: v } = eigh(symmetric);
      for (const [x, y] of [
        [matmul(u.mul(s), vh), a],
        [matmul(v.mul(w), v, { transposeB: true }), symmetric],
        ...[u, vh, v].map((q) => [matmul(q, q, { transposeA: true }), identity] as const),
      ] as const) {
        x.data.forEach((e, i) => {
          expect(Math.abs(e - (y.data[i] as number))).toBeLessThan(1e-12);
        });
      }
    }
  });

  test("of equal pivots the first is taken", () => {
    for (const n of [2, 5, 16, 33, 64, 100]) {
      const a = square(n, (x, _, j) => (j === 0 ? (x < 0 ? -1 : 1) : x));
      expect(lu(a).permutation.data[0]).toBe(0);
      const later = square(n, (x, i, j) => (j === 0 ? (i === 0 ? 0.5 : x < 0 ? -1 : 1) : x));
      expect(lu(later).permutation.data[0]).toBe(1);
      expectAsAlone(() => lu(a).permutation, 0);
    }
  });

  test("tiny and huge elements are core's", () => {
    for (const scale of [1e-300, 1e-160, 1e160, 1e300]) {
      const a = definite(30).mul(scale);
      for (const f of [cholesky, inverse, qr, svd, eigh, (x: Value) => solve(x, draw(1, 30, 2))])
        expectAsAlone(() => f(a), 1e-10);
    }
  });

  test("what core evaluates for compiled programs goes through it too", () => {
    const f = (a: Value) => sum(mul(cholesky(a), 2));
    const a = definite(30);
    expect(compile(f)(a).item()).toBeCloseTo(alone(() => f(a)).item(), 10);
  });
});
