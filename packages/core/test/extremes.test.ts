import { buffer, take, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { extremes, extremesOf } from "../src/extremes.ts";

describe("extremes", () => {
  test("are the least and the largest element, of none +∞ and −∞", () => {
    expect(extremes(Int32Array.of(3))).toEqual({ least: 3, most: 3 });
    expect(extremes(Int32Array.of(2, -5, 7, 7, 0))).toEqual({ least: -5, most: 7 });
    expect(extremes(Int32Array.of())).toEqual({ least: Infinity, most: -Infinity });
  });

  test("extremesOf a value is of what it holds now", () => {
    const many = (x: number) => new Int32Array(100).fill(x);
    const i = buffer(many(2));
    expect(extremesOf(i)).toEqual({ least: 2, most: 2 });
    expect(extremesOf(i)).toEqual({ least: 2, most: 2 });
    i.assign(value(many(3)));
    expect(extremesOf(i)).toEqual({ least: 3, most: 3 });
    expect(() => take([1, 2, 3], i)).toThrow("take: indices must be in [-3, 2], got 3.");
  });
});
