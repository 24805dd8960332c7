import {
  capture,
  concat,
  grad,
  indexUpdate,
  parameter,
  scatterAdd,
  scatterSet,
  segmentSum,
  type Value,
  value,
  vmap,
  zeros,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

const source = value([
  [1, 2, 3, 4, 5],
  [6, 7, 8, 9, 10],
]);

describe("scatterAdd and scatterSet", () => {
  // PyTorch's documentation of Tensor.scatter_add_ and Tensor.scatter_.
  test("give what PyTorch's documentation shows", () => {
    const ones = value(new Float64Array(10).fill(1), { shape: [2, 5] });
    expect(scatterAdd(zeros([3, 5]), 0, [[0, 1, 2, 0, 0]], ones).toArray()).toEqual([
      [1, 0, 0, 1, 1],
      [0, 1, 0, 0, 0],
      [0, 0, 1, 0, 0],
    ]);
    const twice = [
      [0, 1, 2, 0, 0],
      [0, 1, 2, 2, 2],
    ];
    expect(scatterAdd(zeros([3, 5]), 0, twice, ones).toArray()).toEqual([
      [2, 0, 0, 1, 1],
      [0, 2, 0, 0, 0],
      [0, 0, 2, 1, 1],
    ]);
    expect(scatterSet(zeros([3, 5]), 0, [[0, 1, 2, 0]], source).toArray()).toEqual([
      [1, 0, 0, 4, 0],
      [0, 2, 0, 0, 0],
      [0, 0, 3, 0, 0],
    ]);
    const rows = [
      [0, 1, 2],
      [0, 1, 4],
    ];
    expect(scatterSet(zeros([3, 5]), 1, rows, source).toArray()).toEqual([
      [1, 2, 3, 0, 0],
      [6, 7, 0, 0, 8],
      [0, 0, 0, 0, 0],
    ]);
    expect(
      scatterSet(value(new Float64Array(8).fill(2), { shape: [2, 4] }), 1, [[2], [3]], 1.23).toArray(),
    ).toEqual([
      [2, 2, 1.23, 2],
      [2, 2, 2, 1.23],
    ]);
  });

  test("take scalars, nothing, and indices from the end", () => {
    expect(scatterAdd(5, 0, 0, 2).item()).toBe(7);
    expect(scatterSet(5, 0, 0, 2).item()).toBe(2);
    expect(scatterSet([1, 2], 0, [-1], [9]).toArray()).toEqual([1, 9]);
    const none = value(new Int32Array(0), { shape: [0] });
    expect(scatterSet([1, 2], 0, none, zeros([0])).toArray()).toEqual([1, 2]);
    expect(scatterAdd([1, 2], 0, none, zeros([0])).toArray()).toEqual([1, 2]);
  });

  test("promote, and sum float32 in float64", () => {
    expect(scatterAdd(value(Int32Array.of(1)), 0, [0], [0.5]).toArray()).toEqual([1.5]);
    expect(scatterSet(value([1], { dtype: "float32" }), 0, [0], 0.5).dtype).toBe("float32");
    const many = value(new Float32Array(100_000).fill(0.1));
    const sums = scatterAdd(value([0], { dtype: "float32" }), 0, value(new Int32Array(100_000)), many);
    expect(sums.item()).toBe(Math.fround(Math.fround(0.1) * 100_000));
  });

  test("of indices that repeat, the last one writes and alone has a gradient", () => {
    const at = [2, 0, 2];
    const f = (x: Value, s: Value) => scatterSet(x, 0, at, s).mul([1, 10, 100]).sum();
    const [dx, ds] = grad(f, { argnums: [0, 1] })(value([0, 0, 0]), value([1, 2, 3]));
    expect(dx.toArray()).toEqual([0, 10, 0]);
    expect(ds.toArray()).toEqual([0, 1, 100]);
  });

  test("refuse what reaches beyond x or the source", () => {
    expect(() => scatterAdd([1, 2], 0, [2], [1])).toThrow("scatterAdd: indices must be in [-2, 1], got 2.");
    expect(() => scatterAdd([1, 2], 0, [0, 1], [1])).toThrow(
      "scatterAdd: indices must not reach beyond the source, got [2] for [1].",
    );
    expect(() => scatterSet(zeros([2, 2]), 0, [[0, 0, 0]], zeros([1, 3]))).toThrow(
      "scatterSet: indices must not reach beyond x, but along axis 0, got [1, 3] for [2, 2].",
    );
  });
});

describe("indexUpdate", () => {
  test("replaces a range, a row, every other column backward", () => {
    const x = zeros([2, 4]);
    expect(indexUpdate(x, [1], [1, 2, 3, 4]).toArray()).toEqual([
      [0, 0, 0, 0],
      [1, 2, 3, 4],
    ]);
    expect(indexUpdate(x, [null, [null, null, -2]], [[1, 2]]).toArray()).toEqual([
      [0, 2, 0, 1],
      [0, 2, 0, 1],
    ]);
    expect(indexUpdate(x, [[0, 0]], 7).toArray()).toEqual(x.toArray());
    expect(x.toArray()).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    expect(indexUpdate(value(Int32Array.of(1, 2)), [0], 0.5).toArray()).toEqual([0.5, 2]);
  });

  test("passes no NaN from what it replaces, forward or backward", () => {
    const x = parameter([Number.NaN, 2]);
    const y = indexUpdate(x.mul(x), [0], 5);
    expect(y.toArray()).toEqual([5, 4]);
    y.sum().backward();
    expect(x.grad?.data[1]).toBe(4);
  });

  test("refuses sources and ranges that do not fit", () => {
    expect(() => indexUpdate([1, 2, 3], [[0, 2]], [1, 2, 3])).toThrow(
      "indexUpdate: shapes must broadcast (sizes equal or 1, aligned at the last axis), got [3] and [2]. " +
        "Reshape or transpose one operand.",
    );
    expect(() => indexUpdate([1, 2], [0], [[1], [2]])).toThrow(
      "indexUpdate: the source must broadcast to the part [], got [2, 1].",
    );
    expect(() => indexUpdate([1, 2], [5], 1)).toThrow(
      "indexUpdate: index along axis 0 must be a whole number in [-2, 1], got 5.",
    );
    expect(() => indexUpdate(5, [0], 1)).toThrow("indexUpdate: x must have an axis a range (1), got [].");
  });

  test("maps over sources", () => {
    const f = vmap((s: Value) => indexUpdate([1, 2, 3], [1], s));
    expect(f(value([8, 9])).toArray()).toEqual([
      [1, 8, 3],
      [1, 9, 3],
    ]);
  });
});

describe("segmentSum", () => {
  // JAX's documentation of jax.ops.segment_sum.
  test("gives what JAX's documentation shows", () => {
    expect(segmentSum([0, 1, 2, 3, 4], [0, 0, 1, 1, 2]).toArray()).toEqual([1, 5, 4]);
    expect(segmentSum([0, 1, 2, 3, 4], [0, 0, 1, 1, 2], 4).toArray()).toEqual([1, 5, 4, 0]);
  });

  test("sums slices, counts bool, takes nothing", () => {
    expect(segmentSum(source, [1, 1]).toArray()).toEqual([
      [0, 0, 0, 0, 0],
      [7, 9, 11, 13, 15],
    ]);
    expect(segmentSum([true, true], [0, 0]).dtype).toBe("int32");
    expect(segmentSum(zeros([0, 2]), []).shape).toEqual([0, 2]);
  });

  test("refuses segments outside, of other sizes, and an unknown count", () => {
    expect(() => segmentSum([1, 2], [0, 3], 2)).toThrow("segmentSum: segments must be in [0, 1], got 3.");
    expect(() => segmentSum([1, 2], [0, -1], 2)).toThrow("segmentSum: segments must be in [0, 1], got -1.");
    expect(() => segmentSum([1, 2], [0])).toThrow(
      "segmentSum: segments must have the leading sizes of [2], got [1].",
    );
    expect(() => capture((x, ids) => segmentSum(x, ids), [1, 2], Int32Array.of(0, 1))).toThrow(
      "segmentSum: count must be a whole number ≥ 0, got none while captured.",
    );
  });
});

test("scatters, updates and their derivatives map over any of their arguments as a loop does", () => {
  const xs = value([
    [1, -2, 0.5],
    [0, 3, 2],
  ]);
  const sources = value([
    [4, 5],
    [6, 7],
  ]);
  const at = value(Int32Array.of(2, 0, 1, 1), { shape: [2, 2] });
  const weights = [1, 10, 100];
  const calls = [
    (x: Value, s: Value, i: Value) => scatterAdd(x, 0, i, s),
    (x: Value, s: Value, i: Value) => scatterSet(x, 0, i, s),
    (x: Value, s: Value) => indexUpdate(x, [[0, 2]], s),
  ];
  for (const f of calls) {
    const g = grad((x: Value, s: Value, i: Value) => f(x.square(), s.square(), i).mul(weights).sum(), {
      argnums: [0, 1],
    });
    const both = (x: Value, s: Value, i: Value) => concat([f(x, s, i), ...(g(x, s, i) as Value[])]);
    for (const which of [
      [0, 0, 0],
      [0, null, null],
      [null, 0, null],
      [null, null, 0],
    ]) {
      const all = [xs, sources, at];
      const args = all.map((v, k) => (which[k] === null ? v.slice(0) : v)) as [Value, Value, Value];
      const loop = [0, 1].map((n) =>
        both(...(args.map((v, k) => (which[k] === null ? v : v.slice(n))) as [Value, Value, Value])),
      );
      expect(vmap(both, { inAxes: which })(...args).toArray()).toEqual(loop.map((y) => y.toArray()));
    }
  }
});

test("indexUpdate of a scalar, without a range, replaces it", () => {
  expect(indexUpdate(5, [], 7).toArray()).toBe(7);
  expect(grad((s: Value) => indexUpdate(5, [], s))(value(7)).item()).toBe(1);
});
