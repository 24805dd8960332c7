/** Losses: how far predictions are from their targets. */

import {
  ArgumentError,
  abs,
  add,
  cast,
  clip,
  eq,
  ge,
  logicalAnd,
  logSoftmax,
  lt,
  mean,
  mul,
  neg,
  type Operand,
  reshape,
  softplus,
  square,
  sub,
  sum,
  take,
  type Value,
  value,
  where,
} from "@adjoint/core";
import { checkOptions, type OptionNames, storageOf } from "@adjoint/core/operations";
import { fraction, positive } from "./ranges.ts";
import { alikeTargets, classTargets } from "./targets.ts";

/** How the losses of single elements or examples become one: their mean, their sum, or not at all. */
export type Reduction = "mean" | "sum" | "none";

/** Options of every loss. */
export interface LossOptions {
  /** By default "mean". */
  readonly reduction?: Reduction;
}

const LOSS: OptionNames<LossOptions> = { reduction: true };

/** Options of `huber`. */
export interface HuberOptions extends LossOptions {
  /** The error up to which the loss is quadratic. By default 1. */
  readonly delta?: number;
}

const HUBER: OptionNames<HuberOptions> = { delta: true, reduction: true };

/** Options of `softmaxCrossEntropy`. */
export interface CrossEntropyOptions extends LossOptions {
  /** The part of each target that is spread evenly over all classes, in [0, 1). By default 0. */
  readonly labelSmoothing?: number;
}

const CROSS_ENTROPY: OptionNames<CrossEntropyOptions> = { labelSmoothing: true, reduction: true };

function reduce(where: string, losses: Value, reduction: Reduction = "mean"): Value {
  switch (reduction) {
    case "mean":
      return mean(losses);
    case "sum":
      return sum(losses);
    case "none":
      return losses;
    default:
      throw new ArgumentError({
        where,
        expected: 'reduction must be "mean", "sum" or "none"',
        received: JSON.stringify(reduction),
      });
  }
}

/** Targets in the predictions' shape, and where those are floating in their dtype, so that targets never widen them. */
function matched(where: string, predictions: Value, targets: Operand): Value {
  const t = alikeTargets(where, predictions, targets);
  const { dtype } = predictions;
  return dtype === "float32" || dtype === "float64" ? cast(t, dtype) : t;
}

/**
 * Mean squared error: (prediction − target)².
 *
 * Shape: predictions and targets of the same shape → [], or theirs with reduction "none".
 * Throws: ShapeError where the shapes differ; nothing broadcasts.
 *
 * @example
 * meanSquaredError(value([1, 2]), [1, 4]) // 2
 */
export function meanSquaredError(predictions: Value, targets: Operand, options: LossOptions = {}): Value {
  const { reduction } = checkOptions("meanSquaredError", options, LOSS);
  const t = matched("meanSquaredError", predictions, targets);
  return reduce("meanSquaredError", square(sub(predictions, t)), reduction);
}

/**
 * Mean absolute error: |prediction − target|.
 *
 * Shape: as `meanSquaredError`. The derivative at equality is 0.
 *
 * @example
 * meanAbsoluteError(value([1, 2]), [1, 4]) // 1
 */
export function meanAbsoluteError(predictions: Value, targets: Operand, options: LossOptions = {}): Value {
  const { reduction } = checkOptions("meanAbsoluteError", options, LOSS);
  const t = matched("meanAbsoluteError", predictions, targets);
  return reduce("meanAbsoluteError", abs(sub(predictions, t)), reduction);
}

/**
 * Huber's loss of the error e = prediction − target: e²/2 where |e| ≤ δ, δ(|e| − δ/2) beyond.
 *
 * Shape: as `meanSquaredError`. Throws: ArgumentError unless δ > 0.
 * Source: Huber, Robust Estimation of a Location Parameter (1964), §1.
 *
 * @example
 * huber(value([0, 3]), [0.5, 0], { reduction: "none" }) // [0.125, 2.5]
 */
export function huber(predictions: Value, targets: Operand, options: HuberOptions = {}): Value {
  const { delta = 1, reduction } = checkOptions("huber", options, HUBER);
  positive("huber", "delta", delta);
  const e = sub(predictions, matched("huber", predictions, targets));
  // With c = e brought into [−δ, δ], both branches are c(e − c/2).
  const c = clip(e, -delta, delta);
  return reduce("huber", mul(c, sub(e, mul(c, 0.5))), reduction);
}

