import { grad, pad, type Value, value, zeros } from "@adjoint/core";
import { describe, expect, test } from "vitest";

const x = value([
  [1, 2],
  [3, 4],
]);

describe("pad", () => {
  // NumPy 2.4.
  test("adds a constant", () => {
    expect(pad([1, 2, 3], [2, 1]).toArray()).toEqual([0, 0, 1, 2, 3, 0]);
    const widths = [
      [1, 0],
      [0, 2],
    ] as const;
    expect(pad(x, widths, { value: 9 }).toArray()).toEqual([
      [9, 9, 9, 9],
      [1, 2, 9, 9],
      [3, 4, 9, 9],
    ]);
    expect(pad([-0], 1, { value: Number.NaN }).toArray()).toEqual([Number.NaN, -0, Number.NaN]);
    expect(pad(zeros([0, 1]), 1).shape).toEqual([2, 3]);
    expect(pad(5, 3).item()).toBe(5);
    expect(pad(value(Int32Array.of(1)), 1).dtype).toBe("int32");
    expect(pad(x, 0)).toBe(x);
  });

  // NumPy 2.4.
  test.each([
    ["edge", [1, 1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3], [1, 1, 1, 1, 2, 2]],
    ["reflect", [2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2], [4, 3, 4, 3, 4, 3]],
    ["symmetric", [2, 3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1, 2, 3, 3], [2, 2, 1, 1, 2, 2]],
    ["wrap", [2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1], [4, 3, 4, 3, 4, 3]],
  ] as const)("repeats in mode %s, further than the axis is long", (mode, line, row) => {
    expect(pad([1, 2, 3], [5, 7], { mode }).toArray()).toEqual(line);
    expect(pad([4], [2, 3], { mode }).toArray()).toEqual([4, 4, 4, 4, 4, 4]);
    const widths = [
      [1, 0],
      [3, 1],
    ] as const;
    expect(pad(x, widths, { mode }).slice(0).toArray()).toEqual(row);
  });

  // As torch.nn.functional.pad documents its negative widths.
  test("takes away with negative widths", () => {
    expect(pad([1, 2, 3], [-1, 2], { value: 7 }).toArray()).toEqual([2, 3, 7, 7]);
    expect(pad([1, 2, 3], [-1, -2]).toArray()).toEqual([]);
    expect(pad([1, 2, 3], [-2, 2], { mode: "reflect" }).toArray()).toEqual([3, 2, 1]);
  });

  test("gives the gradient back to what was repeated", () => {
    const f = (mode: "reflect" | "edge") => (x: Value) => pad(x, 1, { mode }).sum();
    expect(grad(f("reflect"))(value([1, 2, 3])).toArray()).toEqual([1, 3, 1]);
    expect(grad(f("edge"))(value([1, 2, 3])).toArray()).toEqual([2, 1, 2]);
  });

  test("refuses widths, modes and axes that make no sense", () => {
    expect(() => pad(x, 0.5)).toThrow("pad: widths must be whole numbers, got 0.5.");
    expect(() => pad(x, [2, -3])).toThrow(
      "pad: widths must leave axis 0 of size 2 at least 0 elements, got [2, -3].",
    );
    expect(() => pad(x, [[1, 1]])).toThrow("pad: one pair of widths an axis (rank 2), got 1.");
    expect(() => pad(x, 1, { mode: "mean" as "edge" })).toThrow(
      'pad: mode must be constant or one of edge, reflect, symmetric, wrap, got "mean".',
    );
    expect(() => pad(zeros([0]), 1, { mode: "edge" })).toThrow(
      "pad: an empty axis has nothing to repeat (mode edge), got [0].",
    );
  });
});
