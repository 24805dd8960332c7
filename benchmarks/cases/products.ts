/** Float32 matrix products, eager. */

import { matmul, random } from "@adjoint/core";

/** n × k times k × m; returns one element. */
export function adjointProduct(n: number, m: number, k: number): () => number {
  const a = random.uniform(random.key(1), [n, k], { low: -1 });
  const b = random.uniform(random.key(2), [k, m], { low: -1 });
  return () => matmul(a, b).data[n * m - 1] as number;
}

/** The product by three plain loops in the order that walks rows, float32 throughout. */
export function plainProduct(n: number, m: number, k: number): () => number {
  const a = random.uniform(random.key(1), [n, k], { low: -1 }).data;
  const b = random.uniform(random.key(2), [k, m], { low: -1 }).data;
  return () => {
    const c = new Float32Array(n * m);
    for (let i = 0; i < n; i++) {
      for (let l = 0; l < k; l++) {
        const x = a[i * k + l] as number;
        for (let j = 0; j < m; j++) c[i * m + j] = (c[i * m + j] as number) + x * (b[l * m + j] as number);
      }
    }
    return c[n * m - 1] as number;
  };
}
