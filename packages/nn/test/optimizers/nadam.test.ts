/** NAdam against torch.optim.NAdam's documented pseudo-code, in plain numbers. */
import { parameter } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { NAdam, type NAdamOptions } from "../../src/index.ts";
import { saying } from "../saying.ts";
import { expectToFollow, type ScalarRule } from "./following.ts";

/** https://docs.pytorch.org/docs/stable/generated/torch.optim.NAdam.html, "algorithm". */
function torchNAdam(options: Required<NAdamOptions>): () => ScalarRule {
  const { learningRate: gamma, weightDecay: lambda, beta1, beta2, epsilon, momentumDecay: psi } = options;
  return () => {
    let m = 0;
    let v = 0;
    let muProduct = 1;
    return (x, gradient, t) => {
      const g = gradient + lambda * x;
      const mu = beta1 * (1 - 0.5 * 0.96 ** (t * psi));
      const muNext = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi));
      muProduct = muProduct * mu;
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g ** 2;
      const mHat = (muNext * m) / (1 - muProduct * muNext) + ((1 - mu) * g) / (1 - muProduct);
      const vHat = v / (1 - beta2 ** t);
      return x - (gamma * mHat) / (Math.sqrt(vHat) + epsilon);
    };
  };
}

describe("NAdam", () => {
  const usual = {
    learningRate: 0.05,
    weightDecay: 0,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    momentumDecay: 0.004,
  };
  test.each<[string, Required<NAdamOptions>]>([
    ["usual", usual],
    [
      "unusual",
      { ...usual, learningRate: 0.5, weightDecay: 0.2, beta1: 0.5, beta2: 0.7, momentumDecay: 0.5 },
    ],
  ])("follows its published update step by step with %s options", (_, options) => {
    expectToFollow((parameters) => new NAdam(parameters, options), torchNAdam(options));
  });

  test("names itself in errors", () => {
    expect(() => new NAdam([parameter(1)], { momentumDecay: -1 })).toThrow(
      saying("NAdam: momentumDecay must be ≥ 0, got -1."),
    );
  });
});
