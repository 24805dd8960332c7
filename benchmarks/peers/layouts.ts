/** Data in the order that peers want it. */

/** [n, m] as [m, n]. */
export function transposed(data: Float32Array, n: number, m: number): Float32Array {
  return Float32Array.from({ length: n * m }, (_, i) => data[(i % n) * m + Math.floor(i / n)] as number);
}

/** Classes as rows with a 1 each. */
export function oneHot(classes: Int32Array, size: number): Float32Array {
  const rows = new Float32Array(classes.length * size);
  classes.forEach((chosen, i) => {
    rows[i * size + chosen] = 1;
  });
  return rows;
}
