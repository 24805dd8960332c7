/** NAdam. */

import { add, div, mul, pow, sqrt, square, sub, type Value, value, zerosLike } from "@adjoint/core";
import { checkOptions, type OptionNames } from "@adjoint/core/operations";
import { fraction, nonNegative, positive } from "../ranges.ts";
import type { AdamOptions } from "./adam.ts";
import { moveAverage, Optimizer, type Slot } from "./optimizer.ts";

/** Options of `NAdam`. */
export interface NAdamOptions extends AdamOptions {
  /** ψ: how fast the momentum warms up to β₁; ≥ 0. By default 0.004. */
  readonly momentumDecay?: number;
}

const NADAM: OptionNames<NAdamOptions> = {
  learningRate: true,
  weightDecay: true,
  beta1: true,
  beta2: true,
  epsilon: true,
  momentumDecay: true,
};

/**
 * NAdam: Adam with Nesterov's look ahead. `learningRate` is 0.002 by default.
 *
 * μₜ = β₁(1 − ½·0.96^(tψ)); m and v as in Adam; m̂ = μₜ₊₁·m/(1 − μ₁⋯μₜ₊₁) + (1 − μₜ)·g/(1 − μ₁⋯μₜ);
 * v̂ = v/(1 − β₂ᵗ); θ ← θ − η·m̂/(√v̂ + ε).
 * Throws: ArgumentError for options out of range.
 * Source: Dozat, Incorporating Nesterov Momentum into Adam (2016), Algorithm 2 and its schedule of μ, in PyTorch's
 * form (torch.optim.NAdam), whose m decays by β₁ rather than μₜ.
 *
 * @example
 * const x = parameter(3);
 * const optimizer = new NAdam([x], { learningRate: 0.1 });
 * x.square().backward();
 * optimizer.step();
 * x.item() < 3 // true
 */
export class NAdam extends Optimizer {
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;
  readonly #momentumDecay: number;
  readonly #m: Slot;
  readonly #v: Slot;
  readonly #product: Slot;

  constructor(parameters: Iterable<Value>, options: NAdamOptions = {}) {
    checkOptions("NAdam", options, NADAM);
    const { learningRate = 0.002, weightDecay, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
    const { momentumDecay = 0.004 } = options;
    super(parameters, { name: "NAdam", learningRate, weightDecay });
    this.#beta1 = fraction("NAdam", "beta1", beta1);
    this.#beta2 = fraction("NAdam", "beta2", beta2);
    this.#epsilon = positive("NAdam", "epsilon", epsilon);
    this.#momentumDecay = nonNegative("NAdam", "momentumDecay", momentumDecay);
    this.#m = this.slot("firstMoment", zerosLike);
    this.#v = this.slot("secondMoment", zerosLike);
    this.#product = this.slot("momentumProduct", () => value(1));
  }

  /** μ at step t. */
  #momentum(t: Value): Value {
    return mul(this.#beta1, sub(1, mul(0.5, pow(0.96, mul(t, this.#momentumDecay)))));
  }

  protected override update(x: Value, g: Value, t: Value): Value {
    const now = this.#momentum(t);
    const next = this.#momentum(add(t, 1));
    const product = this.#product(x);
    product.assign(mul(product, now));
    const m = moveAverage(this.#m(x), this.#beta1, g);
    const v = moveAverage(this.#v(x), this.#beta2, square(g));
    const ofMoment = div(mul(this.rate, next), sub(1, mul(product, next)));
    const ofGradient = div(mul(this.rate, sub(1, now)), sub(1, product));
    const c2 = sqrt(sub(1, pow(this.#beta2, t)));
    const divisor = add(div(sqrt(v), c2), this.#epsilon);
    return sub(x, div(add(mul(m, ofMoment), mul(g, ofGradient)), divisor));
  }
}
