/** Early stopping: when a run has stopped getting better. */

import { ArgumentError } from "@adjoint/core";
import { checkOptions, type OptionNames } from "@adjoint/core/operations";
import type { Scores } from "./parts.ts";
import type { Best, EpochRecord } from "./state.ts";

/** When to stop before the last epoch. */
export interface EarlyStopping {
  /**
   * What is watched: "loss" (the default) or the name of a metric; on the validation data where there is any,
   * otherwise on the training data.
   */
  readonly monitor?: string;
  /** Whether less is better or more; "min" for the loss, to be given for a metric. */
  readonly mode?: "min" | "max";
  /** Stop after this many epochs that were no better than the best; Infinity to only keep the best weights. */
  readonly patience: number;
  /** By how much an epoch must be better to count; by default 0. */
  readonly minDelta?: number;
  /** Leave the model with the weights of the best epoch when the run ends; by default true. */
  readonly restoreBest?: boolean;
}

const EARLY_STOPPING: OptionNames<EarlyStopping> = {
  monitor: true,
  mode: true,
  patience: true,
  minDelta: true,
  restoreBest: true,
};

function refuse(expected: string, received: unknown): never {
  throw new ArgumentError({ where: "fit", expected, received: JSON.stringify(received) ?? "undefined" });
}

/** Checks what a user asked for. */
export function checkStopping(stopping: EarlyStopping, metrics: readonly string[]): void {
  const {
    monitor = "loss",
    mode,
    patience,
    minDelta = 0,
  } = checkOptions("fit: earlyStopping", stopping, EARLY_STOPPING);
  if (!(Number.isInteger(patience) || patience === Number.POSITIVE_INFINITY) || patience < 1) {
    refuse("earlyStopping.patience must be a whole number ≥ 1", patience);
  }
  if (!(minDelta >= 0)) refuse("earlyStopping.minDelta must be ≥ 0", minDelta);
  if (monitor !== "loss" && !metrics.includes(monitor)) {
    refuse(`earlyStopping.monitor must be one of ${["loss", ...metrics].join(", ")}`, monitor);
  }
  if (mode === undefined ? monitor !== "loss" : mode !== "min" && mode !== "max") {
    refuse('earlyStopping.mode must say whether "min" or "max" is better', mode);
  }
}

/** The best epoch, now that one more is done; `weights` are asked for where it is the new one. */
export function bestOf(
  stopping: EarlyStopping,
  best: Best | null,
  record: EpochRecord,
  weights: () => Best["model"],
): Best {
  const { monitor = "loss", mode = "min", minDelta = 0, restoreBest = true } = stopping;
  const scores: Scores = record.validation ?? record;
  const score = monitor === "loss" ? scores.loss : (scores.metrics[monitor] ?? Number.NaN);
  const better =
    best === null ||
    // A first epoch without a number gives way to any that has one.
    (Number.isNaN(best.score) && !Number.isNaN(score)) ||
    (mode === "min" ? score < best.score - minDelta : score > best.score + minDelta);
  return better ? { epoch: record.epoch, score, model: restoreBest ? weights() : null } : best;
}
