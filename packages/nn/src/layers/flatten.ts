/** Flatten: several axes as one. */

import { ArgumentError, reshape, ShapeError, type Value } from "@adjoint/core";
import { formatShape } from "@adjoint/core/operations";
import { Module } from "../module.ts";

/**
 * The axes from `startAxis` (by default 1, which leaves a batch's examples apart) on as one.
 *
 * Shape: [n0, …, n(start), …, nk] → [n0, …, n(start)·…·nk]. Throws: ShapeError where x has no such axis.
 *
 * @example
 * new Flatten().forward(value([[[1, 2], [3, 4]]])) // [[1, 2, 3, 4]]
 */
export class Flatten extends Module {
  readonly startAxis: number;

  constructor(startAxis = 1) {
    super();
    if (!Number.isInteger(startAxis) || startAxis < 0) {
      throw new ArgumentError({
        where: "Flatten",
        expected: "startAxis must be a whole number ≥ 0",
        received: String(startAxis),
      });
    }
    this.startAxis = startAxis;
  }

  override forward(x: Value): Value {
    if (x.rank <= this.startAxis) {
      throw new ShapeError({
        where: "Flatten",
        expected: `x must have more than ${this.startAxis} ax${this.startAxis === 1 ? "is" : "es"}`,
        received: `shape ${formatShape(x.shape)}`,
      });
    }
    const kept = x.shape.slice(0, this.startAxis);
    const joined = x.shape.slice(this.startAxis).reduce((size, n) => size * n, 1);
    return reshape(x, [...kept, joined]);
  }
}
