import {
  broadcastTo,
  cast,
  concat,
  expandDims,
  grad,
  reshape,
  slice,
  squeeze,
  stack,
  transpose,
  value,
} from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const x = value([
  [1, 2, 3],
  [4, 5, 6],
]);

test("reshape fills in one size and refuses what does not fit", () => {
  expect(reshape(x, [3, -1]).shape).toEqual([3, 2]);
  expect(reshape(value([], { shape: [0, 4] }), [2, 0]).shape).toEqual([2, 0]);
  expect(() => reshape(x, [4, -1])).toThrow(
    "reshape: the new shape must hold the 6 elements of [2, 3], got [4, -1].",
  );
  expect(() => reshape(x, [-1, -1])).toThrow(
    "reshape: the new shape must hold the 6 elements of [2, 3], got [-1, -1].",
  );
});

test("transpose reverses by default, undoes itself and refuses axes twice", () => {
  expect(transpose(x).toArray()).toEqual([
    [1, 4],
    [2, 5],
    [3, 6],
  ]);
  const y = value(
    Float64Array.from({ length: 24 }, (_, i) => i),
    { shape: [2, 3, 4] },
  );
  const z = transpose(y, [2, 0, 1]);
  expect(z.shape).toEqual([4, 2, 3]);
  expect(transpose(z, [1, 2, 0]).toArray()).toEqual(y.toArray());
  expect(() => transpose(x, [0, 0])).toThrow(
    "transpose: axes must name each of the 2 axes once, got [0, 0].",
  );
});

test("broadcastTo, expandDims and squeeze refuse what cannot be", () => {
  expect(() => broadcastTo(x, [3])).toThrow(
    "broadcastTo: shape [2, 3] must broadcast to the new one, got [3].",
  );
  expect(() => broadcastTo(x, [2, 4])).toThrow("broadcastTo: shapes must broadcast");
  expect(() => squeeze(x, 0)).toThrow("squeeze: axis 0 must have size 1, got 2 (shape [2, 3]).");
  expect(expandDims(x, [0, -1]).shape).toEqual([1, 2, 3, 1]);
  expect(squeeze(expandDims(x, [0, -1])).shape).toEqual([2, 3]);
});

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

test("cast rounds towards zero and keeps derivatives between floats only", () => {
  expect(cast([1.9, -1.9], "int32").toArray()).toEqual([1, -1]);
  expect(grad((x) => cast(x, "float32").square().sum())(value([1, 2])).dtype).toBe("float64");
  expect(grad((x) => cast(cast(x, "int32"), "float64").sum())(value([1.5])).toArray()).toEqual([0]);
});
