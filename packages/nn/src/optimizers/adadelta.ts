/** Adadelta. */

import { add, div, mul, sqrt, square, sub, type Value, zerosLike } from "@adjoint/core";
import { checkOptions, type OptionNames } from "@adjoint/core/operations";
import { fraction, positive } from "../ranges.ts";
import { moveAverage, Optimizer, type OptimizerOptions, type Slot } from "./optimizer.ts";

/** Options of `Adadelta`. */
export interface AdadeltaOptions extends OptimizerOptions {
  /** ρ: decay of both averages, in [0, 1). By default 0.9. */
  readonly rho?: number;
  /** Starts the first steps and keeps the divisor from 0; > 0. By default 1e-6. */
  readonly epsilon?: number;
}

const ADADELTA: OptionNames<AdadeltaOptions> = {
  learningRate: true,
  weightDecay: true,
  rho: true,
  epsilon: true,
};

/**
 * Adadelta: scales steps by what earlier steps were, so that they have θ's units. `learningRate` is 1 by default.
 *
 * v ← ρv + (1 − ρ)g²; Δ = √(u + ε)/√(v + ε)·g; u ← ρu + (1 − ρ)Δ²; θ ← θ − η·Δ.
 * Throws: ArgumentError for options out of range.
 * Source: Zeiler, ADADELTA: An Adaptive Learning Rate Method (2012), Algorithm 1; η as in PyTorch
 * (torch.optim.Adadelta), the paper has η = 1.
 *
 * @example
 * const x = parameter(3);
 * const optimizer = new Adadelta([x]);
 * x.square().backward();
 * optimizer.step();
 * x.item() < 3 // true
 */
export class Adadelta extends Optimizer {
  readonly #rho: number;
  readonly #epsilon: number;
  readonly #v: Slot;
  readonly #u: Slot;

  constructor(parameters: Iterable<Value>, options: AdadeltaOptions = {}) {
    checkOptions("Adadelta", options, ADADELTA);
    const { learningRate = 1, weightDecay, rho = 0.9, epsilon = 1e-6 } = options;
    super(parameters, { name: "Adadelta", learningRate, weightDecay });
    this.#rho = fraction("Adadelta", "rho", rho);
    this.#epsilon = positive("Adadelta", "epsilon", epsilon);
    this.#v = this.slot("squaredAverage", zerosLike);
    this.#u = this.slot("squaredChangeAverage", zerosLike);
  }

  protected override update(x: Value, g: Value): Value {
    const v = moveAverage(this.#v(x), this.#rho, square(g));
    const u = this.#u(x);
    const change = mul(sqrt(div(add(u, this.#epsilon), add(v, this.#epsilon))), g);
    moveAverage(u, this.#rho, square(change));
    return sub(x, mul(change, this.rate));
  }
}
