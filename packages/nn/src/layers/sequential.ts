/** Sequential: modules and functions one after another. */

import { ArgumentError, type Value } from "@adjoint/core";
import { Module } from "../module.ts";

/** A module, or a function of a value. */
export type Layer = Module | ((x: Value) => Value);

/**
 * Layers one after another: each takes what the one before gives.
 *
 * Parameters are named by place: `layers.0.weight`.
 * Throws: ArgumentError for what is neither a module nor a function.
 *
 * @example
 * const model = new Sequential(new Linear(2, 3), relu, new Linear(3, 1));
 * model.forward(value([[1, 2]])).shape // [1, 1]
 */
export class Sequential extends Module {
  readonly layers: readonly Layer[];

  constructor(...layers: readonly Layer[]) {
    super();
    layers.forEach((layer, i) => {
      if (layer instanceof Module || typeof layer === "function") return;
      throw new ArgumentError({
        where: "Sequential",
        expected: "layers must be modules or functions",
        received: `${layer === null ? "null" : Array.isArray(layer) ? "an array" : typeof layer} at place ${i}`,
      });
    });
    this.layers = layers;
  }

  override forward(x: Value): Value {
    return this.layers.reduce((y, layer) => (layer instanceof Module ? layer.forward(y) : layer(y)), x);
  }
}
