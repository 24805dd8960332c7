/** How a product is computed: by which tiles, in which blocks, and what is packed first. */

import { type Lanes, lanesOf } from "./code.ts";
import type { Product } from "./shape.ts";

/** The way of one product through its tiles. */
export interface Plan {
  readonly lanes: Lanes;
  readonly method: "outer" | "dots";
  /** Which operands are packed. */
  readonly packs: { readonly a: boolean; readonly b: boolean };
  /** Rows and columns of a tile. */
  readonly rows: number;
  readonly columns: number;
  /** Terms that are summed before they are added to c: a multiple of every number of lanes. */
  readonly depth: number;
  /** Panels (a tile's columns) that are gone through, and packed, at a time. */
  readonly panels: number;
  /** Strips (a tile's rows) that one call computes. */
  readonly strips: number;
  /** What is counted as units. */
  readonly axis: "strips" | "panels";
}

/** Bytes of a first-level cache that one operand may take, and of a second-level one. */
const firstLevel = 32 * 1024;
const secondLevel = 256 * 1024;

/** Rows so many bytes apart, or a multiple of that, share too few of the first-level cache's sets to stay in it. */
const conflictingStride = 1024;

/** Multiplications of one call: an engine puts optimised code to use when the function is called next. */
const multiplicationsOfCall = 1 << 19;

/**
 * The plan for a product in the form that `orient` gives it, not an empty one.
 *
 * Every limit is measured: docs/decisions/0011-wasm-products.md.
 */
export function planOf({ dtype, n, m, k, a, b, fused }: Product): Plan {
  const lanes = lanesOf(dtype);
  const method = a.column === 1 && b.row === 1 && n <= 16 && k >= 2 * n + 8 ? "dots" : "outer";
  const conflicts = (b.row * lanes.bytes) % conflictingStride === 0;
  const fits = k * m * lanes.bytes <= firstLevel;
  const direct = b.column === 1 && (b.row > 0 || k === 1) && (fits || n <= (conflicts ? 8 : 64));
  const packs = {
    a: method === "outer" && a.row === 1 && m >= 64 && k * a.column * lanes.bytes > 4 * firstLevel,
    b: method === "outer" && !direct,
  };

  const [rows, columns] = method === "dots" ? [Math.min(n, 2), Math.min(m, 4)] : tileOf(n, m, lanes, fused);
  const limit = method === "dots" ? 1024 : packs.b || fits ? 256 : n <= 3 ? 16 : conflicts ? 64 : 32;
  const depth = 4 * Math.ceil(k / Math.ceil(k / limit) / 4);
  const panels = Math.max(1, Math.floor(secondLevel / (depth * columns * lanes.bytes)));
  const strips = Math.ceil(multiplicationsOfCall / (rows * depth * Math.min(m, panels * columns)));
  const manyPanels = Math.ceil(m / columns) >= Math.min(8, Math.ceil(n / rows));
  return {
    lanes,
    method,
    packs,
    rows,
    columns,
    depth,
    panels,
    strips,
    axis: manyPanels ? "panels" : "strips",
  };
}

/** Rows and columns of a tile whose sums, with the vectors that are added to them, fit into 15 registers. */
function tileOf(n: number, m: number, { count }: Lanes, fused: boolean): [rows: number, columns: number] {
  if (n <= 3) return [n, Math.min(m, [6, 4, 2][n - 1]! * count)];
  if (m <= count) return [Math.min(n, 6), m];
  if (fused && m > 2 * count && m <= 3 * count) return [3, m];
  return [4, Math.min(m, 2 * count)];
}
