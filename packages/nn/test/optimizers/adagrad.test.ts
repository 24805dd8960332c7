/** Adagrad against torch.optim.Adagrad's documented pseudo-code, in plain numbers. */
import { parameter } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { Adagrad, type AdagradOptions } from "../../src/index.ts";
import { saying } from "../saying.ts";
import { expectToFollow, type ScalarRule } from "./following.ts";

/** https://docs.pytorch.org/docs/stable/generated/torch.optim.Adagrad.html, "algorithm". */
function torchAdagrad(options: Required<AdagradOptions>): () => ScalarRule {
  const { learningRate: gamma, weightDecay: lambda, decay: eta, initialAccumulator, epsilon } = options;
  return () => {
    let stateSum = initialAccumulator;
    return (x, gradient, t) => {
      const g = gradient + lambda * x;
      const gammaNow = gamma / (1 + (t - 1) * eta);
      stateSum = stateSum + g * g;
      return x - gammaNow * (g / (Math.sqrt(stateSum) + epsilon));
    };
  };
}

describe("Adagrad", () => {
  test.each<[string, Required<AdagradOptions>]>([
    ["usual", { learningRate: 0.1, weightDecay: 0, decay: 0, initialAccumulator: 0, epsilon: 1e-10 }],
    ["unusual", { learningRate: 0.5, weightDecay: 0.1, decay: 0.3, initialAccumulator: 0.2, epsilon: 0.05 }],
  ])("follows its published update step by step with %s options", (_, options) => {
    expectToFollow((parameters) => new Adagrad(parameters, options), torchAdagrad(options));
  });

  test.each<[AdagradOptions, string]>([
    [{ decay: -1 }, "Adagrad: decay must be ≥ 0, got -1."],
    [{ initialAccumulator: -1 }, "Adagrad: initialAccumulator must be ≥ 0, got -1."],
    [{ epsilon: -1 }, "Adagrad: epsilon must be > 0, got -1."],
  ])("refuses %o", (options, message) => {
    expect(() => new Adagrad([parameter(1)], options)).toThrow(saying(message));
  });
});
