/** Metrics: how good predictions are, to read rather than to differentiate. */

import {
  argmax,
  cast,
  div,
  eq,
  gt,
  mean,
  noGrad,
  type Operand,
  square,
  sub,
  sum,
  type Value,
} from "@adjoint/core";
import { alikeTargets, classTargets } from "./targets.ts";

/**
 * The part of examples whose largest logit is that of the target class.
 *
 * Shape: logits [..., classes], targets [...] (class indices) or [..., classes] (probabilities) → [], float64.
 * Throws: ShapeError for other shapes.
 *
 * @example
 * accuracy(value([[2, 1], [0, 3], [5, 4]]), [0, 1, 1]) // 0.6666666666666666
 */
export function accuracy(logits: Value, targets: Operand): Value {
  const { t, byIndex } = classTargets("accuracy", logits.shape, targets);
  return noGrad(() => mean(cast(eq(argmax(logits, -1), byIndex ? t : argmax(t, -1)), "float64")));
}

/**
 * The part of examples where a logit is above 0 just where its target is above ½.
 *
 * Shape: logits and targets of the same shape → [], float64. Throws: ShapeError where the shapes differ.
 *
 * @example
 * binaryAccuracy(value([2, -1, 3]), [1, 0, 0]) // 0.6666666666666666
 */
export function binaryAccuracy(logits: Value, targets: Operand): Value {
  const t = alikeTargets("binaryAccuracy", logits, targets);
  return noGrad(() => mean(cast(eq(gt(logits, 0), gt(t, 0.5)), "float64")));
}

/**
 * The coefficient of determination R² = 1 − Σ(t − p)²/Σ(t − t̄)²: 1 is perfect, 0 as good as the targets' mean.
 *
 * Shape: predictions and targets of the same shape → [], float64. For targets that are all the same −Infinity, or NaN
 * where they are met. Throws: ShapeError where the shapes differ.
 *
 * @example
 * rSquared(value([1, 2, 3]), [1, 2, 4]) // ~0.785714
 */
export function rSquared(predictions: Value, targets: Operand): Value {
  const given = alikeTargets("rSquared", predictions, targets);
  return noGrad(() => {
    const t = cast(given, "float64");
    const left = sum(square(sub(t, cast(predictions, "float64"))));
    return sub(1, div(left, sum(square(sub(t, mean(t))))));
  });
}
