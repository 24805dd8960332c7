import { random, type Value, value } from "@adjoint/core";
import { Dataset } from "@adjoint/data";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Adam,
  decodeCheckpoint,
  encodeCheckpoint,
  evaluate,
  type FitOptions,
  fit,
  Linear,
  MLP,
  meanAbsoluteError,
  meanSquaredError,
  type ProgressReporter,
  SGD,
  softmaxCrossEntropy,
  TrainingError,
  type TrainingState,
} from "../src/index.ts";

/** The share of rows whose largest logit is the target's. */
const accuracy = (outputs: Value, targets: Value) => outputs.argmax().eq(targets).cast("float64").mean();

/** Three classes of points in the plane, as noisy as to be learned only in part. */
function points(size: number, seed = 7): Dataset {
  const [a, b] = random.split(random.key(seed)) as [random.Key, random.Key];
  const targets = Int32Array.from({ length: size }, (_, i) => i % 3);
  const noise = random.normal(a, [size, 2], { std: 0.7 }).data;
  const inputs = Float32Array.from(noise, (x, k) => {
    const angle = (2 * Math.PI * ((k >> 1) % 3)) / 3;
    return x + (k % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  });
  const data = new Dataset({ inputs: { data: inputs, shape: [2] }, targets });
  return data.gather(random.permutation(b, size));
}

/** A line y = 2x + 1 without noise. */
const line = new Dataset({
  inputs: [[-1], [0], [1], [2]],
  targets: [[-1], [1], [3], [5]],
});

const quiet = { progress: false } as const;

function setup(extra: Partial<FitOptions> = {}) {
  const model = new MLP([2, 8, 3], { seed: 3 });
  const optimizer = new Adam(model.parameters(), { learningRate: 0.02 });
  const options: FitOptions = {
    loss: softmaxCrossEntropy,
    optimizer,
    epochs: 4,
    batchSize: 16,
    seed: 5,
    metrics: { accuracy },
    validation: points(50, 8),
    schedule: (epoch) => 0.02 / (1 + epoch),
    clipNorm: 1,
    earlyStopping: { patience: 10 },
    ...quiet,
    ...extra,
  };
  return { model, optimizer, options };
}

const numbers = (tensors: Readonly<Record<string, Value>>) =>
  Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, x.data]));

/** A state without the times, which no two runs share. */
function timeless({ model, optimizer, best, ...state }: TrainingState) {
  return {
    ...state,
    seconds: 0,
    history: state.history.map((record) => ({ ...record, seconds: 0 })),
    model: numbers(model),
    optimizer: numbers(optimizer),
    best: best && { ...best, model: best.model && numbers(best.model) },
  };
}

