import * as core from "@adjoint/core";
import { checkOptions } from "@adjoint/core/operations";
import { describe, expect, test } from "vitest";

const { random, value } = core;

/** Options that no function has, as plain JavaScript may give them. */
const wrong = { lr: 1 } as never;
const x = value([1, 2]);
const m = value([
  [2, 1],
  [1, 3],
]);
const image = core.ones([1, 1, 4]);
const key = random.key(0);

const CALLS: readonly (readonly [name: string, call: () => unknown])[] = [
  ["value", () => value(1, wrong)],
  ["parameter", () => core.parameter(1, wrong)],
  ["buffer", () => core.buffer(1, wrong)],
  ["full", () => core.full([2], 1, wrong)],
  ["zeros", () => core.zeros([2], wrong)],
  ["ones", () => core.ones([2], wrong)],
  ["zerosLike", () => core.zerosLike(x, wrong)],
  ["onesLike", () => core.onesLike(x, wrong)],
  ["eye", () => core.eye(2, 2, wrong)],
  ["arange", () => core.arange(0, 2, 1, wrong)],
  ["linspace", () => core.linspace(0, 1, 3, wrong)],
  ["meshgrid", () => core.meshgrid([x, x], wrong)],
  ["sum", () => x.sum(0, wrong)],
  ["mean", () => x.mean(0, wrong)],
  ["max", () => x.max(0, wrong)],
  ["min", () => x.min(0, wrong)],
  ["prod", () => x.prod(0, wrong)],
  ["logSumExp", () => x.logSumExp(0, wrong)],
  ["variance", () => x.variance(0, wrong)],
  ["std", () => x.std(0, wrong)],
  ["norm", () => x.norm(2, 0, wrong)],
  ["any", () => x.any(0, wrong)],
  ["all", () => x.all(0, wrong)],
  ["countNonzero", () => x.countNonzero(0, wrong)],
  ["median", () => x.median(0, wrong)],
  ["quantile", () => x.quantile(0.5, 0, wrong)],
  ["sort", () => x.sort(0, wrong)],
  ["argsort", () => x.argsort(0, wrong)],
  ["topK", () => x.topK(1, 0, wrong)],
  ["cumsum", () => x.cumsum(0, wrong)],
  ["cumprod", () => x.cumprod(0, wrong)],
  ["cummax", () => x.cummax(0, wrong)],
  ["cummin", () => x.cummin(0, wrong)],
  ["logCumSumExp", () => x.logCumSumExp(0, wrong)],
  ["gelu", () => x.gelu(wrong)],
  ["nanToNum", () => x.nanToNum(wrong)],
  ["pad", () => x.pad(1, wrong)],
  ["matmul", () => m.matmul(m, wrong)],
  ["triangularSolve", () => m.triangularSolve(x, wrong)],
  ["pinv", () => m.pinv(wrong)],
  ["lstsq", () => m.lstsq(x, wrong)],
  ["conv1d", () => core.conv1d(image, core.ones([1, 1, 2]), wrong)],
  ["convTranspose1d", () => core.convTranspose1d(image, core.ones([1, 1, 2]), wrong)],
  ["maxPool", () => core.maxPool(image, 2, wrong)],
  ["avgPool", () => core.avgPool(image, 2, wrong)],
  ["interpolate", () => core.interpolate(image, wrong)],
  ["fft", () => core.fft(m, wrong)],
  ["ifft", () => core.ifft(m, wrong)],
  ["rfft", () => core.rfft(x, wrong)],
  ["irfft", () => core.irfft(m, wrong)],
  ["random.uniform", () => random.uniform(key, [2], wrong)],
  ["random.normal", () => random.normal(key, [2], wrong)],
  ["random.truncatedNormal", () => random.truncatedNormal(key, [2], wrong)],
  ["random.gumbel", () => random.gumbel(key, [2], wrong)],
  ["backward", () => core.backward(core.parameter(1).mul(2), 1, wrong)],
  ["grad", () => core.grad((x) => x, wrong)],
  ["valueAndGrad", () => core.valueAndGrad((x) => x, wrong)],
  ["vmap", () => core.vmap((x: core.Value) => x, wrong)],
  ["jacobian", () => core.jacobian((x) => x, wrong)],
  ["sparseJacobian", () => core.sparseJacobian((x) => x, x, wrong)],
  ["sparseHessian", () => core.sparseHessian((x) => x.sum(), x, wrong)],
  ["fixedPoint", () => core.fixedPoint((x) => x, 1, [], wrong)],
];

describe("unknown options", () => {
  test.each(CALLS)("of %s are refused where it is called", (name, call) => {
    expect(call).toThrow(core.ArgumentError);
    expect(call).toThrow(`${name}: options must be among `);
    expect(call).toThrow(/, got lr\.$/);
  });

  const NAMES = {
    learningRate: true,
    weightDecay: true,
    keepDims: true,
    epsilon: true,
    beta1: true,
  } as const;

  test.each([
    ["lr", "learningRate"],
    ["weight_decay", "weightDecay"],
    ["wd", "weightDecay"],
    ["keepdims", "keepDims"],
    ["eps", "epsilon"],
    ["betas", "beta1"],
    ["epsilom", "epsilon"],
    ["leaningRate", "learningRate"],
  ])("name the one that %s was probably meant to be", (given, meant) => {
    expect(() => checkOptions("Adam", { [given]: 1 }, NAMES as never)).toThrow(
      `Adam: options must be among learningRate, weightDecay, keepDims, epsilon, beta1, got ${given}. Did you mean ${meant}?`,
    );
  });

  test("are refused without a guess where none is near, also names that every object has", () => {
    for (const given of ["x", "verbose", "toString", "constructor"]) {
      const options = Object.defineProperty({}, given, { value: 1, enumerable: true });
      expect(() => checkOptions("f", options, NAMES as never)).toThrow(new RegExp(`, got ${given}\\.$`));
    }
  });

  test("are told from what is no options object", () => {
    const message = (received: string) =>
      `sum: options must be an object with names among keepDims, got ${received}.`;
    for (const [given, received] of [
      [true, "true"],
      [null, "null"],
      [x, "a Value"],
      [[1], "an array of 1"],
    ] as const) {
      expect(() => x.sum(0, given as never)).toThrow(message(received));
    }
  });

  test("leave known ones alone, undefined and inherited from nothing as well", () => {
    expect(x.sum(0, { keepDims: true }).shape).toEqual([1]);
    expect(x.sum(0, Object.assign(Object.create(null), { keepDims: true })).shape).toEqual([1]);
    expect(x.sum(0, undefined).shape).toEqual([]);
  });
});
