/** The examples of a run: read, split, and described. */

import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { AdjointError, ArgumentError, random } from "@adjoint/core";
import type { Dataset, Encoding, Table, TargetUnits } from "@adjoint/data";
import { loadMnist, readCsv } from "@adjoint/data/node";
import { counted, grouped } from "./output.ts";
import type { Settings } from "./settings.ts";

/** What a run learns from. */
export interface Examples {
  /** One line on what they are. */
  readonly description: string;
  /** What a summary calls the data. */
  readonly name: string;
  readonly training: Dataset;
  /** Never trained on, and looked at after each epoch; null where there is none. */
  readonly validation: Dataset | null;
  /** Never trained on, and looked at when the run has ended; null where there is none. */
  readonly test: Dataset | null;
  /** The names of the classes; null for a regression. */
  readonly classes: readonly string[] | null;
  /** The target's units: what the network learns is standardised; null for classification. */
  readonly standard: TargetUnits | null;
  readonly encoding: Encoding | null;
  /** Features of an example. */
  readonly inputs: number;
  /** Tells these training data from others. */
  readonly fingerprint: string;
}

/** Sets the split apart from other numbers that are drawn from the same seed. */
const SPLIT = 0x73706c69;

const splitOrder = (seed: number, size: number) =>
  random.permutation(random.fold(random.key(seed), SPLIT), size);

function fingerprint(data: Dataset): string {
  const hash = createHash("sha256");
  for (const { data: x, shape } of [data.inputs, data.targets]) {
    hash.update(JSON.stringify([x.constructor.name, shape, data.size]));
    hash.update(new Uint8Array(x.buffer, x.byteOffset, x.byteLength));
  }
  return hash.digest("hex").slice(0, 32);
}

function first(data: Dataset, limit: number | null): Dataset {
  return limit === null ? data : data.slice(0, limit);
}

/** Reads MNIST, or IDX files that are named as its are. */
async function mnist(settings: Settings): Promise<Examples> {
  const { data: directory, limit, validation: fraction, seed } = settings;
  if (directory !== null && !(existsSync(directory) && statSync(directory).isDirectory())) {
    throw new ArgumentError({
      where: "--data",
      expected: 'must be "mnist" or a directory of IDX files',
      received: JSON.stringify(directory),
      advice: "Check the path.",
    });
  }
  const all = await loadMnist(directory ?? undefined);
  const given = first(all.train, limit);
  const test = first(all.test, limit);
  const [training, held] =
    fraction > 0 ? given.split(1 - fraction, splitOrder(seed, given.size)) : [given, null];
  const what = directory === null ? "MNIST, handwritten digits" : directory;
  const parts = [
    `${grouped(training.size)} to train on`,
    ...(held === null ? [] : [`${grouped(held.size)} to validate on`]),
    `${grouped(test.size)} to test on`,
  ];
  const description = `${what}: ${parts.join(", ")}`;
  let top = 0;
  for (const x of given.targets.data) top = Math.max(top, x);
  return {
    description,
    name: directory === null ? "mnist" : directory,
    training,
    validation: held ?? test,
    test,
    classes: given.classes ?? Array.from({ length: top + 1 }, (_, i) => String(i)),
    standard: null,
    encoding: null,
    inputs: given.inputs.shape.reduce((product, n) => product * n, 1),
    fingerprint: fingerprint(training),
  };
}

async function readTable(path: string): Promise<Table> {
  try {
    return await readCsv(path);
  } catch (error) {
    if (error instanceof AdjointError || !(error instanceof Error)) throw error;
    throw new ArgumentError({
      where: "--csv",
      expected: "must be a file that can be read",
      received: `${JSON.stringify(path)}, ${error.message.split(", ")[0]}`,
      advice: "Check the path.",
    });
  }
}

/** The examples of a CSV file. */
async function table(path: string, settings: Settings): Promise<Examples> {
  const { target, task, missing, limit, validation: fraction, seed } = settings;
  const all = await readTable(path);
  const [only, another] = all.names;
  if (only !== undefined && another === undefined && only !== target && /[;\t|]/.test(only)) {
    throw new ArgumentError({
      where: "--csv",
      expected: "must be a file with commas between its cells",
      received: `one column, ${JSON.stringify(only)}`,
    });
  }
  const rows = limit === null ? all : all.slice(0, limit);
  const options = { target: target as string, missing, ...(task === null ? {} : { task }) };
  // Of all rows, so that a class that the training part lacks is known all the same.
  const classes = rows.features(options).classes;
  if (classes?.length === 1) {
    throw new ArgumentError({
      where: "--target",
      expected: "must be a column with at least two different values",
      received: `${JSON.stringify(target)}, which is ${JSON.stringify(classes[0])} in every row`,
      advice: "Nothing can be learnt from it: choose another.",
    });
  }
  const whole = rows.size > 1 && fraction > 0;
  const [rowsToTrain, held] = whole ? rows.split(1 - fraction, splitOrder(seed, rows.size)) : [rows, null];
  const kind = classes === null ? ("regression" as const) : ("classification" as const);
  const fitted = rowsToTrain.features({ ...options, task: kind }).encoding as Encoding;
  const encoding: Encoding =
    classes === null
      ? fitted
      : { ...fitted, target: { task: "classification", name: options.target, classes } };
  const [given, kept] = [rowsToTrain.encode(encoding), held?.encode(encoding) ?? null];
  const training = classes === null ? given.standardizeTargets() : given;
  const standard = training.targetUnits;
  const validation = kept === null || standard === null ? kept : kept.standardizeTargets(standard);
  const what = classes === null ? "a number" : `${classes.length} classes`;
  const counts =
    kept === null
      ? counted(given.size, "row")
      : `${counted(given.size, "row")} to train on, ${grouped(kept.size)} to validate on`;
  const description = `${path}: ${JSON.stringify(target)}, ${what}, from ${counted(encoding.columns.length, "column")}; ${counts}`;
  return {
    description,
    name: path,
    training,
    validation,
    test: null,
    classes,
    standard,
    encoding,
    inputs: given.inputs.shape[0] as number,
    fingerprint: fingerprint(given),
  };
}

/** The examples that the settings ask for. */
export async function loadExamples(settings: Settings): Promise<Examples> {
  return settings.csv === null ? mnist(settings) : table(settings.csv, settings);
}
