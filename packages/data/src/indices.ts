/** Rows chosen by number: orders, and the two parts of a split. */

import { ArgumentError, type Value } from "@adjoint/core";
import { describe } from "@adjoint/core/operations";

/** Row numbers from 0: a typed array, an array, or an int32 value such as a random permutation. */
export type Indices = ArrayLike<number> | Value;

/** Row numbers from a user as an array that is checked against the number of rows. */
export function checkIndices(where: string, indices: Indices, size: number): ArrayLike<number> {
  const rows = "length" in indices ? indices : indices.data;
  for (let k = 0; k < rows.length; k++) {
    const i = rows[k] as number;
    if (!Number.isInteger(i) || i < 0 || i >= size) {
      throw new ArgumentError({
        where,
        expected: `indices must be whole numbers from 0 to ${size - 1}`,
        received: `${describe(i)} at position ${k}`,
      });
    }
  }
  return rows;
}

/** Checks an order: a permutation of all rows. */
export function checkOrder(where: string, order: Indices, size: number): ArrayLike<number> {
  const rows = checkIndices(where, order, size);
  if (rows.length !== size) {
    throw new ArgumentError({
      where,
      expected: `order must hold every row once, here ${size}`,
      received: String(rows.length),
    });
  }
  const seen = new Uint8Array(size);
  for (let k = 0; k < size; k++) {
    const i = rows[k] as number;
    if (seen[i] === 1) {
      throw new ArgumentError({
        where,
        expected: "order must hold every row once",
        received: `row ${i} twice`,
      });
    }
    seen[i] = 1;
  }
  return rows;
}

/** Checks the bounds of a slice, as `Array.prototype.slice` counts them: negative ones from the end, others cut off. */
export function sliceBounds(where: string, start: number, end: number, size: number): [number, number] {
  for (const bound of [start, end]) {
    if (!Number.isInteger(bound)) {
      throw new ArgumentError({
        where,
        expected: "start and end must be whole numbers",
        received: describe(bound),
      });
    }
  }
  const place = (i: number) => (i < 0 ? Math.max(0, size + i) : Math.min(i, size));
  return [place(start), Math.max(place(start), place(end))];
}

/** How many rows the first part of a split has: the nearest whole number that leaves neither part empty. */
export function splitSize(where: string, fraction: number, size: number): number {
  if (!(fraction > 0 && fraction < 1)) {
    throw new ArgumentError({
      where,
      expected: "fraction must be between 0 and 1",
      received: describe(fraction),
    });
  }
  if (size < 2) {
    throw new ArgumentError({ where, expected: "a split must have at least 2 rows", received: String(size) });
  }
  return Math.min(size - 1, Math.max(1, Math.round(fraction * size)));
}
