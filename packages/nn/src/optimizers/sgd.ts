/** Stochastic gradient descent, with momentum. */

import { ArgumentError, add, mul, sub, type Value, where, zerosLike } from "@adjoint/core";
import { checkOptions, type OptionNames } from "@adjoint/core/operations";
import { fraction, nonNegative } from "../ranges.ts";
import { Optimizer, type OptimizerOptions, type Slot } from "./optimizer.ts";

/** Options of `SGD`. */
export interface SGDOptions extends OptimizerOptions {
  /** μ: how much of the velocity stays from step to step; ≥ 0. By default 0: no velocity is kept. */
  readonly momentum?: number;
  /** τ: how much of each gradient but the first is left out of the velocity, in [0, 1). By default 0. */
  readonly dampening?: number;
  /** Whether to step along the gradient ahead, as Nesterov. By default false. */
  readonly nesterov?: boolean;
}

const SGD_NAMES: OptionNames<SGDOptions> = {
  learningRate: true,
  weightDecay: true,
  momentum: true,
  dampening: true,
  nesterov: true,
};

/**
 * Stochastic gradient descent. `learningRate` is 0.01 by default.
 *
 * θ ← θ − η·g; with momentum μ: b ← μ·b + (1 − τ)·g (at first b = g), then θ ← θ − η·b, or with `nesterov`
 * θ ← θ − η·(g + μ·b).
 * Throws: ArgumentError for options out of range, for `nesterov` without momentum or with dampening.
 * Source: Sutskever, Martens, Dahl & Hinton, On the Importance of Initialization and Momentum in Deep Learning (2013),
 * §2, in PyTorch's form (torch.optim.SGD), where η multiplies the velocity instead of entering it.
 *
 * @example
 * const x = parameter(3);
 * const optimizer = new SGD([x], { learningRate: 0.1 });
 * x.square().backward();
 * optimizer.step();
 * x // 2.4
 */
export class SGD extends Optimizer {
  readonly #momentum: number;
  readonly #dampening: number;
  readonly #nesterov: boolean;
  readonly #velocity: Slot | null;

  constructor(parameters: Iterable<Value>, options: SGDOptions = {}) {
    checkOptions("SGD", options, SGD_NAMES);
    const { learningRate = 0.01, weightDecay, momentum = 0, dampening = 0, nesterov = false } = options;
    super(parameters, { name: "SGD", learningRate, weightDecay });
    this.#momentum = nonNegative("SGD", "momentum", momentum);
    this.#dampening = fraction("SGD", "dampening", dampening);
    this.#nesterov = nesterov;
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new ArgumentError({
        where: "SGD",
        expected: "nesterov needs momentum > 0 and dampening 0",
        received: `momentum ${momentum} and dampening ${dampening}`,
      });
    }
    this.#velocity = momentum === 0 ? null : this.slot("velocity", zerosLike);
  }

  protected override update(x: Value, g: Value, t: Value): Value {
    if (this.#velocity === null) return sub(x, mul(g, this.rate));
    const b = this.#velocity(x);
    const added = this.#dampening === 0 ? g : mul(g, where(t.eq(1), 1, 1 - this.#dampening));
    b.assign(add(mul(b, this.#momentum), added));
    const direction = this.#nesterov ? add(g, mul(b, this.#momentum)) : b;
    return sub(x, mul(direction, this.rate));
  }
}
