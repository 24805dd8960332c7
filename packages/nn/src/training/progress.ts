/** What is told about a run while it goes on. */

import type { EpochRecord } from "./state.ts";

/** A run that begins or goes on. */
export interface RunStart {
  /** Epochs in all. */
  readonly epochs: number;
  /** Epochs that are already done, where a run goes on. */
  readonly epoch: number;
  /** Examples an epoch. */
  readonly examples: number;
  /** Examples already done of the epoch under way, where a run goes on. */
  readonly done: number;
}

/** A batch that was done. */
export interface BatchProgress {
  /** Counted from 1. */
  readonly epoch: number;
  /** Counted from 1. */
  readonly batch: number;
  /** Examples done in this epoch. */
  readonly done: number;
  /** Loss of this batch, penalty included. */
  readonly batchLoss: number;
  /** Mean loss of this epoch so far. */
  readonly loss: number;
}

/** Shows how a run gets on. All methods may be left out. */
export interface ProgressReporter {
  start?(run: RunStart): void;
  batch?(progress: BatchProgress): void;
  epoch?(record: EpochRecord): void;
  /** The run has ended: completed, interrupted, or by an error. Always called, once. */
  stop?(): void;
}
