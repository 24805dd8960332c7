/** MLP: what it computes, how it starts, and that it learns. */
import { type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { type ActivationName, Adam, binaryCrossEntropyWithLogits, MLP, ones } from "../../src/index.ts";
import { saying } from "../saying.ts";

describe("MLP", () => {
  test("puts the activation between layers and the output activation after the last", () => {
    const options = { initializer: ones, activation: (x: Value) => x.mul(10) };
    const x = value([[1, 2]]);
    // (1 + 2) · 10, twice in three hidden units, summed.
    expect(new MLP([2, 3, 1], options).forward(x).toArray()).toEqual([[90]]);
    expect(new MLP([2, 1], options).forward(x).toArray()).toEqual([[3]]);
    const output = { ...options, outputActivation: (y: Value) => y.neg() };
    expect(new MLP([2, 3, 1], output).forward(x).toArray()).toEqual([[-90]]);
    expect(new MLP([2, 3], { outputActivation: "softmax" }).forward(x).sum().item()).toBeCloseTo(1, 6);
  });

  test("has the layers and names that its sizes say", () => {
    const model = new MLP([784, 128, 10]);
    expect(model.parameters().map((x) => x.shape)).toEqual([[128, 784], [128], [10, 128], [10]]);
    expect(model.sizes).toEqual([784, 128, 10]);
    expect(String(new MLP([2, 1]))).toBe(
      "MLP 2 → 1: 3 parameters\n└ layers.0: Linear 2 → 1\n  ├ weight: [1, 2] float32\n  └ bias: [1] float32",
    );
  });

  // Bounds: √(6/fanIn) for He, √(6/(fanIn + fanOut)) for Xavier; here fanIn 100 and fanOut 50.
  test.each<[ActivationName, number]>([
    ["relu", Math.sqrt(6 / 100)],
    ["softplus", Math.sqrt(6 / 100)],
    ["tanh", Math.sqrt(6 / 150)],
    ["sigmoid", Math.sqrt(6 / 150)],
  ])("chooses the initialiser by the activation %s", (activation, bound) => {
    const { data } = (new MLP([100, 50], { activation, seed: 1 }).layers[0] as { weight: Value }).weight;
    const largest = Math.max(...data.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(bound);
    expect(largest).toBeGreaterThan(0.99 * bound);
  });

  test("is the same for the same seed", () => {
    const numbers = (seed: number) => new MLP([3, 4, 2], { seed }).parameters().map((x) => [...x.data]);
    expect(numbers(1)).toEqual(numbers(1));
    expect(numbers(1)).not.toEqual(numbers(2));
  });

  test("learns XOR", () => {
    const model = new MLP([2, 8, 1], { activation: "tanh", seed: 1 });
    const optimizer = new Adam(model.parameters(), { learningRate: 0.05 });
    const x = value([0, 0, 0, 1, 1, 0, 1, 1], { shape: [4, 2], dtype: "float32" });
    const y = [[0], [1], [1], [0]];
    for (let i = 0; i < 200; i++) {
      optimizer.zeroGrad();
      binaryCrossEntropyWithLogits(model.forward(x), y).backward();
      optimizer.step();
    }
    expect(binaryCrossEntropyWithLogits(model.forward(x), y).item()).toBeLessThan(0.02);
  });

  test.each<[unknown, string]>([
    [[3], "[3]"],
    [[3, 0], "[3, 0]"],
    [[3, 1.5], "[3, 1.5]"],
    [784, "number"],
  ])("refuses sizes %o", (sizes, got) => {
    expect(() => new MLP(sizes as number[])).toThrow(
      saying(`MLP: sizes must be two or more whole numbers ≥ 1, got ${got}.`),
    );
  });

  test("refuses an unknown activation", () => {
    expect(() => new MLP([1, 1], { activation: "rellu" as "relu" })).toThrow(
      saying(
        'MLP: activation must be a function or one of relu, sigmoid, softmax, softplus, tanh, got "rellu".',
      ),
    );
    expect(() => new MLP([1, 1], { outputActivation: "toString" as "relu" })).toThrow(
      saying(
        'MLP: outputActivation must be a function or one of relu, sigmoid, softmax, softplus, tanh, got "toString".',
      ),
    );
  });
});
