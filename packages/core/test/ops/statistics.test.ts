import { all, any, argmin, countNonzero, grad, norm, std, type Value, value, variance } from "@adjoint/core";
import { describe, expect, test } from "vitest";

const x = value([
  [3, -1, 2, 2],
  [0, 5, -4, 1],
  [7, 2, 2, -3],
]);

function expectClose(actual: Value, expected: readonly number[]): void {
  expect(actual.size).toBe(expected.length);
  expected.forEach((e, i) => {
    expect((actual.data[i] as number) - e).toBeCloseTo(0, 12);
  });
}

// Expected numbers where no other source is named: NumPy 2.4.

describe("variance and std", () => {
  test("over axes, with and without a correction", () => {
    expectClose(variance(x, 0), [8.222222222222221, 6, 8, 4.666666666666667]);
    expectClose(variance(x, 1, { correction: 1 }), [3, 13.666666666666666, 16.666666666666668]);
    expectClose(std(x), [2.9533408577782247]);
    const kept = std(x, [0, 1], { correction: 1, keepDims: true });
    expect(kept.shape).toEqual([1, 1]);
    expectClose(kept, [3.08466392256134]);
    expect(variance(value(Int32Array.of(1, 2))).dtype).toBe("float64");
    expect(variance(5).item()).toBe(0);
  });

  test("of too few are NaN or infinite", () => {
    expect(variance([]).item()).toBeNaN();
    expect(std([3], 0, { correction: 1 }).item()).toBeNaN();
    expect(variance([1, 2], 0, { correction: 5 }).item()).toBe(Infinity);
    expect(std([1, Number.NaN]).item()).toBeNaN();
  });

  test("std has derivatives 0 where it is 0, at the second order too", () => {
    const f = (x: Value) => std(x);
    expect(grad(f)(value([2, 2, 2])).toArray()).toEqual([0, 0, 0]);
    expect(grad((x: Value) => grad(f)(x).sum())(value([2, 2, 2])).toArray()).toEqual([0, 0, 0]);
    expect(grad(f)(value([1, Number.NaN])).toArray()).toEqual([Number.NaN, Number.NaN]);
  });

  test("refuse axes under their own names", () => {
    expect(() => std(x, 2)).toThrow("std: axis must be in [-2, 1] for rank 2, got 2.");
    expect(() => variance(x, [0, 0])).toThrow("variance: axes must be distinct, got [0, 0].");
  });
});

describe("norm", () => {
  test.each([
    [0, [4, 3, 4], 11],
    [0.5, [30.91891483576285, 27.41640786499874, 51.929739908140164], 324.09991321647783],
    [1, [8, 10, 14], 32],
    [1.5, [5.198591422857393, 7.4122885544742285, 9.519953432153553], 15.564795762364845],
    [2, [4.242640687119285, 6.48074069840786, 8.12403840463596], 11.224972160321824],
    [3, [3.5303483353260625, 5.74889707894483, 7.281079419705336], 8.527018983281597],
    [Infinity, [3, 5, 7], 7],
    [-Infinity, [1, 0, 2], 0],
  ])("of order %d", (order, rows, all) => {
    expectClose(norm(x, order, 1), rows);
    expectClose(norm(x, order), [all]);
    expect(norm(x, order, [0, 1], { keepDims: true }).shape).toEqual([1, 1]);
  });

  test("of negative orders", () => {
    const y = value([
      [3, -1, 2],
      [0.5, 5, -4],
    ]);
    expectClose(norm(y, -2, 0), [0.4931969619160719, 0.9805806756909201, 1.7888543819998317]);
    expect(norm([0, 3], -1).item()).toBe(0);
  });

  test("neither overflows nor underflows, and carries NaN and infinities", () => {
    expect(norm([3e200, 4e200]).item() / 5e200).toBeCloseTo(1, 14);
    expect(norm([3e-200, 4e-200]).item() / 5e-200).toBeCloseTo(1, 14);
    expect(norm([1e200, 1e200], 3).item() / 1e200).toBeCloseTo(2 ** (1 / 3), 14);
    expect(norm([-Infinity, 1]).item()).toBe(Infinity);
    expect(norm([Number.NaN, Infinity]).item()).toBeNaN();
    expect(norm(value([300, 400], { dtype: "float32" })).item()).toBe(500);
  });

  test("of nothing is 0, or an error where it would be an extreme", () => {
    for (const order of [0, 0.5, 1, 2]) expect(norm([], order).item()).toBe(0);
    expect(norm(value([], { shape: [0, 2] }), 2, 0).toArray()).toEqual([0, 0]);
    expect(() => norm([], Infinity)).toThrow("norm: axis 0 must not be empty, got [0].");
    expect(() => norm(x, Number.NaN)).toThrow("norm: order must be a number, got NaN.");
  });

  test("has derivatives 0 at zero, of every order", () => {
    for (const order of [0, 0.5, 1, 1.5, 2, 3, Infinity, -Infinity, -1]) {
      const f = (x: Value) => norm(x, order);
      expect(grad(f)(value([0, 0])).toArray()).toEqual([0, 0]);
      expect(grad((x: Value) => grad(f)(x).sum())(value([0, 0])).toArray()).toEqual([0, 0]);
      const [atZero] = grad(f)(value([0, -2])).data;
      expect(atZero).toBe(0);
    }
  });

  test("shares the gradient among ties at Infinity", () => {
    expect(grad((x: Value) => norm(x, Infinity))(value([3, -3, 1])).toArray()).toEqual([0.5, -0.5, 0]);
  });
});

describe("any, all and countNonzero", () => {
  test("over axes, with NaN as not 0", () => {
    const y = value([
      [0, 5],
      [0, Number.NaN],
    ]);
    expect(any(y, 0).toArray()).toEqual([0, 1]);
    expect(all(y, 0).toArray()).toEqual([0, 1]);
    expect(countNonzero(y, 1).toArray()).toEqual([1, 1]);
    expect(countNonzero([Number.NaN, 0, -0]).item()).toBe(1);
    expect(any(y, null, { keepDims: true }).toArray()).toEqual([[1]]);
    expect(any(y).dtype).toBe("bool");
    expect(countNonzero(y).dtype).toBe("int32");
  });

  test("of nothing", () => {
    expect(any([]).item()).toBe(0);
    expect(all([]).item()).toBe(1);
    expect(countNonzero([]).item()).toBe(0);
  });

  test("refuse axes under their own names", () => {
    expect(() => any(x, 2)).toThrow("any: axis must be in [-2, 1] for rank 2, got 2.");
    expect(() => all(x, 2)).toThrow("all: axis must be in [-2, 1] for rank 2, got 2.");
  });
});

describe("argmin", () => {
  test("takes the first of ties and NaN as smallest", () => {
    expect(argmin(x, 0).toArray()).toEqual([1, 0, 1, 2]);
    expect(argmin([2, 1, 1]).item()).toBe(1);
    expect(argmin([3, Number.NaN, -Infinity, 1]).item()).toBe(1);
    expect(argmin(value(Int32Array.of(0, -(2 ** 31)))).item()).toBe(1);
    expect(argmin(5).item()).toBe(0);
  });

  test("refuses scalars with an axis, and nothing", () => {
    expect(() => argmin([])).toThrow("argmin: axis 0 must not be empty, got [0].");
    expect(() => argmin(value([], { shape: [2, 0] }), 1)).toThrow(
      "argmin: axis 1 must not be empty, got [2, 0].",
    );
    expect(() => argmin(5, 0)).toThrow("argmin: a scalar has no axes, got 0.");
  });
});
