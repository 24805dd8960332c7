/** adjoint train: the main job, from examples to a trained model. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { ArgumentError, type Value } from "@adjoint/core";
import {
  accuracy,
  evaluate,
  type FitOptions,
  type FitResult,
  fit,
  type Metric,
  MLP,
  meanAbsoluteError,
  meanSquaredError,
  type ProgressReporter,
  softmaxCrossEntropy,
  TrainingError,
  type TrainingState,
} from "@adjoint/nn";
import { formatFigure, formatSeconds, terminalProgress } from "@adjoint/nn/node";
import { checkGradients } from "./check.ts";
import { type Examples, loadExamples } from "./examples.ts";
import { counted, grouped, type Output, percent } from "./output.ts";
import { defaultDirectory, FILES, loadRun, probe, type Saved, saveResults, saveRun } from "./saved.ts";
import { type Given, OPTIMIZERS, resumed, SCHEDULES, type Settings, settingsOf } from "./settings.ts";
import { Confusion } from "./summary.ts";

/** What was asked for. */
export interface TrainOptions {
  readonly given: Given;
  /** Where the run's files go; null for the default. */
  readonly out: string | null;
  /** The run to go on with; true for the one in the directory of the files. */
  readonly resume: string | true | null;
  /** Whether to check gradients first. */
  readonly check: boolean;
  /** Whether to run everything as it is written, nothing compiled. */
  readonly eager: boolean;
}

/** Checkpoints are at least this far apart, in milliseconds, where epochs are short. */
const BETWEEN_SAVES = 2000;