/**
 * Cross-entropy of sigmoid(x) with targets t in [0, 1]: −t·ln σ(x) − (1 − t)·ln(1 − σ(x)).
 *
 * Computed as t·softplus(−x) + (1 − t)·softplus(x), which neither overflows nor loses small losses' digits.
 * Shape: as `meanSquaredError`.
 *
 * @example
 * binaryCrossEntropyWithLogits(value([0, 800]), [1, 1], { reduction: "none" }) // [0.6931471805599453, 0]
 */
export function binaryCrossEntropyWithLogits(
  logits: Value,
  targets: Operand,
  options: LossOptions = {},
): Value {
  const { reduction } = checkOptions("binaryCrossEntropyWithLogits", options, LOSS);
  const t = matched("binaryCrossEntropyWithLogits", logits, targets);
  const losses = add(mul(t, softplus(neg(logits))), mul(sub(1, t), softplus(logits)));
  return reduce("binaryCrossEntropyWithLogits", losses, reduction);
}

/**
 * Cross-entropy of softmax(logits) with targets: −Σ t·ln softmax(logits) over the last axis.
 *
 * Targets are class indices (whole numbers in [0, classes)) or probabilities. Label smoothing ε replaces a target t
 * by (1 − ε)t + ε/classes. The logarithm of softmax is computed directly, so that nothing overflows.
 * Shape: logits [..., classes], targets [...] (indices) or [..., classes] (probabilities) → [], or [...] with
 * reduction "none".
 * Throws: ShapeError for other shapes, ArgumentError for an index that is no class; compiled code gives NaN instead.
 * Source of label smoothing: Szegedy et al., Rethinking the Inception Architecture (2016), §7.
 *
 * @example
 * const logits = value([[2, 0, 0], [0, 0, 0]]);
 * softmaxCrossEntropy(logits, [0, 2], { reduction: "none" }) // ~[0.2395448, 1.0986123]
 */
export function softmaxCrossEntropy(
  logits: Value,
  targets: Operand,
  options: CrossEntropyOptions = {},
): Value {
  const where = "softmaxCrossEntropy";
  const { reduction, labelSmoothing = 0 } = checkOptions(where, options, CROSS_ENTROPY);
  const smoothing = fraction(where, "labelSmoothing", labelSmoothing);
  const { t, byIndex } = classTargets(where, logits.shape, targets);
  const logProbabilities = logSoftmax(logits);
  const chosen = byIndex
    ? chosenClasses(where, logProbabilities, t)
    : sum(mul(cast(t, logits.dtype), logProbabilities), -1);
  const smoothed =
    smoothing === 0 ? chosen : add(mul(chosen, 1 - smoothing), mul(mean(logProbabilities, -1), smoothing));
  return neg(reduce(where, smoothed, reduction));
}

/** The entry of each row that its class index names. */
function chosenClasses(call: string, rows: Value, indices: Value): Value {
  const classes = rows.shape.at(-1) as number;
  if (storageOf(indices) !== null) {
    return reshape(take(rows, classPlaces(call, indices, classes)), indices.shape);
  }
  // While a function is compiled nothing can be refused: what is no class gives NaN.
  const whole = cast(indices, "int32");
  const inRange = logicalAnd(eq(whole, indices), logicalAnd(ge(whole, 0), lt(whole, classes)));
  const starts = value(Int32Array.from({ length: indices.size }, (_, row) => row * classes));
  const places = add(reshape(where(inRange, whole, 0), [indices.size]), starts);
  return where(inRange, reshape(take(rows, places), indices.shape), Number.NaN);
}

/** Where each row's class stands in the flattened logits. */
function classPlaces(call: string, indices: Value, classes: number): Int32Array {
  return Int32Array.from(indices.data, (index, row) => {
    if (!Number.isInteger(index) || index < 0 || index >= classes) {
      throw new ArgumentError({
        where: call,
        expected: `class indices must be whole numbers in [0, ${classes - 1}]`,
        received: String(index),
      });
    }
    return row * classes + index;
  });
}
