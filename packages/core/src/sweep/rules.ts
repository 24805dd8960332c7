/** The derivative rules of any operation, as both sweeps apply them: elementwise ones are made of their expressions. */

import { type AnyOperation, apply, type NodeView, operand } from "../op.ts";
import { add } from "../ops/elementwise.ts";
import { broadcastTo, cast, reshape } from "../ops/movement.ts";
import { sum } from "../ops/reduction.ts";
import { valueArithmetic } from "../ops/values.ts";
import { type Shape, sameShape } from "../shape.ts";
import type { Value } from "../value.ts";

/** A node as its rules see it. */
export function viewOf(node: Value): NodeView<never> {
  return { inputs: node.inputs, output: node, attributes: node.attributes as never };
}

/** The cotangent of input `index`, in the input's shape and dtype; null where nothing flows. */
export function pullback(view: NodeView<never>, dy: Value, index: number): Value | null {
  const { inputs, output: node } = view;
  const op = node.op as AnyOperation;
  const input = inputs[index] as Value;
  let dx: Value | null;
  if (op.elementwise !== null) {
    const pull = op.elementwise.pulls[index] ?? null;
    // A rule that reads no operand gives a number: the same for every element.
    dx =
      pull === null
        ? null
        : broadcastTo(operand(op.name, pull([...met(inputs, node), node, dy], valueArithmetic)), node.shape);
  } else {
    const rule = typeof op.vjp === "function" ? op.vjp : (op.vjp?.[index] ?? null);
    dx = rule === null ? null : rule(dy, view, index);
  }
  return dx === null ? null : cast(unbroadcast(dx, input.shape), input.dtype);
}

/**
 * The same where it will not be differentiated again: of an elementwise operation, one operation with the numbers of the
 * numeric sweep.
 */
export function fusedPullback(view: NodeView<never>, dy: Value, index: number): Value | null {
  const { inputs, output: node } = view;
  const { elementwise } = node.op as AnyOperation;
  if (elementwise === null) return pullback(view, dy, index);
  if (elementwise.pulls[index] === null) return null;
  const input = inputs[index] as Value;
  const dx = elementwise.passes(index)
    ? dy
    : apply(elementwise.pullOperation(index), [...inputs, node, dy], null);
  return cast(unbroadcast(dx, input.shape), input.dtype);
}

/** The tangent of a node from those of its inputs; null where nothing flows. */
export function pushforward(node: Value, tangents: readonly (Value | null)[]): Value | null {
  const op = node.op as AnyOperation;
  let ty: Value | null = null;
  if (op.elementwise === null) ty = op.jvp === null ? null : op.jvp(tangents, viewOf(node));
  else {
    const inputs = met(node.inputs, node);
    for (const [i, tangent] of tangents.entries()) {
      const push = op.elementwise.pulls[i] ?? null;
      if (tangent === null || push === null) continue;
      const part = operand(op.name, push([...inputs, node, tangent], valueArithmetic));
      ty = ty === null ? part : add(ty, part);
    }
  }
  return ty === null ? null : cast(broadcastTo(ty, node.shape), node.dtype);
}

/** An elementwise node's inputs in the dtype that they met in. Masks choose, or count as 0 and 1 in any. */
function met(inputs: readonly Value[], { dtype }: Value): readonly Value[] {
  if (inputs.every((x) => x.dtype === dtype)) return inputs;
  return inputs.map((x) => (x.dtype === "bool" ? x : cast(x, dtype)));
}

/** Sums a cotangent over the axes along which its input was repeated. */
function unbroadcast(dx: Value, shape: Shape): Value {
  if (sameShape(dx.shape, shape)) return dx;
  return reshape(sum(dx, repeatedAxes(dx.shape, shape)), shape);
}

/** The axes along which broadcasting `from` to `to` repeats. */
export function repeatedAxes(to: Shape, from: Shape): number[] {
  const offset = to.length - from.length;
  return to.flatMap((n, axis) => (axis < offset || (from[axis - offset] === 1 && n !== 1) ? [axis] : []));
}
