/** RMSprop against torch.optim.RMSprop's documented pseudo-code, in plain numbers. */
import { parameter, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { RMSprop, type RMSpropOptions } from "../../src/index.ts";
import { saying } from "../saying.ts";
import { expectToFollow, type ScalarRule } from "./following.ts";

/** https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html, "algorithm". */
function torchRMSprop(options: Required<RMSpropOptions>): () => ScalarRule {
  const { learningRate: gamma, weightDecay: lambda, rho: alpha, momentum: mu, centered, epsilon } = options;
  return () => {
    let v = 0;
    let gAverage = 0;
    let b = 0;
    return (x, gradient) => {
      const g = gradient + lambda * x;
      v = alpha * v + (1 - alpha) * g ** 2;
      let vTilde = v;
      if (centered) {
        gAverage = gAverage * alpha + (1 - alpha) * g;
        vTilde = vTilde - gAverage ** 2;
      }
      if (mu === 0) return x - (gamma * g) / (Math.sqrt(vTilde) + epsilon);
      b = mu * b + g / (Math.sqrt(vTilde) + epsilon);
      return x - gamma * b;
    };
  };
}

describe("RMSprop", () => {
  const plain = {
    learningRate: 0.1,
    weightDecay: 0,
    rho: 0.99,
    momentum: 0,
    centered: false,
    epsilon: 1e-8,
  };
  test.each<[string, Required<RMSpropOptions>]>([
    ["alone", plain],
    ["with weight decay and a short memory", { ...plain, weightDecay: 0.1, rho: 0.5, epsilon: 0.05 }],
    ["with momentum", { ...plain, momentum: 0.9 }],
    ["centred", { ...plain, centered: true }],
    ["centred with momentum", { ...plain, centered: true, momentum: 0.5, rho: 0.7 }],
  ])("follows its published update step by step %s", (_, options) => {
    expectToFollow((parameters) => new RMSprop(parameters, options), torchRMSprop(options));
  });

  test("stays finite when centred on gradients that do not change", () => {
    const x = parameter([1, 2, 3], { dtype: "float32" });
    const optimizer = new RMSprop([x], { centered: true, rho: 0.5, learningRate: 1e-12 });
    x.grad = value([3 / 37, 6 / 37, 11 / 37], { dtype: "float32" });
    for (let i = 0; i < 200; i++) optimizer.step();
    expect(x.data.every(Number.isFinite)).toBe(true);
  });

  test.each<[RMSpropOptions, string]>([
    [{ rho: 1 }, "RMSprop: rho must be in [0, 1), got 1."],
    [{ momentum: -1 }, "RMSprop: momentum must be ≥ 0, got -1."],
    [{ epsilon: 0 }, "RMSprop: epsilon must be > 0, got 0."],
  ])("refuses %o", (options, message) => {
    expect(() => new RMSprop([parameter(1)], options)).toThrow(saying(message));
  });
});
