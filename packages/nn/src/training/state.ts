/** TrainingState: everything that a run needs to go on as if it had not been interrupted. */

import type { Value } from "@adjoint/core";
import type { Scores } from "./parts.ts";
import type { Totals } from "./totals.ts";

/** What an epoch came to. */
export interface EpochRecord extends Scores {
  /** Counted from 1. */
  readonly epoch: number;
  /** On the validation data; `null` where there is none. */
  readonly validation: Scores | null;
  /** The learning rate. */
  readonly learningRate: number;
  /** How long it took, validation included. */
  readonly seconds: number;
}

/** The best epoch so far. */
export interface Best {
  /** Counted from 1. */
  readonly epoch: number;
  /** The monitored figure. */
  readonly score: number;
  /** The weights; `null` where they are not to be restored. */
  readonly model: Readonly<Record<string, Value>> | null;
}

/** Where a run stands between two batches. */
export interface TrainingState {
  /** Epochs completed. */
  readonly epoch: number;
  /** Batches done in the epoch under way. */
  readonly batch: number;
  /** Totals of the epoch under way. */
  readonly totals: Totals;
  /** Seconds spent on the epoch under way. */
  readonly seconds: number;
  readonly history: readonly EpochRecord[];
  readonly best: Best | null;
  readonly seed: number;
  /** Examples a batch. */
  readonly batchSize: number;
  /** Examples in the training data. */
  readonly examples: number;
  readonly model: Readonly<Record<string, Value>>;
  readonly optimizer: Readonly<Record<string, Value>>;
}
