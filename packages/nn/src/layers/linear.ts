/** Linear: a learned matrix product and shift. */

import { add, type DType, matmul, parameter, type Shape, ShapeError, type Value } from "@adjoint/core";
import { checkOptions, formatShape, type OptionNames, sameShape } from "@adjoint/core/operations";
import { fanInUniform, type Initializer, zeros } from "../initializers.ts";
import { Module } from "../module.ts";
import { count } from "../ranges.ts";
import { generatorOf, type RandomOptions } from "../seed.ts";

/** Options of `Linear`. */
export interface LinearOptions extends RandomOptions {
  /** Whether to add a bias. By default true. */
  readonly bias?: boolean;
  /** First weights; by default `fanInUniform`, as in PyTorch. */
  readonly initializer?: Initializer;
  /** First biases; by default `zeros`. */
  readonly biasInitializer?: Initializer;
  /** float32 (the default) or float64. */
  readonly dtype?: DType;
}

const LINEAR: OptionNames<LinearOptions> = {
  bias: true,
  initializer: true,
  biasInitializer: true,
  dtype: true,
  generator: true,
  seed: true,
};

/**
 * x Wᵀ + b: each output a weighted sum of all inputs.
 *
 * Shape: x [..., inFeatures] → [..., outFeatures]; weight [outFeatures, inFeatures], bias [outFeatures].
 * Throws: ArgumentError for sizes that are not whole or below 1, ShapeError where x has another number of features.
 *
 * @example
 * const layer = new Linear(3, 2, { seed: 1 });
 * layer.forward(value([[1, 2, 3]])).shape // [1, 2]
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** [outFeatures, inFeatures]. */
  readonly weight: Value;
  /** [outFeatures], or null where there is none. */
  readonly bias: Value | null;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    checkOptions("Linear", options, LINEAR);
    this.inFeatures = count("Linear", "inFeatures", inFeatures);
    this.outFeatures = count("Linear", "outFeatures", outFeatures);
    const { bias = true, initializer = fanInUniform, biasInitializer = zeros, dtype = "float32" } = options;
    const generator = generatorOf("Linear", options);
    const first = (label: string, shape: Shape, from: Initializer) =>
      initialized(label, from(shape, generator.next(), dtype), shape, dtype);
    this.weight = first("weight", [outFeatures, inFeatures], initializer);
    this.bias = bias ? first("bias", [outFeatures], biasInitializer) : null;
  }

  override forward(x: Value): Value {
    if (x.shape.at(-1) !== this.inFeatures) {
      throw new ShapeError({
        where: "Linear",
        expected: `the last axis of x must have size ${this.inFeatures}`,
        received: `shape ${formatShape(x.shape)}`,
      });
    }
    const y = matmul(x, this.weight, { transposeB: true });
    return this.bias === null ? y : add(y, this.bias);
  }

  protected override get description(): string {
    return `Linear ${this.inFeatures} → ${this.outFeatures}`;
  }
}

/** A parameter of an initialiser's numbers. */
function initialized(label: string, numbers: Value, shape: Shape, dtype: DType): Value {
  if (!sameShape(numbers.shape, shape)) {
    throw new ShapeError({
      where: "Linear",
      expected: `the initializer of ${label} must return shape ${formatShape(shape)}`,
      received: formatShape(numbers.shape),
    });
  }
  return parameter(numbers, { label, dtype });
}
