/** Activations: the nonlinear functions between layers, by name and as modules. */

import { ArgumentError, relu, sigmoid, softmax, softplus, tanh, type Value } from "@adjoint/core";
import { Module } from "../module.ts";

/** A function from values to values of the same shape. */
export type Activation = (x: Value) => Value;

/**
 * The activations by name.
 *
 * @example
 * activations.relu(value([-1, 2])) // [0, 2]
 */
export const activations = {
  relu,
  sigmoid,
  softmax: (x: Value): Value => softmax(x),
  softplus,
  tanh,
} as const satisfies Record<string, Activation>;

/** A name in `activations`. */
export type ActivationName = keyof typeof activations;

/** The function of a name; functions stay as they are. */
export function activationOf(where: string, option: string, given: ActivationName | Activation): Activation {
  if (typeof given === "function") return given;
  if (Object.hasOwn(activations, given)) return activations[given];
  throw new ArgumentError({
    where,
    expected: `${option} must be a function or one of ${Object.keys(activations).join(", ")}`,
    received: JSON.stringify(given),
  });
}

/**
 * max(x, 0) as a module. Shape: unchanged.
 *
 * @example
 * new ReLU().forward(value([-1, 2])) // [0, 2]
 */
export class ReLU extends Module {
  override forward(x: Value): Value {
    return relu(x);
  }
}

/**
 * tanh x as a module. Shape: unchanged.
 *
 * @example
 * new Tanh().forward(value([0, 1])) // [0, 0.7615941559557649]
 */
export class Tanh extends Module {
  override forward(x: Value): Value {
    return tanh(x);
  }
}

/**
 * 1/(1 + e^−x) as a module. Shape: unchanged.
 *
 * @example
 * new Sigmoid().forward(value([0])) // [0.5]
 */
export class Sigmoid extends Module {
  override forward(x: Value): Value {
    return sigmoid(x);
  }
}

/**
 * ln(1 + e^x) as a module. Shape: unchanged.
 *
 * @example
 * new Softplus().forward(value([0])) // [0.6931471805599453]
 */
export class Softplus extends Module {
  override forward(x: Value): Value {
    return softplus(x);
  }
}

/**
 * e^x / Σ e^x along an axis, by default the last, as a module. Shape: unchanged.
 *
 * For training prefer `softmaxCrossEntropy` of what goes in here: it keeps digits that the logarithm of a softmax
 * loses.
 *
 * @example
 * new Softmax().forward(value([0, 0])) // [0.5, 0.5]
 */
export class Softmax extends Module {
  readonly axis: number;

  constructor(axis = -1) {
    super();
    this.axis = axis;
  }

  override forward(x: Value): Value {
    return softmax(x, this.axis);
  }
}
