/**
 * The matrix product: blocked, packed into float64 panels, a 4 × 4 register tile. Packing reads through strides, so a
 * transposed operand costs nothing.
 *
 * Source of the blocking: Goto & van de Geijn, Anatomy of High-Performance Matrix Multiplication (2008). The tile is
 * the fastest of those measured (docs/decisions/0003-eager-products.md).
 */

import { dense, type Matrix } from "./dense.ts";
import type { TypedArray } from "./dtype.ts";
import { TILE, type Workspace, workspaceOf } from "./tiles.ts";

/** Sizes of a block: one of A, one of B and their product, together less than 2 MB, stay in a second-level cache. */
const [ROWS, COLUMNS, DEPTH] = [192, 384, 256];
/** Below this many multiplications packing costs more than it saves. */
const SMALL = 4096;

/** Where blocks are multiplied: numbers of A's block, then B's, then the sums. */
const [RIGHT, SUMS, END] = [
  ROWS * DEPTH,
  (ROWS + COLUMNS) * DEPTH,
  (ROWS + COLUMNS) * DEPTH + ROWS * COLUMNS,
];

let workspace: Workspace | null = null;

/**
 * Writes the n × m product of a (n × k) and b (k × m), row-major, at `start` in `out`. Sums are float64, but those of a
 * library.
 */
export function gemm(
  n: number,
  m: number,
  k: number,
  a: Matrix,
  b: Matrix,
  out: TypedArray,
  start: number,
): void {
  if (dense.product?.(n, m, k, a, b, out, start)) return;
  if (n === 1 && b.column < b.row) {
    rowTimes(m, k, a, b, out, start);
    return;
  }
  if (m === 1 && a.row < a.column) {
    rowTimes(n, k, transposed(b), transposed(a), out, start);
    return;
  }
  if (n * m * k < SMALL || n === 1 || m === 1) {
    small(n, m, k, a, b, out, start);
    return;
  }
  workspace ??= workspaceOf(8 * END);
  const { floats, tiles } = workspace;
  for (let j = 0; j < m; j += COLUMNS) {
    const wide = Math.min(COLUMNS, m - j);
    const right = Math.ceil(wide / TILE);
    const width = right * TILE;
    for (let i = 0; i < n; i += ROWS) {
      const high = Math.min(ROWS, n - i);
      const left = Math.ceil(high / TILE);
      floats.fill(0, SUMS, SUMS + left * TILE * width);
      for (let l = 0; l < k; l += DEPTH) {
        const deep = Math.min(DEPTH, k - l);
        pack(a.data, a.start + i * a.row + l * a.column, a.row, a.column, high, deep, floats, 0);
        // A block of B that is the same for all rows is packed once.
        if (i === 0 || k > DEPTH)
          pack(b.data, b.start + l * b.row + j * b.column, b.column, b.row, wide, deep, floats, RIGHT);
        tiles(0, 8 * RIGHT, 8 * SUMS, left, right, 8 * TILE * deep, 8 * width);
      }
      for (let r = 0; r < high; r++) {
        let o = start + (i + r) * m + j;
        for (let from = SUMS + r * width, end = from + wide; from < end; )
          out[o++] = floats[from++] as number;
      }
    }
  }
}

const transposed = ({ data, start, row, column }: Matrix): Matrix => ({
  data,
  start,
  row: column,
  column: row,
});

/** The product of a row of k numbers with a k × m matrix, whose rows are read as they lie; otherwise as `small`. */
function rowTimes(m: number, k: number, a: Matrix, b: Matrix, out: TypedArray, start: number): void {
  const sums = new Float64Array(m);
  for (let l = 0; l < k; l++) {
    const x = a.data[a.start + l * a.column] as number;
    let from = b.start + l * b.row;
    for (let j = 0; j < m; j++, from += b.column)
      sums[j] = (sums[j] as number) + x * (b.data[from] as number);
  }
  out.set(sums, start);
}

/** Copies `count` vectors of length `depth` into strips of TILE, neighbours side by side, from `at` on; missing ones are zero. */
function pack(
  data: TypedArray,
  start: number,
  across: number,
  along: number,
  count: number,
  depth: number,
  panel: Float64Array,
  at: number,
): void {
  let o = at;
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
