/** Clipping of gradients: norms, factors, and norms that are not finite. */
import { parameter, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { clipGradNorm, clipGradValue } from "../src/index.ts";
import { saying } from "./saying.ts";

/** Parameters with the gradients [3, −4] and 12, and one without. */
function held() {
  const xs = [parameter([0, 0]), parameter(0), parameter(0)];
  (xs[0] as (typeof xs)[0]).grad = value([3, -4]);
  (xs[1] as (typeof xs)[0]).grad = value(12);
  return xs;
}

describe("clipGradNorm", () => {
  test("scales all gradients by one factor and returns the norm before", () => {
    const xs = held();
    expect(clipGradNorm(xs, 6.5).item()).toBe(13);
    expect(xs.map((x) => x.grad?.toArray())).toEqual([[1.5, -2], 6, undefined]);
  });

  test("leaves gradients below the limit as they are, to the last bit", () => {
    const xs = held();
    expect(clipGradNorm(xs, 13).item()).toBe(13);
    expect(xs.map((x) => x.grad?.toArray())).toEqual([[3, -4], 12, undefined]);
  });

  test.each([
    [1, 19],
    [3, (27 + 64 + 1728) ** (1 / 3)],
    [Number.POSITIVE_INFINITY, 12],
  ])("takes the norm of order %d", (norm, expected) => {
    expect(clipGradNorm(held(), 1, { norm }).item()).toBeCloseTo(expected, 13);
  });

  test("does not overflow where squares of float32 would", () => {
    const x = parameter([0, 0], { dtype: "float32" });
    x.grad = value([3e30, 4e30], { dtype: "float32" });
    expect(clipGradNorm([x], 5).item() / 5e30).toBeCloseTo(1, 6);
    expect(x.grad.toArray()).toEqual([expect.closeTo(3, 5), expect.closeTo(4, 5)]);
    expect(x.grad.dtype).toBe("float32");
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "leaves gradients as they are where the norm is %d",
    (bad) => {
      const xs = held();
      (xs[1] as (typeof xs)[0]).grad = value(bad);
      expect(clipGradNorm(xs, 1).item()).toBe(bad);
      expect(xs.map((x) => x.grad?.toArray())).toEqual([[3, -4], bad, undefined]);
    },
  );

  test("of no gradients is 0", () => {
    expect(clipGradNorm([parameter(1)], 1).item()).toBe(0);
    const zero = parameter(1);
    zero.grad = value(0);
    expect(clipGradNorm([zero], 1).item()).toBe(0);
    expect(zero.grad.item()).toBe(0);
  });

  test("refuses limits and orders that are not above 0", () => {
    expect(() => clipGradNorm([], 0)).toThrow(saying("clipGradNorm: maxNorm must be > 0, got 0."));
    expect(() => clipGradNorm([], 1, { norm: -1 })).toThrow(
      saying("clipGradNorm: norm must be > 0, got -1."),
    );
  });
});

describe("clipGradValue", () => {
  test("brings each entry into the limits", () => {
    const xs = held();
    clipGradValue(xs, 3.5);
    expect(xs.map((x) => x.grad?.toArray())).toEqual([[3, -3.5], 3.5, undefined]);
  });

  test("refuses a limit that is not above 0", () => {
    expect(() => clipGradValue([], 0)).toThrow(saying("clipGradValue: limit must be > 0, got 0."));
  });
});
