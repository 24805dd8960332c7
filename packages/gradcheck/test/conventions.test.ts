/**
 * What operations give at special points: values by IEEE 754 and by the libraries named, derivatives by the
 * conventions that the operations' docstrings state.
 */

import {
  abs,
  add,
  clip,
  cos,
  div,
  exp,
  grad,
  log,
  log1p,
  logSoftmax,
  logSumExp,
  max,
  maximum,
  mean,
  min,
  minimum,
  mul,
  pow,
  relu,
  sigmoid,
  sign,
  sin,
  softmax,
  softplus,
  sqrt,
  square,
  sum,
  tanh,
  type Value,
  value,
  vjp,
  where,
} from "@adjoint/core";
import { expect, test } from "vitest";

const inf = Number.POSITIVE_INFINITY;
const nan = Number.NaN;

/** Scalars and tensors take different paths; both must give the same. */
function both(f: (...xs: Value[]) => Value, ...xs: number[]): number {
  const scalar = f(...xs.map((x) => value(x))).item();
  const tensor = f(...xs.map((x) => value([x, x, x, x, x]))).toArray() as number[];
  expect(tensor).toEqual([scalar, scalar, scalar, scalar, scalar]);
  return scalar;
}

/** The gradient by the first operand, as a scalar and as a tensor. */
function slope(f: (...xs: Value[]) => Value, ...xs: number[]): number {
  const [first = 0, ...rest] = xs;
  const scalar = grad((x: Value) => f(x, ...rest.map((r) => value(r))))(first).item();
  const tensor = grad((x: Value) => sum(f(x, ...rest.map((r) => value([r, r])))))(value([first, first]));
  expect(tensor.toArray()).toEqual([scalar, scalar]);
  return scalar;
}

// IEEE 754-2019 §9.2.1 and ISO C Annex F; the same as NumPy 2.
test("exponentials and logarithms at the ends of their domains follow IEEE 754", () => {
  expect(both(exp, inf)).toBe(inf);
  expect(both(exp, -inf)).toBe(0);
  expect(both(exp, 710)).toBe(inf);
  expect(both(exp, nan)).toBe(nan);
  expect(both(log, 0)).toBe(-inf);
  expect(both(log, -0)).toBe(-inf);
  expect(both(log, -1)).toBe(nan);
  expect(both(log, inf)).toBe(inf);
  expect(both(log1p, -1)).toBe(-inf);
  expect(both(log1p, -2)).toBe(nan);
  expect(both(log1p, 1e-20)).toBe(1e-20);
  expect(both(sqrt, -1)).toBe(nan);
  expect(both(sqrt, -0)).toBe(-0);
  expect(both(sin, inf)).toBe(nan);
  expect(both(cos, -inf)).toBe(nan);
  expect(both(tanh, inf)).toBe(1);
  expect(both(tanh, -inf)).toBe(-1);
  expect(both(div, 1, 0)).toBe(inf);
  expect(both(div, -1, 0)).toBe(-inf);
  expect(both(div, 0, 0)).toBe(nan);
});

// IEEE 754-2019 §9.2.1, pow: pow(x, ±0) is 1 for any x, pow(1, y) is 1 for any y, even NaN.
test("pow at its corners follows IEEE 754", () => {
  expect(both(pow, nan, 0)).toBe(1);
  expect(both(pow, 1, nan)).toBe(1);
  expect(both(pow, 1, inf)).toBe(1);
  expect(both(pow, 0, 0)).toBe(1);
  expect(both(pow, 0, -1)).toBe(inf);
  expect(both(pow, -0, -1)).toBe(-inf);
  expect(both(pow, -0, -2)).toBe(inf);
  expect(both(pow, -8, 1 / 3)).toBe(nan);
  expect(both(pow, -2, 3)).toBe(-8);
  expect(both(pow, 0.5, inf)).toBe(0);
  expect(both(pow, 2, -inf)).toBe(0);
  expect(both(pow, -inf, 3)).toBe(-inf);
});

// numpy.maximum and numpy.max propagate NaN (numpy.fmax does not); numpy.sign(nan) is nan.
test("extremes and signs keep NaN, as in NumPy", () => {
  expect(both(maximum, nan, 1)).toBe(nan);
  expect(both(maximum, 1, nan)).toBe(nan);
  expect(both(minimum, nan, 1)).toBe(nan);
  expect(max(value([1, nan, 3])).item()).toBe(nan);
  expect(min(value([1, nan, 3])).item()).toBe(nan);
  expect(both(relu, nan)).toBe(nan);
  expect(both(sign, nan)).toBe(nan);
  expect(both(abs, -inf)).toBe(inf);
});

// SciPy 1.14: special.expit, special.softmax, special.log_softmax, special.logsumexp; numpy.logaddexp(0, x).
test("the softmax family neither overflows nor loses its digits", () => {
  expect(both(sigmoid, 1000)).toBe(1);
  expect(both(sigmoid, -1000)).toBe(0);
  expect(both(sigmoid, -50)).toBeCloseTo(1.928749847963918e-22, 36);
  expect(both(softplus, 1000)).toBe(1000);
  expect(both(softplus, -1000)).toBe(0);
  expect(both(softplus, -50)).toBeCloseTo(1.928749847963918e-22, 36);
  expect(softmax(value([1e308, 0, -1e308])).toArray()).toEqual([1, 0, 0]);
  expect(softmax(value([1000, 1000])).toArray()).toEqual([0.5, 0.5]);
  expect(softmax(value([-inf, 0])).toArray()).toEqual([0, 1]);
  expect(logSoftmax(value([1000, 0])).toArray()).toEqual([0, -1000]);
  expect(logSumExp(value([-inf, -inf])).item()).toBe(-inf);
  expect(logSumExp(value([-inf, 3])).item()).toBe(3);
  expect(logSumExp(value([inf, 3])).item()).toBe(inf);
  expect(logSumExp(value([-1000, -1000])).item()).toBe(-1000 + Math.LN2);
  expect(logSumExp(value([], { shape: [0] })).item()).toBe(-inf);
});

