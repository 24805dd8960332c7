/** ode: a system of differential equations by the classical Runge–Kutta method. */

import { concat, foriLoop, grad, ones, slice, type Value, zerosLike } from "@adjoint/core";
import { count, tensor } from "../input.ts";
import { type Problem, task } from "../problem.ts";

/** y(2) where y(0) = 0, y₀' = x₀ and yᵢ' = xᵢ yᵢ₋₁, after so many equal steps. */
export function solution(x: Value, steps: number): Value {
  const h = 2 / steps;
  const slope = (y: Value) => x.mul(concat([ones([1]), y.slice([0, -1])]));
  const step = (y: Value) => {
    const k1 = slope(y);
    const k2 = slope(y.add(k1.mul(h / 2)));
    const k3 = slope(y.add(k2.mul(h / 2)));
    const k4 = slope(y.add(k3.mul(h)));
    return y.add(
      k1
        .add(k2.mul(2))
        .add(k3.mul(2))
        .add(k4)
        .mul(h / 6),
    );
  };
  return foriLoop(0, steps, (_, y) => step(y), zerosLike(x));
}

export const ode: Problem = {
  primal: (input) => {
    const steps = count(input, "s", 1);
    return task((x: Value) => solution(x, steps), [tensor(input, "x", null)]);
  },
  gradient: (input) => {
    const steps = count(input, "s", 1);
    const last = (x: Value) => slice(solution(x, steps), -1);
    return task((x: Value) => grad(last)(x), [tensor(input, "x", null)]);
  },
};