/** How the process is told to go on, the way that it was started. */
function command(rest: string): string {
  const script = process.env["npm_lifecycle_event"];
  if (script === "start") return `npm start -- ${rest}`;
  return script === "adjoint" ? `npm run adjoint -- train ${rest}` : `adjoint train ${rest}`;
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

/** The largest network: with gradients and what optimisers keep, more would not fit in memory. */
const LARGEST = 500_000_000;

function modelOf(settings: Settings, examples: Examples): MLP {
  const sizes = [examples.inputs, ...settings.hidden, examples.classes?.length ?? 1];
  const size = sizes.reduce((sum, n, i) => (i === 0 ? 0 : sum + ((sizes[i - 1] as number) + 1) * n), 0);
  if (size > LARGEST) {
    throw new ArgumentError({
      where: "--hidden",
      expected: `must make a network of at most ${grouped(LARGEST)} parameters`,
      received: `${grouped(size)}, from layers of ${sizes.join(", ")}`,
    });
  }
  return new MLP(sizes, {
    activation: settings.activation,
    seed: settings.seed,
  });
}

/** The loss of a run, and the figures that it reports. */
function measures({ classes, standard }: Examples): {
  loss: (outputs: Value, targets: Value) => Value;
  metrics: Record<string, Metric>;
} {
  if (classes !== null) {
    return { loss: (y, t) => softmaxCrossEntropy(y, t), metrics: { accuracy } };
  }
  const unit = standard?.deviation[0] ?? 1;
  const error: Metric = (y, t) => meanAbsoluteError(y, t).cast("float64").mul(unit);
  return { loss: (y, t) => meanSquaredError(y, t), metrics: { "mean error": error } };
}

/** What a run came to, for programs. */
interface Results {
  readonly data: string;
  readonly accuracy?: number;
  readonly error?: number;
  readonly meanError?: number;
  readonly measuredOn: "test" | "validation" | "training";
  readonly loss: number;
  readonly trainingLoss: number | null;
  readonly epochs: number;
  readonly bestEpoch: number | null;
  readonly seconds: number;
  readonly parameters: number;
  readonly gradientCheck: boolean | null;
  readonly stopped: FitResult["stopped"];
  readonly out: string;
}

/** Saves a run while it goes on, but not more often than makes sense. */
class Keeper {
  readonly #run: Omit<Saved, "state">;
  #latest: TrainingState | null = null;
  #saved = true;
  #last = Number.NEGATIVE_INFINITY;

  constructor(run: Omit<Saved, "state">) {
    this.#run = run;
  }

  /** Takes a state, and saves it where the last time was some time ago. */
  async keep(state: TrainingState): Promise<void> {
    this.#latest = state;
    this.#saved = false;
    if (performance.now() - this.#last >= BETWEEN_SAVES) await this.flush();
  }

  /** Saves the latest state, unless it is saved. Returns it. */
  async flush(): Promise<TrainingState | null> {
    if (this.#latest !== null && !this.#saved) {
      await saveRun({ ...this.#run, state: this.#latest });
      this.#saved = true;
      this.#last = performance.now();
    }
    return this.#latest;
  }
}

/** The settings, the directory and the state to begin from. */
async function begin({ given, out, resume }: TrainOptions): Promise<
  Omit<Saved, "state" | "fingerprint"> & {
    readonly before: Saved | null;
  }
> {
  if (resume === null) {
    const settings = settingsOf(given);
    return { settings, directory: out ?? defaultDirectory(settings), before: null };
  }
  const where = resume === true ? (out ?? defaultDirectory({ csv: null, data: null, ...given })) : resume;
  const before = await loadRun(where);
  return { settings: resumed(before.settings, given), directory: out ?? before.directory, before };
}

/** How far a run has come, in words. */
function doneBy({ epoch, batch }: TrainingState): string {
  const batches = counted(batch, "batch", "batches");
  return batch === 0 ? counted(epoch, "epoch") : `${counted(epoch, "epoch")} and ${batches}`;
}

function describeRun(settings: Settings, model: MLP): string[] {
  const { optimizer, batchSize, epochs, learningRate, schedule, seed, patience } = settings;
  const parameters = model.parameters().reduce((sum, x) => sum + x.size, 0);
  const layers = model.sizes.map(grouped).join(" → ");
  const activation = settings.hidden.length > 0 ? `, ${settings.activation}` : "";
  const batches = batchSize === "full" ? "full batches" : `batches of ${grouped(batchSize)}`;
  const rate = `rate ${learningRate}${schedule === "constant" ? "" : ` (${schedule})`}`;
  const stopping = patience === null ? "" : `, patience ${patience}`;
  return [
    `Model      MLP ${layers}${activation}, ${counted(parameters, "parameter")}`,
    `Training   ${optimizer}, ${rate}, ${batches}, ${counted(epochs, "epoch")}${stopping}, seed ${seed}`,
  ];
}

/**
 * Trains, saves and sums up. Returns the exit code.
 *
 * `interrupted` tells which signal asked the run to stop, once one has.
 */
export async function train(
  options: TrainOptions,
  output: Output,
  signal: AbortSignal,
  interrupted: () => number,
): Promise<number> {
  const { settings, directory, before } = await begin(options);
  const examples = await loadExamples(settings);
  if (before !== null && before.fingerprint !== examples.fingerprint) {
    throw new ArgumentError({
      where: "--resume",
      expected: "the data must be those that the run to resume was trained on",
      received: `others from ${examples.name}`,
      advice: "Begin a new run without --resume.",
    });
  }
  const model = modelOf(settings, examples);
  const parameters = model.parameters().reduce((sum, x) => sum + x.size, 0);
  const optimizer = OPTIMIZERS[settings.optimizer].make(model.parameters(), settings.learningRate);
  const { loss, metrics } = measures(examples);
  const again = command(`--resume ${quoted(directory)}`);
  await probe(directory);

  output.say(`Data       ${examples.description}`);
  for (const line of describeRun(settings, model)) output.say(line);
  let checked: boolean | null = null;
  if (options.check && before === null) {
    const { passed, text } = checkGradients(model, examples, loss);
    checked = passed;
    output.say(`Gradients  ${text}`);
  }
  if (before !== null) {
    const { epoch } = before.state;
    const over = epoch >= settings.epochs ? ` They are all; add --epochs ${epoch + 4} for more.` : "";
    output.say(`Going on after ${doneBy(before.state)}.${over}`);
  } else if (existsSync(join(directory, FILES.checkpoint))) {
    output.say(`Replaces   the run in ${directory}; to go on with that one: ${again}`);
  }
  output.say();

  const keeper = new Keeper({ directory, settings, fingerprint: examples.fingerprint });
  const fitting: FitOptions<MLP> = {
    loss,
    optimizer,
    epochs: settings.epochs,
    batchSize: settings.batchSize,
    seed: settings.seed,
    metrics,
    schedule: SCHEDULES[settings.schedule](settings.learningRate, settings.epochs),
    signal,
    checkpoint: (state) => keeper.keep(state),
    progress: progressOf(output, examples),
    ...(options.eager ? { compile: false } : {}),
    ...(examples.validation === null ? {} : { validation: examples.validation }),
    ...(settings.clipNorm === null ? {} : { clipNorm: settings.clipNorm }),
    ...(settings.patience === null ? {} : { earlyStopping: { patience: settings.patience } }),
    ...(before === null ? {} : { resume: before.state }),
  };
  let result: FitResult;
  try {
    result = await fit(model, examples.training, fitting);
  } catch (error) {
    if (!(error instanceof TrainingError)) throw error;
    const kept = await keeper.flush();
    if (kept !== null) {
      output.say(
        `The state after epoch ${kept.epoch} is saved; ${again} --learning-rate ${settings.learningRate / 10} goes on.`,
      );
    }
    throw error;
  }
  const { state, history, stopped } = result;
  const common = { parameters, gradientCheck: checked, stopped, out: directory };
  if (stopped === "signal") {
    const begun = state.epoch > 0 || state.batch > 0;
    if (begun) await keeper.flush();
    output.say(
      begun
        ? `Interrupted after ${doneBy(state)}; saved in ${join(directory, FILES.checkpoint)}`
        : "Interrupted before the first batch; nothing was saved.",
    );
    if (begun) output.say(`Go on with: ${again}`);
    output.report({ data: examples.name, ...common, epochs: state.epoch, resume: begun ? directory : null });
    return 128 + interrupted();
  }
  await keeper.flush();

  const measuredOn =
    examples.test !== null ? "test" : examples.validation !== null ? "validation" : "training";
  const final = examples.test ?? examples.validation ?? examples.training;
  const confusion = examples.classes === null ? null : new Confusion(examples.classes);
  const scores = await evaluate(model, final, {
    loss: (outputs, targets) => {
      confusion?.add(outputs, targets);
      return loss(outputs, targets);
    },
    metrics,
  });
  const seconds = history.reduce((sum, record) => sum + record.seconds, 0);
  const unit = examples.standard?.deviation[0] ?? 1;
  const results: Results = {
    data: examples.name,
    ...(examples.classes === null
      ? { error: Math.sqrt(scores.loss) * unit, meanError: scores.metrics["mean error"] as number }
      : { accuracy: scores.metrics["accuracy"] as number }),
    measuredOn,
    loss: scores.loss,
    trainingLoss: history.at(-1)?.loss ?? null,
    epochs: history.length,
    bestEpoch: result.best?.epoch ?? null,
    seconds: Math.round(seconds * 1000) / 1000,
    ...common,
  };
  await saveResults(directory, settings, examples, model, history, results);

  output.say();
  if (stopped === "early stopping" && result.best !== null) {
    output.say(`Stopped early: no better after epoch ${result.best.epoch}, whose weights are kept.`);
  }
  for (const line of summary(results, confusion, examples)) output.say(line);
  output.say(`In ${directory}: ${Object.values(FILES).join(", ")}`);
  output.say(`Train further: ${again} --epochs ${history.length + 4}`);
  output.report(results);
  return 0;
}

function progressOf(output: Output, { validation, test }: Examples): ProgressReporter | false {
  if (output.quiet) return false;
  const held = validation === test ? "test" : "validation";
  return terminalProgress({ stream: output.stream, percent: ["accuracy"], validation: held });
}

function summary(results: Results, confusion: Confusion | null, { standard }: Examples): string[] {
  const { measuredOn: on, loss, epochs, seconds } = results;
  const lines: string[] = [];
  const what = on === "test" ? "Test" : on === "validation" ? "Validation" : "Training";
  if (results.accuracy !== undefined && confusion !== null) {
    const { examples, wrong } = confusion.totals;
    lines.push(
      `${what} accuracy ${percent(results.accuracy)}: ${grouped(wrong)} of ${grouped(examples)} wrong, loss ${formatFigure(loss)}`,
    );
    const worst = confusion.worst();
    lines.push(...worst.map((line, i) => `${i === 0 ? "Hardest:" : "        "} ${line}`));
  } else if (results.error !== undefined && results.meanError !== undefined) {
    const explained = standard === null ? "" : `, ${percent(1 - loss, 1)} of the variance explained`;
    lines.push(
      `${what} error ${formatFigure(results.error)} (root mean square), ${formatFigure(results.meanError)} (mean)${explained}`,
    );
  }
  lines.push(`Trained ${counted(epochs, "epoch")} in ${formatSeconds(seconds)}`);
  return lines;
}
