/** lse: the logarithm of a sum of exponentials. */

import { exp, grad, log, max, sum, type Value } from "@adjoint/core";
import { tensor } from "../input.ts";
import { type Problem, task } from "../problem.ts";

/** log Σ exp xᵢ; the largest is taken out, so that nothing overflows. */
export function logSumExp(x: Value): Value {
  const largest = max(x);
  return log(sum(exp(x.sub(largest)))).add(largest);
}

export const lse: Problem = {
  primal: (input) => task(logSumExp, [tensor(input, "x", null)]),
  gradient: (input) => task((x: Value) => grad(logSumExp)(x), [tensor(input, "x", null)]),
};
