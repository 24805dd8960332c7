import { expect, test } from "vitest";
import { difference, digest, median } from "../statistics.ts";

test("median is the middle of the samples in order", () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([7])).toBe(7);
});

test("median leaves its samples as they were", () => {
  const samples = [3, 1, 2];
  median(samples);
  expect(samples).toEqual([3, 1, 2]);
});

test("digest is the norm, then elements from the whole length", () => {
  expect(digest([3, 4])).toEqual([5, 3, 4]);
  const long = digest(Float32Array.from({ length: 1600 }, (_, i) => i));
  expect(long.slice(1)).toEqual(Array.from({ length: 16 }, (_, i) => 100 * i));
});

test("difference is relative to the reference's value", () => {
  expect(difference({ values: [2, 1.1], gradients: [] }, { values: [2, 1], gradients: [] })).toBeCloseTo(
    0.1,
    12,
  );
});

test("difference measures a gradient's elements by the largest, so that small ones may be rounded", () => {
  const reference = { values: [1], gradients: [digest([100, 0.001])] };
  expect(difference({ values: [1], gradients: [digest([100, 0.002])] }, reference)).toBeCloseTo(1e-5, 8);
  expect(difference({ values: [1], gradients: [digest([-100, 0.001])] }, reference)).toBe(2);
});

test("difference is infinite for NaN, a missing step or a missing gradient", () => {
  const reference = { values: [1, 2], gradients: [[1, 1]] };
  expect(difference({ values: [1, Number.NaN], gradients: [[1, 1]] }, reference)).toBe(
    Number.POSITIVE_INFINITY,
  );
  expect(difference({ values: [1], gradients: [[1, 1]] }, reference)).toBe(Number.POSITIVE_INFINITY);
  expect(difference({ values: [1, 2], gradients: [] }, reference)).toBe(Number.POSITIVE_INFINITY);
});