describe("fit", () => {
  test.each([
    ["full", "full"],
    ["stochastic", 1],
    ["mini-batch", 2],
  ] as const)("fit finds a line by %s gradient descent", async (_, batchSize) => {
    const model = new Linear(1, 1, { seed: 0 });
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
    const { history, stopped } = await fit(model, line, {
      loss: meanSquaredError,
      optimizer,
      epochs: 200,
      batchSize,
      ...quiet,
    });
    expect(stopped).toBe("epochs");
    expect(history.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    expect(history.at(-1)?.loss).toBeLessThan(1e-8);
    expect(model.weight.item()).toBeCloseTo(2, 4);
    expect(model.bias?.item()).toBeCloseTo(1, 4);
  });

  test("fit gives the same numbers for the same seed, and others for another", async () => {
    const run = async (seed: number) => {
      const { model, options } = setup({ seed });
      return timeless((await fit(model, points(100), options)).state);
    };
    expect(await run(5)).toEqual(await run(5));
    expect((await run(6)).model).not.toEqual((await run(5)).model);
  });

  test("fit draws a new order each epoch, and none where shuffle is off", async () => {
    const orders = async (shuffle: boolean) => {
      const seen: number[][] = [];
      const data = {
        size: line.size,
        batches: (options: { batchSize: number; order?: Int32Array }) => {
          seen.push(options.order === undefined ? [] : [...options.order]);
          return line.batches(options);
        },
      };
      const model = new Linear(1, 1, { seed: 0 });
      const optimizer = new SGD(model.parameters(), { learningRate: 0.01 });
      await fit(model, data, {
        loss: meanSquaredError,
        optimizer,
        epochs: 8,
        batchSize: 2,
        shuffle,
        ...quiet,
      });
      return seen;
    };
    const drawn = await orders(true);
    expect(new Set(drawn.map(String)).size).toBeGreaterThan(3);
    for (const order of drawn) expect([...order].sort()).toEqual([0, 1, 2, 3]);
    expect(await orders(false)).toEqual(Array.from({ length: 8 }, () => []));
  });

  test("fit reports means over the examples, whatever the sizes of the batches", async () => {
    const model = new Linear(1, 1, { seed: 0 });
    const optimizer = new SGD(model.parameters(), { learningRate: 0 });
    const options = { loss: meanSquaredError, metrics: { error: meanAbsoluteError } };
    const all = await evaluate(model, line, options);
    const { history } = await fit(model, line, {
      ...options,
      optimizer,
      epochs: 1,
      batchSize: 3,
      validation: line,
      ...quiet,
    });
    const [record] = history;
    expect(record?.loss).toBeCloseTo(all.loss, 6);
    expect(record?.metrics["error"]).toBeCloseTo(all.metrics["error"] as number, 6);
    expect(record?.validation?.loss).toBeCloseTo(all.loss, 6);
    expect(record?.learningRate).toBe(0);
  });

  test("fit sets the learning rate of each epoch by the schedule", async () => {
    const { model, options } = setup({ schedule: (epoch) => 0.1 / 2 ** epoch });
    const { history } = await fit(model, points(32), options);
    expect(history.map(({ learningRate }) => learningRate)).toEqual([0.1, 0.05, 0.025, 0.0125]);
  });

  test("fit adds the penalty to the loss and to its gradient", async () => {
    const model = new Linear(1, 1, { seed: 0 });
    model.loadStateDict({ weight: value([[2]]), bias: value([1]) });
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
    const penalty = ({ weight }: Linear) => weight.square().sum();
    const { history } = await fit(model, line, {
      loss: meanSquaredError,
      optimizer,
      epochs: 1,
      batchSize: "full",
      penalty,
      ...quiet,
    });
    // The data loss is 0 there: 2² remains, and the step is −0.1 · 2 · 2.
    expect(history[0]?.loss).toBe(4);
    expect(model.weight.item()).toBeCloseTo(1.6, 6);
  });

  test("fit scales gradients to clipNorm", async () => {
    const model = new Linear(1, 1, { seed: 0 });
    model.loadStateDict({ weight: value([[100]]), bias: value([50]) });
    const optimizer = new SGD(model.parameters(), { learningRate: 1 });
    const options = { loss: meanSquaredError, optimizer, epochs: 1, batchSize: "full", ...quiet } as const;
    await fit(model, line, { ...options, clipNorm: 0.5 });
    const moved = Math.hypot(model.weight.item() - 100, (model.bias?.item() ?? 0) - 50);
    expect(moved).toBeCloseTo(0.5, 5);
  });

  test("fit calls onBatch, onEpoch, checkpoint and the reporter in order, and waits", async () => {
    const calls: string[] = [];
    const later = async (what: string) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      calls.push(what);
    };
    const reporter: ProgressReporter = {
      start: ({ epochs, epoch, examples, done }) =>
        calls.push(`start ${epochs} ${epoch} ${examples} ${done}`),
      batch: ({ epoch, batch, done }) => calls.push(`batch ${epoch} ${batch} ${done}`),
      epoch: ({ epoch }) => calls.push(`epoch ${epoch}`),
      stop: () => calls.push("stop"),
    };
    const { model, options } = setup({
      epochs: 1,
      progress: reporter,
      onBatch: ({ batch }) => later(`onBatch ${batch}`),
      onEpoch: ({ epoch }) => later(`onEpoch ${epoch}`),
      checkpoint: ({ epoch, batch }) => later(`checkpoint ${epoch} ${batch}`),
    });
    await fit(model, points(20), options);
    expect(calls).toEqual([
      "start 1 0 20 0",
      "batch 1 1 16",
      "onBatch 1",
      "batch 1 2 20",
      "onBatch 2",
      "epoch 1",
      "onEpoch 1",
      "checkpoint 1 0",
      "stop",
    ]);
  });

  test("fit lets timers run while it trains", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const { model, options } = setup({ epochs: 60 });
    const begun = performance.now();
    await fit(model, points(600), options);
    clearInterval(timer);
    const spent = performance.now() - begun;
    expect(ticks).toBeGreaterThan(spent / 200);
  });

  test("fit leaves the model in inference mode, and trains it in training mode", async () => {
    const modes: boolean[] = [];
    const { model, options } = setup({ epochs: 1, onBatch: () => modes.push(model.training) });
    await fit(model, points(32), options);
    expect(modes).toEqual([true, true]);
    expect(model.training).toBe(false);
  });
});

