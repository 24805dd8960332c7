/** Affine indices: made, added, and taken apart along axes. */

import type { Shape } from "@adjoint/core";
import { stridesOf } from "@adjoint/core/operations";
import type { Affine, Counter, Term } from "./language.ts";

/** A number that no counter moves. */
export function fixed(offset: number): Affine {
  return { offset, terms: [] };
}

/** A counter itself; one that never moves is 0. */
export function counted(counter: Counter): Affine {
  return counter.extent === 1 ? fixed(0) : { offset: 0, terms: [{ counter, step: 1 }] };
}

const ZERO = fixed(0);

/** offset + Σ steps[i]·indices[i]. */
export function combined(offset: number, steps: readonly number[], indices: readonly Affine[]): Affine {
  if (indices.length === 0) return offset === 0 ? ZERO : fixed(offset);
  let sum = offset;
  // There are few counters: a list is searched sooner than a table is made.
  const counters: Counter[] = [];
  const steppings: number[] = [];
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as Affine;
    const scale = steps[i] as number;
    sum += scale * index.offset;
    for (const { counter, step } of index.terms) {
      const at = counters.indexOf(counter);
      if (at >= 0) steppings[at] = (steppings[at] as number) + scale * step;
      else steppings[counters.push(counter) - 1] = scale * step;
    }
  }
  const terms: Term[] = [];
  for (let i = 0; i < counters.length; i++) {
    const step = steppings[i] as number;
    if (step !== 0) terms.push({ counter: counters[i] as Counter, step });
  }
  return { offset: sum, terms };
}

/** An index where a counter is another index. */
export function substituted({ offset, terms }: Affine, counter: Counter, index: Affine): Affine {
  return combined(
    offset,
    terms.map(({ step }) => step),
    terms.map((term) => (term.counter === counter ? index : counted(term.counter))),
  );
}

/** Indices along the axes of a shape as one into its row-major elements. */
export function flattened(indices: readonly Affine[], shape: Shape): Affine {
  if (shape.length === 0) return ZERO;
  return combined(0, stridesOf(shape), indices);
}

/** The same index, whatever the order of its terms. */
export function sameAffine(a: Affine, b: Affine): boolean {
  if (a === b) return true;
  if (a.offset !== b.offset || a.terms.length !== b.terms.length) return false;
  return a.terms.every(({ counter, step }) =>
    b.terms.some((other) => other.counter === counter && other.step === step),
  );
}

/**
 * An index into row-major elements as indices along the axes of a shape: the inverse of `flattened`. Null where that is
 * not affine, because a counter runs across the end of an axis.
 */
export function unflattened(index: Affine, shape: Shape): Affine[] | null {
  const strides = stridesOf(shape);
  let { offset, terms } = index;
  const indices: Affine[] = [];
  for (const [axis, n] of shape.entries()) {
    if (n === 1) {
      indices.push(fixed(0));
      continue;
    }
    const stride = strides[axis] as number;
    const own = terms.filter(({ step }) => Math.abs(step) >= stride && step % stride === 0);
    terms = terms.filter((term) => !own.includes(term));
    const start = Math.floor(rangeOf({ offset, terms }).least / stride);
    offset -= start * stride;
    const along: Affine = {
      offset: start,
      terms: own.map(({ counter, step }) => ({ counter, step: step / stride })),
    };
    const { least, most } = rangeOf(along);
    if (least < 0 || most >= n || rangeOf({ offset, terms }).most >= stride) return null;
    indices.push(along);
  }
  return terms.length === 0 && offset === 0 ? indices : null;
}

/** The least and the most that an index gets. */
export function rangeOf({ offset, terms }: Affine): { least: number; most: number } {
  let [least, most] = [offset, offset];
  for (const { counter, step } of terms) {
    const reach = step * (counter.extent - 1);
    if (reach < 0) least += reach;
    else most += reach;
  }
  return { least, most };
}

/** Whether there is nothing in a space. */
export function isEmpty(counters: readonly Counter[]): boolean {
  return counters.some(({ extent }) => extent === 0);
}

/** Whether an index meets no element twice over the whole space of its counters. */
export function isInjective({ terms }: Affine, counters: readonly Counter[]): boolean {
  if (isEmpty(counters)) return true;
  const moving = counters.filter(({ extent }) => extent > 1);
  if (!moving.every((counter) => terms.some((term) => term.counter === counter))) return false;
  const sorted = terms
    .map(({ counter, step }) => ({ step: Math.abs(step), reach: Math.abs(step) * (counter.extent - 1) }))
    .sort((a, b) => a.step - b.step);
  let reached = 0;
  for (const { step, reach } of sorted) {
    if (step <= reached) return false;
    reached += reach;
  }
  return true;
}
