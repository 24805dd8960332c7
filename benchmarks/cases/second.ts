/** The second derivative of x·exp(x), elementwise: a gradient of a gradient, where some engines are silently wrong. */

import { type Run, workload } from "../problem.ts";
import { uniform } from "../seeded.ts";

/** Where it is taken. */
export interface Second {
  readonly x: Float32Array;
}

export const secondDerivative = workload<"second">({
  id: "second-derivative",
  title: "second derivative of x·exp(x), 1 000 elements",
  kind: "second",
  problem: () => ({ x: uniform(1, 1000) }),
  checked: 2,
  tolerance: 1e-5,
});

/** By hand: (2 + x)·exp(x). */
export function secondByHand({ x }: Second): Run {
  const y = new Float32Array(x.length);
  return {
    step() {
      for (let i = 0; i < x.length; i++) y[i] = (2 + (x[i] as number)) * Math.exp(x[i] as number);
      return y[0] as number;
    },
    gradients: () => [y],
  };
}
