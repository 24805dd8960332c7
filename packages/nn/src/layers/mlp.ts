/** MLP: the multilayer perceptron. */

import { ArgumentError, type DType, relu, softplus, type Value } from "@adjoint/core";
import { checkOptions, type OptionNames } from "@adjoint/core/operations";
import { heUniform, type Initializer, xavierUniform } from "../initializers.ts";
import { Module } from "../module.ts";
import { generatorOf, type RandomOptions } from "../seed.ts";
import { type Activation, type ActivationName, activationOf } from "./activations.ts";
import { Linear } from "./linear.ts";

/** Options of `MLP`. */
export interface MLPOptions extends RandomOptions {
  /** Between layers: a name or a function. By default relu. */
  readonly activation?: ActivationName | Activation;
  /** After the last layer; by default nothing. */
  readonly outputActivation?: ActivationName | Activation;
  /** First weights; by default `heUniform` with relu and softplus, `xavierUniform` with everything else. */
  readonly initializer?: Initializer;
  /** float32 (the default) or float64. */
  readonly dtype?: DType;
}

const MLP_NAMES: OptionNames<MLPOptions> = {
  activation: true,
  outputActivation: true,
  initializer: true,
  dtype: true,
  generator: true,
  seed: true,
};

/**
 * A multilayer perceptron: linear layers with an activation between them. Biases start at 0.
 *
 * Shape: x [..., sizes[0]] → [..., sizes.at(-1)].
 * Throws: ArgumentError for fewer than two sizes, or sizes that are not whole numbers ≥ 1.
 *
 * @example
 * const model = new MLP([784, 128, 10]);
 * [...model.namedParameters().keys()] // ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]
 */
export class MLP extends Module {
  readonly sizes: readonly number[];
  readonly layers: readonly Linear[];
  readonly activation: Activation;
  readonly outputActivation: Activation | null;

  constructor(sizes: readonly number[], options: MLPOptions = {}) {
    super();
    checkOptions("MLP", options, MLP_NAMES);
    if (!Array.isArray(sizes) || sizes.length < 2 || sizes.some((n) => !Number.isInteger(n) || n < 1)) {
      throw new ArgumentError({
        where: "MLP",
        expected: "sizes must be two or more whole numbers ≥ 1",
        received: Array.isArray(sizes) ? `[${sizes.join(", ")}]` : typeof sizes,
      });
    }
    const { activation = "relu", outputActivation, dtype = "float32" } = options;
    const generator = generatorOf("MLP", options);
    this.sizes = [...sizes];
    this.activation = activationOf("MLP", "activation", activation);
    this.outputActivation =
      outputActivation === undefined ? null : activationOf("MLP", "outputActivation", outputActivation);
    const rectifies = this.activation === relu || this.activation === softplus;
    const initializer = options.initializer ?? (rectifies ? heUniform : xavierUniform);
    this.layers = this.sizes
      .slice(1)
      .map((out, i) => new Linear(this.sizes[i] as number, out, { initializer, dtype, generator }));
  }

  override forward(x: Value): Value {
    const y = this.layers.reduce((h, layer, i) => layer.forward(i === 0 ? h : this.activation(h)), x);
    return this.outputActivation === null ? y : this.outputActivation(y);
  }

  protected override get description(): string {
    return `MLP ${this.sizes.join(" → ")}`;
  }
}
