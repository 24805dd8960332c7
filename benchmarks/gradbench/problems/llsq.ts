/** llsq: a polynomial's squared distance from the sign function, at n points in [−1, 1]. */

import { arange, grad, onesLike, sign, sum, type Value } from "@adjoint/core";
import { count, tensor } from "../input.ts";
import { type Problem, task } from "../problem.ts";

/** ½ Σᵢ (sign tᵢ − Σⱼ xⱼ tᵢʲ)², where tᵢ = −1 + 2i/(n − 1) for the given i; powers by repeated multiplication. */
export function distance(x: Value, i: Value): Value {
  const t = i.mul(2 / (i.size - 1)).sub(1);
  let power = onesLike(t);
  let residual = sign(t);
  for (const coefficient of x.unstack()) {
    residual = residual.sub(coefficient.mul(power));
    power = power.mul(t);
  }
  return sum(residual.square()).mul(0.5);
}

const args = (input: unknown): [Value, Value] => [
  tensor(input, "x", null),
  arange(count(input, "n", 2)).cast("float64"),
];

export const llsq: Problem = {
  primal: (input) => task(distance, args(input)),
  gradient: (input) => task((x: Value, i: Value) => grad(distance)(x, i), args(input)),
};
