/** Linear: its product, shapes, first parameters. */
import { grad, random, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { constant, Linear, ones } from "../../src/index.ts";
import { saying } from "../saying.ts";

describe("Linear", () => {
  test("computes x Wᵀ + b for vectors, matrices and batches", () => {
    const layer = new Linear(2, 3);
    layer.weight.assign([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    layer.bias?.assign([10, 20, 30]);
    expect(layer.forward(value([1, -1])).toArray()).toEqual([9, 19, 29]);
    expect(
      layer
        .forward(
          value([
            [1, -1],
            [0, 2],
          ]),
        )
        .toArray(),
    ).toEqual([
      [9, 19, 29],
      [14, 28, 42],
    ]);
    expect(layer.forward(value([[[1, -1]], [[0, 2]]])).toArray()).toEqual([[[9, 19, 29]], [[14, 28, 42]]]);
    expect(layer.forward(value([], { shape: [0, 2] })).shape).toEqual([0, 3]);
  });

  test("has the gradients of its definition", () => {
    const layer = new Linear(2, 2, { dtype: "float64", seed: 1 });
    const x = value([
      [1, 2],
      [3, 5],
    ]);
    const dy = value([
      [1, 10],
      [100, 1000],
    ]);
    layer.forward(x).mul(dy).sum().backward();
    // W̄ = ȳᵀ x, b̄ = Σ ȳ, x̄ = ȳ W.
    expect(layer.weight.grad?.toArray()).toEqual([
      [301, 502],
      [3010, 5020],
    ]);
    expect(layer.bias?.grad?.toArray()).toEqual([101, 1010]);
    const [[a, b], [c, d]] = layer.weight.toArray() as [[number, number], [number, number]];
    const dx = grad((z: Value) => layer.forward(z).mul(dy).sum())(x).toArray() as number[][];
    expect(dx[0]).toEqual([expect.closeTo(a + 10 * c, 12), expect.closeTo(b + 10 * d, 12)]);
  });

  test("starts from weights in ±1/√inFeatures and biases of 0, in float32", () => {
    const layer = new Linear(100, 50, { seed: 1 });
    expect([layer.weight.shape, layer.weight.dtype, layer.weight.label]).toEqual([
      [50, 100],
      "float32",
      "weight",
    ]);
    expect(Math.max(...layer.weight.data.map(Math.abs))).toBeLessThanOrEqual(0.1);
    expect(Math.max(...layer.weight.data)).toBeGreaterThan(0.099);
    expect(layer.bias?.data.every((x: number) => x === 0)).toBe(true);
  });

  test("takes initialisers, a dtype, and no bias", () => {
    const layer = new Linear(2, 1, { initializer: ones, biasInitializer: constant(0.5), dtype: "float64" });
    expect(layer.weight.toArray()).toEqual([[1, 1]]);
    expect(layer.bias?.toArray()).toEqual([0.5]);
    expect(layer.weight.dtype).toBe("float64");
    const bare = new Linear(2, 1, { bias: false, initializer: ones });
    expect(bare.bias).toBeNull();
    expect(bare.forward(value([1, 2])).toArray()).toEqual([3]);
    expect([...bare.namedParameters().keys()]).toEqual(["weight"]);
  });

  test("refuses sizes that are not whole or below 1", () => {
    expect(() => new Linear(0, 1)).toThrow(saying("Linear: inFeatures must be a whole number ≥ 1, got 0."));
    expect(() => new Linear(1, 1.5)).toThrow(
      saying("Linear: outFeatures must be a whole number ≥ 1, got 1.5."),
    );
  });

  test("refuses another number of features", () => {
    expect(() => new Linear(3, 1).forward(value([[1, 2]]))).toThrow(
      saying("Linear: the last axis of x must have size 3, got shape [1, 2].", "ShapeError"),
    );
    expect(() => new Linear(3, 1).forward(value(1))).toThrow(
      saying("Linear: the last axis of x must have size 3, got shape [].", "ShapeError"),
    );
  });

  test("refuses an initialiser that gives another shape", () => {
    const initializer = () => random.uniform(random.key(0), [2]);
    expect(() => new Linear(2, 2, { initializer })).toThrow(
      saying("Linear: the initializer of weight must return shape [2, 2], got [2].", "ShapeError"),
    );
  });
});
