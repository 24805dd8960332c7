/** Functions and what they read from outside, made arguments of theirs where that is possible. */

import { ArgumentError, describe, GraphError } from "../errors.ts";
import { captureTypes } from "../graph/capture.ts";
import type { Graph } from "../graph/graph.ts";
import { state } from "../state.ts";
import { withRecording } from "../sweep/backward.ts";
import { olderInputs } from "../sweep/order.ts";
import type { TensorType } from "../tensor-type.ts";
import { isValue, shortName, Value } from "../value.ts";

/** A function of values with one value as its result. */
export type ValueFunction = (...xs: Value[]) => Value;

/** A function of values, and one run of it. */
export interface Closed {
  /** The result of the run. */
  readonly y: Value;
  /** Whether the run computed data. Otherwise the function is captured, and goes on as its graph. */
  readonly evaluated: boolean;
  /** The function of its arguments and, after them, of the values that `captured` names. */
  readonly f: ValueFunction;
  /** What a captured function reads from outside that has no data yet or is differentiable. */
  readonly captured: readonly Value[];
  /** The differentiable values from outside that the result was computed from. */
  readonly differentiable: readonly Value[];
}

/** Runs `f` on `args` as constants, and finds what else its result was computed from. */
export function close(where: string, f: ValueFunction, args: readonly Value[]): Closed {
  const floor = ++state.clock;
  const differentiable = (y: Value) => (y.tracked ? olderInputs(y, floor, []) : []);
  if (args.every((x) => x.storage !== null)) {
    const y = checkedResult(where, f(...args.map(untracked)));
    if (y.storage !== null) return { y, evaluated: true, f, captured: [], differentiable: differentiable(y) };
  }
  const types = args.map((x) => x.type);
  const graph = captureTypes(types, (inputs) => [checkedResult(where, f(...inputs))]);
  const y = graph.outputs[0] as Value;
  const evaluate = evaluator(graph);
  return {
    y,
    evaluated: false,
    f: (...xs) => evaluate(xs)[0] as Value,
    captured: graph.outside,
    differentiable: differentiable(y),
  };
}

/** The function that a graph is, of its inputs and, after them, of the values it reads from outside. */
export function evaluator(graph: Graph): (xs: readonly Value[]) => Value[] {
  const whole = graph.withInputs(graph.outside);
  return (xs) => whole.evaluate(...xs);
}

/** The result of a function, checked to be a value. */
export function checkedResult(where: string, y: unknown): Value {
  if (isValue(y)) return y;
  throw new ArgumentError({ where, expected: "f must return a value", received: describe(y) });
}

/** The same data, constant. */
function untracked(x: Value): Value {
  return x.tracked ? new Value(x.type, x.storage, null, null, null, false) : x;
}

/** Refuses values from outside whose derivatives would be lost, since the author states those of the arguments only. */
export function refuseOutside(where: string, outside: readonly Value[]): void {
  if (outside.length === 0) return;
  throw new GraphError({
    where,
    expected:
      "what f reads from outside must be constant, since its rule gives the derivatives of its arguments only",
    received: [...new Set(outside)].map(shortName).join(", "),
    advice: "Pass it as an argument, or read it through stopGradient().",
  });
}

/** Whether the result of f at `inputs` depends on its inputs after the first `count`, as a derivative sees it. */
export function readsBeyond(f: ValueFunction, inputs: readonly Value[], count: number): boolean {
  if (!inputs.slice(count).some((x) => x.tracked)) return false;
  return withRecording(true, () => f(...inputs.map((x, i) => (i < count ? untracked(x) : x)))).tracked;
}

/** The type of the result of `f`, which must read nothing from outside. */
export function resultType(f: ValueFunction, types: readonly TensorType[]): TensorType {
  return captureTypes(types, (inputs) => [f(...inputs)]).outputs[0]?.type as TensorType;
}
