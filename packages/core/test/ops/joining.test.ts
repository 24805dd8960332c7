import { concat, stack, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";

const x = value([
  [1, 2, 3],
  [4, 5, 6],
]);

describe("concat and stack", () => {
  test("join along any axis, promoting dtypes", () => {
    expect(concat([x, [[7, 8, 9]]]).shape).toEqual([3, 3]);
    expect(concat([x, x], -1).slice(0).toArray()).toEqual([1, 2, 3, 1, 2, 3]);
    expect(stack([x, x], 1).shape).toEqual([2, 2, 3]);
    expect(stack([1, 2, 3]).toArray()).toEqual([1, 2, 3]);
    expect(concat([value(Int32Array.of(1)), value(Float32Array.of(2))]).dtype).toBe("float64");
  });

  test("refuse nothing, and shapes that do not agree", () => {
    expect(() => concat([])).toThrow("concat: an array of at least one value, got an empty array.");
    expect(() => concat([x, [[1, 2]]])).toThrow(
      "concat: shapes must agree but along axis 0, got [2, 3] and [1, 2].",
    );
    expect(() => stack([x, [1]])).toThrow("stack: all shapes must be equal, got [2, 3] and [1].");
    expect(() => concat([1, 2])).toThrow("concat: a scalar has no axes, got 0.");
  });
});
