/** The files of a run. */

import { existsSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ArgumentError, mul, noGrad, type Value } from "@adjoint/core";
import type { EpochRecord, MLP, TrainingState } from "@adjoint/nn";
import {
  FileError,
  loadCheckpoint,
  saveCheckpoint,
  saveSafetensors,
  writeFileSafely,
} from "@adjoint/nn/node";
import { curves } from "@adjoint/viz";
import type { Examples } from "./examples.ts";
import type { Settings } from "./settings.ts";

/** The files of a run, in its directory. */
export const FILES = {
  checkpoint: "checkpoint.safetensors",
  model: "model.safetensors",
  history: "history.json",
  curve: "loss.svg",
} as const;

/** The metadata entry of a checkpoint that holds the settings. */
const KEY = "adjoint.run";
const VERSION = 1;

/** Where a run's files go unless told otherwise. */
export function defaultDirectory({ csv, data }: Pick<Settings, "csv" | "data">): string {
  if (csv !== null) return join("runs", basename(csv).replace(/\.csv(\.gz)?$/i, "") || "csv");
  return join("runs", data === null ? "mnist" : basename(data) || "data");
}

/** Throws now, rather than after an epoch, where a directory cannot be written to. */
export async function probe(directory: string): Promise<void> {
  const path = join(directory, `.probe-${process.pid}`);
  try {
    await writeFileSafely(path, "written to see whether it can be");
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new ArgumentError({
      where: "--out",
      expected: "must be a directory that can be written to",
      received: `${JSON.stringify(directory)}, ${error.received}`,
    });
  }
  await rm(path, { force: true });
}

/** A run that can go on. */
export interface Saved {
  readonly directory: string;
  readonly settings: Settings;
  readonly fingerprint: string;
  readonly state: TrainingState;
}

/** Saves where a run stands. */
export async function saveRun({ directory, settings, fingerprint, state }: Saved): Promise<void> {
  const run = JSON.stringify({ version: VERSION, settings, fingerprint });
  await saveCheckpoint(join(directory, FILES.checkpoint), state, { [KEY]: run });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/** Reads where a run stands, from its directory or from the checkpoint itself. */
export async function loadRun(path: string): Promise<Saved> {
  const isDirectory = existsSync(path) && statSync(path).isDirectory();
  const file = isDirectory ? join(path, FILES.checkpoint) : path;
  if (!existsSync(file)) {
    throw new ArgumentError({
      where: "--resume",
      expected: `must name a run, a directory with ${FILES.checkpoint}`,
      received: JSON.stringify(path),
      advice: "Check the path, or begin a new run without --resume.",
    });
  }
  const { state, metadata } = await loadCheckpoint(file);
  const run: unknown = parsed(metadata[KEY] ?? "");
  if (typeof run === "object" && run !== null && "version" in run && run.version === VERSION) {
    const { settings, fingerprint } = run as unknown as Pick<Saved, "settings" | "fingerprint">;
    return { directory: isDirectory ? path : dirname(path), settings, fingerprint, state };
  }
  throw new ArgumentError({
    where: "--resume",
    expected: "must name a checkpoint that adjoint train wrote",
    received: JSON.stringify(file),
  });
}

/** The weights with the target's units put into the last layer, so that the network gives the target itself. */
function inUnits(model: MLP, { standard }: Examples): Record<string, Value> {
  const state = model.stateDict();
  if (standard === null) return state;
  const [mean, deviation] = [standard.mean[0] as number, standard.deviation[0] as number];
  const last = `layers.${model.layers.length - 1}`;
  return noGrad(() => ({
    ...state,
    [`${last}.weight`]: mul(state[`${last}.weight`] as Value, deviation),
    [`${last}.bias`]: mul(state[`${last}.bias`] as Value, deviation).add(mean),
  }));
}

/** Saves what a run came to: weights, history and curve. */
export async function saveResults(
  directory: string,
  settings: Settings,
  examples: Examples,
  model: MLP,
  history: readonly EpochRecord[],
  results: object,
): Promise<void> {
  const { classes, encoding } = examples;
  const { activation } = settings;
  const metadata = { sizes: model.sizes, activation, classes, encoding };
  await saveSafetensors(join(directory, FILES.model), inUnits(model, examples), {
    "adjoint.model": JSON.stringify(metadata),
  });
  const text = JSON.stringify({ settings, results, history }, null, 2);
  await writeFileSafely(join(directory, FILES.history), `${text}\n`);
  if (history.length > 0) await writeFileSafely(join(directory, FILES.curve), lossCurve(examples, history));
}

function lossCurve(examples: Examples, history: readonly EpochRecord[]): string {
  const x = history.map(({ epoch }) => epoch);
  const held = history.flatMap(({ validation }) => (validation === null ? [] : [validation.loss]));
  const name = examples.validation === examples.test ? "test" : "validation";
  return curves({
    title: `Loss on ${examples.name === "mnist" ? "MNIST" : basename(examples.name)}`,
    x: { label: "epoch" },
    y: {
      label: examples.classes === null ? "mean squared error, standardised" : "cross-entropy",
      scale: "log",
    },
    series: [
      { name: "training", x, y: history.map(({ loss }) => loss) },
      ...(held.length === history.length ? [{ name, x, y: held }] : []),
    ],
  });
}
