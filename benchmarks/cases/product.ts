/** Products of square matrices: alone, and as sum(relu(A·B)) with both gradients. */

import { type Run, workload } from "../problem.ts";
import { uniform } from "../seeded.ts";

/** Matrices [n, n]: their product alone, or sum(relu(A·B)) with the gradients by both. */
export interface Product {
  readonly n: number;
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly gradient: boolean;
}

/** A problem of size n. */
export function product(n: number, gradient: boolean): Product {
  return { n, a: uniform(1, n * n), b: uniform(2, n * n), gradient };
}

function alone(n: number) {
  return workload<"product">({
    id: `product-${n}`,
    title: `A·B, ${n} × ${n}`,
    kind: "product",
    problem: () => product(n, false),
    checked: 1,
    tolerance: 1e-3,
    flops: 2 * n ** 3,
  });
}

export const products = [alone(64), alone(512)];

export const productGradient = workload<"product">({
  id: "product-gradient",
  title: "sum(relu(A·B)), 512 × 512, both gradients",
  kind: "product",
  problem: () => product(512, true),
  checked: 1,
  tolerance: 1e-3,
  flops: 6 * 512 ** 3,
});

/** By hand, by plain loops that walk rows. */
export function productByHand({ n, a, b, gradient }: Product): Run {
  const c = new Float32Array(n * n);
  const multiply = () => {
    c.fill(0);
    for (let i = 0; i < n; i++) {
      for (let l = 0; l < n; l++) {
        const x = a[i * n + l] as number;
        for (let j = 0; j < n; j++) c[i * n + j] = (c[i * n + j] as number) + x * (b[l * n + j] as number);
      }
    }
  };
  // The product is its own answer: its last element as value, all of it to compare.
  if (!gradient) {
    return {
      step: () => {
        multiply();
        return c.at(-1) as number;
      },
      gradients: () => [c],
    };
  }
  const [da, db] = [new Float32Array(n * n), new Float32Array(n * n)];
  const step = () => {
    multiply();
    let sum = 0;
    for (let i = 0; i < c.length; i++) {
      const y = c[i] as number;
      if (y > 0) sum += y;
      c[i] = y > 0 ? 1 : 0;
    }
    da.fill(0);
    db.fill(0);
    for (let i = 0; i < n; i++) {
      for (let l = 0; l < n; l++) {
        const x = a[i * n + l] as number;
        let dot = 0;
        for (let j = 0; j < n; j++) {
          const dy = c[i * n + j] as number;
          dot += dy * (b[l * n + j] as number);
          db[l * n + j] = (db[l * n + j] as number) + dy * x;
        }
        da[i * n + l] = dot;
      }
    }
    return sum;
  };
  return { step, gradients: () => [da, db] };
}
