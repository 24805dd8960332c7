import { grad, oneHot, take, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";

const x = value([
  [1, 2],
  [3, 4],
  [5, 6],
]);

describe("take", () => {
  test("picks along an axis or of the flattened value, with indices of any shape", () => {
    expect(take(x, [2, -3], 0).toArray()).toEqual([
      [5, 6],
      [1, 2],
    ]);
    expect(take(x, [[1], [0]], 1).shape).toEqual([3, 2, 1]);
    expect(take(x, 4).item()).toBe(5);
    expect(take(x, 1, 0).toArray()).toEqual([3, 4]);
    expect(take(x, value([], { shape: [0] }), 0).shape).toEqual([0, 2]);
  });

  test("adds the cotangents of indices that repeat, to the second order", () => {
    expect(grad((x) => take(x, [0, 0, 2], 0).sum())(x).toArray()).toEqual([
      [2, 2],
      [0, 0],
      [1, 1],
    ]);
    const d2 = grad((x) => grad((x) => take(x, [0, 0, 2], 0).pow(3).sum())(x).sum())(x);
    expect(d2.toArray()).toEqual([
      [12, 24],
      [0, 0],
      [30, 36],
    ]);
  });

  test("refuses indices outside and fractions", () => {
    expect(() => take(x, [0, 3], 0)).toThrow("take: indices must be in [-3, 2], got 3.");
    expect(() => take(x, [0.5], 0)).toThrow("take: indices must be whole numbers of 32 bits, got 0.5.");
    expect(() => take([1, 2], [2 ** 32])).toThrow(
      "take: indices must be whole numbers of 32 bits, got 4294967296.",
    );
    expect(() => take(value([], { shape: [0] }), 0)).toThrow(
      "take: nothing can be taken from an empty axis, got 0.",
    );
  });
});

test("oneHot gives rows of the identity, zeros for indices outside", () => {
  expect(oneHot([1, 5, 0], 2).toArray()).toEqual([
    [0, 1],
    [0, 0],
    [1, 0],
  ]);
  expect(oneHot(2, 3).shape).toEqual([3]);
  expect(oneHot([0], 2).dtype).toBe("float32");
  expect(() => oneHot([0], -1)).toThrow("oneHot: count must be a whole number ≥ 0, got -1.");
});
