/** hello: the square of a number, and its derivative. */

import { grad, type Value } from "@adjoint/core";
import { scalar } from "../input.ts";
import { type Problem, task } from "../problem.ts";

/** x². */
export function square(x: Value): Value {
  return x.mul(x);
}

export const hello: Problem = {
  square: (input) => task(square, [scalar(input, "the input")]),
  double: (input) => task((x: Value) => grad(square)(x), [scalar(input, "the input")]),
};