describe("fit, earlyStopping", () => {
  /** A model whose validation losses are those given, one an epoch. */
  function scripted(losses: readonly number[]) {
    const model = new Linear(1, 1, { seed: 0 });
    let epoch = 0;
    const optimizer = new SGD(model.parameters(), { learningRate: 0.01 });
    const metric = () => losses[epoch] as number;
    const validation = { size: 1, batches: () => line.batches({ batchSize: 4 }) };
    return {
      model,
      options: {
        loss: meanSquaredError,
        optimizer,
        epochs: losses.length,
        metrics: { scripted: metric },
        validation,
        onEpoch: () => epoch++,
        ...quiet,
      } satisfies FitOptions,
    };
  }

  test("fit stops after `patience` epochs that are no better, with the best weights", async () => {
    const { model, options } = scripted([5, 3, 4, 3, 2.95, 1, 0]);
    const states: TrainingState[] = [];
    const { history, stopped, best, state } = await fit(model, line, {
      ...options,
      earlyStopping: { monitor: "scripted", mode: "min", patience: 3, minDelta: 0.1 },
      checkpoint: (one) => states.push(one),
    });
    expect(stopped).toBe("early stopping");
    expect(history.length).toBe(5);
    expect([best?.epoch, best?.score]).toEqual([2, 3]);
    expect(numbers(model.stateDict())).toEqual(numbers(states[1]?.model ?? {}));
    expect(numbers(state.model)).toEqual(numbers(states[4]?.model ?? {}));
  });

  test("fit keeps the last weights where restoreBest is false", async () => {
    const { model, options } = scripted([1, 2, 3, 4]);
    const { state } = await fit(model, line, {
      ...options,
      earlyStopping: { monitor: "scripted", mode: "max", patience: 2, restoreBest: false },
    });
    expect(numbers(model.stateDict())).toEqual(numbers(state.model));
    expect([state.best?.epoch, state.best?.model]).toEqual([4, null]);
  });

  test("fit takes an epoch without a number as no better", async () => {
    const { model, options } = scripted([Number.NaN, 2, Number.NaN, Number.NaN]);
    const { best, stopped } = await fit(model, line, {
      ...options,
      earlyStopping: { monitor: "scripted", mode: "max", patience: 2 },
    });
    expect([best?.epoch, stopped]).toEqual([2, "epochs"]);
  });

  test.each([
    [{ patience: 0 }, "fit: earlyStopping.patience must be a whole number ≥ 1, got 0."],
    [{ patience: 1, minDelta: -1 }, "fit: earlyStopping.minDelta must be ≥ 0, got -1."],
    [
      { patience: 1, monitor: "acuracy" },
      'fit: earlyStopping.monitor must be one of loss, accuracy, got "acuracy".',
    ],
    [
      { patience: 1, monitor: "accuracy" },
      'fit: earlyStopping.mode must say whether "min" or "max" is better, got undefined.',
    ],
  ])("fit refuses %o", async (earlyStopping, message) => {
    const { model, options } = setup({ earlyStopping });
    await expect(fit(model, points(10), options)).rejects.toThrow(message);
  });
});

