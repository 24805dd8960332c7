import {
  arange,
  argsort,
  booleanMask,
  capture,
  gather,
  grad,
  nonzero,
  segmentSum,
  stack,
  take,
  takeAlongAxis,
  takeAt,
  type Value,
  value,
  vmap,
  zeros,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

const x = value([
  [1, 2],
  [3, 4],
  [5, 6],
]);

describe("takeAlongAxis", () => {
  test("picks in each line by its own indices, which broadcast", () => {
    expect(takeAlongAxis(x, [[0], [1], [-1]], 1).toArray()).toEqual([[1], [4], [6]]);
    expect(takeAlongAxis(x, [[2, 0]], 0).toArray()).toEqual([[5, 2]]);
    expect(takeAlongAxis(x, [[1, 0, 1]]).toArray()).toEqual([
      [2, 1, 2],
      [4, 3, 4],
      [6, 5, 6],
    ]);
    expect(
      takeAlongAxis(x, argsort(x, 0, { descending: true }), 0)
        .slice(0)
        .toArray(),
    ).toEqual([5, 6]);
    expect(takeAlongAxis(5, 0).item()).toBe(5);
    expect(takeAlongAxis(5, [0, 0]).toArray()).toEqual([5, 5]);
    expect(takeAlongAxis(zeros([2, 0]), value(new Int32Array(0), { shape: [2, 0] })).shape).toEqual([2, 0]);
  });

  test("adds up the gradients of indices that repeat", () => {
    expect(
      grad((x: Value) =>
        takeAlongAxis(x, [[0, 0, 1]])
          .mul([1, 10, 100])
          .sum(),
      )(value([[1, 2]])).toArray(),
    ).toEqual([[11, 100]]);
  });

  test("refuses indices outside, of another rank, and fractions", () => {
    expect(() => takeAlongAxis(x, [[2]], 1)).toThrow("takeAlongAxis: indices must be in [-2, 1], got 2.");
    expect(() => takeAlongAxis(x, [0], 1)).toThrow(
      "takeAlongAxis: indices must have the rank 2 of x, got [1].",
    );
    expect(() => takeAlongAxis(x, [[0.5]], 1)).toThrow(
      "takeAlongAxis: indices must be whole numbers of 32 bits, got 0.5.",
    );
    expect(() => capture((x, i) => takeAlongAxis(x, i), x, [[0]])).toThrow(
      "takeAlongAxis: indices must be whole numbers of 32 bits, got float64. Cast them to int32.",
    );
  });
});

test("take, gather and segmentSum map over values, over indices, and over both", () => {
  const xs = value(
    Float64Array.from({ length: 24 }, (_, i) => i * i),
    { shape: [2, 3, 4] },
  );
  const at = value(Int32Array.of(0, -1, 2, 1, 1, -2), { shape: [2, 3] });
  const calls = {
    "take 0": (x: Value, i: Value) => take(x, i, 0),
    "take 1": (x: Value, i: Value) => take(x, i.reshape([3, 1]), 1),
    takeAlongAxis: (x: Value, i: Value) => takeAlongAxis(x, i.reshape([3, 1]), 0),
    segmentSum: (x: Value, i: Value) => segmentSum(x, i.mul(i), 5),
  };
  const pullOf = (f: (x: Value, i: Value) => Value) => (x: Value, i: Value) =>
    grad((x: Value) => {
      const y = f(x, i);
      return y.mul(arange(y.size).reshape(y.shape)).sum();
    })(x);
  for (const f of Object.values(calls)) {
    for (const g of [f, pullOf(f)]) {
      const examples = [0, 1].map((k) => [xs.slice(k), at.slice(k)] as const);
      const [x0, i0] = examples[0] as readonly [Value, Value];
      const each = (h: (x: Value, i: Value) => Value) => stack(examples.map(([x, i]) => h(x, i))).toArray();
      expect(vmap(g)(xs, at).toArray()).toEqual(each(g));
      expect(vmap(g, { inAxes: [0, null] })(xs, i0).toArray()).toEqual(each((x) => g(x, i0)));
      expect(vmap(g, { inAxes: [null, 0] })(x0, at).toArray()).toEqual(each((_, i) => g(x0, i)));
    }
  }
});

describe("gather", () => {
  // PyTorch's documentation of torch.gather.
  test("gives what PyTorch's documentation shows", () => {
    const t = value([
      [1, 2],
      [3, 4],
    ]);
    expect(
      gather(t, 1, [
        [0, 0],
        [1, 0],
      ]).toArray(),
    ).toEqual([
      [1, 1],
      [4, 3],
    ]);
  });

  test("reads the leading part of x where indices are smaller, and does not broadcast", () => {
    expect(gather(x, 0, [[2]]).toArray()).toEqual([[5]]);
    expect(gather(x, 1, [[1, 1, 0]]).toArray()).toEqual([[2, 2, 1]]);
    expect(() => gather(x, 0, [[0, 0, 0]])).toThrow(
      "gather: indices must not reach beyond x, but along axis 0, got [1, 3] for [3, 2].",
    );
  });
});

describe("takeAt", () => {
  // NumPy 2.4: x[[0, 2], [1, -2]] and so on.
  test("picks at one index an axis", () => {
    expect(
      takeAt(x, [
        [0, 2],
        [1, -2],
      ]).toArray(),
    ).toEqual([2, 5]);
    expect(
      takeAt(x, [
        [[0], [-1]],
        [0, 1],
      ]).toArray(),
    ).toEqual([
      [1, 2],
      [5, 6],
    ]);
    expect(takeAt(x, [1]).toArray()).toEqual([3, 4]);
    expect(takeAt(x, nonzero(x.gt(3))).toArray()).toEqual([4, 5, 6]);
  });

  test("refuses indices outside and too many", () => {
    expect(() => takeAt(x, [0, 2])).toThrow("takeAt: indices must be in [-2, 1], got 2.");
    expect(() => takeAt(x, [0, 0, 0])).toThrow("takeAt: between one index and one an axis (rank 2), got 3.");
  });
});

describe("booleanMask and nonzero", () => {
  test("keep what a mask of elements or of slices holds at", () => {
    expect(booleanMask(x, x.gt(2)).toArray()).toEqual([3, 4, 5, 6]);
    expect(booleanMask(x, [true, false, true]).toArray()).toEqual([
      [1, 2],
      [5, 6],
    ]);
    expect(booleanMask(x, [false, false, false]).shape).toEqual([0, 2]);
    expect(booleanMask(5, true).toArray()).toEqual([5]);
    expect(grad((x: Value) => booleanMask(x, [true, false]).sum())(value([1, 2])).toArray()).toEqual([1, 0]);
  });

  // NumPy 2.4: nonzero([[0, 5, 0], [7, 0, nan]]).
  test("say where", () => {
    const places = nonzero([
      [0, 5, 0],
      [7, 0, Number.NaN],
    ]);
    expect(places.map((i) => i.toArray())).toEqual([
      [0, 1, 1],
      [1, 0, 2],
    ]);
    expect(places[0]?.dtype).toBe("int32");
    expect(nonzero(3).map((i) => i.toArray())).toEqual([[0]]);
    expect(nonzero(zeros([2, 0])).map((i) => i.shape)).toEqual([[0], [0]]);
  });

  test("refuse other sizes, and masks that are captured", () => {
    expect(() => booleanMask(x, [true, false])).toThrow(
      "booleanMask: the mask must have the leading sizes of [3, 2], got [2].",
    );
    expect(() => capture((x) => booleanMask(x, x.gt(2)), x)).toThrow(
      "booleanMask: data that is known, since the result's shape depends on it, got a captured value of shape [3, 2]. " +
        "Keep the shape with where() instead.",
    );
    expect(() => capture((x) => nonzero(x), x)).toThrow(
      "nonzero: data that is known, since the result's shape depends on it, got a captured value of shape [3, 2]. " +
        "Keep the shape with where() instead.",
    );
  });
});
