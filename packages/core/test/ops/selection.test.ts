import { capture, grad, oneHot, take, takeAlongAxis, value, vmap } from "@adjoint/core";
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

  test.each([0, 1])(
    "takes nothing from beyond axis %i where indices were not there to be checked",
    (axis) => {
      const n = x.shape[axis] as number;
      const indices = value(Int32Array.of(n, -n - 1, 0, 2 ** 31 - 1, -(2 ** 31)));
      const flow = capture(
        (x, i) => [take(x, i, axis), grad((x) => take(x, i, axis).sum())(x), take(x.mul(0).gt(-1), i, axis)],
        x,
        indices,
      );
      const [taken, dx, bools] = flow.evaluate(x, indices).map((y) => y.toArray()) as number[][][];
      const [first, rows, flags] = [take(x, [0], axis).toArray() as number[][], taken, bools];
      if (axis === 0) {
        expect(rows).toEqual([[NaN, NaN], [NaN, NaN], first[0], [NaN, NaN], [NaN, NaN]]);
        expect(flags).toEqual([
          [0, 0],
          [0, 0],
          [1, 1],
          [0, 0],
          [0, 0],
        ]);
        expect(dx).toEqual([
          [1, 1],
          [0, 0],
          [0, 0],
        ]);
      } else {
        expect(rows).toEqual(first.map(([y]) => [NaN, NaN, y, NaN, NaN]));
        expect(flags).toEqual(first.map(() => [0, 0, 1, 0, 0]));
        expect(dx).toEqual(first.map(() => [1, 0]));
      }
    },
  );

  test("takes nothing from another example of a batch", () => {
    const indices = value(Int32Array.of(2, 0, -3, 1)).reshape([2, 2]);
    const batch = value([
      [1, 2],
      [3, 4],
    ]);
    const f = vmap((x, i) => take(x, i, 0));
    expect(f(batch, indices).toArray()).toEqual([
      [NaN, 1],
      [NaN, 4],
    ]);
    expect(grad((x) => f(x, indices).sum())(batch).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    const along = vmap((x, i) => takeAlongAxis(x, i, 0));
    expect(along(batch, indices).toArray()).toEqual([
      [NaN, 1],
      [NaN, 4],
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
