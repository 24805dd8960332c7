/** checkpoint: keeps a function's inputs instead of its intermediate values, and runs it again in the sweep. */

import { ArgumentError, describe, GraphError } from "../errors.ts";
import { makeNode, type Operation, operand, together } from "../op.ts";
import { setInspector, state } from "../state.ts";
import { withRecording } from "../sweep/backward.ts";
import { forwardSweep } from "../sweep/forward.ts";
import { olderInputs } from "../sweep/order.ts";
import { reverseSweep } from "../sweep/reverse.ts";
import type { TensorType } from "../tensor-type.ts";
import { type Extra, isValue, type Operand, shortName, type Value } from "../value.ts";
import type { ValueFunction } from "./closure.ts";
import { type Level, runLevel } from "./trace.ts";

/**
 * `f`, whose intermediate values are forgotten after the forward pass and computed again in the reverse sweep: time
 * for memory. What f reads from outside (parameters) is differentiated as well.
 *
 * f must compute the same each time; it returns one value.
 *
 * @example
 * grad((x) => checkpoint((x) => sin(exp(x)))(x))(0) // 0.5403023058681398
 */
export function checkpoint(f: ValueFunction): (...xs: Operand[]) => Value {
  return (...xs) => {
    const args = xs.map((x) => operand("checkpoint", x));
    const { leaves, result: y, floor } = runLevel(args, (leaves) => f(...leaves));
    if (!isValue(y)) {
      throw new ArgumentError({
        where: "checkpoint",
        expected: "f must return a value",
        received: describe(y),
      });
    }
    // While a function is captured, the graph is what is kept.
    if (y.storage === null) return y;
    const outside = olderInputs(y, floor, leaves);
    return makeNode(checkpointOf(f, args.length, y.type), [...args, ...outside], null, y.type, y.storage);
  };
}

/**
 * The operation of one call: its first `count` inputs are f's arguments, the others what f reads from outside. No graph
 * has it, so that it is neither evaluated again nor batched.
 */
function checkpointOf(f: ValueFunction, count: number, type: TensorType): Operation<null> {
  return {
    name: "checkpoint",
    infer: () => type,
    evaluate: (inputs) => withRecording(false, () => f(...inputs.slice(0, count))).storage as never,
    spread: null,
    lowering: null,
    linear: false,
    differentiable: true,
    elementwise: null,
    batch: null,
    vjp: together((dy, { inputs, output }) => {
      const { leaves, result, floor } = runAgain(f, inputs.slice(0, count), output);
      const ends = inputs.slice(count);
      const cotangents: (Value | null)[] = [];
      reverseSweep([result], [dy], { floor, record: "needed", targets: [...leaves, ...ends] }, (_, dx) => {
        cotangents.push(dx);
      });
      return cotangents;
    }),
    jvp: (tangents, { inputs, output }) => {
      const { leaves, result, floor } = runAgain(f, inputs.slice(0, count), output);
      const ends = inputs.slice(count);
      const sources = [...leaves, ...ends];
      const given = sources.flatMap((x, i) => (tangents[i] ? [{ x, t: tangents[i] as Value }] : []));
      return forwardSweep(
        [result],
        given.map(({ x }) => x),
        given.map(({ t }) => t),
        floor,
        ends,
      )[0] as Value | null;
    },
  };
}

/** Runs f again for the derivatives of `output`, and refuses those of another function than the one that was evaluated. */
function runAgain(f: ValueFunction, args: readonly Value[], output: Value): Level<Value> {
  const run = () => runLevel(args, (xs) => f(...xs));
  const level = state.assignedAt > output.epoch ? refusingReplaced(output.epoch, run) : run();
  const { data } = level.result;
  if (data.every((x: number, i: number) => Object.is(x, output.data[i]))) return level;
  throw anotherFunction("another result in the sweep");
}

/** Runs `f`, which must not read a parameter that was replaced after `epoch`, even where that does not show in results. */
function refusingReplaced<R>(epoch: number, f: () => R): R {
  const { clock } = state;
  const before = setInspector((node, inputs) => {
    before?.(node, inputs);
    for (const x of inputs) {
      const at = x.isParameter ? (x.extra as Extra).assignedAt : 0;
      // What f assigns itself, it assigned the first time as well.
      if (at > epoch && at <= clock) throw anotherFunction(`${shortName(x)}, replaced by assign() since`);
    }
  });
  try {
    return f();
  } finally {
    setInspector(before);
  }
}

function anotherFunction(received: string): GraphError {
  return new GraphError({
    where: "checkpoint",
    expected: "f must compute the same each time",
    received,
    advice: "Draw random numbers with a key, and call backward() before assign().",
  });
}
