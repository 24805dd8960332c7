/** Matrices that reference values were computed for, with NumPy 2.4.6 and mpmath. */

import { isValue, type NestedNumbers, random, type Value, value } from "@adjoint/core";
import { expect } from "vitest";

export const A = value([
  [1.69, -0.47, 0.03, 0.41],
  [-0.79, 0, 0, -1.75],
  [1.02, 0.6, -0.63, -0.17],
  [0.51, -0.26, -0.24, -1.45],
]);
export const B = value([
  [0.55, 0.12],
  [0.27, -1.53],
  [1.65, 0.15],
  [-0.39, 2.03],
]);
export const TALL = value([
  [-0.05, -1.45, -0.41],
  [-2.29, 1.05, -0.42],
  [-0.74, 1.07, -1.65],
  [0.54, -2.06, -0.66],
]);
export const SYMMETRIC = value([
  [4.25, -2.05, 1.35, 0.38],
  [-2.05, 4.69, -0.51, 2.13],
  [1.35, -0.51, 2.83, 0.76],
  [0.38, 2.13, 0.76, 3.49],
]);

/** A random matrix of a size. */
export function sized(seed: number, ...shape: number[]): Value {
  return random.normal(random.key(seed), shape, { dtype: "float64" });
}

/** Expects numbers to agree to a relative error of the largest. */
export function expectClose(x: Value, reference: Value | NestedNumbers, error = 1e-12): void {
  const wanted = isValue(reference) ? reference : value(reference);
  expect(x.shape).toEqual(wanted.shape);
  const scale = Math.max(0, ...wanted.data.map(Math.abs));
  x.data.forEach((n, i) => {
    expect(Math.abs(n - (wanted.data[i] as number))).toBeLessThanOrEqual(error * scale);
  });
}
