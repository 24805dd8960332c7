/** Where layers draw from: generators, seeds, and the package's own generator. */
import { random } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { Linear, MLP, manualSeed } from "../src/index.ts";
import { saying } from "./saying.ts";

const weights = (layer: Linear) => Array.from(layer.weight.data);

describe("manualSeed", () => {
  test("restarts what layers draw from", () => {
    manualSeed(3);
    const first = [new Linear(2, 2), new Linear(2, 2)].map(weights);
    manualSeed(3);
    const second = [new Linear(2, 2), new Linear(2, 2)].map(weights);
    manualSeed(4);
    expect(second).toEqual(first);
    expect(weights(new Linear(2, 2))).not.toEqual(first[0]);
    expect(first[0]).not.toEqual(first[1]);
  });

  test("refuses what is no seed", () => {
    expect(() => manualSeed(-1)).toThrow(
      saying("random.key: seed must be a whole number in [0, 2^53), got -1."),
    );
  });
});

describe("seed and generator", () => {
  test("a seed gives the same layer whatever was drawn before", () => {
    const first = weights(new Linear(2, 2, { seed: 7 }));
    new Linear(5, 5);
    expect(weights(new Linear(2, 2, { seed: 7 }))).toEqual(first);
  });

  test("a generator is shared by the layers that are given it", () => {
    const generator = new random.Generator(7);
    const layers = [new Linear(2, 2, { generator }), new Linear(2, 2, { generator })].map(weights);
    expect(layers[0]).not.toEqual(layers[1]);
    expect(layers[0]).toEqual(weights(new Linear(2, 2, { seed: 7 })));
  });

  test("the layers of an MLP draw different numbers", () => {
    const [first, second] = new MLP([2, 2, 2], { seed: 1 }).layers.map(weights);
    expect(first).not.toEqual(second);
  });

  test("both at once are refused", () => {
    expect(() => new Linear(1, 1, { seed: 1, generator: new random.Generator(1) })).toThrow(
      saying("Linear: either generator or seed may be given, got both."),
    );
  });
});
