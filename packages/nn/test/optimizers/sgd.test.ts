/** SGD against torch.optim.SGD's documented pseudo-code, in plain numbers. */
import { parameter } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { SGD, type SGDOptions } from "../../src/index.ts";
import { saying } from "../saying.ts";
import { expectToFollow, type ScalarRule } from "./following.ts";

/** https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html, "algorithm". */
function torchSGD(options: Required<SGDOptions>): () => ScalarRule {
  const { learningRate: gamma, weightDecay: lambda, momentum: mu, dampening: tau, nesterov } = options;
  return () => {
    let b = 0;
    return (x, gradient, t) => {
      let g = gradient;
      if (lambda !== 0) g = g + lambda * x;
      if (mu !== 0) {
        if (t > 1) b = mu * b + (1 - tau) * g;
        else b = g;
        if (nesterov) g = g + mu * b;
        else g = b;
      }
      return x - gamma * g;
    };
  };
}

describe("SGD", () => {
  const plain = { learningRate: 0.1, weightDecay: 0, momentum: 0, dampening: 0, nesterov: false };
  test.each<[string, Required<SGDOptions>]>([
    ["alone", plain],
    ["with weight decay", { ...plain, weightDecay: 0.05 }],
    ["with momentum", { ...plain, momentum: 0.9 }],
    ["with dampened momentum", { ...plain, momentum: 0.9, dampening: 0.3 }],
    ["with Nesterov's momentum", { ...plain, momentum: 0.8, nesterov: true, weightDecay: 0.01 }],
  ])("follows its published update step by step %s", (_, options) => {
    expectToFollow((parameters) => new SGD(parameters, options), torchSGD(options));
  });

  test("keeps no velocity without momentum", () => {
    const x = parameter([1, 2]);
    expect(Object.keys(new SGD([x]).stateDict())).toEqual(["learningRate", "0.step"]);
    expect(Object.keys(new SGD([x], { momentum: 0.9 }).stateDict())).toEqual([
      "learningRate",
      "0.step",
      "0.velocity",
    ]);
  });

  test.each<[SGDOptions, string]>([
    [{ learningRate: -1 }, "SGD: learningRate must be ≥ 0, got -1."],
    [{ weightDecay: -1 }, "SGD: weightDecay must be ≥ 0, got -1."],
    [{ momentum: -0.1 }, "SGD: momentum must be ≥ 0, got -0.1."],
    [{ momentum: 0.9, dampening: 1 }, "SGD: dampening must be in [0, 1), got 1."],
    [{ nesterov: true }, "SGD: nesterov needs momentum > 0 and dampening 0, got momentum 0 and dampening 0."],
    [
      { nesterov: true, momentum: 0.9, dampening: 0.1 },
      "SGD: nesterov needs momentum > 0 and dampening 0, got momentum 0.9 and dampening 0.1.",
    ],
  ])("refuses %o", (options, message) => {
    expect(() => new SGD([parameter(1)], options)).toThrow(saying(message));
  });
});
