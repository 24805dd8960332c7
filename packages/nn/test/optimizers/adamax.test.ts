/** AdaMax against torch.optim.Adamax's documented pseudo-code, in plain numbers. */
import { parameter } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { AdaMax, type AdamOptions } from "../../src/index.ts";
import { saying } from "../saying.ts";
import { expectToFollow, type ScalarRule } from "./following.ts";

/** https://docs.pytorch.org/docs/stable/generated/torch.optim.Adamax.html, "algorithm"; Kingma & Ba (2015), Algorithm 2. */
function torchAdamax(options: Required<AdamOptions>): () => ScalarRule {
  const { learningRate: gamma, weightDecay: lambda, beta1, beta2, epsilon } = options;
  return () => {
    let m = 0;
    let u = 0;
    return (x, gradient, t) => {
      const g = gradient + lambda * x;
      m = beta1 * m + (1 - beta1) * g;
      u = Math.max(beta2 * u, Math.abs(g) + epsilon);
      return x - (gamma * m) / ((1 - beta1 ** t) * u);
    };
  };
}

describe("AdaMax", () => {
  test.each<[string, Required<AdamOptions>]>([
    ["usual", { learningRate: 0.05, weightDecay: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }],
    ["unusual", { learningRate: 0.5, weightDecay: 0.2, beta1: 0.5, beta2: 0.7, epsilon: 0.1 }],
  ])("follows its published update step by step with %s options", (_, options) => {
    expectToFollow((parameters) => new AdaMax(parameters, options), torchAdamax(options));
  });

  test("names itself in errors", () => {
    expect(() => new AdaMax([parameter(1)], { beta1: 2 })).toThrow(
      saying("AdaMax: beta1 must be in [0, 1), got 2."),
    );
  });
});
