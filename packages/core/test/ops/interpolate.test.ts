import { interpolate, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";

const X = value([
  [
    [
      [1, 2],
      [3, 4],
    ],
  ],
]);

/** Four digits, as PyTorch's documentation prints. */
const printed = (x: ReturnType<typeof value>) => Array.from(x.data, (n) => Number(n.toFixed(4)));

describe("interpolate", () => {
  // The examples of torch.nn.Upsample's documentation.
  test("gives the numbers of PyTorch's documentation", () => {
    expect(printed(interpolate(X, { scale: 2 }))).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
    expect(printed(interpolate(X, { scale: 2, mode: "linear" }))).toEqual([
      1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4,
    ]);
    expect(printed(interpolate(X, { scale: 2, mode: "linear", alignCorners: true }))).toEqual([
      1, 1.3333, 1.6667, 2, 1.6667, 2, 2.3333, 2.6667, 2.3333, 2.6667, 3, 3.3333, 3, 3.3333, 3.6667, 4,
    ]);
  });

  test("shrinks, keeps what has the size, and keeps integers where nearest", () => {
    expect(interpolate([1, 2, 3, 4, 5], { size: [2] }).toArray()).toEqual([1, 3]);
    expect(interpolate([1, 2, 3, 4], { size: [2], mode: "linear" }).toArray()).toEqual([1.5, 3.5]);
    expect(interpolate([1, 2, 3], { size: [1], mode: "linear", alignCorners: true }).toArray()).toEqual([1]);
    expect(interpolate(X, { size: 2, mode: "linear" }).toArray()).toEqual(X.toArray());
    expect(interpolate(value(new Int32Array([1, 2])), { scale: [2] }).dtype).toBe("int32");
    expect(interpolate(value(new Int32Array([1, 2])), { scale: [2], mode: "linear" }).dtype).toBe("float64");
  });

  test("says what is wrong", () => {
    expect(() => interpolate(X, {})).toThrow("interpolate: one of size and scale.");
    expect(() => interpolate(X, { size: 2, mode: "cubic" as "linear" })).toThrow(
      'interpolate: mode must be "nearest" or "linear", got "cubic".',
    );
    expect(() => interpolate([1, 2], { size: 2 })).toThrow(
      "interpolate: x must have elements along the axes that are resized, got [2].",
    );
    expect(() => interpolate([1, 2], { size: [0] })).toThrow(
      "interpolate: size must be a whole number ≥ 1, or 1 of them, got [0].",
    );
  });
});
