/** x·y + z on [2, 2], summed, with all three gradients: what a call costs before any arithmetic. */

import { type Run, workload } from "../problem.ts";
import { uniform } from "../seeded.ts";

/** Three operands of shape [2, 2]. */
export interface Tiny {
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly z: Float32Array;
}

export const tiny = workload<"tiny">({
  id: "tiny",
  title: "x·y + z on [2, 2] with its gradients, a call",
  kind: "tiny",
  problem: () => ({ x: uniform(1, 4), y: uniform(2, 4), z: uniform(3, 4) }),
  checked: 2,
  tolerance: 1e-5,
});

/** By hand. */
export function tinyByHand({ x, y, z }: Tiny): Run {
  let gradients: Float32Array[] = [];
  return {
    step() {
      const [dx, dy, dz] = [new Float32Array(4), new Float32Array(4), new Float32Array(4)];
      let sum = 0;
      for (let i = 0; i < 4; i++) {
        sum += (x[i] as number) * (y[i] as number) + (z[i] as number);
        dx[i] = y[i] as number;
        dy[i] = x[i] as number;
        dz[i] = 1;
      }
      gradients = [dx, dy, dz];
      return sum;
    },
    gradients: () => gradients,
  };
}
