/** Adagrad. */

import { add, div, mul, sqrt, square, sub, type Value, zerosLike } from "@adjoint/core";
import { checkOptions, type OptionNames } from "@adjoint/core/operations";
import { nonNegative, positive } from "../ranges.ts";
import { Optimizer, type OptimizerOptions, type Slot } from "./optimizer.ts";

/** Options of `Adagrad`. */
export interface AdagradOptions extends OptimizerOptions {
  /** Decay of the learning rate: at step t it is η/(1 + (t − 1)·decay); ≥ 0. By default 0. */
  readonly decay?: number;
  /** What the sum of squares starts from; ≥ 0. By default 0. */
  readonly initialAccumulator?: number;
  /** Keeps the divisor from 0; > 0. By default 1e-10. */
  readonly epsilon?: number;
}

const ADAGRAD: OptionNames<AdagradOptions> = {
  learningRate: true,
  weightDecay: true,
  decay: true,
  initialAccumulator: true,
  epsilon: true,
};

/**
 * Adagrad: divides by the root of the sum of all squared gradients. `learningRate` is 0.01 by default.
 *
 * G ← G + g²; θ ← θ − η·g/(√G + ε).
 * Throws: ArgumentError for options out of range.
 * Source: Duchi, Hazan & Singer, Adaptive Subgradient Methods (2011), §1.1, the diagonal case; ε outside the root and
 * the decay as in PyTorch (torch.optim.Adagrad).
 *
 * @example
 * const x = parameter(3);
 * const optimizer = new Adagrad([x], { learningRate: 0.1 });
 * x.square().backward();
 * optimizer.step();
 * x // ~2.9
 */
export class Adagrad extends Optimizer {
  readonly #decay: number;
  readonly #epsilon: number;
  readonly #sum: Slot;

  constructor(parameters: Iterable<Value>, options: AdagradOptions = {}) {
    checkOptions("Adagrad", options, ADAGRAD);
    const { learningRate = 0.01, weightDecay, decay = 0, initialAccumulator = 0, epsilon = 1e-10 } = options;
    super(parameters, { name: "Adagrad", learningRate, weightDecay });
    this.#decay = nonNegative("Adagrad", "decay", decay);
    this.#epsilon = positive("Adagrad", "epsilon", epsilon);
    nonNegative("Adagrad", "initialAccumulator", initialAccumulator);
    this.#sum = this.slot("squaredSum", (x) => add(zerosLike(x), initialAccumulator));
  }

  protected override update(x: Value, g: Value, t: Value): Value {
    const sum = this.#sum(x);
    sum.assign(add(sum, square(g)));
    const rate = div(this.rate, add(1, mul(sub(t, 1), this.#decay)));
    return sub(x, div(mul(g, rate), add(sqrt(sum), this.#epsilon)));
  }
}
