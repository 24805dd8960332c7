/** backward: the reverse sweep that adds into parameters' gradients, and the switches of recording. */

import { isFloat } from "../dtype.ts";
import { ArgumentError, DTypeError, GraphError, ShapeError } from "../errors.ts";
import { filled, operand } from "../op.ts";
import { add } from "../ops/elementwise.ts";
import { cast } from "../ops/movement.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { formatShape, sameShape } from "../shape.ts";
import { state } from "../state.ts";
import { isValue, type Operand, shortName, type Value } from "../value.ts";
import { reverseSweep } from "./reverse.ts";

/** Options of `backward`. */
export interface BackwardOptions {
  /** Record the sweep itself, so that gradients can be differentiated again. By default false. */
  readonly createGraph?: boolean;
}

const BACKWARD: OptionNames<BackwardOptions> = { createGraph: true };

/**
 * Adds the gradient of `y` into `.grad` of every parameter it was computed from. Twice means twice the gradient.
 *
 * `cotangent` weighs the elements of y: what is differentiated is Σ cotangent·y. It may be left out of a scalar.
 * Throws: ShapeError for a tensor without a cotangent or one of another shape; GraphError where y depends on no
 * parameter, or on one whose data was replaced since.
 *
 * @example
 * const w = parameter(3);
 * backward(mul(w, w));
 * w.grad // 6
 */
export function backward(y: Value, cotangent?: Operand, options: BackwardOptions = {}): void {
  const { createGraph = false } = checkOptions("backward", options, BACKWARD);
  const seed = checkedSeed("backward", y, cotangent);
  if (!y.tracked) {
    throw new GraphError({
      where: "backward",
      expected: "an output computed from a parameter",
      received: shortName(y),
      advice: "Make the leaves with parameter(), and do not compute inside noGrad().",
    });
  }
  const unknown = [y, seed].find((x) => x.storage === null);
  if (unknown !== undefined && state.tracer === null) {
    throw new ArgumentError({
      where: "backward",
      expected: "data that is known",
      received: `${shortName(unknown)}, which is being captured and has only a type`,
      advice: "Inside vmap and capture, use grad().",
    });
  }
  reverseSweep(
    [y],
    [seed],
    { floor: -1, record: createGraph ? "always" : "never", targets: null },
    (x, dx) => {
      if (dx === null) return;
      const { grad } = x;
      x.grad = grad === null ? dx : withRecording(createGraph, () => add(grad, dx));
    },
  );
}

/** The cotangent that a sweep from `y` starts with; 1 for a scalar where none is given. */
export function checkedSeed(where: string, y: Value, cotangent: Operand | undefined): Value {
  if (!isValue(y)) {
    throw new ArgumentError({ where, expected: "output must be a value", received: typeof y });
  }
  if (!isFloat(y.dtype)) {
    throw new DTypeError({
      where,
      expected: "output must be float64 or float32",
      received: y.dtype,
      advice: "Integers and comparisons have no derivative.",
    });
  }
  if (cotangent === undefined) {
    if (y.rank === 0) return filled(y.type, 1);
    throw new ShapeError({
      where,
      expected: "output must be a scalar",
      received: `shape ${formatShape(y.shape)}`,
      advice: `Reduce it, for example with sum(), or ${where === "backward" ? "give a cotangent" : "take jacobian()"}.`,
    });
  }
  const seed = operand(where, cotangent);
  if (!sameShape(seed.shape, y.shape)) {
    throw new ShapeError({
      where,
      expected: `cotangent must have the output's shape ${formatShape(y.shape)}`,
      received: formatShape(seed.shape),
    });
  }
  return cast(seed, y.dtype);
}

/**
 * Runs `f` without recording: what it computes is constant.
 *
 * @example
 * noGrad(() => mul(parameter(3), 2)).isDifferentiable // false
 */
export function noGrad<R>(f: () => R): R {
  const { constant } = state;
  state.constant = true;
  try {
    return withRecording(false, f);
  } finally {
    state.constant = constant;
  }
}

/** Runs `f` with recording on or off, and restores what was before. */
export function withRecording<R>(on: boolean, f: () => R): R {
  const { recording } = state;
  state.recording = on;
  try {
    return f();
  } finally {
    state.recording = recording;
  }
}
