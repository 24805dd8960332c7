import {
  cbrt,
  exp2,
  expm1,
  grad,
  log2,
  log10,
  logAddExp,
  logit,
  logSigmoid,
  rsqrt,
  value,
  xlogy,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

const inf = Number.POSITIVE_INFINITY;

describe("exponential functions", () => {
  test("follow IEEE 754 at the ends of their domains", () => {
    expect(cbrt([-0, inf, -inf, NaN]).toArray()).toEqual([-0, inf, -inf, NaN]);
    expect(exp2([1024, -1075, -inf, NaN]).toArray()).toEqual([inf, 0, 0, NaN]);
    expect(expm1([-0, -inf, 710]).toArray()).toEqual([-0, -1, inf]);
    expect(log2([0, -1, inf, 2 ** -1074]).toArray()).toEqual([-inf, NaN, inf, -1074]);
    expect(log10([0, -1, inf, 1e300]).toArray()).toEqual([-inf, NaN, inf, 300]);
    expect(rsqrt([0, inf, -1]).toArray()).toEqual([inf, 0, NaN]);
    expect(logit([0, 1, 2, -1]).toArray()).toEqual([-inf, inf, NaN, NaN]);
    expect(logSigmoid([inf, -inf, -800]).toArray()).toEqual([0, -inf, -800]);
  });

  test("logit with eps stays within [eps, 1 − eps], where its slope is 0 outside", () => {
    expect(logit([0, 0.5, 1], 0.25).toArray()).toEqual([logit(0.25).item(), 0, logit(0.75).item()]);
    expect(grad((x) => logit(x, 0.25).sum())(value([0, 0.5, 1])).toArray()).toEqual([0, 4, 0]);
  });

  test("make float64 of integers and keep empty shapes", () => {
    expect(expm1(value(Int32Array.of(0))).dtype).toBe("float64");
    expect(cbrt(value([], { shape: [0, 2] })).shape).toEqual([0, 2]);
  });
});

describe("logAddExp", () => {
  // numpy.logaddexp of NumPy 2.4
  test("adds in logarithms where exponentials overflow, and takes infinities", () => {
    const a = [-inf, inf, 0, -inf, 1e300, 0.1];
    const b = [-inf, inf, -inf, 3, 1, -3.7];
    expect(logAddExp(a, b).toArray()).toEqual([-inf, inf, 0, 3, 1e300, 0.1221242164548792]);
  });

  test("shares its derivative by the logistic function, in halves between equal infinities", () => {
    const slopes = (a: number, b: number) =>
      grad((a, b) => logAddExp(a, b), { argnums: [0, 1] })(a, b).map((d) => d.item());
    expect(slopes(0, 0)).toEqual([0.5, 0.5]);
    expect(slopes(-inf, -inf)).toEqual([0.5, 0.5]);
    expect(slopes(inf, 3)).toEqual([1, 0]);
    expect(slopes(Math.log(3), 0)[0]).toBeCloseTo(0.75, 14);
  });

  test("has its second derivative at a tie", () => {
    expect(grad((a) => grad((a) => logAddExp(a, 2))(a))(2).item()).toBe(0.25);
  });
});

describe("xlogy", () => {
  // scipy.special.xlogy of SciPy
  test("is 0 where x is 0, unless y is NaN", () => {
    expect(xlogy([0, 0, 0, 2, -1], [0, -1, NaN, 3, 0]).toArray()).toEqual([0, 0, NaN, 2 * Math.log(3), inf]);
  });

  test("has finite derivatives where x is 0, also across x and y", () => {
    const slopes = (x: number, y: number) =>
      grad((x, y) => xlogy(x, y), { argnums: [0, 1] })(x, y).map((d) => d.item());
    expect(slopes(0, 0)).toEqual([0, 0]);
    expect(slopes(0, 2)).toEqual([Math.log(2), 0]);
    expect(slopes(3, 2)).toEqual([Math.log(2), 1.5]);
    expect(grad((x) => xlogy(x, 0.5))(0).item()).toBe(Math.log(0.5));
    expect(grad((y) => xlogy(0, y))(NaN).item()).toBeNaN();
    expect(grad((y) => grad((x) => xlogy(x, y))(0))(4).item()).toBe(0.25);
  });
});
