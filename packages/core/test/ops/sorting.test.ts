import { argsort, grad, median, quantile, sort, topK, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";

const x = value([
  [3, -1, 2, 2],
  [0, 5, -4, 1],
  [7, 2, 2, -3],
]);
const odd = value([3, Number.NaN, -Infinity, 1, Number.NaN, Infinity, -0, 0]);

function expectClose(actual: Value, expected: readonly number[]): void {
  expect(actual.size).toBe(expected.length);
  expected.forEach((e, i) => {
    expect(actual.data[i]).toBeCloseTo(e, 13);
  });
}

// Expected numbers where no other source is named: NumPy 2.4.

describe("sort and argsort", () => {
  test("order along an axis, stably", () => {
    expect(sort(x, 0).toArray()).toEqual([
      [0, -1, -4, -3],
      [3, 2, 2, 1],
      [7, 5, 2, 2],
    ]);
    expect(argsort(x, 1).toArray()).toEqual([
      [1, 2, 3, 0],
      [2, 0, 3, 1],
      [3, 1, 2, 0],
    ]);
    expect(argsort([1, 0, 1, 0], 0, { descending: true }).toArray()).toEqual([0, 2, 1, 3]);
    expect(sort(value(Int32Array.of(3, 1))).dtype).toBe("int32");
  });

  test("put NaN last, and first when descending", () => {
    expect(sort(odd).toArray()).toEqual([-Infinity, -0, 0, 1, 3, Infinity, Number.NaN, Number.NaN]);
    expect(argsort(odd).toArray()).toEqual([2, 6, 7, 3, 0, 5, 1, 4]);
    expect(argsort(odd, 0, { descending: true }).toArray()).toEqual([1, 4, 5, 0, 3, 6, 7, 2]);
  });

  test("take scalars and empty axes", () => {
    expect(sort(5).item()).toBe(5);
    expect(argsort(5).item()).toBe(0);
    expect(sort(value([], { shape: [2, 0] })).shape).toEqual([2, 0]);
    expect(sort(value([], { shape: [0, 2] })).shape).toEqual([0, 2]);
    expect(() => sort(x, 2)).toThrow("sort: axis must be in [-2, 1] for rank 2, got 2.");
  });

  test("hand the gradient back to where the elements were", () => {
    const weights = [1, 10, 100];
    expect(grad((x: Value) => sort(x).mul(weights).sum())(value([2, 3, 2])).toArray()).toEqual([1, 100, 10]);
  });
});

describe("topK", () => {
  test("gives the largest or smallest, and where they were", () => {
    const { values, indices } = topK(x, 2);
    expect(values.toArray()).toEqual([
      [3, 2],
      [5, 1],
      [7, 2],
    ]);
    expect(indices.toArray()).toEqual([
      [0, 2],
      [1, 3],
      [0, 1],
    ]);
    expect(topK(x, 1, 0, { largest: false }).values.toArray()).toEqual([[0, -1, -4, -3]]);
    expect(topK(5, 1).values.item()).toBe(5);
    expect(topK(odd, 1).indices.toArray()).toEqual([1]);
  });

  test("refuses more than there are", () => {
    expect(() => topK(x, 5)).toThrow("topK: k must be a whole number in [0, 4], got 5.");
    expect(() => topK(x, 0.5, 0)).toThrow("topK: k must be a whole number in [0, 3], got 0.5.");
  });
});

describe("median and quantile", () => {
  test("of all, of columns, of rows", () => {
    expect(median(x).item()).toBe(2);
    expect(median(x, 0).toArray()).toEqual([3, 2, 2, 1]);
    expect(median(x, 1).toArray()).toEqual([2, 0.5, 2]);
    expect(median(x, [0, 1], { keepDims: true }).toArray()).toEqual([[2]]);
    expectClose(quantile(x, [0, 0.1, 0.25, 0.5, 0.77, 1]), [-4, -2.8, -0.25, 2, 2.47, 7]);
    expectClose(quantile(x, 0.3, 1), [1.7, -0.4, 1.5]);
    const both = quantile(x, [0.2, 0.9], 0, { keepDims: true });
    expect(both.shape).toEqual([2, 1, 4]);
    expectClose(both, [1.2, 0.2, -1.6, -1.4, 6.2, 4.4, 2, 1.8]);
    expect(quantile(value(Int32Array.of(1, 2)), 0.5).item()).toBe(1.5);
    expect(median([true, false]).item()).toBe(0.5);
    expect(median(3).item()).toBe(3);
  });

  test("are NaN of nothing and beside a NaN, in its line only", () => {
    expect(median([]).item()).toBeNaN();
    expect(quantile(value([], { shape: [2, 0] }), [0.5, 1], 1).toArray()).toEqual([
      [Number.NaN, Number.NaN],
      [Number.NaN, Number.NaN],
    ]);
    expect(
      median(
        [
          [1, Number.NaN],
          [1, 3],
        ],
        1,
      ).toArray(),
    ).toEqual([Number.NaN, 2]);
    expect(median([Infinity, 1, Infinity, 2]).item()).toBe(Infinity);
    expect(quantile([-Infinity, 0, 1], 0.25).item()).toBe(-Infinity);
  });

  test("share the gradient between the two in the middle, or by weight", () => {
    expect(grad((x: Value) => median(x))(value([7, 1, 3, 4])).toArray()).toEqual([0, 0, 0.5, 0.5]);
    expect(grad((x: Value) => quantile(x, 0.25))(value([4, 1, 2, 3])).toArray()).toEqual([0, 0.25, 0.75, 0]);
  });

  test("refuse quantiles outside [0, 1]", () => {
    expect(() => quantile(x, 1.5)).toThrow("quantile: quantiles must be in [0, 1], got 1.5.");
    expect(() => quantile(x, [0.5, Number.NaN])).toThrow("quantile: quantiles must be in [0, 1], got NaN.");
  });
});

test("quantile of a list of none", () => {
  const x = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  expect(quantile(x, [], 0).shape).toEqual([0, 3]);
  expect(quantile(x, [], 1, { keepDims: true }).shape).toEqual([0, 2, 1]);
  expect(quantile([], []).shape).toEqual([0]);
});
