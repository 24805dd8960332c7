/** capture: runs a function on values without data and keeps what it does. */

import { operand } from "../op.ts";
import { flatten } from "../transforms/tree.ts";
import { type Operand, state, type TensorType, Value } from "../value.ts";
import { Graph } from "./graph.ts";

/**
 * Runs `f` on values that have the examples' shapes and dtypes but no data, and returns the graph of what it did.
 *
 * Parameters that f reads are read again at each evaluation; what f computed of constants and parameters alone stays as
 * it was. Reading data inside f, for
 * example with item(), is an error. f may return a value, or arrays and plain objects of them, whose leaves are the
 * graph's outputs.
 *
 * @example
 * capture((x) => mul(x, x), value([1, 2])).evaluate(value([3, 4]))[0] // [9, 16]
 */
export function capture(f: (...args: Value[]) => unknown, ...examples: readonly Operand[]): Graph {
  const types = examples.map((x) => operand("capture", x).type);
  return captureTypes(types, (inputs) => flatten("capture", f(...inputs)).leaves);
}

/** The same of types, for functions of flat lists. Cotangents flow to those inputs that are `tracked`: by default none. */
export function captureTypes(
  types: readonly TensorType[],
  f: (inputs: readonly Value[]) => readonly Value[],
  tracked: readonly boolean[] = [],
): Graph {
  const floor = ++state.clock;
  const inputs = types.map((type, i) => new Value(type, null, null, null, null, tracked[i] ?? false));
  const { constant } = state;
  // Whether derivatives flow is for those to say who evaluate the graph.
  state.constant = false;
  try {
    const outputs = f(inputs);
    return new Graph(inputs, operationsOf(outputs, floor), outputs);
  } finally {
    state.constant = constant;
  }
}

/** The operations without data that outputs depend on, made since `floor`, inputs before outputs. */
function operationsOf(outputs: readonly Value[], floor: number): Value[] {
  const placed = new Set<Value>();
  const order: Value[] = [];
  const wanted = (x: Value) => x.storage === null && x.epoch >= floor && x.op !== null && !placed.has(x);
  const stack: { node: Value; next: number }[] = [];
  for (const output of outputs) {
    if (wanted(output)) stack.push({ node: output, next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as { node: Value; next: number };
      const { inputs } = top.node;
      while (top.next < inputs.length && !wanted(inputs[top.next] as Value)) top.next++;
      if (top.next < inputs.length) stack.push({ node: inputs[top.next] as Value, next: 0 });
      else {
        stack.pop();
        if (!placed.has(top.node)) order.push(top.node);
        placed.add(top.node);
      }
    }
  }
  return order;
}
