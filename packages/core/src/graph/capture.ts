/** capture: runs a function on values without data and keeps what it does. */

import { operand } from "../op.ts";
import { state } from "../state.ts";
import { markPlaces } from "../sweep/order.ts";
import type { TensorType } from "../tensor-type.ts";
import { flatten } from "../transforms/tree.ts";
import { extraOf, type Operand, Value } from "../value.ts";
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
  state.captures++;
  try {
    const outputs = f(inputs);
    return graphOf(inputs, outputs, floor);
  } finally {
    state.captures--;
    state.constant = constant;
  }
}

/** The graph from inputs to outputs: of the operations without data that were made since `floor`. */
export function graphOf(inputs: readonly Value[], outputs: readonly Value[], floor: number): Graph {
  return new Graph(inputs, operationsOf(outputs, floor, false), outputs);
}

/**
 * The same graph for who only evaluates it: operations with rules of their own are replaced by those that they consist
 * of, and what was assigned to a parameter or buffer is the value that was given.
 */
export function bodyGraphOf(inputs: readonly Value[], outputs: readonly Value[], floor: number): Graph {
  const replaced = new Map<Value, Value>();
  const now = (x: Value) => replaced.get(x) ?? x;
  const nodes: Value[] = [];
  for (const node of operationsOf(outputs, floor, true)) {
    const body = node.extra?.body;
    if (body) replaced.set(node, now(body));
    else if (replaced.size === 0 || !node.inputs.some((x) => replaced.has(x))) nodes.push(node);
    else {
      const next = withInputs(node, node.inputs.map(now));
      replaced.set(node, next);
      nodes.push(next);
    }
  }
  return new Graph(inputs, nodes, outputs.map(now));
}

/** Whether a graph is one for who only evaluates it as it is: none of its values has a body of its own. */
export function isBody({ nodes }: Graph): boolean {
  return nodes.every((node) => node.extra === null || node.extra.body === null);
}

/** A captured operation of other inputs. */
function withInputs(node: Value, inputs: readonly Value[]): Value {
  const next = new Value(node.type, null, node.op, inputs[0] ?? null, inputs[1] ?? null, false);
  const extra = extraOf(next);
  extra.attributes = node.attributes;
  if (inputs.length > 2) extra.inputs = inputs;
  extra.label = node.label;
  return next;
}

/**
 * The operations without data that outputs depend on, made since `floor`, inputs before outputs; below those that have a
 * body of their own the body alone, where bodies are asked for.
 */
function operationsOf(outputs: readonly Value[], floor: number, bodies: boolean): Value[] {
  const order: Value[] = [];
  markPlaces(order);
  const wanted = (x: Value) => x.storage === null && x.epoch >= floor && x.op !== null && order[x.mark] !== x;
  // The nodes whose inputs are being looked at, and how many of these have been.
  const nodes: Value[] = [];
  const counts: number[] = [];
  for (const output of outputs) {
    if (!wanted(output)) continue;
    let node = output;
    let count = 0;
    let top = 0;
    for (;;) {
      let next = inputAt(node, count++, bodies);
      while (next !== null && !wanted(next)) next = inputAt(node, count++, bodies);
      if (next !== null) {
        nodes[top] = node;
        counts[top++] = count;
        node = next;
        count = 0;
        continue;
      }
      node.mark = order.length;
      order.push(node);
      if (top === 0) break;
      node = nodes[--top] as Value;
      count = counts[top] as number;
    }
  }
  return order;
}

/** An input of a node, or its body; null behind the last. */
function inputAt({ extra, a, b }: Value, i: number, bodies: boolean): Value | null {
  if (extra !== null) {
    if (bodies && extra.body !== null) return i === 0 ? extra.body : null;
    if (extra.inputs !== null) return extra.inputs[i] ?? null;
  }
  return i === 0 ? a : i === 1 ? b : null;
}
