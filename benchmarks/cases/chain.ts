/** Chains of additions and products of scalars, recorded and swept: the cost of one eager operation. */

import { type Run, workload } from "../problem.ts";

/** `repeats` chains of `length` operations: v ← v + x, v ← v·y, in turn. */
export interface Chain {
  readonly length: number;
  readonly repeats: number;
  readonly x: number;
  readonly y: number;
}

/** What a scalar engine must offer. */
export interface ChainScalar<S> {
  add(other: S): S;
  mul(other: S): S;
}

/** One chain; its result depends on x and y through every operation. */
export function chain<S extends ChainScalar<S>>(x: S, y: S, length: number): S {
  let v = x;
  for (let i = 0; i < length; i += 2) v = v.add(x).mul(y);
  return v;
}

export const chains = workload<"chain">({
  id: "chain",
  title: "100 chains of 1 000 scalar operations, gradients",
  kind: "chain",
  problem: () => ({ length: 1000, repeats: 100, x: 0.5, y: 0.9 }),
  checked: 1,
  tolerance: 1e-12,
  operations: 100_000,
  // C compilers take about a millisecond for each operation of a straight line.
  without: ["native", "native-threads"],
});

export const longChain = workload<"chain">({
  id: "long-chain",
  title: "a chain of 100 000 scalar operations, gradients",
  kind: "chain",
  problem: () => ({ length: 100_000, repeats: 1, x: 0.5, y: 0.9 }),
  checked: 1,
  tolerance: 1e-12,
  operations: 100_000,
  without: ["native", "native-threads"],
});

export const deepChain = workload<"chain">({
  id: "deep-chain",
  title: "a chain of 1 000 000 scalar operations, gradients",
  kind: "chain",
  problem: () => ({ length: 1_000_000, repeats: 1, x: 0.5, y: 0.9 }),
  checked: 1,
  tolerance: 1e-12,
  operations: 1_000_000,
  // Compiled, its first step takes more time and memory than all other work; `long-chain` shows what an operation costs.
  without: ["compiled", "threads", "native", "native-threads"],
});

/** By hand: the value forward, then both cotangents backward over the values kept. */
export function chainByHand({ length, repeats, x, y }: Chain): Run {
  const sums = new Float64Array(length / 2);
  let [dx, dy] = [0, 0];
  return {
    step() {
      let v = x;
      for (let r = 0; r < repeats; r++) {
        v = x;
        for (let i = 0; i < sums.length; i++) {
          const sum = v + x;
          sums[i] = sum;
          v = sum * y;
        }
        [dx, dy] = [0, 0];
        let dv = 1;
        for (let i = sums.length - 1; i >= 0; i--) {
          dy += dv * (sums[i] as number);
          dv *= y;
          dx += dv;
        }
        dx += dv;
      }
      return v;
    },
    gradients: () => [[dx], [dy]],
  };
}
