/** Polynomials in lane instructions. */

import type { Lanes } from "./lanes.ts";

/**
 * A polynomial by its coefficients, the constant first: Horner's rule, in two chains by x² where one would be long, so
 * that a processor has something to do while it waits.
 */
export function polynomial<T, M>(coefficients: readonly number[], x: T, m: Lanes<T, M>): T {
  if (coefficients.length < 8) return horner(coefficients, x, m);
  const square = m.mul(x, x);
  const even = coefficients.filter((_, power) => power % 2 === 0);
  const odd = coefficients.filter((_, power) => power % 2 === 1);
  return m.madd(x, horner(odd, square, m), horner(even, square, m));
}

/** The same in one chain: for coefficients of alternating signs, where the halves would be large and cancel. */
export function horner<T, M>(coefficients: readonly number[], x: T, m: Lanes<T, M>): T {
  const last = coefficients.length - 1;
  let sum = m.constant(coefficients[last]!);
  for (let power = last - 1; power >= 0; power--) {
    sum = m.madd(sum, x, m.constant(coefficients[power]!));
  }
  return sum;
}
