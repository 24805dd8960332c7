import { isFinite, isInf, isNaN, logicalAnd, logicalNot, logicalOr, logicalXor, value } from "@adjoint/core";
import { expect, test } from "vitest";

const inf = Number.POSITIVE_INFINITY;

test("tests of numbers give bools", () => {
  const x = [0, -1, NaN, inf, -inf];
  expect(isNaN(x).toArray()).toEqual([0, 0, 1, 0, 0]);
  expect(isFinite(x).toArray()).toEqual([1, 1, 0, 0, 0]);
  expect(isInf(x).toArray()).toEqual([0, 0, 0, 1, 1]);
  expect([isNaN(x), isFinite(1), isInf(value(Int32Array.of(1)))].map((y) => y.dtype)).toEqual([
    "bool",
    "bool",
    "bool",
  ]);
});

// numpy.logical_and and its kin of NumPy 2.4: NaN is true
test("logical operations take every number but 0 for true", () => {
  const a = [0, 0, 1, -2, NaN, -0];
  const b = [0, 3, 0, 0.5, 1, NaN];
  expect(logicalAnd(a, b).toArray()).toEqual([0, 0, 0, 1, 1, 0]);
  expect(logicalOr(a, b).toArray()).toEqual([0, 1, 1, 1, 1, 1]);
  expect(logicalXor(a, b).toArray()).toEqual([0, 1, 1, 0, 0, 1]);
  expect(logicalNot(a).toArray()).toEqual([1, 1, 0, 0, 0, 1]);
});

test("logical operations broadcast and mix dtypes", () => {
  const y = logicalAnd(value(Int32Array.of(1, 0)), [[true], [false]]);
  expect(y.dtype).toBe("bool");
  expect(y.toArray()).toEqual([
    [1, 0],
    [0, 0],
  ]);
  expect(logicalNot(value([], { shape: [0] })).shape).toEqual([0]);
});
