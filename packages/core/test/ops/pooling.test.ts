import { adaptiveAvgPool, adaptiveMaxPool, avgPool, grad, maxPool, sum, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";

const X = value([
  [
    [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ],
  ],
]);

describe("maxPool", () => {
  test("takes windows over as many axes as it has sizes", () => {
    expect(maxPool(X, 2, { stride: 1 }).toArray()).toEqual([
      [
        [
          [5, 6],
          [8, 9],
        ],
      ],
    ]);
    expect(maxPool(X, [2]).toArray()).toEqual([[[[2], [5], [8]]]]);
    expect(maxPool(X, [2, 2], { padding: 1 }).toArray()).toEqual([
      [
        [
          [1, 3],
          [7, 9],
        ],
      ],
    ]);
    expect(maxPool(value([[-5, -4, -3, -2]]), [2], { dilation: 2, stride: 1 }).toArray()).toEqual([[-3, -2]]);
    expect(maxPool(value([[-1, -2, -3]]), [2], { padding: "same" }).toArray()).toEqual([[-1, -3]]);
    expect(maxPool(value([3, 1, 2]), [3]).dtype).toBe("float64");
    expect(maxPool(value(new Int32Array([3, 1])), [2]).dtype).toBe("int32");
    expect(maxPool(value([], { shape: [0, 1, 4] }), [2]).shape).toEqual([0, 1, 2]);
  });

  test("sends the cotangent to the first of equals, and carries NaN", () => {
    expect(grad((x) => sum(maxPool(x, [2])))(value([0, 0, 1, 2])).toArray()).toEqual([1, 0, 0, 1]);
    expect(maxPool([1, Number.NaN, 3, 2], [2]).toArray()).toEqual([Number.NaN, 3]);
    expect(maxPool([-Infinity, -Infinity], [2]).toArray()).toEqual([-Infinity]);
  });

  test("says what does not fit", () => {
    expect(() => maxPool([1, 2], [3])).toThrow(
      "maxPool: a window of [3] must fit the padded input, got axes of [2]. Pad more, or take a smaller window or dilation.",
    );
    expect(() => maxPool([1, 2], [1], { padding: 1 })).toThrow(
      "maxPool: every window must see an element of x, got one of padding only along axis 0. Pad less.",
    );
    expect(() => maxPool([1, 2], 2)).toThrow(
      "maxPool: x must have the axes that are pooled, after batch and channels, got [2].",
    );
  });
});

describe("avgPool", () => {
  test("counts padding unless told not to", () => {
    expect(avgPool(X, 2, { stride: 1 }).toArray()).toEqual([
      [
        [
          [3, 4],
          [6, 7],
        ],
      ],
    ]);
    expect(avgPool([2, 4], [2], { padding: 1 }).toArray()).toEqual([1, 2]);
    expect(avgPool([2, 4], [2], { padding: 1, countPadding: false }).toArray()).toEqual([2, 4]);
  });
});

test("ceilMode adds a last window that begins inside and does not count what lies beyond", () => {
  expect(maxPool([1, 2, 3], [2], { ceilMode: true }).toArray()).toEqual([2, 3]);
  expect(avgPool([1, 2, 3], [2], { ceilMode: true }).toArray()).toEqual([1.5, 3]);
  expect(avgPool([2, 2, 2, 2], [2], { stride: 3, padding: 1, ceilMode: true }).toArray()).toEqual([1, 2]);
  expect(avgPool([2, 2, 2], [3], { stride: 2, padding: 1, ceilMode: true }).toArray()).toEqual([
    4 / 3,
    4 / 3,
  ]);
  // The window that would begin in the padding after the input is left out, as in PyTorch.
  expect(maxPool([1, 2, 3], [1], { stride: 4, ceilMode: true }).toArray()).toEqual([1]);
});

test("ceilMode lets a window be larger than the padded input, as in PyTorch", () => {
  expect(maxPool([1, 2], [3], { ceilMode: true }).toArray()).toEqual([2]);
  expect(avgPool([1, 2], [3], { ceilMode: true }).toArray()).toEqual([1.5]);
  expect(avgPool([1, 2], [5], { padding: 1, ceilMode: true }).toArray()).toEqual([0.75]);
  expect(() => maxPool([1], [3], { stride: 2, ceilMode: true })).toThrow(
    "maxPool: a window of [3] must fit the padded input, got axes of [1]. " +
      "Pad more, or take a smaller window or dilation.",
  );
});

describe("adaptive pools", () => {
  test("keep NaN and infinities in the windows that hold them", () => {
    expect(adaptiveAvgPool([1, 3, Number.NaN, 5], [2]).toArray()).toEqual([2, Number.NaN]);
    expect(adaptiveAvgPool([[[1, 2, Infinity]]], [2]).toArray()).toEqual([[[1.5, Infinity]]]);
    const x = [
      [1, 2],
      [-Infinity, 4],
    ];
    expect(adaptiveAvgPool(x, [2, 1]).toArray()).toEqual([[1.5], [-Infinity]]);
    expect(adaptiveAvgPool([true, false, true], [1]).toArray()).toEqual([2 / 3]);
    expect(adaptiveAvgPool([[1, 2]], [0, 2]).shape).toEqual([0, 2]);
  });

  // Bins of torch.nn.AdaptiveAvgPool1d(3) over five elements: [0, 2), [1, 4), [3, 5).
  test("see overlapping windows where sizes do not divide", () => {
    expect(adaptiveAvgPool([1, 2, 3, 4, 6], [3]).toArray()).toEqual([1.5, 3, 5]);
    expect(adaptiveMaxPool([1, 9, 3, 4, 6], [3]).toArray()).toEqual([9, 9, 6]);
    expect(adaptiveAvgPool(X, 1).toArray()).toEqual([[[[5]]]]);
    expect(adaptiveMaxPool([1, 2], [4]).toArray()).toEqual([1, 1, 2, 2]);
    expect(() => adaptiveAvgPool(value([], { shape: [0] }), [1])).toThrow(
      "adaptiveAvgPool: the pooled axes must not be empty, got [0].",
    );
  });
});
