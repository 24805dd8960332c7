/** Adadelta against torch.optim.Adadelta's documented pseudo-code, in plain numbers. */
import { parameter } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { Adadelta, type AdadeltaOptions } from "../../src/index.ts";
import { saying } from "../saying.ts";
import { expectToFollow, type ScalarRule } from "./following.ts";

/** https://docs.pytorch.org/docs/stable/generated/torch.optim.Adadelta.html, "algorithm"; Zeiler (2012), Algorithm 1. */
function torchAdadelta(options: Required<AdadeltaOptions>): () => ScalarRule {
  const { learningRate: gamma, weightDecay: lambda, rho, epsilon } = options;
  return () => {
    let v = 0;
    let u = 0;
    return (x, gradient) => {
      const g = gradient + lambda * x;
      v = v * rho + g ** 2 * (1 - rho);
      const delta = (Math.sqrt(u + epsilon) / Math.sqrt(v + epsilon)) * g;
      u = u * rho + delta ** 2 * (1 - rho);
      return x - gamma * delta;
    };
  };
}

describe("Adadelta", () => {
  test.each<[string, Required<AdadeltaOptions>]>([
    ["usual", { learningRate: 1, weightDecay: 0, rho: 0.9, epsilon: 1e-6 }],
    ["unusual", { learningRate: 0.5, weightDecay: 0.1, rho: 0.5, epsilon: 0.05 }],
  ])("follows its published update step by step with %s options", (_, options) => {
    expectToFollow((parameters) => new Adadelta(parameters, options), torchAdadelta(options));
  });

  test("refuses rho of 1", () => {
    expect(() => new Adadelta([parameter(1)], { rho: 1 })).toThrow(
      saying("Adadelta: rho must be in [0, 1), got 1."),
    );
  });
});
