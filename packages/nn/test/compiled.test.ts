import { random, relu, type Value, value } from "@adjoint/core";
import { apply, operation, type TensorType } from "@adjoint/core/operations";
import { Dataset } from "@adjoint/data";
import { describe, expect, test } from "vitest";
import {
  Adam,
  type FitOptions,
  fit,
  l2Penalty,
  MLP,
  Module,
  SGD,
  softmaxCrossEntropy,
  TrainingError,
  type TrainingState,
} from "../src/index.ts";

const interpret = { target: "interpret" } as const;

const accuracy = (outputs: Value, targets: Value) => outputs.argmax().eq(targets).cast("float64").mean();

/** Points in three classes. */
function points(size: number, seed: number): Dataset {
  const targets = Int32Array.from({ length: size }, (_, i) => i % 3);
  const noise = random.normal(random.key(seed), [size, 2], { std: 0.7 }).data;
  const inputs = Float32Array.from(noise, (x, k) => x + Math.cos((((k >> 1) % 3) + (k % 2)) * 2));
  return new Dataset({ inputs: { data: inputs, shape: [2] }, targets });
}

const numbers = (tensors: Readonly<Record<string, Value>>) =>
  Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, Array.from(x.data)]));

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

/** Everything that a run leaves; `extra` is made anew for each. */
async function run(compile: FitOptions["compile"], extra: () => Partial<FitOptions<MLP>> = () => ({})) {
  const model = new MLP([2, 8, 3], { seed: 3, activation: "tanh" });
  const optimizer = new Adam(model.parameters(), { learningRate: 0.02 });
  const batches: number[] = [];
  const result = await fit(model, points(50, 7), {
    loss: softmaxCrossEntropy,
    optimizer,
    epochs: 4,
    batchSize: 16,
    metrics: { accuracy },
    onBatch: ({ batchLoss }) => batches.push(batchLoss),
    progress: false,
    ...(compile === undefined ? {} : { compile }),
    ...extra(),
  });
  return {
    batches,
    state: timeless(result.state),
    stopped: result.stopped,
    best: result.best?.epoch,
    model: numbers(model.stateDict()),
  };
}

describe("fit, compiled, gives the bits of fit uncompiled", () => {
  test.each<[string, () => Partial<FitOptions<MLP>>]>([
    ["plain", () => ({})],
    ["validation", () => ({ validation: points(20, 8) })],
    ["a schedule", () => ({ schedule: (epoch) => 0.1 / (1 + epoch) })],
    ["clipNorm and a penalty", () => ({ clipNorm: 0.1, penalty: (m) => l2Penalty(m.parameters(), 0.01) })],
    [
      "early stopping",
      () => ({ earlyStopping: { patience: 1 }, schedule: (epoch) => (epoch < 2 ? 0.01 : 5), epochs: 9 }),
    ],
    ["full batches", () => ({ batchSize: "full" })],
    [
      "a metric that looks at data",
      () => ({ metrics: { accuracy, first: (y: Value) => y.data[0] as number } }),
    ],
    ["a metric that is a number from elsewhere", () => metricFromElsewhere()],
  ])("with %s", async (_, extra) => {
    const compiled = await run(interpret, extra);
    expect(compiled).toEqual(await run(false, extra));
    expect(compiled.batches.length).toBeGreaterThan(3);
  });

  test("interrupted at any batch and resumed", async () => {
    const whole = await run(interpret);
    for (const batches of [1, 4, 6]) {
      const stop = new AbortController();
      let done = 0;
      const half = await resumable(interpret, {
        signal: stop.signal,
        onBatch: () => {
          if (++done === batches) stop.abort();
        },
      });
      const rest = await resumable(interpret, { resume: half });
      expect(timeless(rest)).toEqual(whole.state);
    }
  });
});

function metricFromElsewhere(): Partial<FitOptions<MLP>> {
  let now = 0;
  const schedule = (epoch: number) => {
    now = epoch;
    return 0.02;
  };
  return { metrics: { epoch: () => now }, schedule };
}

async function resumable(compile: FitOptions["compile"], extra: Partial<FitOptions<MLP>>) {
  const model = new MLP([2, 8, 3], { seed: 3, activation: "tanh" });
  const options: FitOptions<MLP> = {
    loss: softmaxCrossEntropy,
    optimizer: new Adam(model.parameters(), { learningRate: 0.02 }),
    epochs: 4,
    batchSize: 16,
    metrics: { accuracy },
    progress: false,
    ...(compile === undefined ? {} : { compile }),
    ...extra,
  };
  return (await fit(model, points(50, 7), options)).state;
}

