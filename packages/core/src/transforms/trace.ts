/** Runs a function on fresh leaves, so that one level of differentiation knows its own nodes from all others. */

import { identity } from "../ops/movement.ts";
import { current, state } from "../state.ts";
import { withRecording } from "../sweep/backward.ts";
import { release, topologicalOrder } from "../sweep/order.ts";
import { Value } from "../value.ts";

/** One level: its leaves, the function's result, and the time from which on nodes belong to it. */
export interface Level<R> {
  readonly leaves: readonly Value[];
  readonly result: R;
  readonly floor: number;
}

/**
 * Calls `f` with a differentiable alias of each input. An alias keeps its input as the input of an identity, so that
 * an outer level differentiates through it.
 */
export function runLevel<R>(inputs: readonly Value[], f: (leaves: readonly Value[]) => R): Level<R> {
  const floor = ++state.clock;
  const { operation } = identity.definition;
  const leaves = inputs.map((input) => {
    const x = current(input);
    const alias = new Value(x.type, x.storage, operation, x, null, true);
    if (x.label !== null) alias.label = x.label;
    return alias;
  });
  return { leaves, result: withRecording(true, () => f(leaves)), floor };
}

/** A result as the caller gets it: connected to the graph outside where there is one, a constant otherwise. */
export function leaveLevel(y: Value, recorded: boolean): Value {
  if (recorded || !y.tracked || y.storage === null) return y;
  const constant = new Value(y.type, y.storage, y.op, null, null, false);
  if (y.label !== null) constant.label = y.label;
  return constant;
}

/** Whether results of a level also depend on differentiable values outside it, while recording is on. */
export function dependsOnOutside(results: readonly Value[], floor: number): boolean {
  if (!state.recording) return false;
  const order = topologicalOrder(results, floor);
  release(order);
  return order.older;
}
