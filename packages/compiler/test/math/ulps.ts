/** Errors in units in the last place. */

import { abs, magnitude, type Real, real, scale, sub, toNumber } from "./real.ts";

/** How far y is from the exact result, in units in the last place of a float64 as large as that. */
export function ulps(y: number, exact: Real): number {
  const error = abs(sub(real(y), exact));
  return toNumber(scale(error, -Math.max(Math.floor(magnitude(exact)) - 52, -1074)));
}

/** The same for a float32 whose exact value is known as a float64. Zeros have signs, and NaN and infinities no neighbours. */
export function ulpsOfSingle(y: number, exact: number): number {
  const rounded = Math.fround(exact);
  if (Object.is(y, rounded)) return 0;
  if (isNegative(y) !== isNegative(rounded)) return Infinity;
  // Beside the largest numbers either neighbour will do, Infinity or not.
  if (Math.abs(exact) > 3.40282e38 && Math.abs(y) > 3.40282e38) return 0;
  return Math.abs(y - exact) / 2 ** Math.max(Math.floor(Math.log2(Math.abs(exact))) - 23, -149);
}

function isNegative(x: number): boolean {
  return x < 0 || Object.is(x, -0);
}
