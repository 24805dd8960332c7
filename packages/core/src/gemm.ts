/**
 * The matrix product of plain JavaScript: blocked, packed into float64 panels, a 4 × 4 register tile. Packing reads
 * through strides, so a transposed operand costs nothing.
 *
 * Source of the blocking: Goto & van de Geijn, Anatomy of High-Performance Matrix Multiplication (2008). The tile is
 * the fastest of eight measured (docs/decisions/0003-eager-products.md).
 */

import type { TypedArray } from "./dtype.ts";

/** A matrix within an array: where it starts and how far apart its rows and columns are. */
export interface Matrix {
  readonly data: TypedArray;
  readonly start: number;
  readonly row: number;
  readonly column: number;
}

const TILE = 4;
/** Depth of a block: its panels of A (ROWS × DEPTH) fit the second-level cache. */
const DEPTH = 256;
const ROWS = 96;
/** Below this many multiplications packing costs more than it saves. */
const SMALL = 4096;

/** Writes the n × m product of a (n × k) and b (k × m), row-major, at `start` in `out`. Sums are float64. */
export function gemm(
  n: number,
  m: number,
  k: number,
  a: Matrix,
  b: Matrix,
  out: TypedArray,
  start: number,
): void {
  if (n * m * k < SMALL || n === 1 || m === 1) {
    small(n, m, k, a, b, out, start);
    return;
  }
  const columns = Math.ceil(m / TILE) * TILE;
  const rows = Math.ceil(n / TILE) * TILE;
  const depth = Math.min(k, DEPTH);
  const panelA = new Float64Array(Math.min(rows, ROWS) * depth);
  const panelB = new Float64Array(columns * depth);
  const sums = new Float64Array(rows * columns);
  for (let l = 0; l < k; l += DEPTH) {
    const deep = Math.min(DEPTH, k - l);
    pack(b.data, b.start + l * b.row, b.column, b.row, m, deep, panelB);
    for (let i = 0; i < n; i += ROWS) {
      const high = Math.min(ROWS, n - i);
      pack(a.data, a.start + i * a.row + l * a.column, a.row, a.column, high, deep, panelA);
      for (let j = 0; j < m; j += TILE) {
        for (let r = 0; r < high; r += TILE) {
          tile(deep, panelA, r * deep, panelB, j * deep, sums, (i + r) * columns + j, columns);
        }
      }
    }
  }
  for (let i = 0, o = start; i < n; i++) {
    for (let j = 0, from = i * columns; j < m; j++) out[o++] = sums[from++] as number;
  }
}

/** Copies `count` vectors of length `depth` into panels of TILE, neighbours side by side; missing ones are zero. */
function pack(
  data: TypedArray,
  start: number,
  across: number,
  along: number,
  count: number,
  depth: number,
  panel: Float64Array,
): void {
  let o = 0;
  for (let j = 0; j < count; j += TILE) {
    const wide = Math.min(TILE, count - j);
    for (let l = 0; l < depth; l++) {
      let from = start + j * across + l * along;
      for (let jj = 0; jj < wide; jj++, from += across) panel[o + jj] = data[from] as number;
      for (let jj = wide; jj < TILE; jj++) panel[o + jj] = 0;
      o += TILE;
    }
  }
}

/** Adds a 4 × 4 tile of the product into `sums`. */
function tile(
  depth: number,
  a: Float64Array,
  p: number,
  b: Float64Array,
  q: number,
  sums: Float64Array,
  at: number,
  width: number,
): void {
  let s00 = 0,
    s01 = 0,
    s02 = 0,
    s03 = 0;
  let s10 = 0,
    s11 = 0,
    s12 = 0,
    s13 = 0;
  let s20 = 0,
    s21 = 0,
    s22 = 0,
    s23 = 0;
  let s30 = 0,
    s31 = 0,
    s32 = 0,
    s33 = 0;
  for (const end = p + depth * TILE; p < end; p += TILE, q += TILE) {
    const b0 = b[q] as number;
    const b1 = b[q + 1] as number;
    const b2 = b[q + 2] as number;
    const b3 = b[q + 3] as number;
    const a0 = a[p] as number;
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3;
    const a1 = a[p + 1] as number;
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3;
    const a2 = a[p + 2] as number;
    s20 += a2 * b0;
    s21 += a2 * b1;
    s22 += a2 * b2;
    s23 += a2 * b3;
    const a3 = a[p + 3] as number;
    s30 += a3 * b0;
    s31 += a3 * b1;
    s32 += a3 * b2;
    s33 += a3 * b3;
  }
  sums[at] = (sums[at] as number) + s00;
  sums[at + 1] = (sums[at + 1] as number) + s01;
  sums[at + 2] = (sums[at + 2] as number) + s02;
  sums[at + 3] = (sums[at + 3] as number) + s03;
  at += width;
  sums[at] = (sums[at] as number) + s10;
  sums[at + 1] = (sums[at + 1] as number) + s11;
  sums[at + 2] = (sums[at + 2] as number) + s12;
  sums[at + 3] = (sums[at + 3] as number) + s13;
  at += width;
  sums[at] = (sums[at] as number) + s20;
  sums[at + 1] = (sums[at + 1] as number) + s21;
  sums[at + 2] = (sums[at + 2] as number) + s22;
  sums[at + 3] = (sums[at + 3] as number) + s23;
  at += width;
  sums[at] = (sums[at] as number) + s30;
  sums[at + 1] = (sums[at + 1] as number) + s31;
  sums[at + 2] = (sums[at + 2] as number) + s32;
  sums[at + 3] = (sums[at + 3] as number) + s33;
}

/** The product by its definition, for sizes where nothing else pays; the fast one is tested against it. */
export function small(
  n: number,
  m: number,
  k: number,
  a: Matrix,
  b: Matrix,
  out: TypedArray,
  start: number,
): void {
  let o = start;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let sum = 0;
      let p = a.start + i * a.row;
      let q = b.start + j * b.column;
      for (let l = 0; l < k; l++, p += a.column, q += b.row)
        sum += (a.data[p] as number) * (b.data[q] as number);
      out[o++] = sum;
    }
  }
}