describe("fit, compiled", () => {
  test("leaves the model as the last good batch left it where a loss is not finite", async () => {
    const failing = async (compile: FitOptions["compile"]) => {
      const model = new MLP([2, 4, 3], { seed: 3 });
      const optimizer = new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 });
      const good: unknown[] = [];
      const data = {
        size: 12,
        batches: function* () {
          for (const x of [1, 2, Number.NaN]) {
            yield {
              inputs: value(new Float32Array(8).fill(x), { shape: [4, 2] }),
              targets: value(new Int32Array(4)),
            };
          }
        },
      };
      const all = () => [numbers(model.stateDict()), numbers(optimizer.stateDict())];
      const error = await fit(model, data, {
        loss: softmaxCrossEntropy,
        optimizer,
        epochs: 1,
        batchSize: 4,
        shuffle: false,
        progress: false,
        onBatch: () => good.push(all()),
        ...(compile === undefined ? {} : { compile }),
      }).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(TrainingError);
      expect((error as TrainingError).message).toBe(
        "fit: loss must stay finite, got NaN in epoch 1, batch 3. The inputs of this batch hold NaN or Infinity: clean the data.",
      );
      expect(all()).toEqual(good[1]);
      return good;
    };
    expect(await failing(interpret)).toEqual(await failing(false));
  });

  /** A model that counts its calls. */
  class Plain extends Module {
    readonly inner = new MLP([2, 4, 3], { seed: 1 });
    calls = 0;
    override forward(x: Value): Value {
      this.calls++;
      return this.inner.forward(x);
    }
  }

  /** One that looks at its data. */
  class Looking extends Module {
    readonly inner = new MLP([2, 4, 3], { seed: 1 });
    calls = 0;
    override forward(x: Value): Value {
      this.calls++;
      return this.inner.forward((x.data[0] as number) > 0 ? x : relu(x));
    }
  }

  test("is what fit does by itself, unless the model looks at data or the optimiser is another", async () => {
    /** How often the model's function is run in 6 batches. */
    const count = async (model: Module & { calls: number }, custom: boolean) => {
      const sgd = new SGD(model.parameters());
      // An optimiser of one's own may keep numbers that change.
      const stepper = {
        learningRate: 0.1,
        step: () => sgd.step(),
        zeroGrad: () => sgd.zeroGrad(),
        stateDict: () => sgd.stateDict(),
        loadStateDict: (state: Record<string, Value>) => sgd.loadStateDict(state),
      };
      const optimizer = custom ? stepper : sgd;
      const options = {
        loss: softmaxCrossEntropy,
        optimizer,
        epochs: 3,
        batchSize: 4,
        progress: false,
      } as const;
      await fit(model, points(8, 1), options);
      return model.calls;
    };
    expect(await count(new Plain(), false)).toBe(1);
    expect(await count(new Plain(), true)).toBe(6);
    // Twice it is tried: with metrics and without.
    expect(await count(new Looking(), false)).toBe(8);
  });

  test("is told by the result: what was compiled, and why not all", async () => {
    const compiledOf = async (model: Module, options: Partial<FitOptions<Module>> = {}) => {
      const optimizer = new SGD(model.parameters());
      const given = { loss: softmaxCrossEntropy, optimizer, epochs: 1, progress: false, ...options } as const;
      const { step, metrics, refused } = (await fit(model as Plain, points(8, 1), given as FitOptions<Plain>))
        .compiled;
      return [step, metrics, refused?.message.split(",")[0]];
    };
    const looking = { mean: (outputs: Value) => outputs.mean().item() };
    expect(await compiledOf(new Plain(), { metrics: { accuracy } })).toEqual([true, true, undefined]);
    expect(await compiledOf(new Plain(), { metrics: looking })).toEqual([
      true,
      false,
      "item: data that is known",
    ]);
    expect(await compiledOf(new Looking())).toEqual([false, false, "data: data that is known"]);
    expect(await compiledOf(new Plain(), { compile: false })).toEqual([false, false, undefined]);
  });

  test("does not run a step again that failed on its data", async () => {
    let evaluations = 0;
    const picky = operation<null>({
      name: "picky",
      infer: ([x]) => x as TensorType,
      evaluate: ([x]) => {
        evaluations++;
        if (evaluations === 2) throw new Error("picky: not again");
        return (x as Value).data.slice();
      },
      vjp: [(dy) => dy],
    });
    class Picky extends Module {
      readonly inner = new MLP([2, 4, 3], { seed: 1 });
      override forward(x: Value): Value {
        return apply(picky, [this.inner.forward(x)], null);
      }
    }
    const model = new Picky();
    const options = {
      loss: softmaxCrossEntropy,
      optimizer: new SGD(model.parameters()),
      epochs: 1,
      batchSize: 4,
      progress: false,
    } as const;
    await expect(fit(model, points(12, 1), options)).rejects.toThrow("picky: not again");
    expect(evaluations).toBe(2);
  });

  test("says so, where a model cannot be compiled and was to be", async () => {
    const model = new Looking();
    const options = {
      loss: softmaxCrossEntropy,
      optimizer: new SGD(model.parameters()),
      epochs: 1,
      progress: false,
      compile: true,
    } as const;
    await expect(fit(model, points(8, 1), options)).rejects.toThrow("data: data that is known");
  });
});
