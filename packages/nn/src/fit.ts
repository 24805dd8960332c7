/** fit: the training loop. */

import {
  AdjointError,
  ArgumentError,
  backward,
  cond,
  type ErrorParts,
  isFinite,
  random,
  type Value,
} from "@adjoint/core";
import { checkOptions, type OptionNames } from "@adjoint/core/operations";
import { clipGradNorm } from "./clipping.ts";
import { Optimizer } from "./optimizers/optimizer.ts";
import { type BatchScores, batchFunction, type Compile, type CompiledParts } from "./training/batch.ts";
import { evaluator } from "./training/evaluate.ts";
import type { Examples, Loss, Metric, Scores, Stepper, Trainable, TrainingData } from "./training/parts.ts";
import { pauser } from "./training/pause.ts";
import type { BatchProgress, ProgressReporter } from "./training/progress.ts";
import type { Best, EpochRecord, TrainingState } from "./training/state.ts";
import { bestOf, checkStopping, type EarlyStopping } from "./training/stopping.ts";
import { addBatch, meansOf, NO_TOTALS } from "./training/totals.ts";

/** Options of `fit`. */
export interface FitOptions<M extends Trainable = Trainable> {
  readonly loss: Loss;
  readonly optimizer: Stepper;
  /** How often to go over the data, in all: a run that goes on counts the epochs before. */
  readonly epochs: number;
  /** Examples a step: "full" for all of them, 1 for stochastic descent; by default 32. */
  readonly batchSize?: number | "full";
  /** What the order of the examples is drawn from, a new one each epoch; by default 0. */
  readonly seed?: number;
  /** Whether to draw an order; by default true, and no matter with full batches. */
  readonly shuffle?: boolean;
  /** Data to look at after each epoch, never to train on. */
  readonly validation?: TrainingData;
  /** Figures to report, by name. On the training data they are means of what was measured on the way. */
  readonly metrics?: Readonly<Record<string, Metric>>;
  /** The learning rate of each epoch, counted from 0; by default the optimiser's own. */
  readonly schedule?: (epoch: number) => number;
  /** Scale gradients down where their common norm is larger than this. */
  readonly clipNorm?: number;
  /** Added to the loss of every batch, for example `(model) => l2Penalty(model.parameters(), 1e-4)`. */
  readonly penalty?: (model: M) => Value;
  readonly earlyStopping?: EarlyStopping;
  /**
   * Whether to compile the step and the validation; by default what can be is, where the optimiser is an `Optimizer`,
   * whose state is in values, and the result says what was. They are captured once: what they read of JavaScript, for example a rate in a property,
   * stays as it was then. Parameters, buffers and the learning rate are followed.
   */
  readonly compile?: Compile;
  /** Called after each batch, and waited for. */
  readonly onBatch?: (progress: BatchProgress) => unknown;
  /** Called after each epoch, and waited for. */
  readonly onEpoch?: (record: EpochRecord) => unknown;
  /** Called after each epoch and when `signal` stops the run, and waited for: the place to save the state. */
  readonly checkpoint?: (state: TrainingState) => unknown;
  /** Go on from this state: the rest of the run is, bit for bit, what it would have been without interruption. */
  readonly resume?: TrainingState;
  /** Stops the run after the batch under way. */
  readonly signal?: AbortSignal;
  /**
   * What shows how the run gets on; `false` for nothing. By default a bar where standard error is a terminal, a line
   * an epoch where it is a file or a pipe, and nothing in browsers.
   */
  readonly progress?: boolean | ProgressReporter;
}

const FIT: OptionNames<FitOptions> = {
  loss: true,
  optimizer: true,
  epochs: true,
  batchSize: true,
  seed: true,
  shuffle: true,
  validation: true,
  metrics: true,
  schedule: true,
  clipNorm: true,
  penalty: true,
  earlyStopping: true,
  compile: true,
  onBatch: true,
  onEpoch: true,
  checkpoint: true,
  resume: true,
  signal: true,
  progress: true,
};

