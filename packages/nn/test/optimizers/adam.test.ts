/** Adam, AdamW and AMSGrad against torch.optim's documented pseudo-code, in plain numbers. */
import { parameter } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { Adam, type AdamOptions, AdamW, AMSGrad } from "../../src/index.ts";
import { saying } from "../saying.ts";
import { expectToFollow, type ScalarRule } from "./following.ts";

interface Rule extends Required<AdamOptions> {
  readonly amsgrad?: boolean;
  readonly decoupled?: boolean;
}

/**
 * https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html and torch.optim.AdamW.html, "algorithm". With
 * neither option this is Algorithm 1 of Kingma & Ba (2015).
 */
function torchAdam(options: Rule): () => ScalarRule {
  const { learningRate: gamma, weightDecay: lambda, beta1, beta2, epsilon } = options;
  const { amsgrad = false, decoupled = false } = options;
  return () => {
    let m = 0;
    let v = 0;
    let vMax = 0;
    return (x, gradient, t) => {
      let theta = x;
      let g = gradient;
      if (decoupled) theta = theta - gamma * lambda * theta;
      else if (lambda !== 0) g = g + lambda * theta;
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      const mHat = m / (1 - beta1 ** t);
      vMax = Math.max(vMax, v);
      const vHat = (amsgrad ? vMax : v) / (1 - beta2 ** t);
      return theta - (gamma * mHat) / (Math.sqrt(vHat) + epsilon);
    };
  };
}

const usual = { learningRate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };
const unusual = { learningRate: 0.5, beta1: 0.5, beta2: 0.7, epsilon: 0.1, weightDecay: 0.2 };

describe("Adam", () => {
  test.each([
    ["usual", usual],
    ["unusual", unusual],
    ["no averaging", { ...usual, beta1: 0, beta2: 0 }],
  ])("follows its published update step by step with %s options", (_, options) => {
    expectToFollow((parameters) => new Adam(parameters, options), torchAdam(options));
  });

  test("moves by the learning rate in its first step, whatever the gradient's size", () => {
    // Kingma & Ba (2015), §2.1: |Δ| is bounded by the step size, and equals it at the first step.
    const x = parameter([1, 1, 1]);
    x.mul([1e-3, -1, 1e3]).sum().backward();
    new Adam([x], { learningRate: 0.25, epsilon: 1e-300 }).step();
    expect(x.toArray()).toEqual([0.75, 1.25, 0.75].map((e) => expect.closeTo(e, 14)));
  });

  test.each<[AdamOptions, string]>([
    [{ learningRate: Number.NaN }, "Adam: learningRate must be ≥ 0, got NaN."],
    [{ beta1: 1 }, "Adam: beta1 must be in [0, 1), got 1."],
    [{ beta2: -0.1 }, "Adam: beta2 must be in [0, 1), got -0.1."],
    [{ epsilon: 0 }, "Adam: epsilon must be > 0, got 0."],
  ])("refuses %o", (options, message) => {
    expect(() => new Adam([parameter(1)], options)).toThrow(saying(message));
  });
});

describe("AdamW", () => {
  test.each([
    ["usual", { ...usual, weightDecay: 0.01 }],
    ["unusual", unusual],
  ])("follows its published update step by step with %s options", (_, options) => {
    expectToFollow(
      (parameters) => new AdamW(parameters, options),
      torchAdam({ ...options, decoupled: true }),
    );
  });

  test("decays by 0.01 unless told otherwise", () => {
    const options = { ...usual, weightDecay: 0.01 };
    expectToFollow(
      (parameters) => new AdamW(parameters, { learningRate: 0.05 }),
      torchAdam({ ...options, decoupled: true }),
    );
  });

  test("names itself in errors", () => {
    expect(() => new AdamW([parameter(1)], { weightDecay: -1 })).toThrow(
      saying("AdamW: weightDecay must be ≥ 0, got -1."),
    );
  });
});

describe("AMSGrad", () => {
  test.each([
    ["usual", usual],
    ["unusual", unusual],
  ])("follows its published update step by step with %s options", (_, options) => {
    expectToFollow(
      (parameters) => new AMSGrad(parameters, options),
      torchAdam({ ...options, amsgrad: true }),
    );
  });
});
