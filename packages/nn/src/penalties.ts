/** Penalties: what a loss adds for large parameters. */

import { abs, add, mul, square, sum, type Value, value } from "@adjoint/core";
import { nonNegative } from "./ranges.ts";

function total(parameters: Iterable<Value>, weight: number, each: (x: Value) => Value): Value {
  let penalty: Value | null = null;
  for (const x of parameters) penalty = penalty === null ? sum(each(x)) : add(penalty, sum(each(x)));
  return penalty === null ? value(0) : mul(penalty, weight);
}

/**
 * weight·Σθ², to add to a loss. Its gradient is 2·weight·θ, so `weightDecay` λ of an optimiser is a weight of λ/2.
 *
 * Shape: parameters of any shape → []. Throws: ArgumentError for a weight below 0.
 *
 * @example
 * l2Penalty([parameter([3, 4])], 0.1) // 2.5
 */
export function l2Penalty(parameters: Iterable<Value>, weight: number): Value {
  return total(parameters, nonNegative("l2Penalty", "weight", weight), square);
}

/**
 * weight·Σ|θ|, to add to a loss: it draws parameters to 0 itself. Its gradient is weight·sign(θ), 0 at 0.
 *
 * Shape: parameters of any shape → []. Throws: ArgumentError for a weight below 0.
 *
 * @example
 * l1Penalty([parameter([3, -4])], 0.5) // 3.5
 */
export function l1Penalty(parameters: Iterable<Value>, weight: number): Value {
  return total(parameters, nonNegative("l1Penalty", "weight", weight), abs);
}