describe("fit, resume", () => {
  /** Runs until a number of batches is done, then stops and gives the state as it would be in a file. */
  async function interrupted(batches: number, extra: Partial<FitOptions> = {}): Promise<TrainingState> {
    const stop = new AbortController();
    let done = 0;
    const { model, options } = setup(extra);
    const { state, stopped } = await fit(model, points(100), {
      ...options,
      signal: stop.signal,
      onBatch: () => {
        done++;
        if (done === batches) stop.abort();
      },
    });
    expect(stopped).toBe(batches < 28 ? "signal" : "epochs");
    return decodeCheckpoint(encodeCheckpoint(state)).state;
  }

  test("fit goes on, bit for bit, from an interruption at any batch", { timeout: 60_000 }, async () => {
    const whole = setup();
    const expected = timeless((await fit(whole.model, points(100), whole.options)).state);
    // 100 examples in batches of 16, over 4 epochs.
    for (let batches = 1; batches <= 28; batches++) {
      const state = await interrupted(batches);
      expect([state.epoch, state.batch]).toEqual([Math.floor(batches / 7), batches % 7]);
      const { model, options } = setup();
      const result = await fit(model, points(100), { ...options, resume: state });
      expect(timeless(result.state)).toEqual(expected);
      expect(numbers(model.stateDict())).toEqual(numbers(whole.model.stateDict()));
    }
  });

  test("fit goes on through two interruptions, and beyond the first run's last epoch", async () => {
    const whole = setup({ epochs: 6 });
    const expected = timeless((await fit(whole.model, points(100), whole.options)).state);
    const first = await interrupted(9);
    const stop = new AbortController();
    const second = setup();
    const { state } = await fit(second.model, points(100), {
      ...second.options,
      resume: first,
      signal: stop.signal,
      onEpoch: () => stop.abort(),
    });
    expect([state.epoch, state.batch]).toEqual([2, 0]);
    const third = setup({ epochs: 6 });
    const result = await fit(third.model, points(100), { ...third.options, resume: state });
    expect(timeless(result.state)).toEqual(expected);
  });

  test("fit does nothing where the state is that of a completed run, and stopping early stays stopped", async () => {
    const { model, options } = setup();
    const { state } = await fit(model, points(100), options);
    const again = setup();
    const result = await fit(again.model, points(100), { ...again.options, resume: state });
    expect(timeless(result.state)).toEqual(timeless(state));
    const early = setup({
      epochs: 9,
      earlyStopping: { patience: 1, minDelta: 100 },
    });
    const stopped = await fit(early.model, points(100), early.options);
    expect([stopped.stopped, stopped.history.length]).toEqual(["early stopping", 2]);
    const more = setup({ epochs: 9, earlyStopping: { patience: 1, minDelta: 100 } });
    const after = await fit(more.model, points(100), { ...more.options, resume: stopped.state });
    expect([after.stopped, after.history.length]).toEqual(["early stopping", 2]);
  });

  test("fit stops before the first batch where the signal is already given", async () => {
    const { model, options } = setup();
    const before = numbers(model.stateDict());
    const states: TrainingState[] = [];
    const { stopped, state } = await fit(model, points(100), {
      ...options,
      signal: AbortSignal.abort(),
      checkpoint: (one) => states.push(one),
    });
    expect([stopped, state.epoch, state.batch, states.length]).toEqual(["signal", 0, 0, 1]);
    expect(numbers(model.stateDict())).toEqual(before);
  });

  test("fit refuses a state that belongs to another run, and changes nothing", async () => {
    const state = await interrupted(9);
    const go = "Resume with the options that the run began with.";
    const refused = async (extra: Partial<FitOptions>, data: Dataset, message: string) => {
      const { model, options } = setup(extra);
      const before = numbers(model.stateDict());
      await expect(fit(model, data, { ...options, resume: state })).rejects.toThrow(message);
      expect(numbers(model.stateDict())).toEqual(before);
    };
    await refused({ seed: 6 }, points(100), `fit: seed must be 5, as in the run to resume, got 6. ${go}`);
    await refused(
      { batchSize: 8 },
      points(100),
      `fit: batchSize must be 16, as in the epoch to resume, got 8. ${go}`,
    );
    await refused({}, points(99), `fit: data must have 100 examples, as the run to resume, got 99. ${go}`);
    const other = new MLP([2, 9, 3], { seed: 3 });
    const optimizer = new Adam(other.parameters());
    const { options } = setup();
    await expect(fit(other, points(100), { ...options, optimizer, resume: state })).rejects.toThrow(
      'loadStateDict: "layers.0.weight" must have shape',
    );
  });
});

