/** RMSprop. */

import { add, div, maximum, mul, sqrt, square, sub, type Value, zerosLike } from "@adjoint/core";
import { checkOptions, type OptionNames } from "@adjoint/core/operations";
import { fraction, nonNegative, positive } from "../ranges.ts";
import { moveAverage, Optimizer, type OptimizerOptions, type Slot } from "./optimizer.ts";

/** Options of `RMSprop`. */
export interface RMSpropOptions extends OptimizerOptions {
  /** ρ: decay of the averages, in [0, 1). By default 0.99. */
  readonly rho?: number;
  /** μ: how much of the last change stays; ≥ 0. By default 0. */
  readonly momentum?: number;
  /** Whether to divide by the estimated standard deviation of gradients instead. By default false. */
  readonly centered?: boolean;
  /** Keeps the divisor from 0; > 0. By default 1e-8. */
  readonly epsilon?: number;
}

const RMSPROP: OptionNames<RMSpropOptions> = {
  learningRate: true,
  weightDecay: true,
  rho: true,
  momentum: true,
  centered: true,
  epsilon: true,
};

/**
 * RMSprop: divides by the root of an average of squared gradients. `learningRate` is 0.01 by default.
 *
 * v ← ρv + (1 − ρ)g²; with `centered` also a ← ρa + (1 − ρ)g and v − a² in place of v; d = g/(√v + ε);
 * θ ← θ − η·d, or with momentum b ← μb + d, θ ← θ − η·b. Where rounding makes v − a² negative it counts as 0.
 * Throws: ArgumentError for options out of range.
 * Source: Tieleman & Hinton, Neural Networks for Machine Learning, lecture 6.5 (2012); centred: Graves, Generating
 * Sequences with Recurrent Neural Networks (2013), eq. 38–41; ε outside the root and momentum apart from η as in
 * PyTorch (torch.optim.RMSprop).
 *
 * @example
 * const x = parameter(3);
 * const optimizer = new RMSprop([x], { learningRate: 0.1 });
 * x.square().backward();
 * optimizer.step();
 * x // ~2
 */
export class RMSprop extends Optimizer {
  readonly #rho: number;
  readonly #momentum: number;
  readonly #epsilon: number;
  readonly #v: Slot;
  readonly #average: Slot | null;
  readonly #velocity: Slot | null;

  constructor(parameters: Iterable<Value>, options: RMSpropOptions = {}) {
    checkOptions("RMSprop", options, RMSPROP);
    const { learningRate = 0.01, weightDecay, rho = 0.99, momentum = 0, centered = false } = options;
    const { epsilon = 1e-8 } = options;
    super(parameters, { name: "RMSprop", learningRate, weightDecay });
    this.#rho = fraction("RMSprop", "rho", rho);
    this.#momentum = nonNegative("RMSprop", "momentum", momentum);
    this.#epsilon = positive("RMSprop", "epsilon", epsilon);
    this.#v = this.slot("squaredAverage", zerosLike);
    this.#average = centered ? this.slot("average", zerosLike) : null;
    this.#velocity = momentum === 0 ? null : this.slot("velocity", zerosLike);
  }

  protected override update(x: Value, g: Value): Value {
    let v = moveAverage(this.#v(x), this.#rho, square(g));
    if (this.#average !== null) {
      // Rounding can bring the variance of nearly constant gradients below 0.
      v = maximum(sub(v, square(moveAverage(this.#average(x), this.#rho, g))), 0);
    }
    const d = div(g, add(sqrt(v), this.#epsilon));
    if (this.#velocity === null) return sub(x, mul(d, this.rate));
    const b = this.#velocity(x);
    b.assign(add(mul(b, this.#momentum), d));
    return sub(x, mul(b, this.rate));
  }
}