/** What a run came to. */
export interface FitResult {
  /** One record an epoch, those before an interruption included. */
  readonly history: readonly EpochRecord[];
  /** Why the run ended: all epochs were done, `earlyStopping` had enough, or `signal` asked. */
  readonly stopped: "epochs" | "early stopping" | "signal";
  /** The best epoch by `earlyStopping`, counted from 1; `null` without it. */
  readonly best: Best | null;
  /** Where the run stands: give it to `resume` to go on. Its weights are the last ones, not the best. */
  readonly state: TrainingState;
  /** What of the training was compiled, and where `compile` left it open why not all. */
  readonly compiled: CompiledParts;
}

/** Training went wrong: a loss or a parameter is no longer a number. */
export class TrainingError extends AdjointError {
  /** Counted from 1. */
  readonly epoch: number;
  /** Counted from 1. */
  readonly batch: number;

  constructor(parts: ErrorParts, epoch: number, batch: number) {
    super(parts);
    this.epoch = epoch;
    this.batch = batch;
  }
}

/** Sets the orders of examples apart from other numbers that are drawn from the same seed. */
const SHUFFLE = 0x73687566;

/** The order of the examples in an epoch. */
function orderOf(seed: number, epoch: number, size: number): Int32Array {
  const key = random.fold(random.fold(random.key(seed), SHUFFLE), epoch);
  return random.permutation(key, size).data as Int32Array;
}

function refuse(expected: string, received: unknown, advice?: string): never {
  throw new ArgumentError({
    where: "fit",
    expected,
    received: typeof received === "number" ? String(received) : (JSON.stringify(received) ?? "undefined"),
    ...(advice === undefined ? {} : { advice }),
  });
}

const isCount = (x: unknown) => Number.isInteger(x) && (x as number) >= 1;

/** The state of a run that begins. */
function fresh(
  seed: number,
  batchSize: number,
  examples: number,
): Omit<TrainingState, "model" | "optimizer"> {
  return {
    epoch: 0,
    batch: 0,
    totals: NO_TOTALS,
    seconds: 0,
    history: [],
    best: null,
    seed,
    batchSize,
    examples,
  };
}

/** Checks that a state belongs to a run with these options. */
function checkResume(
  state: TrainingState,
  seed: number | undefined,
  batchSize: number,
  examples: number,
): void {
  const go = "Resume with the options that the run began with.";
  if (state.examples !== examples) {
    refuse(`data must have ${state.examples} examples, as the run to resume`, examples, go);
  }
  if (seed !== undefined && state.seed !== seed) {
    refuse(`seed must be ${state.seed}, as in the run to resume`, seed, go);
  }
  if (state.batch > 0 && state.batchSize !== batchSize) {
    refuse(`batchSize must be ${state.batchSize}, as in the epoch to resume`, batchSize, go);
  }
}

/** What probably made a loss no number, and what to do about it. */
function advice({ inputs, targets }: Examples, learningRate: number): string {
  const isBad = (x: Value) => !x.data.every(Number.isFinite);
  if (isBad(inputs)) return "The inputs of this batch hold NaN or Infinity: clean the data.";
  if (isBad(targets)) return "The targets of this batch hold NaN or Infinity: clean the data.";
  return `Lower the learning rate (now ${learningRate}), scale the inputs, or set clipNorm.`;
}

/** What draws the progress. */
async function reporterOf(progress: FitOptions["progress"]): Promise<ProgressReporter | null> {
  if (progress === false) return null;
  if (typeof progress === "object") return progress;
  // Resolves to terminal.ts in Node and to silent.ts elsewhere, so that browsers never load the bar.
  const { defaultProgress } = await import("#progress");
  return defaultProgress();
}

