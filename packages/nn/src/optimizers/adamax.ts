/** AdaMax. */

import { abs, add, div, maximum, mul, pow, sub, type Value, zerosLike } from "@adjoint/core";
import { checkOptions } from "@adjoint/core/operations";
import { fraction, positive } from "../ranges.ts";
import { ADAM, type AdamOptions } from "./adam.ts";
import { moveAverage, Optimizer, type Slot } from "./optimizer.ts";

/**
 * AdaMax: Adam with the largest recent gradient in place of the root of the mean square. `learningRate` is 0.002 by
 * default.
 *
 * m ← β₁m + (1 − β₁)g; u ← max(β₂u, |g| + ε); θ ← θ − η/(1 − β₁ᵗ)·m/u.
 * Throws: ArgumentError for options out of range.
 * Source: Kingma & Ba, Adam: A Method for Stochastic Optimization (2015), Algorithm 2; ε, which the paper leaves out,
 * as in PyTorch (torch.optim.Adamax).
 *
 * @example
 * const x = parameter(3);
 * const optimizer = new AdaMax([x], { learningRate: 0.1 });
 * x.square().backward();
 * optimizer.step();
 * x // ~2.9
 */
export class AdaMax extends Optimizer {
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;
  readonly #m: Slot;
  readonly #u: Slot;

  constructor(parameters: Iterable<Value>, options: AdamOptions = {}) {
    checkOptions("AdaMax", options, ADAM);
    const { learningRate = 0.002, weightDecay, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
    super(parameters, { name: "AdaMax", learningRate, weightDecay });
    this.#beta1 = fraction("AdaMax", "beta1", beta1);
    this.#beta2 = fraction("AdaMax", "beta2", beta2);
    this.#epsilon = positive("AdaMax", "epsilon", epsilon);
    this.#m = this.slot("firstMoment", zerosLike);
    this.#u = this.slot("infinityNorm", zerosLike);
  }

  protected override update(x: Value, g: Value, t: Value): Value {
    const m = moveAverage(this.#m(x), this.#beta1, g);
    const u = this.#u(x);
    u.assign(maximum(mul(u, this.#beta2), add(abs(g), this.#epsilon)));
    const rate = div(this.rate, sub(1, pow(this.#beta1, t)));
    return sub(x, div(mul(m, rate), u));
  }
}
