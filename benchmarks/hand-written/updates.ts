/** Update rules as plain loops: each takes parameters and returns a function that updates them from their gradients. */

import type { Parameter } from "./layers.ts";

/** θ ← θ − η·g. */
export function sgd(parameters: readonly Parameter[], learningRate: number): () => void {
  return () => {
    for (const { data, gradient } of parameters) {
      for (let i = 0; i < data.length; i++) {
        data[i] = (data[i] as number) - learningRate * (gradient[i] as number);
      }
    }
  };
}

/**
 * Adam with β₁ 0.9, β₂ 0.999, ε 1e-8.
 *
 * Source: Kingma & Ba, Adam: A Method for Stochastic Optimization (2015), Algorithm 1.
 */
export function adam(parameters: readonly Parameter[], learningRate: number): () => void {
  const moments = parameters.map(({ data }) => ({
    m: new Float32Array(data.length),
    v: new Float32Array(data.length),
  }));
  let t = 0;
  return () => {
    t++;
    const c1 = 1 - 0.9 ** t;
    const c2 = 1 - 0.999 ** t;
    parameters.forEach(({ data, gradient }, place) => {
      const { m, v } = moments[place] as { m: Float32Array; v: Float32Array };
      for (let i = 0; i < data.length; i++) {
        const g = gradient[i] as number;
        const mean = 0.9 * (m[i] as number) + 0.1 * g;
        const square = 0.999 * (v[i] as number) + 0.001 * g * g;
        m[i] = mean;
        v[i] = square;
        data[i] = (data[i] as number) - (learningRate * (mean / c1)) / (Math.sqrt(square / c2) + 1e-8);
      }
    });
  };
}
