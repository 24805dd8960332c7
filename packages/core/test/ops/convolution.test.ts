import { conv1d, conv2d, convTranspose1d, convTranspose2d, grad, random, sum, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";

const X = value(
  Array.from({ length: 25 }, (_, i) => (i + 1) % 7),
  { shape: [1, 5, 5] },
);
const W = value([
  [
    [
      [1, 2, -1],
      [0, 3, 1],
      [2, -2, 1],
    ],
  ],
]);

describe("conv2d", () => {
  // Right-hand sides: scipy.signal.correlate2d.
  test("gives SciPy's correlations, padded, strided and dilated", () => {
    expect(conv2d(X, W).toArray()).toEqual([
      [
        [7, 7, 28],
        [28, 21, 7],
        [21, 35, 28],
      ],
    ]);
    expect(conv2d(X, W, { padding: 1, stride: 2 }).toArray()).toEqual([
      [
        [-7, 13, 13],
        [28, 21, 9],
        [2, 15, 29],
      ],
    ]);
    const same = [
      [
        [-7, 22, 13, 18, 13],
        [15, 7, 7, 28, 21],
        [28, 28, 21, 7, 9],
        [13, 21, 35, 28, 18],
        [2, 9, 15, 21, 29],
      ],
    ];
    expect(conv2d(X, W, { padding: "same" }).toArray()).toEqual(same);
    expect(conv2d(X, W, { padding: [[1, 1], 1] }).toArray()).toEqual(same);
    expect(conv2d(X, W, { dilation: 2 }).toArray()).toEqual([[[21]]]);
    expect(conv2d(X, W, { dilation: 2, bias: [0.5] }).toArray()).toEqual([[[21.5]]]);
  });

  test("keeps groups apart, as depthwise filters do", () => {
    const x = value([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(conv1d(x, [[[1, 1]], [[1, -1]]], { groups: 2 }).toArray()).toEqual([
      [3, 5],
      [-1, -1],
    ]);
  });

  test("pads unevenly at the end for even windows, as TensorFlow does", () => {
    expect(conv1d([[1, 2, 3]], [[[1, 10]]], { padding: "same" }).toArray()).toEqual([[21, 32, 3]]);
    expect(conv1d([[1, 2, 3, 4]], [[[1, 1, 1]]], { padding: "same", stride: 2 }).toArray()).toEqual([[6, 7]]);
    expect(conv1d(value([], { shape: [0, 1, 4] }), [[[1, 1]]]).shape).toEqual([0, 1, 3]);
  });

  test("says what does not fit", () => {
    expect(() => conv2d(X, [[[1]]])).toThrow(
      "conv2d: x of rank 4 (batch, channels, 2 axes) or 3, and a weight of rank 4, got x [1, 5, 5], weight [1, 1, 1].",
    );
    expect(() => conv1d([[1, 2]], [[[1], [1]]])).toThrow(
      "conv1d: axis 1 of the weight must be 1 for the 1 channels of x, got weight [1, 2, 1].",
    );
    expect(() => conv1d([[1, 2]], [[[1, 1, 1]]])).toThrow(
      "conv1d: a window of [3] must fit the padded input, got axes of [2]. Pad more, or take a smaller window or dilation.",
    );
    expect(() => conv1d([[1, 2]], [[[1]]], { stride: 0 })).toThrow(
      "conv1d: stride must be a whole number ≥ 1, or 1 of them, got 0.",
    );
    expect(() => conv1d([[1, 2]], [[[1]]], { groups: 2 })).toThrow(
      "conv1d: groups must divide the 1 channels of x and the first 1 of the weight, got 2.",
    );
    expect(() => conv1d([[1, 2]], [[[1]]], { padding: -1 })).toThrow(
      'conv1d: padding must be "same", "valid", a whole number ≥ 0, or 1 numbers or pairs of them, got -1.',
    );
  });
});

describe("convTranspose2d", () => {
  test("without stride is SciPy's full convolution", () => {
    const y = convTranspose2d(
      value([
        [
          [1, 2],
          [6, 0],
        ],
      ]),
      W,
    );
    expect(y.toArray()).toEqual([
      [
        [1, 4, 3, -2],
        [6, 15, 1, 2],
        [2, 20, 3, 2],
        [12, -12, 6, 0],
      ],
    ]);
  });

  test("is the derivative of the convolution with the same options", () => {
    const [x, w] = [1, 2].map((k) => random.normal(random.key(k), [2, 4, 7], { dtype: "float64" }));
    const weight = w?.reshape([2, 4, 7]).slice(null, null, [0, 3]);
    const options = { stride: 2, padding: 1 };
    const dy = random.normal(random.key(3), [2, 2, 4], { dtype: "float64" });
    if (x === undefined || weight === undefined) return;
    const dx = grad((x) => sum(conv1d(x, weight, options).mul(dy)))(x);
    const y = convTranspose1d(dy, weight, options);
    y.data.forEach((n, i) => {
      expect(n).toBeCloseTo(dx.data[i] as number, 12);
    });
  });

  test("has the sizes of PyTorch, and n · stride for same padding", () => {
    const w = value([[[1, 1, 1]]]);
    expect(convTranspose1d([[1, 2]], w, { stride: 2, padding: 1, outputPadding: 1 }).toArray()).toEqual([
      [1, 3, 2, 2],
    ]);
    expect(convTranspose1d([[1, 2]], w, { stride: 2, padding: "same" }).shape).toEqual([1, 4]);
    expect(convTranspose1d([[1, 2]], [[[5]]], { stride: 3, padding: "same" }).toArray()).toEqual([
      [5, 0, 0, 10, 0, 0],
    ]);
  });
});
