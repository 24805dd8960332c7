import { erf, erfc, erfinv, grad } from "@adjoint/core";
import { expect, test } from "vitest";

const inf = Number.POSITIVE_INFINITY;

test("error functions at the ends of their domains", () => {
  expect(erf([inf, -inf, -0, NaN, 6]).toArray()).toEqual([1, -1, -0, NaN, 1]);
  expect(erfc([inf, -inf, NaN, 30, -6]).toArray()).toEqual([0, 2, NaN, 0, 2]);
  expect(erfinv([1, -1, -0, 1.5, NaN]).toArray()).toEqual([inf, -inf, -0, NaN, NaN]);
});

// mpmath 1.3, 50 digits
test("error functions are right to the last digits", () => {
  const table = [
    [erf, 0.02, 0.022564574691844946],
    [erf, 0.84375, 0.7672256612323416],
    [erf, 2, 0.9953222650189527],
    [erfc, 1, 0.15729920705028513],
    [erfc, 5, 1.537459794428035e-12],
    [erfc, 26.5, 2.2109076642637343e-307],
    [erfinv, 1e-300, 8.86226925452758e-301],
    [erfinv, 0.999999999999, 5.042031898572696],
  ] as const;
  for (const [f, x, y] of table) expect(f(x).item() / y).toBeCloseTo(1, 13);
});

test("erfinv undoes erf", () => {
  for (const x of [-3, -1, -1e-5, 0.25, 0.5, 2]) expect(erfinv(erf(x)).item() / x).toBeCloseTo(1, 11);
  for (const x of [0.1, 0.499, 0.5, 0.501, 0.99, 1 - 2 ** -53])
    expect(erf(erfinv(x)).item()).toBeCloseTo(x, 15);
});

test("the slope of erfinv is infinite at 1", () => {
  expect(grad((x) => erfinv(x))(1).item()).toBe(inf);
});
