/** Initialisers: bounds and variances as published, dtypes, determinism. */
import { random } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import {
  constant,
  fanInUniform,
  heNormal,
  heUniform,
  type Initializer,
  normal,
  ones,
  uniform,
  xavierNormal,
  xavierUniform,
  zeros,
} from "../src/index.ts";
import { saying } from "./saying.ts";

const key = random.key(11);

/** Mean, variance and largest size of 200 · 300 · 2 numbers: fanIn 600, fanOut 400. */
function statistics(initializer: Initializer) {
  const data = Array.from(initializer([200, 300, 2], key, "float64").data);
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  const variance = data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length;
  return { mean, variance, bound: data.reduce((top, x) => Math.max(top, Math.abs(x)), 0) };
}

describe("initialisers of weights", () => {
  // Variances: Glorot & Bengio (2010), eq. 12: 2/(fanIn + fanOut); He et al. (2015), eq. 10: 2/fanIn. A uniform
  // distribution of variance s has the bound √(3s).
  test.each<[string, Initializer, number, number | null]>([
    ["xavierUniform", xavierUniform, 2 / 1000, Math.sqrt(6 / 1000)],
    ["xavierNormal", xavierNormal, 2 / 1000, null],
    ["heUniform", heUniform, 2 / 600, Math.sqrt(6 / 600)],
    ["heNormal", heNormal, 2 / 600, null],
    ["fanInUniform", fanInUniform, 1 / 3 / 600, Math.sqrt(1 / 600)],
    ["uniform(-2, 2)", uniform(-2, 2), 4 / 3, 2],
    ["normal(3)", normal(3), 9, null],
  ])("%s has the published variance and bound", (_, initializer, variance, bound) => {
    const got = statistics(initializer);
    // 120 000 draws: 0.02 is more than four standard errors of either.
    expect(Math.abs(got.mean)).toBeLessThan(0.02 * Math.sqrt(variance));
    expect(Math.abs(got.variance / variance - 1)).toBeLessThan(0.02);
    if (bound !== null) {
      expect(got.bound).toBeLessThanOrEqual(bound);
      expect(got.bound).toBeGreaterThan(0.999 * bound);
    }
  });

  test("take a mean, or bounds that are not symmetric", () => {
    expect(normal(0, 5)([3], key).toArray()).toEqual([5, 5, 5]);
    expect(uniform(2, 3)([100], key).data.every((x) => x >= 2 && x < 3)).toBe(true);
  });

  test.each(Object.entries({ xavierUniform, xavierNormal, heUniform, heNormal, fanInUniform }))(
    "%s needs two axes",
    (name, initializer) => {
      expect(() => initializer([3], key)).toThrow(
        saying(
          `${name}: a weight must have at least the axes [out, in], got shape [3]. Use zeros, constant, uniform or normal for vectors.`,
          "ShapeError",
        ),
      );
    },
  );

  test("normal refuses a negative deviation", () => {
    expect(() => normal(-1)).toThrow(saying("normal: std must be ≥ 0, got -1."));
  });
});

test.each<[string, Initializer]>(
  Object.entries({
    xavierUniform,
    xavierNormal,
    heUniform,
    heNormal,
    fanInUniform,
    zeros,
    ones,
    "constant(2)": constant(2),
    "uniform(0, 1)": uniform(0, 1),
    "normal(1)": normal(1),
  }),
)(
  "%s gives constants of the shape and dtype, float32 unless said, the same for the same key",
  (_, initializer) => {
    const x = initializer([2, 3], key);
    expect([x.dtype, x.shape, x.isParameter]).toEqual(["float32", [2, 3], false]);
    expect(initializer([2, 3], key, "float64").dtype).toBe("float64");
    expect(initializer([2, 3], key).toArray()).toEqual(x.toArray());
  },
);

test("zeros, ones and constant fill any shape", () => {
  expect(zeros([2], key).toArray()).toEqual([0, 0]);
  expect(ones([1, 2], key).toArray()).toEqual([[1, 1]]);
  expect(constant(0.5)([], key).item()).toBe(0.5);
});
