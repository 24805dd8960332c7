import {
  capture,
  cummax,
  cummin,
  cumprod,
  cumsum,
  diff,
  grad,
  logCumSumExp,
  parameter,
  prod,
  stack,
  unstack,
  type Value,
  value,
  vmap,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

const x = value([
  [3, -1, 2, 2],
  [0, 5, -4, 1],
  [7, 2, 2, -3],
]);

/** The gradient of ⟨weights, ∇f⟩: a row of the Hessian where the weights are one-hot. */
function hessianTimes(f: (x: Value) => Value, at: Value, weights: number[]): unknown {
  return grad((x: Value) =>
    grad((x: Value) => f(x))(x)
      .mul(weights)
      .sum(),
  )(at).toArray();
}

// Expected numbers where no other source is named: NumPy 2.4.

describe("prod", () => {
  test("over all, one, several and no axes", () => {
    expect(prod(x, 0).toArray()).toEqual([0, -10, -16, -6]);
    expect(prod(x, 1, { keepDims: true }).toArray()).toEqual([[-12], [-0], [-84]]);
    expect(prod(x, [0, 1]).item()).toBeCloseTo(0, 15);
    expect(prod(x, []).toArray()).toEqual(x.toArray());
    expect(prod(5).item()).toBe(5);
  });

  test("of nothing is 1", () => {
    expect(prod([]).item()).toBe(1);
    expect(prod(value([], { shape: [0, 2] }), 0).toArray()).toEqual([1, 1]);
    expect(prod(value([], { shape: [0, 2] }), 1).shape).toEqual([0]);
  });

  test("keeps int32, in which it wraps, and counts bool", () => {
    expect(prod(value(Int32Array.of(2 ** 20, 2 ** 12))).item()).toBe(0);
    expect(prod([true, true]).dtype).toBe("int32");
    expect(prod(value([2, 3], { dtype: "float32" })).dtype).toBe("float32");
  });

  test("has the right gradient beside one zero, two, and three", () => {
    const gradient = (data: number[]) => grad((x: Value) => prod(x))(value(data)).toArray();
    expect(gradient([0, 2, 3])).toEqual([6, 0, 0]);
    expect(gradient([0, 0, 3])).toEqual([0, 0, 0]);
    expect(gradient([0, 0, 0])).toEqual([0, 0, 0]);
    expect(gradient([2, -4, 0.5])).toEqual([-2, 1, -8]);
  });

  test("has the right second derivative there: the product of the rest", () => {
    // ∂²(abc)/∂a∂b = c.
    expect(hessianTimes((x) => prod(x), value([0, 2, 3]), [1, 0, 0])).toEqual([0, 3, 2]);
    expect(hessianTimes((x) => prod(x), value([0, 0, 3]), [1, 0, 0])).toEqual([0, 3, 0]);
    expect(hessianTimes((x) => prod(x), value([0, 0, 0]), [1, 1, 1])).toEqual([0, 0, 0]);
  });
});

describe("cumsum and cumprod", () => {
  test("run along an axis, or through the flattened value", () => {
    expect(cumsum(x, 0).toArray()).toEqual([
      [3, -1, 2, 2],
      [3, 4, -2, 3],
      [10, 6, 0, 0],
    ]);
    expect(cumsum(x).toArray()).toEqual([3, 2, 4, 6, 6, 11, 7, 8, 15, 17, 19, 16]);
    expect(cumprod(x, -1).toArray()).toEqual([
      [3, -3, -6, -12],
      [0, 0, -0, -0],
      [7, 14, 28, -84],
    ]);
    expect(cumsum(5, 0).toArray()).toBe(5);
    expect(cumsum(5).toArray()).toEqual([5]);
    expect(cumprod(value([], { shape: [2, 0] }), 1).shape).toEqual([2, 0]);
  });

  test("run the other way with reverse", () => {
    expect(cumsum([1, 2, 3], 0, { reverse: true }).toArray()).toEqual([6, 5, 3]);
    expect(cumprod([2, 3, 4], 0, { reverse: true }).toArray()).toEqual([24, 12, 4]);
    expect(cummax([2, 3, 1], 0, { reverse: true }).toArray()).toEqual([3, 3, 1]);
  });

  test("wrap int32 and count bool", () => {
    expect(cumsum(value(Int32Array.of(2 ** 31 - 1, 1))).toArray()).toEqual([2 ** 31 - 1, -(2 ** 31)]);
    expect(cumsum([true, false, true]).toArray()).toEqual([1, 1, 2]);
    expect(cumprod([true, false, true]).dtype).toBe("int32");
  });

  test("of float32 sum in float64", () => {
    const tenths = value(new Float32Array(100_000).fill(0.1));
    const last = cumsum(tenths).slice(-1).item();
    expect(last).toBe(Math.fround(Math.fround(0.1) * 100_000));
  });

  test("carry NaN and infinities on from where they are", () => {
    expect(cumsum([1, Number.NaN, 1]).toArray()).toEqual([1, Number.NaN, Number.NaN]);
    expect(cumprod([2, Infinity, 0]).toArray()).toEqual([2, Infinity, Number.NaN]);
  });

  test("cumprod's derivatives are right through zeros, to the second order", () => {
    // f = x + xy + xyz: ∇f = (1 + y + yz, x + xz, xy), and its Hessian has 1 + z, y, x off the diagonal.
    const f = (x: Value) => cumprod(x).sum();
    expect(grad(f)(value([2, 0, 3])).toArray()).toEqual([1, 8, 0]);
    expect(grad(f)(value([0, 0, 3])).toArray()).toEqual([1, 0, 0]);
    expect(hessianTimes(f, value([2, 0, 3]), [1, 0, 0])).toEqual([0, 4, 0]);
    expect(hessianTimes(f, value([0, 0, 3]), [0, 1, 0])).toEqual([4, 0, 0]);
  });
});

describe("cummax and cummin", () => {
  test("run along an axis", () => {
    expect(cummax(x, 1).toArray()).toEqual([
      [3, 3, 3, 3],
      [0, 5, 5, 5],
      [7, 7, 7, 7],
    ]);
    expect(cummin(x, 0).toArray()).toEqual([
      [3, -1, 2, 2],
      [0, -1, -4, 1],
      [0, -1, -4, -3],
    ]);
    expect(cummax(value(Int32Array.of(1, 3, 2))).dtype).toBe("int32");
  });

  test("are NaN from the first NaN on", () => {
    expect(cummax([1, Number.NaN, 5]).toArray()).toEqual([1, Number.NaN, Number.NaN]);
    expect(cummin([Number.NaN, -5]).toArray()).toEqual([Number.NaN, Number.NaN]);
  });

  test("give the gradient of a tie to the one met last", () => {
    expect(grad((x: Value) => cummax(x).sum())(value([2, 2, 1])).toArray()).toEqual([1, 2, 0]);
    expect(grad((x: Value) => cummin(x).sum())(value([2, 1, 1])).toArray()).toEqual([1, 1, 1]);
  });
});

describe("logCumSumExp", () => {
  test("is the logarithm of the running sum of exponentials", () => {
    const expected = [
      [3, 3.01814992791781, 3.3265626412674707, 3.5619413794965094],
      [0, 5.006715348489118, 5.006837924816999, 5.024865276406929],
      [7, 7.006715348489118, 7.013385901721449, 7.0134306969782365],
    ];
    const y = logCumSumExp(x, 1);
    expected.flat().forEach((e, i) => {
      expect(y.data[i]).toBeCloseTo(e, 14);
    });
    expect(logCumSumExp([1, 2]).dtype).toBe("float64");
    expect(logCumSumExp(value(Int32Array.of(0, 0)), 0).data[1]).toBeCloseTo(Math.LN2, 15);
  });

  test("neither overflows nor loses infinities and NaN", () => {
    expect(logCumSumExp([-1000, -1000]).data[1]).toBeCloseTo(-1000 + Math.LN2, 12);
    expect(logCumSumExp([-Infinity, -Infinity, 1]).toArray()).toEqual([-Infinity, -Infinity, 1]);
    expect(logCumSumExp([1, Infinity, Infinity]).toArray()).toEqual([1, Infinity, Infinity]);
    expect(logCumSumExp([1, Number.NaN, 2]).toArray()).toEqual([1, Number.NaN, Number.NaN]);
  });

  test("passes nothing to −Infinity, and no NaN", () => {
    const f = (x: Value) => logCumSumExp(x).sum();
    expect(grad(f)(value([-Infinity, -Infinity, 1])).toArray()).toEqual([0, 0, 1]);
    expect(hessianTimes(f, value([-Infinity, 1, 2]), [1, 1, 1])).not.toContain(Number.NaN);
  });
});

describe("diff", () => {
  test("subtracts neighbours, as often as said", () => {
    expect(diff(x, 1, 0).toArray()).toEqual([
      [-3, 6, -6, -1],
      [7, -3, 6, -4],
    ]);
    expect(diff(x, 2).toArray()).toEqual([
      [7, -3],
      [-14, 14],
      [5, -5],
    ]);
    expect(diff(x, 9).shape).toEqual([3, 0]);
    expect(diff(x, 0).toArray()).toEqual(x.toArray());
  });

  test("refuses fractional orders and scalars", () => {
    expect(() => diff(x, 0.5)).toThrow("diff: order must be a whole number ≥ 0, got 0.5.");
    expect(() => diff(5)).toThrow("diff: a scalar has no axes, got -1.");
  });
});

test("runs refuse axes that are not there", () => {
  expect(() => cumsum(x, 2)).toThrow("cumsum: axis must be in [-2, 1] for rank 2, got 2.");
  expect(() => cumprod(5, 1)).toThrow("cumprod: axis must be in [-1, 0] for rank 1, got 1.");
});

test("runs whose rules read data refuse what assign replaced", () => {
  for (const run of [cumprod, logCumSumExp]) {
    const w = parameter([1, 2]);
    const y = run(w).sum();
    w.assign([3, 4]);
    expect(() => y.backward()).toThrow(/^backward: the data that \w+ used must still be there/);
  }
  const w = parameter([1, 2]);
  const y = cumsum(w).sum();
  w.assign([3, 4]);
  y.backward();
  expect(w.grad?.toArray()).toEqual([2, 1]);
});

test("second derivatives of runs can be captured", () => {
  const f = (x: Value) =>
    grad((x: Value) => cumprod(x).sum().add(prod(x)).add(logCumSumExp(x).sum()))(x).sum();
  const graph = capture((x) => grad(f)(x), value([1, 2, 3]));
  const at = value([0.5, 0, -1]);
  expect(graph.evaluate(at)[0]?.toArray()).toEqual(grad(f)(at).toArray());
});

test("runs and their first two derivatives map as a loop does", () => {
  const xs = value([
    [
      [1, -2, 0.5],
      [0, 3, 2],
    ],
    [
      [0, 0, 1],
      [-1, 4, 2],
    ],
  ]);
  for (const run of [cumsum, cumprod, cummax, logCumSumExp, prod]) {
    const f = (x: Value) => run(x, 1);
    const g = grad((x: Value) => f(x).square().sum());
    const h = grad((x: Value) => g(x).mul(cumsum(x, 1)).sum());
    for (const map of [f, g, h]) {
      const loop = stack(unstack(xs).map((x) => map(x)));
      expect(vmap(map)(xs).toArray()).toEqual(loop.toArray());
    }
  }
});
