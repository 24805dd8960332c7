/** Losses: reference values, derivatives, reductions, shapes that must not broadcast. */
import { grad, type Operand, random, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import {
  binaryCrossEntropyWithLogits,
  huber,
  type LossOptions,
  meanAbsoluteError,
  meanSquaredError,
  softmaxCrossEntropy,
} from "../src/index.ts";
import { saying } from "./saying.ts";

type Loss = (predictions: Value, targets: Operand, options?: LossOptions) => Value;

const elementwise: [string, Loss][] = [
  ["meanSquaredError", meanSquaredError],
  ["meanAbsoluteError", meanAbsoluteError],
  ["huber", huber],
  ["binaryCrossEntropyWithLogits", binaryCrossEntropyWithLogits],
];

/** Holds a derivative to central differences, whose own error is about 1e-9 here. */
function expectGradient(f: (x: Value) => Value, at: Value): void {
  const analytic = grad(f)(at).data;
  const h = 1e-5;
  const moved = (i: number, by: number) => {
    const data = Float64Array.from(at.data);
    data[i] = (data[i] as number) + by;
    return f(value(data, { shape: at.shape })).item();
  };
  analytic.forEach((a: number, i: number) => {
    expect(a).toBeCloseTo((moved(i, h) - moved(i, -h)) / (2 * h), 8);
  });
}

describe.each(elementwise)("%s", (name, loss) => {
  const predictions = value([
    [0.5, -2, 3],
    [1.25, 0.1, -0.4],
  ]);
  const targets = [
    [1, 0, 0.5],
    [0, 1, 0.25],
  ];

  test("has the derivative that finite differences have", () => {
    expectGradient((x) => loss(x, targets), predictions);
    expectGradient((x) => loss(x, targets, { reduction: "sum" }), predictions);
    expectGradient((t) => loss(predictions, t), value(targets));
  });

  test("reduces by the mean unless told otherwise", () => {
    const none = loss(predictions, targets, { reduction: "none" });
    expect(none.shape).toEqual([2, 3]);
    const total = Array.from(none.data).reduce((sum, x) => sum + x, 0);
    expect(loss(predictions, targets, { reduction: "sum" }).item()).toBeCloseTo(total, 14);
    expect(loss(predictions, targets).item()).toBeCloseTo(total / 6, 14);
    expect(loss(predictions, targets, { reduction: "mean" }).rank).toBe(0);
  });

  test("does not broadcast [n] with [n, 1]", () => {
    expect(() => loss(value([1, 2]), [[1], [2]])).toThrow(
      saying(
        `${name}: predictions and targets must have the same shape, got [2] and [2, 1]. Reshape one: broadcasting would compare predictions with other examples' targets.`,
        "ShapeError",
      ),
    );
    expect(() => loss(value([1, 2]), 1)).toThrow(
      saying(
        `${name}: predictions and targets must have the same shape, got [2] and []. Reshape one: broadcasting would compare predictions with other examples' targets.`,
        "ShapeError",
      ),
    );
  });

  test("keeps the predictions' dtype whatever the targets' is", () => {
    const x = value([0.5, 1.5], { dtype: "float32" });
    expect(loss(x, [0, 1]).dtype).toBe("float32");
    expect(loss(x, new Int32Array([0, 1])).dtype).toBe("float32");
    expect(loss(x, [true, false]).dtype).toBe("float32");
  });

  test("refuses an unknown reduction", () => {
    expect(() => loss(predictions, targets, { reduction: "max" as "mean" })).toThrow(
      saying(`${name}: reduction must be "mean", "sum" or "none", got "max".`),
    );
  });
});

describe("meanSquaredError and meanAbsoluteError", () => {
  test("give the values of their definitions", () => {
    expect(meanSquaredError(value([1, 2, 3]), [1, 4, 0]).item()).toBe(13 / 3);
    expect(meanAbsoluteError(value([1, 2, 3]), [1, 4, 0]).item()).toBe(5 / 3);
    expect(meanSquaredError(value(3), 1).item()).toBe(4);
  });
});

describe("huber", () => {
  test("is quadratic up to delta and linear beyond", () => {
    // Huber (1964), §1: ρ(e) = e²/2 for |e| < k, k|e| − k²/2 beyond.
    const none = { reduction: "none", delta: 2 } as const;
    expect(huber(value([0, 1, -2, 3, -10]), [0, 0, 0, 0, 0], none).toArray()).toEqual([0, 0.5, 2, 4, 18]);
    const slopes = grad((x: Value) => huber(x, [0, 0, 0, 0, 0], { delta: 2, reduction: "sum" }));
    expect(slopes(value([0, 1, -2, 3, -10])).toArray()).toEqual([0, 1, -2, 2, -2]);
  });

  test("refuses a delta that is not above 0", () => {
    expect(() => huber(value([1]), [1], { delta: 0 })).toThrow(saying("huber: delta must be > 0, got 0."));
  });
});

describe("binaryCrossEntropyWithLogits", () => {
  test("agrees with arbitrary precision, for sure predictions too", () => {
    // Python's decimal with 60 digits: t·ln(1 + e^−x) + (1 − t)·ln(1 + e^x).
    const losses = binaryCrossEntropyWithLogits(value([1.5, -2, 40, -30]), [1, 0.25, 1, 0], {
      reduction: "none",
    });
    const expected = [0.2014132779827524, 0.6269280110429725, 4.248354255291589e-18, 9.357622968839737e-14];
    losses.data.forEach((x: number, i: number) => {
      expect(Math.abs(x / (expected[i] as number) - 1)).toBeLessThan(4e-16);
    });
  });

  test("stays finite far out", () => {
    const f = (x: Value) => binaryCrossEntropyWithLogits(x, [1, 0, 1, 0], { reduction: "sum" });
    const at = value([1e4, 1e4, -1e4, -1e4]);
    expect(f(at).item()).toBe(2e4);
    expect(grad(f)(at).toArray()).toEqual([expect.closeTo(0), 1, -1, expect.closeTo(0)]);
  });
});

describe("softmaxCrossEntropy", () => {
  const row = [1.5, -0.5, 0.25];

  test("agrees with arbitrary precision by index and by probability", () => {
    // Python's decimal with 60 digits: −Σ t·(x − ln Σ eˣ).
    expect(softmaxCrossEntropy(value(row), 2).item()).toBeCloseTo(1.6019518638028016, 15);
    expect(softmaxCrossEntropy(value(row), [0.2, 0.5, 0.3]).item()).toBeCloseTo(1.7269518638028016, 15);
    expect(softmaxCrossEntropy(value([[30, -10, 0]]), [0]).item()).toBeCloseTo(9.358047804e-14, 15);
    expect(softmaxCrossEntropy(value([[30, -10, 0]]), [1]).item()).toBe(40.00000000000009);
    const smoothed = { labelSmoothing: 0.1 };
    expect(softmaxCrossEntropy(value(row), 2, smoothed).item()).toBeCloseTo(1.585285197136135, 14);
    expect(softmaxCrossEntropy(value(row), [0, 0, 1], smoothed).item()).toBeCloseTo(1.585285197136135, 14);
  });

  test("takes leading axes, whole numbers of any dtype, and reduces over examples", () => {
    const logits = random.normal(random.key(1), [2, 3, 4], { dtype: "float64" });
    const targets = [
      [0, 3, 1],
      [2, 2, 0],
    ];
    const none = softmaxCrossEntropy(logits, targets, { reduction: "none" });
    expect(none.shape).toEqual([2, 3]);
    const each = targets.flatMap((t, i) =>
      t.map((target, j) => {
        const at = Array.from(logits.data.slice((i * 3 + j) * 4, (i * 3 + j) * 4 + 4));
        const total = at.reduce((sum, x) => sum + Math.exp(x), 0);
        return Math.log(total) - (at[target] as number);
      }),
    );
    none.data.forEach((x: number, i: number) => {
      expect(x).toBeCloseTo(each[i] as number, 14);
    });
    const mean = each.reduce((sum, x) => sum + x, 0) / 6;
    expect(softmaxCrossEntropy(logits, targets).item()).toBeCloseTo(mean, 14);
    const indices = value(Int32Array.from(targets.flat()), { shape: [2, 3] });
    expect(softmaxCrossEntropy(logits, indices).item()).toBeCloseTo(mean, 14);
    expect(softmaxCrossEntropy(logits, indices.oneHot(4)).item()).toBeCloseTo(mean, 14);
    expect(softmaxCrossEntropy(logits, indices, { reduction: "sum" }).item()).toBeCloseTo(6 * mean, 13);
  });

  test("has the derivative that finite differences have", () => {
    const logits = random.normal(random.key(2), [3, 4], { dtype: "float64" });
    const soft = [0.1, 0.2, 0.3, 0.4];
    expectGradient((x) => softmaxCrossEntropy(x, [0, 3, 3]), logits);
    expectGradient((x) => softmaxCrossEntropy(x, [0, 3, 3], { labelSmoothing: 0.2 }), logits);
    expectGradient((x) => softmaxCrossEntropy(x, [soft, soft, [1, 0, 0, 0]]), logits);
  });

  test("has the gradient softmax − target where predictions are sure", () => {
    const f = (x: Value) => softmaxCrossEntropy(x, [0, 1], { reduction: "sum" });
    const got = grad(f)(
      value([
        [1000, 0, -1000],
        [1000, 0, 0],
      ]),
    );
    expect(got.toArray()).toEqual([
      [0, 0, 0],
      [1, -1, 0],
    ]);
  });

  test("lets a class of logit −Infinity be left out", () => {
    const logits = value([[0, 0, Number.NEGATIVE_INFINITY]]);
    expect(softmaxCrossEntropy(logits, [1]).item()).toBeCloseTo(Math.LN2, 15);
    expect(grad((x: Value) => softmaxCrossEntropy(x, [1]))(logits).toArray()).toEqual([[0.5, -0.5, 0]]);
  });

  test("refuses targets of other shapes", () => {
    const message = (got: string) =>
      saying(
        `softmaxCrossEntropy: targets must be class indices [...] or probabilities [..., classes] for logits [..., classes], got ${got}.`,
        "ShapeError",
      );
    expect(() => softmaxCrossEntropy(value([[1, 2, 3]]), [[1]])).toThrow(message("[1, 1] for [1, 3]"));
    expect(() => softmaxCrossEntropy(value([[1, 2, 3]]), [0, 1])).toThrow(message("[2] for [1, 3]"));
    expect(() => softmaxCrossEntropy(value(1), 0)).toThrow(message("[] for []"));
  });

  test("refuses indices that are no class, and smoothing out of range", () => {
    const message = (got: string) =>
      saying(`softmaxCrossEntropy: class indices must be whole numbers in [0, 2], got ${got}.`);
    expect(() => softmaxCrossEntropy(value([row]), [3])).toThrow(message("3"));
    expect(() => softmaxCrossEntropy(value([row]), [-1])).toThrow(message("-1"));
    expect(() => softmaxCrossEntropy(value([row]), [0.5])).toThrow(message("0.5"));
    expect(() => softmaxCrossEntropy(value([row]), [0], { labelSmoothing: 1 })).toThrow(
      saying("softmaxCrossEntropy: labelSmoothing must be in [0, 1), got 1."),
    );
  });
});
