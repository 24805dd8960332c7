/** What training is made of: a model, an optimiser, data, a loss and metrics, by what they can do. */

import type { Value } from "@adjoint/core";

/** A model that can be trained. Every `Module` is one. */
export interface Trainable {
  forward(inputs: Value): Value;
  parameters(): readonly Value[];
  /** Copies of what was learned, by name. */
  stateDict(): Record<string, Value>;
  /** Puts such copies back; throws, and changes nothing, where they do not fit. */
  loadStateDict(state: Readonly<Record<string, Value>>): unknown;
  /** Switches to training, for layers that then work differently. */
  train(): unknown;
  /** Switches to inference. */
  eval(): unknown;
}

/** What changes the parameters after each batch. Every `Optimizer` is one. */
export interface Stepper {
  learningRate: number;
  step(): void;
  zeroGrad(): void;
  /** Copies of what is kept from step to step, by name. */
  stateDict(): Record<string, Value>;
  loadStateDict(state: Readonly<Record<string, Value>>): unknown;
}

/** Some examples: their inputs and targets, counted by the first axis of both. */
export interface Examples {
  readonly inputs: Value;
  readonly targets: Value;
}

/** Examples that come in batches. Every `Dataset` of @adjoint/data is one. */
export interface TrainingData {
  /** Number of examples. */
  readonly size: number;
  /** All examples once, `batchSize` at a time, in the order given or else their own. */
  batches(options: { readonly batchSize: number; readonly order?: Int32Array }): Iterable<Examples>;
}

/** How far outputs are from targets, averaged over the examples: a scalar. */
export type Loss = (outputs: Value, targets: Value) => Value;

/** A figure to report, averaged over the examples of a batch. */
export type Metric = (outputs: Value, targets: Value) => Value | number;

/** Loss and metrics of some examples. */
export interface Scores {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}