// numpy.sum([]) is 0, numpy.mean([]) is nan.
test("sums and means of nothing are as in NumPy", () => {
  expect(sum(value([], { shape: [0] })).item()).toBe(0);
  expect(mean(value([], { shape: [0] })).item()).toBe(nan);
});

test("relu and abs have slope 0 at their kinks", () => {
  expect([slope(relu, -1), slope(relu, 0), slope(relu, -0), slope(relu, 2)]).toEqual([0, 0, 0, 1]);
  expect([slope(abs, -3), slope(abs, 0), slope(abs, 3)]).toEqual([-1, 0, 1]);
  expect(slope(sign, 2)).toBe(0);
});

test("maximum and minimum share a tie in halves", () => {
  for (const f of [maximum, minimum]) {
    expect(slope(f, 2, 2)).toBe(0.5);
    const [da, db] = grad((a: Value, b: Value) => f(a, b), { argnums: [0, 1] })(2, 2);
    expect([da.item(), db.item()]).toEqual([0.5, 0.5]);
    expect(grad((a: Value) => f(a, a))(2).item()).toBe(1);
  }
});

test("max and min share ties equally", () => {
  expect(grad((x: Value) => max(x))(value([1, 3, 3, 3])).toArray()).toEqual([0, 1 / 3, 1 / 3, 1 / 3]);
  const rows = value([
    [1, 1, 0],
    [2, 5, 2],
  ]);
  expect(grad((x: Value) => sum(min(x, 1)))(rows).toArray()).toEqual([
    [0, 0, 1],
    [0.5, 0, 0.5],
  ]);
});

test("clip gives its cotangent to x inside and at the bounds, to the bound outside", () => {
  const at = (x: number) =>
    grad((a: Value, low: Value, high: Value) => clip(a, low, high), { argnums: [0, 1, 2] })(x, 0, 1).map(
      (g) => g.item(),
    );
  expect(at(0.5)).toEqual([1, 0, 0]);
  expect(at(0)).toEqual([1, 0, 0]);
  expect(at(1)).toEqual([1, 0, 0]);
  expect(at(-2)).toEqual([0, 1, 0]);
  expect(at(7)).toEqual([0, 0, 1]);
});

test("pow has the documented slopes at 0", () => {
  expect(slope(pow, 0, 2)).toBe(0);
  expect(slope(pow, 0, 1)).toBe(1);
  expect(slope(pow, 0, 0)).toBe(0);
  expect(slope(pow, -3, 2)).toBe(-6);
  expect(slope((b, a) => pow(a as Value, b as Value), 2, 0)).toBe(0);
  expect(slope((b, a) => pow(a as Value, b as Value), 0, 0)).toBe(0);
  expect(grad((x: Value) => grad((y: Value) => pow(y, 2))(x))(0).item()).toBe(2);
});

test("where never leaks NaN or infinity from the branch not taken, at any order", () => {
  const safeLog = (x: Value) => where(x.gt(0), log(x), 0);
  expect([slope(safeLog, -1), slope(safeLog, 0), slope(safeLog, 2)]).toEqual([0, 0, 0.5]);
  const safeRoot = (x: Value) => where(x.gt(0), sqrt(x), 0);
  expect([slope(safeRoot, -1), slope(safeRoot, 0), slope(safeRoot, 4)]).toEqual([0, 0, 0.25]);
  const safeQuotient = (x: Value) => where(x.eq(0), 1, div(sin(x), x));
  expect(slope(safeQuotient, 0)).toBe(0);
  for (const f of [safeLog, safeRoot, safeQuotient]) {
    expect(grad((x: Value) => grad(f)(x))(0).item()).toBe(0);
    const twice = grad((x: Value) => sum(grad((y: Value) => sum(f(y)))(x)))(value([0, -0]));
    expect(twice.toArray()).toEqual([0, 0]);
  }
});

test("saturated functions have slope 0, not NaN, at any order", () => {
  for (const [f, x] of [
    [sigmoid, 1000],
    [sigmoid, -1000],
    [tanh, 1000],
    [softplus, -1000],
  ] as const) {
    expect(slope(f, x)).toBe(0);
    expect(grad((y: Value) => grad(f)(y))(x).item()).toBeCloseTo(0, 300);
  }
  const peaked = grad((x: Value) => sum(square(softmax(x))))(value([1e308, 0]));
  expect(peaked.data.every((dx) => dx === 0)).toBe(true);
});

test("the gradient of logSumExp is softmax, also where terms vanish", () => {
  const gradient = grad((x: Value) => logSumExp(x));
  expect(gradient(value([-inf, 0, 0])).toArray()).toEqual([0, 0.5, 0.5]);
  expect(gradient(value([1e308, 0])).toArray()).toEqual([1, 0]);
});

test("a cotangent of zero stays zero behind an infinite partial", () => {
  const [, pull] = vjp((x: Value) => add(sqrt(x), mul(x, 2)), value([0, 4]));
  expect(pull(value([0, 1]))[0].toArray()).toEqual([0, 2.25]);
});