describe("fit, what goes wrong", () => {
  test("fit names the epoch and the batch of a loss that is not finite, and stops before the step", async () => {
    const model = new Linear(1, 1, { seed: 0 });
    const optimizer = new SGD(model.parameters(), { learningRate: 1e30 });
    const states: TrainingState[] = [];
    const calls: string[] = [];
    const running = fit(model, line, {
      loss: meanSquaredError,
      optimizer,
      epochs: 3,
      batchSize: 2,
      checkpoint: (state) => states.push(state),
      progress: { stop: () => calls.push("stop") },
    });
    await expect(running).rejects.toThrow(
      "fit: loss must stay finite, got Infinity in epoch 1, batch 2. " +
        "Lower the learning rate (now 1e+30), scale the inputs, or set clipNorm.",
    );
    await expect(running).rejects.toSatisfy(
      (error) => error instanceof TrainingError && error.epoch === 1 && error.batch === 2,
    );
    expect(calls).toEqual(["stop"]);
    expect(states).toEqual([]);
    expect(Number.isFinite(model.weight.item())).toBe(true);
  });

  test("fit notices what the last batch of an epoch broke, before it is saved", async () => {
    const model = new Linear(1, 1, { seed: 0 });
    const optimizer = new SGD(model.parameters(), { learningRate: 1e39 });
    const states: TrainingState[] = [];
    const options = { loss: meanSquaredError, optimizer, epochs: 2, batchSize: "full", ...quiet } as const;
    await expect(fit(model, line, { ...options, checkpoint: (one) => states.push(one) })).rejects.toThrow(
      'fit: parameters must stay finite, got NaN or Infinity in "weight" after epoch 1, batch 1. ' +
        "Lower the learning rate (now 1e+39), scale the inputs, or set clipNorm.",
    );
    expect(states).toEqual([]);
  });

  test("fit says that inputs or targets hold NaN", async () => {
    const model = new Linear(1, 1, { seed: 0 });
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
    const options = { loss: meanSquaredError, optimizer, epochs: 1, ...quiet };
    const bad = new Dataset({ inputs: [[Number.NaN]], targets: [[1]] });
    await expect(fit(model, bad, options)).rejects.toThrow(
      "got NaN in epoch 1, batch 1. The inputs of this batch hold NaN or Infinity: clean the data.",
    );
    const worse = new Dataset({ inputs: [[1]], targets: [[Number.POSITIVE_INFINITY]] });
    await expect(fit(model, worse, options)).rejects.toThrow(
      "The targets of this batch hold NaN or Infinity",
    );
  });

  test("fit refuses a loss that is no single number", async () => {
    const { model, options } = setup({
      loss: (outputs, targets) => softmaxCrossEntropy(outputs, targets, { reduction: "none" }),
    });
    await expect(fit(model, points(10), options)).rejects.toThrow(
      "fit: loss must give one number, got [10]. Reduce it, for example with mean().",
    );
  });

  test.each([
    [{ epochs: 0 }, "fit: epochs must be a whole number ≥ 1, got 0."],
    [{ epochs: 1.5 }, "fit: epochs must be a whole number ≥ 1, got 1.5."],
    [{ batchSize: 0 }, 'fit: batchSize must be a whole number ≥ 1 or "full", got 0.'],
    [{ batchSize: Number.NaN }, 'fit: batchSize must be a whole number ≥ 1 or "full", got NaN.'],
    [{ clipNorm: 0 }, "fit: clipNorm must be > 0, got 0."],
    [{ metrics: { loss: accuracy } }, 'fit: a metric must have another name than the loss, got "loss".'],
    [{ seed: -1 }, "random.key: seed must be a whole number in [0, 2^53), got -1."],
  ])("fit refuses %o", async (extra, message) => {
    const { model, options } = setup(extra);
    await expect(fit(model, points(40), options)).rejects.toThrow(message);
  });

  test("fit refuses data without examples", async () => {
    const { model, options } = setup();
    await expect(fit(model, points(10).slice(0, 0), options)).rejects.toThrow(
      "fit: data must have at least one example, got 0.",
    );
  });
});

