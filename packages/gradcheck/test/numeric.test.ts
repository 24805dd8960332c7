import { add, grad, mul, sin, sum, type Value, value } from "@adjoint/core";
import { expect, test } from "vitest";
import { derivative, numericGradient, numericJvp } from "../src/index.ts";

test("derivative of elementary functions is good to ten digits, and its error estimate holds", () => {
  const cases: [(x: number) => number, number, number][] = [
    [Math.exp, 1, Math.E],
    [Math.sin, 1, Math.cos(1)],
    [(x) => x ** 3, 2, 12],
    [Math.log, 1e-8, 1e8],
    [Math.sqrt, 1e10, 0.5e-5],
    [(x) => 1 / x, 1e-3, -1e6],
    [(x) => Math.exp(-x) * Math.sin(2 * Math.PI * x), 0, 2 * Math.PI],
    [Math.abs, 1e-6, 1],
    [() => 3, 5, 0],
  ];
  for (const [f, x, exact] of cases) {
    const { derivative: slope, error } = derivative(f, x);
    expect(Math.abs(slope - exact)).toBeLessThanOrEqual(error + 1e-15 * Math.abs(exact));
    expect(error).toBeLessThanOrEqual(1e-9 * Math.max(1e-3, Math.abs(exact)));
  }
});

test("derivative takes functions of values", () => {
  expect(derivative((x) => mul(x, sin(value(x))), 1).derivative).toBeCloseTo(1.3817732906760363, 10);
});

test("derivative's error estimate says where there is none", () => {
  expect(derivative(Math.sign, 0).error).toBeGreaterThan(1);
  expect(derivative(Math.log, -1).derivative).toBeNaN();
});

test("derivative refuses a point that is no number", () => {
  expect(() => derivative(Math.exp, Number.NaN)).toThrow("derivative: x must be a finite number, got NaN.");
});

test("numericGradient has the structure of the arguments and agrees with grad", () => {
  const f = (p: { w: Value; b: Value[] }, k: Value) => sum(mul(sin(mul(p.w, p.b[0] as Value)), k));
  const p = { w: value([1, 2]), b: [value(3)] };
  const k = value([2, 1], { dtype: "int32" });
  const [dp, dk] = numericGradient(f, [p, k]);
  const exact = grad((q: { w: Value; b: Value[] }) => f(q, k))(p);
  expect(dp.w.toArray()).toEqual([...exact.w.data].map((x) => expect.closeTo(x, 9)));
  expect(dp.b[0]?.item()).toBeCloseTo(exact.b[0]?.item() as number, 9);
  expect(dk.toArray()).toEqual([0, 0]);
});

test("numericGradient of float32 stays float32", () => {
  const [dx] = numericGradient((x) => sum(mul(x, x)), [value([1, 2], { dtype: "float32" })]);
  expect(dx.dtype).toBe("float32");
  expect(dx.data[1]).toBeCloseTo(4, 4);
});

test("numericGradient refuses a function that returns no scalar", () => {
  expect(() => numericGradient((x) => mul(x, 2), [value([1, 2])])).toThrow(
    "numericGradient: output must be a scalar, got shape [2]. Reduce it, for example with sum().",
  );
});

test("numericJvp pushes tangents of any length to every output", () => {
  const f = (x: Value, y: Value) => ({ product: mul(x, y), sum: add(x, y) });
  const out = numericJvp(f, [value([1, 2]), 3], [value([1e3, 1e4]), 2]);
  expect(out.product.toArray()).toEqual([expect.closeTo(3002, 6), expect.closeTo(30004, 6)]);
  expect(out.sum.toArray()).toEqual([expect.closeTo(1002, 6), expect.closeTo(10002, 6)]);
  expect(numericJvp((x) => sin(x), [1], [0]).item()).toBe(0);
});

test("numericJvp refuses tangents of other shapes", () => {
  expect(() => numericJvp((x) => sin(x), [value([1, 2])], [value([1])])).toThrow(
    "numericJvp: a tangent must have its primal's shape [2], got [1].",
  );
});
