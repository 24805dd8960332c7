/** Numbers as sums of two lanes, for what one lane has too few digits for. */

import type { Lanes } from "./lanes.ts";

/**
 * The upper half of a number's digits: products of two such are exact. What it lacks, a − upper(a), is as short.
 *
 * Domain: |a| below the largest number divided by 2^13 (float32) or 2^28 (float64). Source: Veltkamp's splitting, in
 * Dekker, A floating-point technique for extending the available precision (1971).
 */
export function upper<T, M>(a: T, m: Lanes<T, M>): T {
  const shifted = m.mul(a, m.constant(m.dtype === "float32" ? 2 ** 12 + 1 : 2 ** 27 + 1));
  return m.sub(shifted, m.sub(shifted, a));
}
