import { grad, slice, value } from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const x = value([
  [1, 2, 3],
  [4, 5, 6],
]);

describe("slice", () => {
  test("picks as NumPy does: negative places, clamped ends, steps both ways", () => {
    // Array.prototype.slice and index arithmetic over plain arrays are the reference.
    const range = fc.tuple(
      fc.option(fc.integer({ min: -9, max: 9 })),
      fc.option(fc.integer({ min: -9, max: 9 })),
      fc.integer({ min: -3, max: 3 }).filter((s) => s !== 0),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 7 }), range, (n, [from, to, step]) => {
        const data = Array.from({ length: n }, (_, i) => i);
        const expected: number[] = [];
        const wrap = (i: number) => (i < 0 ? i + n : i);
        if (step > 0) {
          const end = to === null ? n : Math.min(wrap(to), n);
          for (let i = from === null ? 0 : Math.max(wrap(from), 0); i < end; i += step) expected.push(i);
        } else {
          const end = to === null ? -1 : Math.max(wrap(to), -1);
          for (let i = from === null ? n - 1 : Math.min(wrap(from), n - 1); i > end; i += step)
            expected.push(i);
        }
        expect(slice(data, [from, to, step]).toArray()).toEqual(expected);
      }),
    );
  });

  test("drops the axes that a number picks", () => {
    expect(slice(x, 1).toArray()).toEqual([4, 5, 6]);
    expect(slice(x, null, -1).toArray()).toEqual([3, 6]);
    expect(slice(x, 0, 1).item()).toBe(2);
    expect(slice(x, [1, null], 0).shape).toEqual([1]);
  });

  test("sends the cotangent back where it read", () => {
    expect(
      grad((x) =>
        slice(x, null, [null, null, -2])
          .mul(
            value([
              [1, 2],
              [3, 4],
            ]),
          )
          .sum(),
      )(x).toArray(),
    ).toEqual([
      [2, 0, 1],
      [4, 0, 3],
    ]);
  });

  test("refuses indices outside, steps of 0 and too many ranges", () => {
    expect(() => slice(x, 2)).toThrow("slice: index along axis 0 must be a whole number in [-2, 1], got 2.");
    expect(() => slice(x, [0, 1, 0])).toThrow("slice: step must be a whole number other than 0, got 0.");
    expect(() => slice(x, 0, 0, 0)).toThrow("slice: at most one range an axis (rank 2), got 3.");
    expect(() => slice(x, [0.5])).toThrow("slice: a range's ends must be whole numbers or null, got 0.5.");
  });
});
