/** sum(tanh(sin x · x) + exp(−x²)): elementwise work that a compiler fuses into one pass over memory. */

import { type Run, workload } from "../problem.ts";
import { uniform } from "../seeded.ts";

/** Where the function is taken, and whether its gradient is asked for. */
export interface Smooth {
  readonly x: Float32Array;
  readonly gradient: boolean;
}

/** A problem of `size` elements. */
export function smooth(size: number, gradient: boolean): Smooth {
  return { x: uniform(1, size, 3), gradient };
}

// Float32 sums of 10⁶ elements are 1.6e-3 off in TensorFlow.js's wasm backend and in jax-js; the column of errors says so.
const tolerance = 5e-3;

export const smoothValue = workload<"smooth">({
  id: "smooth-value",
  title: "sum(tanh(sin x·x) + exp(−x²)), 1e6 elements, value alone",
  kind: "smooth",
  problem: () => smooth(1e6, false),
  checked: 1,
  tolerance,
});

export const smoothGradient = workload<"smooth">({
  id: "smooth-gradient",
  title: "sum(tanh(sin x·x) + exp(−x²)), 1e6 elements, value and gradient",
  kind: "smooth",
  problem: () => smooth(1e6, true),
  checked: 1,
  tolerance,
  value: "smooth-value",
});

/** By hand: d/dx = (1 − tanh²(x sin x))·(sin x + x cos x) − 2x·exp(−x²). */
export function smoothByHand({ x, gradient }: Smooth): Run {
  const dx = new Float32Array(gradient ? x.length : 0);
  const value = () => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) {
      const t = x[i] as number;
      sum += Math.tanh(Math.sin(t) * t) + Math.exp(-t * t);
    }
    return sum;
  };
  const both = () => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) {
      const t = x[i] as number;
      const s = Math.sin(t);
      const h = Math.tanh(s * t);
      const e = Math.exp(-t * t);
      sum += h + e;
      dx[i] = (1 - h * h) * (s + t * Math.cos(t)) - 2 * t * e;
    }
    return sum;
  };
  return gradient ? { step: both, gradients: () => [dx] } : { step: value };
}
