import { parameter, value } from "@adjoint/core";
import * as nn from "@adjoint/nn";
import { describe, expect, test } from "vitest";

/** Options with one name that PyTorch has and this package has not, as plain JavaScript may give them. */
const wrong = { lr: 1 } as never;
const x = parameter([1, 2]);
const model = new nn.Linear(1, 1, { seed: 0 });

describe("unknown options", () => {
  test.each([
    ["SGD", () => new nn.SGD([x], wrong)],
    ["Adam", () => new nn.Adam([x], wrong)],
    ["AdamW", () => new nn.AdamW([x], wrong)],
    ["AMSGrad", () => new nn.AMSGrad([x], wrong)],
    ["AdaMax", () => new nn.AdaMax([x], wrong)],
    ["NAdam", () => new nn.NAdam([x], wrong)],
    ["RMSprop", () => new nn.RMSprop([x], wrong)],
    ["Adagrad", () => new nn.Adagrad([x], wrong)],
    ["Adadelta", () => new nn.Adadelta([x], wrong)],
  ])("of %s are refused, with what was meant", (name, make) => {
    expect(make).toThrow(`${name}: options must be among learningRate, weightDecay`);
    expect(make).toThrow(/, got lr\. Did you mean learningRate\?$/);
  });

  test.each([
    ["meanSquaredError", () => nn.meanSquaredError(x, [1, 2], wrong)],
    ["meanAbsoluteError", () => nn.meanAbsoluteError(x, [1, 2], wrong)],
    ["huber", () => nn.huber(x, [1, 2], wrong)],
    ["binaryCrossEntropyWithLogits", () => nn.binaryCrossEntropyWithLogits(x, [1, 0], wrong)],
    ["softmaxCrossEntropy", () => nn.softmaxCrossEntropy(x, 1, wrong)],
    ["Linear", () => new nn.Linear(1, 1, wrong)],
    ["MLP", () => new nn.MLP([1, 1], wrong)],
    ["clipGradNorm", () => nn.clipGradNorm([x], 1, wrong)],
    ["loadStateDict", () => model.loadStateDict(model.stateDict(), wrong)],
    ["stepDecay", () => nn.stepDecay({ initial: 1, every: 1, factor: 1, lr: 1 } as never)],
    ["exponentialDecay", () => nn.exponentialDecay({ initial: 1, factor: 1, lr: 1 } as never)],
    ["cosineDecay", () => nn.cosineDecay({ initial: 1, over: 1, lr: 1 } as never)],
    ["warmup", () => nn.warmup(() => 1, { over: 1, lr: 1 } as never)],
  ])("of %s are refused", (name, call) => {
    expect(call).toThrow(`${name}: options must be among `);
    expect(call).toThrow(/, got lr\.$/);
  });

  test("of fit, of its early stopping, and of evaluate are refused", async () => {
    const data = { size: 1, batches: () => [{ inputs: value([[1]]), targets: value([[1]]) }] };
    const options = {
      loss: nn.meanSquaredError,
      optimizer: new nn.SGD(model.parameters()),
      epochs: 1,
      progress: false,
    };
    await expect(nn.fit(model, data, { ...options, batch_size: 2 } as never)).rejects.toThrow(
      /^fit: options must be among loss, .*, got batch_size\. Did you mean batchSize\?$/,
    );
    const stopping = { ...options, earlyStopping: { patience: 1, min_delta: 1 } };
    await expect(nn.fit(model, data, stopping as never)).rejects.toThrow(
      "fit: earlyStopping: options must be among monitor, mode, patience, minDelta, restoreBest, got min_delta. Did you mean minDelta?",
    );
    await expect(nn.evaluate(model, data, { ...options } as never)).rejects.toThrow(
      /^evaluate: options must be among loss, metrics, batchSize, compile, got optimizer\.$/,
    );
  });
});
