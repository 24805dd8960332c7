/** Clipping: gradients brought below a size before a step. */

import {
  abs,
  add,
  cast,
  clip,
  div,
  eq,
  max,
  maximum,
  minimum,
  mul,
  noGrad,
  pow,
  sqrt,
  square,
  sub,
  sum,
  type Value,
  value,
  where,
} from "@adjoint/core";
import { checkOptions, type OptionNames } from "@adjoint/core/operations";
import { positive } from "./ranges.ts";

/** Options of `clipGradNorm`. */
export interface ClipNormOptions {
  /** p of the norm (Σ|g|ᵖ)^(1/p), > 0; Infinity is the largest |g|. By default 2. */
  readonly norm?: number;
}

const CLIP_NORM: OptionNames<ClipNormOptions> = { norm: true };

/**
 * Scales all gradients together so that their norm is at most `maxNorm`; returns the norm before, a float64 scalar.
 *
 * Parameters without a gradient count as nothing. Where the norm is infinite or NaN, no factor would help: gradients
 * stay as they are, and the result tells.
 * Throws: ArgumentError unless maxNorm and norm are > 0.
 * Source: Pascanu, Mikolov & Bengio, On the Difficulty of Training Recurrent Neural Networks (2013), Algorithm 1.
 *
 * @example
 * const x = parameter([3, 4]);
 * x.square().sum().mul(0.5).backward();
 * clipGradNorm([x], 1) // 5
 * x.grad // ~[0.6, 0.8]
 */
export function clipGradNorm(
  parameters: Iterable<Value>,
  maxNorm: number,
  options: ClipNormOptions = {},
): Value {
  const { norm = 2 } = checkOptions("clipGradNorm", options, CLIP_NORM);
  positive("clipGradNorm", "maxNorm", maxNorm);
  if (norm !== Number.POSITIVE_INFINITY) positive("clipGradNorm", "norm", norm);
  return noGrad(() => {
    const held = withGradients(parameters);
    const before = normOf(
      held.map(([, gradient]) => gradient),
      norm,
    );
    // A number minus itself is 0 only where it is finite.
    const finite = eq(sub(before, before), 0);
    const factor = where(finite, minimum(div(maxNorm, maximum(before, maxNorm)), 1), 1);
    for (const [x, gradient] of held) x.grad = mul(gradient, factor);
    return before;
  });
}

/** The norm of all gradients as of one long vector, in float64 so that squares do not overflow. */
function normOf(gradients: readonly Value[], norm: number): Value {
  const none = value(0);
  const wide = gradients.filter((g) => g.size > 0).map((g) => cast(g, "float64"));
  if (norm === Number.POSITIVE_INFINITY) return wide.map((g) => max(abs(g))).reduce(maximum, none);
  if (norm === 1) return wide.map((g) => sum(abs(g))).reduce(add, none);
  if (norm === 2) return sqrt(wide.map((g) => sum(square(g))).reduce(add, none));
  return pow(wide.map((g) => sum(pow(abs(g), norm))).reduce(add, none), 1 / norm);
}

function withGradients(parameters: Iterable<Value>): [x: Value, gradient: Value][] {
  return [...parameters].flatMap((x) => (x.grad === null ? [] : [[x, x.grad]]));
}

/**
 * Brings every entry of every gradient into [−limit, limit]. NaN stays.
 *
 * Throws: ArgumentError unless limit > 0.
 *
 * @example
 * const x = parameter([3, -0.25]);
 * x.square().sum().backward();
 * clipGradValue([x], 1);
 * x.grad // [1, -0.5]
 */
export function clipGradValue(parameters: Iterable<Value>, limit: number): void {
  positive("clipGradValue", "limit", limit);
  noGrad(() => {
    for (const [x, gradient] of withGradients(parameters)) x.grad = clip(gradient, -limit, limit);
  });
}
