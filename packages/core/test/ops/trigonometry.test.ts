import {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cosh,
  grad,
  hypot,
  sinc,
  sinh,
  tan,
  type Value,
  value,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

const inf = Number.POSITIVE_INFINITY;
const { PI } = Math;

test("trigonometric functions follow IEEE 754 at the ends of their domains", () => {
  expect(tan([-0, inf]).toArray()).toEqual([-0, NaN]);
  expect(asin([-0, 1, 2]).toArray()).toEqual([-0, PI / 2, NaN]);
  expect(acos([1, -1, -2]).toArray()).toEqual([0, PI, NaN]);
  expect(atan([inf, -inf]).toArray()).toEqual([PI / 2, -PI / 2]);
  expect(sinh([-0, -inf, 711]).toArray()).toEqual([-0, -inf, inf]);
  expect(cosh([0, -inf, 711]).toArray()).toEqual([1, inf, inf]);
  expect(asinh([-0, -inf]).toArray()).toEqual([-0, -inf]);
  expect(acosh([1, 0.5, inf]).toArray()).toEqual([0, NaN, inf]);
  expect(atanh([-0, 1, -1, 2]).toArray()).toEqual([-0, inf, -inf, NaN]);
});

test("slopes at the ends of domains are infinite, and NaN outside", () => {
  const slope = (f: (x: Value) => Value, x: number) => grad(f)(x).item();
  expect([slope(asin, 1), slope(acos, -1), slope(acosh, 1), slope(atanh, 1)]).toEqual([inf, -inf, inf, inf]);
  expect([slope(asin, 2), slope(acos, 2), slope(acosh, -2), slope(atanh, 2)]).toEqual([NaN, NaN, NaN, NaN]);
});

describe("atan2", () => {
  // numpy.arctan2 of NumPy 2.4
  test("knows the quadrant, and the sign of zero", () => {
    const a = [0, -0, 0, -0, 1, -inf];
    const b = [-1, -1, 0, 0, -0, inf];
    expect(atan2(a, b).toArray()).toEqual([PI, -PI, 0, -0, PI / 2, -PI / 4]);
  });

  test("has slopes b/r² and −a/r², 0 at the origin", () => {
    const slopes = (a: number, b: number) =>
      grad((a, b) => atan2(a, b), { argnums: [0, 1] })(a, b).map((d) => d.item());
    expect(slopes(1, 3)).toEqual([0.3, -0.1]);
    expect(slopes(0, 0)).toEqual([0, 0]);
  });
});

describe("hypot", () => {
  test("does not overflow, and an infinity hides a NaN", () => {
    expect(hypot([3, inf, 0], [4, NaN, 0]).toArray()).toEqual([5, inf, 0]);
    expect(hypot(1e200, 1e200).item() / 1e200).toBeCloseTo(Math.SQRT2, 15);
    expect(hypot(1e-200, 1e-200).item() / 1e-200).toBeCloseTo(Math.SQRT2, 15);
  });

  test("has slopes a/y and b/y, 0 at the origin", () => {
    const slopes = (a: number, b: number) =>
      grad((a, b) => hypot(a, b), { argnums: [0, 1] })(a, b).map((d) => d.item());
    expect(slopes(3, 4)).toEqual([0.6, 0.8]);
    expect(slopes(0, 0)).toEqual([0, 0]);
  });

  test("broadcasts", () => {
    expect(hypot([[3], [5]], [4, 12]).toArray()).toEqual([
      [5, Math.hypot(3, 12)],
      [Math.hypot(5, 4), 13],
    ]);
  });
});

describe("sinc", () => {
  test("is 1 at 0 and NumPy's elsewhere", () => {
    // numpy.sinc of NumPy 2.4
    expect(sinc([0, -0, 1, 2, inf]).toArray()).toEqual([
      1,
      1,
      3.8981718325193755e-17,
      -3.8981718325193755e-17,
      NaN,
    ]);
  });

  test("has all its derivatives at 0: (−1)^k π^2k/(2k + 1) for even orders 2k, 0 for odd ones", () => {
    let f: (x: Value) => Value = sinc;
    const expected = [
      1, 0, -3.289868133696453, 0, 19.481818206800487, 0, -137.34131336790063, 0, 1054.2812240078415,
    ];
    for (const y of expected) {
      expect(f(value(0)).item()).toBeCloseTo(y, 12);
      f = grad(f);
    }
  });

  // mpmath 1.3, 120 digits
  test("has derivatives that keep their digits near 0, further out and on both sides", () => {
    const table = [
      [0, -20.25, 0.01111501624885316],
      [1, 1e-6, -3.2898681336932058e-6],
      [1, -20.25, -0.03436996370062688],
      [2, 0.5, -1.1902271282389356],
      [2, -20.25, -0.11309537760397219],
      [3, 0.75, 6.828044084839193],
      [5, 2, 27.78053451427782],
      [5, -1e-3, 0.13734113765443426],
      [7, 0.125, 129.0318684116923],
      [7, 1.5, -298.3072649772365],
      [8, 5, -259.4189148650382],
      [8, -20.25, 117.14216083208974],
    ] as const;
    for (const [order, x, expected] of table) {
      let f: (x: Value) => Value = sinc;
      for (let i = 0; i < order; i++) f = grad(f);
      expect([order, x, f(value(x)).item() / expected]).toEqual([order, x, expect.closeTo(1, 12)]);
    }
  });
});
