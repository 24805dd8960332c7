/** Metrics: values of their definitions, shapes. */
import { parameter, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { accuracy, binaryAccuracy, rSquared } from "../src/index.ts";
import { saying } from "./saying.ts";

describe("accuracy", () => {
  const logits = value([
    [2, 1, 0],
    [0, 3, 1],
    [0, 4, 5],
    [1, 0, 0],
  ]);

  test("counts by index or by probability", () => {
    expect(accuracy(logits, [0, 1, 1, 2]).item()).toBe(0.5);
    expect(accuracy(logits, new Int32Array([0, 1, 2, 0])).item()).toBe(1);
    expect(accuracy(logits, value([0, 1, 1, 2]).oneHot(3)).item()).toBe(0.5);
    expect(accuracy(value([1, 2]), 1).item()).toBe(1);
  });

  test("records nothing and does not round to the logits' dtype", () => {
    const x = parameter(
      [
        [1, 2],
        [2, 1],
        [1, 2],
      ],
      { dtype: "float32" },
    );
    const got = accuracy(x, [0, 0, 0]);
    expect([got.item(), got.dtype, got.isDifferentiable]).toEqual([1 / 3, "float64", false]);
  });

  test("refuses other shapes", () => {
    expect(() => accuracy(logits, [[0], [1], [1], [2]])).toThrow(
      saying(
        "accuracy: targets must be class indices [...] or probabilities [..., classes] for logits [..., classes], got [4, 1] for [4, 3].",
        "ShapeError",
      ),
    );
  });
});

describe("binaryAccuracy", () => {
  test("compares the sign of logits with targets", () => {
    expect(binaryAccuracy(value([[2], [-1], [3], [-0.5]]), [[1], [0], [0], [1]]).item()).toBe(0.5);
  });

  test("refuses other shapes", () => {
    expect(() => binaryAccuracy(value([[2], [-1]]), [1, 0])).toThrow(
      saying(
        "binaryAccuracy: predictions and targets must have the same shape, got [2, 1] and [2]. Reshape one: broadcasting would compare predictions with other examples' targets.",
        "ShapeError",
      ),
    );
  });
});

describe("rSquared", () => {
  test("is 1 for perfect predictions, 0 for the mean, and less for worse ones", () => {
    expect(rSquared(value([1, 2, 6]), [1, 2, 6]).item()).toBe(1);
    expect(rSquared(value([3, 3, 3]), [1, 2, 6]).item()).toBe(0);
    // Errors 1, 0, 1 against deviations −1, 0, 1: 1 − 2/2.
    expect(rSquared(value([2, 2, 2]), [1, 2, 3]).item()).toBe(0);
    expect(rSquared(value([3, 2, 1]), [1, 2, 3]).item()).toBe(-3);
  });

  test("of targets that are all the same is −Infinity, or NaN where they are met", () => {
    expect(rSquared(value([1, 2]), [1, 1]).item()).toBe(Number.NEGATIVE_INFINITY);
    expect(rSquared(value([1, 1]), [1, 1]).item()).toBeNaN();
  });
});
