/** Targets of losses and metrics: read, and held against the predictions. */

import { isValue, type Operand, type Shape, ShapeError, type Value, value } from "@adjoint/core";
import { formatShape, sameShape } from "@adjoint/core/operations";

/** Targets that must have exactly the predictions' shape. */
export function alikeTargets(where: string, predictions: Value, targets: Operand): Value {
  const t = isValue(targets) ? targets : value(targets);
  if (sameShape(t.shape, predictions.shape)) return t;
  throw new ShapeError({
    where,
    expected: "predictions and targets must have the same shape",
    received: `${formatShape(predictions.shape)} and ${formatShape(t.shape)}`,
    advice: "Reshape one: broadcasting would compare predictions with other examples' targets.",
  });
}

/** Targets that are class indices, of the logits' shape without its last axis, or probabilities, of the same shape. */
export function classTargets(
  where: string,
  logits: Shape,
  targets: Operand,
): { readonly t: Value; readonly byIndex: boolean } {
  const t = isValue(targets) ? targets : value(targets);
  const byIndex = logits.length > 0 && sameShape(t.shape, logits.slice(0, -1));
  if (byIndex || (logits.length > 0 && sameShape(t.shape, logits))) return { t, byIndex };
  throw new ShapeError({
    where,
    expected: "targets must be class indices [...] or probabilities [..., classes] for logits [..., classes]",
    received: `${formatShape(t.shape)} for ${formatShape(logits)}`,
  });
}
