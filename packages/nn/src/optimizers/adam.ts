/** Adam and its relatives AdamW and AMSGrad. */

import { add, div, maximum, mul, pow, sqrt, square, sub, type Value, zerosLike } from "@adjoint/core";
import { checkOptions, type OptionNames } from "@adjoint/core/operations";
import { fraction, nonNegative, positive } from "../ranges.ts";
import { moveAverage, Optimizer, type OptimizerOptions, type Slot } from "./optimizer.ts";

/** Options of `Adam`, `AdamW` and `AMSGrad`. */
export interface AdamOptions extends OptimizerOptions {
  /** Decay of the average of gradients, in [0, 1). By default 0.9. */
  readonly beta1?: number;
  /** Decay of the average of squared gradients, in [0, 1). By default 0.999. */
  readonly beta2?: number;
  /** Keeps the divisor from 0; > 0. By default 1e-8. */
  readonly epsilon?: number;
}

/** Their names. */
export const ADAM: OptionNames<AdamOptions> = {
  learningRate: true,
  weightDecay: true,
  beta1: true,
  beta2: true,
  epsilon: true,
};

/** What the three share: the step that is subtracted from θ. */
abstract class AdamFamily extends Optimizer {
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;
  readonly #m: Slot;
  readonly #v: Slot;

  constructor(name: string, parameters: Iterable<Value>, options: AdamOptions) {
    checkOptions(name, options, ADAM);
    const { learningRate = 0.001, weightDecay, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
    super(parameters, { name, learningRate, weightDecay });
    this.#beta1 = fraction(name, "beta1", beta1);
    this.#beta2 = fraction(name, "beta2", beta2);
    this.#epsilon = positive(name, "epsilon", epsilon);
    this.#m = this.slot("firstMoment", zerosLike);
    this.#v = this.slot("secondMoment", zerosLike);
  }

  /** The second moment that the step is divided by the root of. */
  protected scale(_x: Value, v: Value): Value {
    return v;
  }

  /** η·m̂/(√v̂ + ε), with m̂ = m/(1 − β₁ᵗ) and v̂ = v/(1 − β₂ᵗ). */
  protected change(x: Value, g: Value, t: Value): Value {
    const m = moveAverage(this.#m(x), this.#beta1, g);
    const v = moveAverage(this.#v(x), this.#beta2, square(g));
    const c1 = sub(1, pow(this.#beta1, t));
    const c2 = sqrt(sub(1, pow(this.#beta2, t)));
    // The factors of v̂ and m̂ are scalars; drawn out of the tensors as at the end of §2 of the paper.
    const rate = div(mul(this.rate, c2), c1);
    return div(mul(m, rate), add(sqrt(this.scale(x, v)), mul(c2, this.#epsilon)));
  }
}

/**
 * Adam: steps along an average of gradients, scaled by the root of an average of their squares. `learningRate` is
 * 0.001 by default.
 *
 * m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; θ ← θ − η·m̂/(√v̂ + ε) with m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).
 * Throws: ArgumentError for options out of range.
 * Source: Kingma & Ba, Adam: A Method for Stochastic Optimization (2015), Algorithm 1; torch.optim.Adam is the same.
 *
 * @example
 * const x = parameter(3);
 * const optimizer = new Adam([x], { learningRate: 0.1 });
 * x.square().backward();
 * optimizer.step();
 * x // ~2.9
 */
export class Adam extends AdamFamily {
  constructor(parameters: Iterable<Value>, options: AdamOptions = {}) {
    super("Adam", parameters, options);
  }

  protected override update(x: Value, g: Value, t: Value): Value {
    return sub(x, this.change(x, g, t));
  }
}

/**
 * Adam with weight decay apart from the gradient. `weightDecay` λ is 0.01 by default.
 *
 * θ ← (1 − ηλ)θ, then as Adam; λθ does not enter the moments.
 * Throws: ArgumentError for options out of range.
 * Source: Loshchilov & Hutter, Decoupled Weight Decay Regularization (2019), Algorithm 2, in PyTorch's form
 * (torch.optim.AdamW), where η, not only the paper's schedule multiplier, scales the decay.
 *
 * @example
 * const x = parameter(3);
 * const optimizer = new AdamW([x], { learningRate: 0.1, weightDecay: 0.1 });
 * x.square().backward();
 * optimizer.step();
 * x // ~2.87
 */
export class AdamW extends AdamFamily {
  readonly #decay: number;

  constructor(parameters: Iterable<Value>, options: AdamOptions = {}) {
    const { weightDecay = 0.01, ...others } = checkOptions("AdamW", options, ADAM);
    super("AdamW", parameters, others);
    this.#decay = nonNegative("AdamW", "weightDecay", weightDecay);
  }

  protected override update(x: Value, g: Value, t: Value): Value {
    const decayed = mul(x, sub(1, mul(this.rate, this.#decay)));
    return sub(decayed, this.change(x, g, t));
  }
}

/**
 * Adam that never lets the divisor shrink: it takes the largest v so far.
 *
 * v′ ← max(v′, v); θ ← θ − η·m̂/(√(v′/(1 − β₂ᵗ)) + ε).
 * Throws: ArgumentError for options out of range.
 * Source: Reddi, Kale & Kumar, On the Convergence of Adam and Beyond (2018), Algorithm 2, with Adam's corrections of
 * the averages, which the paper leaves out and PyTorch has (torch.optim.Adam with amsgrad=True).
 *
 * @example
 * const x = parameter(3);
 * const optimizer = new AMSGrad([x], { learningRate: 0.1 });
 * x.square().backward();
 * optimizer.step();
 * x // ~2.9
 */
export class AMSGrad extends AdamFamily {
  readonly #largest: Slot;

  constructor(parameters: Iterable<Value>, options: AdamOptions = {}) {
    super("AMSGrad", parameters, options);
    this.#largest = this.slot("largestSecondMoment", zerosLike);
  }

  protected override scale(x: Value, v: Value): Value {
    const largest = this.#largest(x);
    return largest.assign(maximum(largest, v));
  }

  protected override update(x: Value, g: Value, t: Value): Value {
    return sub(x, this.change(x, g, t));
  }
}
