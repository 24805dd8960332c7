/** Flatten: which axes become one. */
import { value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { Flatten } from "../../src/index.ts";
import { saying } from "../saying.ts";

describe("Flatten", () => {
  const x = value([1, 2, 3, 4, 5, 6, 7, 8], { shape: [2, 2, 2] });

  test("joins all axes but the batch's, or from another axis on", () => {
    expect(new Flatten().forward(x).toArray()).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    expect(new Flatten(0).forward(x).shape).toEqual([8]);
    expect(new Flatten(2).forward(x).shape).toEqual([2, 2, 2]);
    expect(new Flatten().forward(value([], { shape: [0, 3, 2] })).shape).toEqual([0, 6]);
  });

  test("refuses values without that axis, and places that are none", () => {
    expect(() => new Flatten().forward(value([1, 2]))).toThrow(
      saying("Flatten: x must have more than 1 axis, got shape [2].", "ShapeError"),
    );
    expect(() => new Flatten(-1)).toThrow(saying("Flatten: startAxis must be a whole number ≥ 0, got -1."));
  });
});
