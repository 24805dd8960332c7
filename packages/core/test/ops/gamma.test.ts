import { digamma, grad, lgamma, polygamma, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";

const inf = Number.POSITIVE_INFINITY;

describe("the gamma function's logarithm and derivatives", () => {
  // scipy.special.gammaln, digamma and polygamma of SciPy, but for gammaln(−∞), which ISO C makes ∞
  test("at poles and infinities", () => {
    expect(lgamma([0, -0, -1, -50, inf, -inf, NaN]).toArray()).toEqual([inf, inf, inf, inf, inf, inf, NaN]);
    expect(digamma([0, -0, -1, inf, NaN]).toArray()).toEqual([-inf, inf, NaN, inf, NaN]);
    expect(polygamma(1, [0, -1, inf, NaN]).toArray()).toEqual([inf, inf, 0, NaN]);
    expect(polygamma(2, [0, -0, -1, NaN]).toArray()).toEqual([-inf, -inf, -inf, NaN]);
  });

  // mpmath 1.3, 50 digits
  test("keep their digits near roots, for small and for large arguments", () => {
    const table = [
      [lgamma(1 + 2 ** -30), -5.375739784311044e-10],
      [lgamma(2 - 2 ** -30), -3.9374859519130207e-10],
      [lgamma(1e-300), 690.7755278982137],
      [lgamma(1e18), 4.044653167389282e19],
      [lgamma(-0.5), 1.2655121234846454],
      [lgamma(-100.25), -363.4009232278215],
      [digamma(1.461632144968362), -3.072790566546293e-16],
      [digamma(1e-10), -10000000000.577215],
      [digamma(1e300), 690.7755278982137],
      [digamma(-100.5), 4.6151246013380645],
      [polygamma(1, 0.25), 17.19732915450711],
      [polygamma(1, 10), 0.10516633568168575],
      [polygamma(2, 0.5), -16.82879664423432],
      [polygamma(3, -0.75), 1557.7451069721515],
      [polygamma(5, 3.5), 0.08704917856718349],
      [polygamma(20, 2), -1160331221321.7373],
      [polygamma(100, 50), -2.7391048021902828e-14],
    ] as const;
    for (const [y, expected] of table) expect(y.item() / expected).toBeCloseTo(1, 12);
  });
});

describe("polygamma", () => {
  test("reflects far below 0, where its sum would not end", () => {
    // ψ₁(x) = π²/sin²πx − ψ₁(1 − x), and the last is 1e-12 here.
    expect(polygamma(1, -1e12 - 0.5).item()).toBeCloseTo(Math.PI ** 2, 11);
    expect(polygamma(1, -1e12 - 0.25).item()).toBeCloseTo(2 * Math.PI ** 2, 11);
  });

  test("of order 0 is digamma, and each order the derivative of the one before", () => {
    expect(polygamma(0, [0.5, 3]).toArray()).toEqual(digamma([0.5, 3]).toArray());
    for (const n of [0, 1, 4]) {
      expect(grad((x: Value) => polygamma(n, x))(1.75).item()).toBe(polygamma(n + 1, 1.75).item());
      expect(grad((x: Value) => polygamma(n, x))(-1.75).item()).toBe(polygamma(n + 1, -1.75).item());
    }
  });

  test("takes its order first, as a method second", () => {
    expect(value(2).polygamma(1).item()).toBe(polygamma(1, 2).item());
  });

  test("refuses an order that is no whole number from 0 to 169", () => {
    const message = (n: number) => `polygamma: n must be a whole number from 0 to 169, got ${n}.`;
    for (const n of [-1, 0.5, 170]) expect(() => polygamma(n, 1)).toThrow(message(n));
  });
});

test("digamma where 1/x overflows", () => {
  expect(digamma([5e-324, -5e-324, 1e-310, -1e-310]).toArray()).toEqual([
    -Infinity,
    Infinity,
    -Infinity,
    Infinity,
  ]);
  expect(digamma([2 ** -70, -(2 ** -70)]).toArray()).toEqual([-(2 ** 70), 2 ** 70]);
});