/**
 * Trains a model: forward, loss, backward, step, batch by batch, epoch by epoch; compiled where it can be.
 *
 * The same data, options and seed give the same parameters, to the last bit, whether the run is interrupted and
 * resumed or not. The event loop turns regularly. The model ends in inference mode.
 * Throws: ArgumentError for options out of range and for a state to resume that does not fit; TrainingError for a loss
 * or a parameter that is not finite, naming epoch and batch. The model is then as the last good batch left it.
 *
 * @example
 * const model = new Linear(1, 1, { seed: 0 });
 * const data = { size: 2, batches: () => [{ inputs: value([[0], [1]]), targets: value([[1], [3]]) }] };
 * const { history } = await fit(model, data, {
 *   loss: meanSquaredError,
 *   optimizer: new SGD(model.parameters(), { learningRate: 0.5 }),
 *   epochs: 100,
 *   batchSize: "full",
 *   progress: false,
 * });
 * history.length // 100
 * model.forward(value([[2]])) // ~[[5]]
 */
export async function fit<M extends Trainable>(
  model: M,
  data: TrainingData,
  options: FitOptions<M>,
): Promise<FitResult> {
  checkOptions<FitOptions>("fit", options as FitOptions, FIT);
  const { loss, optimizer, epochs, metrics = {}, schedule, clipNorm, earlyStopping, signal } = options;
  const { shuffle = true, validation, resume } = options;
  const compile = options.compile ?? (optimizer instanceof Optimizer ? undefined : false);
  if (!isCount(epochs)) refuse("epochs must be a whole number ≥ 1", epochs);
  if (!isCount(data.size)) refuse("data must have at least one example", data.size);
  if (options.batchSize !== "full" && options.batchSize !== undefined && !isCount(options.batchSize)) {
    refuse('batchSize must be a whole number ≥ 1 or "full"', options.batchSize);
  }
  if (clipNorm !== undefined && !(clipNorm > 0)) refuse("clipNorm must be > 0", clipNorm);
  if ("loss" in metrics) refuse("a metric must have another name than the loss", "loss");
  if (earlyStopping !== undefined) checkStopping(earlyStopping, Object.keys(metrics));
  const batchSize = options.batchSize === "full" ? data.size : Math.min(options.batchSize ?? 32, data.size);
  if (resume !== undefined) checkResume(resume, options.seed, batchSize, data.size);

  let at = { ...fresh(options.seed ?? 0, batchSize, data.size), ...resume, batchSize };
  if (resume !== undefined) {
    model.loadStateDict(resume.model);
    optimizer.loadStateDict(resume.optimizer);
  }
  const stateNow = (): TrainingState => ({
    ...at,
    model: model.stateDict(),
    optimizer: optimizer.stateDict(),
  });
  const patienceIsOver = () =>
    earlyStopping !== undefined && at.best !== null && at.epoch - at.best.epoch >= earlyStopping.patience;

  const reporter = await reporterOf(options.progress);
  const parameters = model.parameters();
  const pause = pauser();
  let stopped: FitResult["stopped"] = "epochs";

  /** One batch. Changes nothing but gradients where the loss is not finite. */
  const train = batchFunction(
    (inputs, targets) => {
      optimizer.zeroGrad();
      const outputs = model.forward(inputs);
      const fitted = loss(outputs, targets);
      const total = options.penalty === undefined ? fitted : fitted.add(options.penalty(model));
      if (total.size !== 1) {
        refuse("loss must give one number", total.shape, "Reduce it, for example with mean().");
      }
      const scalar = total.rank === 0 ? total : total.reshape([]);
      backward(scalar);
      if (clipNorm !== undefined) clipGradNorm(parameters, clipNorm);
      cond(
        isFinite(scalar),
        () => optimizer.step(),
        () => undefined,
      );
      return { outputs, loss: scalar };
    },
    metrics,
    compile,
  );
  const step = (batch: Examples): BatchScores => {
    const scores = train.run(batch);
    const x = scores.loss;
    if (!Number.isFinite(x)) {
      optimizer.zeroGrad();
      throw new TrainingError(
        {
          where: "fit",
          expected: "loss must stay finite",
          received: `${x} in epoch ${at.epoch + 1}, batch ${at.batch + 1}`,
          advice: advice(batch, optimizer.learningRate),
        },
        at.epoch + 1,
        at.batch + 1,
      );
    }
    return scores;
  };
  const validate = evaluator(model, {
    loss,
    metrics,
    ...(compile === undefined ? {} : { compile }),
  });

  /** The rest of an epoch; false where `signal` stopped it. */
  const runEpoch = async (): Promise<boolean> => {
    const { epoch } = at;
    const before = at.seconds;
    const begun = performance.now();
    if (schedule !== undefined) optimizer.learningRate = schedule(epoch);
    model.train();
    const order = shuffle && batchSize < data.size ? { order: orderOf(at.seed, epoch, data.size) } : {};
    let skipped = 0;
    for (const batch of data.batches({ batchSize, ...order })) {
      // Those that were done before an interruption.
      if (skipped < at.batch) {
        skipped++;
        continue;
      }
      if (signal?.aborted) return false;
      const done = step(batch);
      at = {
        ...at,
        batch: at.batch + 1,
        totals: addBatch(at.totals, batch.inputs.shape[0] ?? 1, done.loss, done.metrics),
        seconds: before + (performance.now() - begun) / 1000,
      };
      skipped++;
      const progress: BatchProgress = {
        epoch: epoch + 1,
        batch: at.batch,
        done: at.totals.examples,
        batchLoss: done.loss,
        loss: at.totals.loss / at.totals.examples,
      };
      reporter?.batch?.(progress);
      if (options.onBatch !== undefined) await options.onBatch(progress);
      const pausing = pause();
      if (pausing !== null) await pausing;
    }
    checkFinite();
    const scores: Scores | null = validation === undefined ? null : await validate(validation);
    const record: EpochRecord = {
      epoch: epoch + 1,
      ...meansOf(at.totals),
      validation: scores,
      learningRate: optimizer.learningRate,
      seconds: before + (performance.now() - begun) / 1000,
    };
    const best =
      earlyStopping === undefined ? at.best : bestOf(earlyStopping, at.best, record, () => model.stateDict());
    const history = [...at.history, record];
    at = { ...at, epoch: epoch + 1, batch: 0, totals: NO_TOTALS, seconds: 0, history, best };
    reporter?.epoch?.(record);
    if (options.onEpoch !== undefined) await options.onEpoch(record);
    return true;
  };

  /** The last step of an epoch could go wrong without a loss that shows it. */
  const checkFinite = (): void => {
    for (const [name, x] of Object.entries(model.stateDict())) {
      if (x.data.every(Number.isFinite)) continue;
      throw new TrainingError(
        {
          where: "fit",
          expected: "parameters must stay finite",
          received: `NaN or Infinity in ${JSON.stringify(name)} after epoch ${at.epoch + 1}, batch ${at.batch}`,
          advice: `Lower the learning rate (now ${optimizer.learningRate}), scale the inputs, or set clipNorm.`,
        },
        at.epoch + 1,
        at.batch,
      );
    }
  };

  try {
    reporter?.start?.({ epochs, epoch: at.epoch, examples: data.size, done: at.totals.examples });
    while (at.epoch < epochs) {
      if (patienceIsOver()) {
        stopped = "early stopping";
        break;
      }
      if (signal?.aborted || !(await runEpoch())) {
        stopped = "signal";
        break;
      }
      if (options.checkpoint !== undefined) await options.checkpoint(stateNow());
    }
    const state = stateNow();
    if (stopped === "signal") await options.checkpoint?.(state);
    else if (at.best?.model) model.loadStateDict(at.best.model);
    return { history: at.history, stopped, best: at.best, state, compiled: train.compiled };
  } finally {
    model.eval();
    reporter?.stop?.();
  }
}
