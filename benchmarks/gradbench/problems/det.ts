/** det: a determinant by minors, along the first row of what is left, down to single elements. */

import { grad, slice, sum, take, type Value, value } from "@adjoint/core";
import { count, tensor } from "../input.ts";
import { type Problem, task } from "../problem.ts";

/** Minors of this size are written out. Those of 3 columns have no smaller one in common: nothing is left out. */
const WRITTEN = 3;

/**
 * The determinant of [n, n]: the recursion taken level by level, with one element for each of the n!/r! ways to get to
 * a minor of r rows by leaving out one column after the other. No minor that recurs is taken from elsewhere: products
 * are as many as in the recursion, (e − 1)·n! for large n.
 */
export function determinant(a: Value): Value {
  const n = a.shape[0] as number;
  const smallest = Math.min(n, WRITTEN);
  const levels = columnsLeft(n, smallest);
  const columns = levels.pop() as readonly Value[];
  const rows = Array.from({ length: smallest }, (_, i) => slice(a, n - smallest + i));
  let minors = written(rows.map((row) => columns.map((left) => take(row, left))));
  levels.reverse().forEach((left, i) => {
    const r = smallest + 1 + i;
    const row = slice(a, n - r);
    // One column of `minors` for each that the row's element leaves out.
    const elements = left.map((column) => take(row, column));
    minors = expanded(elements, minors.reshape([-1, r]).unstack(1));
  });
  return sum(minors);
}

/** The determinant of rows of numbers, or of as many matrices as these have elements. */
function written([first, ...below]: readonly (readonly Value[])[]): Value {
  const row = first as readonly Value[];
  if (below.length === 0) return row[0] as Value;
  return expanded(
    row,
    row.map((_, j) => written(below.map((entries) => entries.filter((_, column) => column !== j)))),
  );
}

/** Σⱼ (−1)ʲ elementⱼ·minorⱼ. */
function expanded(elements: readonly Value[], minors: readonly Value[]): Value {
  const products = elements.map((x, j) => x.mul(minors[j] as Value));
  return products.reduce((total, product, j) => (j % 2 === 0 ? total.add(product) : total.sub(product)));
}

/** For 0, 1, … columns left out, down to `smallest`: which are left, first to last, for each way to leave them out. */
function columnsLeft(n: number, smallest: number): (readonly Value[])[] {
  let left = Array.from({ length: n }, (_, j) => Int32Array.of(j));
  const levels = [left];
  while (left.length > smallest) {
    const ways = left;
    left = Array.from({ length: ways.length - 1 }, (_, place) => {
      // With column j left out, the one at a place is the one that was there, or behind it.
      const [there, behind] = ways.slice(place) as [Int32Array, Int32Array];
      const next = new Int32Array(there.length * ways.length);
      for (let way = 0, at = 0; way < there.length; way++) {
        for (let j = 0; j < ways.length; j++) next[at++] = (j <= place ? behind : there)[way] as number;
      }
      return next;
    });
    levels.push(left);
  }
  return levels.map((columns) => columns.map((column) => value(column, { copy: false })));
}

const args = (input: unknown): [Value] => {
  const ell = count(input, "ell", 1);
  return [tensor(input, "A", ell * ell).reshape([ell, ell])];
};

export const det: Problem = {
  primal: (input) => task(determinant, args(input)),
  gradient: (input) => task((a: Value) => grad(determinant)(a).reshape([-1]), args(input)),
};
