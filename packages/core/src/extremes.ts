/** Extremes: the least and the largest of a value's elements, found once. */

import type { TypedArray } from "./dtype.ts";
import type { Value } from "./value.ts";

/** The least and the largest element; of no element +∞ and −∞. */
export interface Extremes {
  readonly least: number;
  readonly most: number;
}

/** The extremes of integers. */
export function extremes(data: TypedArray): Extremes {
  if (data.length === 0) return { least: Number.POSITIVE_INFINITY, most: Number.NEGATIVE_INFINITY };
  let least = data[0] as number;
  let most = least;
  // A loop: there may be millions.
  for (let i = 1; i < data.length; i++) {
    const x = data[i] as number;
    if (x < least) least = x;
    else if (x > most) most = x;
  }
  return { least, most };
}

/** Of fewer elements the extremes are found again sooner than looked up. */
const FEW = 64;

/** What was found of values' data; what an assignment has replaced since is looked at again. */
const known = new WeakMap<Value, { readonly data: TypedArray; readonly found: Extremes }>();

/** The extremes of a value of integers whose data is known. Indices are asked for theirs again and again. */
export function extremesOf(x: Value): Extremes {
  const { data } = x;
  if (data.length < FEW) return extremes(data);
  const before = known.get(x);
  if (before?.data === data) return before.found;
  const found = extremes(data);
  known.set(x, { data, found });
  return found;
}