describe("encodeCheckpoint", () => {
  const state = (extra: Partial<TrainingState>): TrainingState => ({
    epoch: 0,
    batch: 2,
    totals: { examples: 3, loss: 0.1, metrics: { accuracy: 1 / 3 } },
    seconds: 0.25,
    history: [],
    best: null,
    seed: 1,
    batchSize: 2,
    examples: 9,
    model: { "a.b": value([1, 2]) },
    optimizer: { learningRate: value(0.1) },
    ...extra,
  });

  test("decodeCheckpoint reads what encodeCheckpoint wrote, every number to the last bit", () => {
    fc.assert(
      fc.property(fc.double(), fc.double(), fc.double(), (loss, score, accuracy) => {
        const numbers = { loss, metrics: { accuracy } };
        const record = { epoch: 1, ...numbers, validation: numbers, learningRate: 0.1, seconds: 1 };
        const given = state({
          epoch: 1,
          history: [record],
          best: { epoch: 1, score, model: { w: value([score]) } },
          totals: { examples: 1, ...numbers },
        });
        const { state: read, metadata } = decodeCheckpoint(encodeCheckpoint(given, { note: "x" }));
        // JSON has one zero.
        const plain = (x: unknown) => JSON.stringify(x, (_, y) => (typeof y === "number" ? String(y) : y));
        expect(plain(timeless(read))).toEqual(plain(timeless(given)));
        expect(metadata).toEqual({ note: "x" });
      }),
    );
  });

  test("decodeCheckpoint tells weights from a checkpoint, and another version from this one", async () => {
    const { encodeSafetensors } = await import("../src/index.ts");
    expect(() => decodeCheckpoint(encodeSafetensors({ a: value(1) }))).toThrow(
      "decodeCheckpoint: a checkpoint must say where its training stands, got only tensors. " +
        "These are weights alone: load them with loadStateDict.",
    );
    expect(() => decodeCheckpoint(encodeSafetensors({}, { "adjoint.training": '{"version":9}' }))).toThrow(
      'decodeCheckpoint: training state must be of version 1, got {"version":9}. Another version of Adjoint wrote it.',
    );
    expect(() => decodeCheckpoint(encodeSafetensors({}, { "adjoint.training": "{" }))).toThrow("got {.");
  });
});
