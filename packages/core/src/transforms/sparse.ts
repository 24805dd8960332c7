/** Sparse Jacobians and Hessians: the pattern from the graph, columns coloured, derivatives compressed. */

import { ArgumentError, describe } from "../errors.ts";
import { captureTypes } from "../graph/capture.ts";
import { type AnyOperation, filled, operand } from "../op.ts";
import { reshape } from "../ops/movement.ts";
import { take } from "../ops/selection.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { state } from "../state.ts";
import { withRecording } from "../sweep/backward.ts";
import { tensorType } from "../tensor-type.ts";
import { constant, isValue, type Operand, type Value } from "../value.ts";
import { grad } from "./grad.ts";
import { linearize } from "./jacobian.ts";
import { vmap } from "./vmap.ts";

type F = (x: Value) => Value;

/** A matrix of which only the entries of a pattern are kept: compressed sparse rows. */
export interface SparseMatrix {
  readonly rows: number;
  readonly columns: number;
  /** For each row, where its entries begin in `indices` and `values`; one more at the end. */
  readonly starts: Int32Array;
  /** The column of each entry, ascending within a row. */
  readonly indices: Int32Array;
  /** The entries: a value of shape [entries]. */
  readonly values: Value;
}

/** Where a matrix may have entries that are not 0, in compressed sparse rows. */
export type SparsityPattern = Omit<SparseMatrix, "values">;

/**
 * Which elements of f's output depend on which of its input, found from the graph of f for the type of `x`: it holds
 * for every value of that shape and dtype.
 *
 * Elementwise operations, movement, indexing, sums, extremes and matrix products are followed element by element; any
 * other operation is taken to mix all its elements.
 *
 * @example
 * sparsityPattern((x) => mul(x, x), [1, 2, 3]).indices // [0, 1, 2]
 */
export function sparsityPattern(f: F, x: Operand): SparsityPattern {
  const { type } = operand("sparsityPattern", x);
  const graph = captureTypes([type], ([input]) => {
    const y = f(input as Value);
    if (isValue(y)) return [y];
    throw new ArgumentError({
      where: "sparsityPattern",
      expected: "f must return a value",
      received: describe(y),
    });
  });
  const [y] = graph.outputs as [Value];
  const sets = new Map<Value, Dependencies>();
  sets.set(
    graph.inputs[0] as Value,
    Array.from({ length: type.size }, (_, i) => Int32Array.of(i)),
  );
  for (const node of graph.nodes) sets.set(node, dependenciesOf(node, sets));
  const rows = sets.get(y) ?? new Array<Int32Array>(y.size).fill(NONE);
  return compressed(rows, type.size);
}

/** For each element of a value, the input elements it depends on, ascending. */
type Dependencies = readonly Int32Array[];

const NONE = new Int32Array(0);

function dependenciesOf(node: Value, known: ReadonlyMap<Value, Dependencies>): Dependencies {
  const op = node.op as AnyOperation;
  const out = new Array<Int32Array>(node.size).fill(NONE);
  if (!op.differentiable) return out;
  const spread = op.spread?.(node.inputs, node.attributes as never, node.type);
  node.inputs.forEach((input, k) => {
    const from = known.get(input);
    if (from === undefined || op.elementwise?.pulls[k] === null) return;
    const edges = spread?.[k] ?? null;
    if (edges === null) {
      const all = from.reduce(union, NONE);
      for (let o = 0; o < out.length; o++) out[o] = union(out[o] as Int32Array, all);
    } else {
      for (let e = 0; e < edges.length; e += 2) {
        const o = edges[e] as number;
        out[o] = union(out[o] as Int32Array, from[edges[e + 1] as number] as Int32Array);
      }
    }
  });
  return out;
}

/** The union of two ascending lists. */
function union(a: Int32Array, b: Int32Array): Int32Array {
  if (a === b || b.length === 0) return a;
  if (a.length === 0) return b;
  const merged: number[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const x = i < a.length ? (a[i] as number) : Infinity;
    const y = j < b.length ? (b[j] as number) : Infinity;
    merged.push(Math.min(x, y));
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return merged.length === a.length ? a : merged.length === b.length ? b : Int32Array.from(merged);
}

function compressed(rows: Dependencies, columns: number): SparsityPattern {
  const starts = new Int32Array(rows.length + 1);
  rows.forEach((row, i) => {
    starts[i + 1] = (starts[i] as number) + row.length;
  });
  const indices = new Int32Array(starts[rows.length] as number);
  rows.forEach((row, i) => {
    indices.set(row, starts[i]);
  });
  return { rows: rows.length, columns, starts, indices };
}

/**
 * Colours columns so that no two of one colour have entries in one row; returns each column's colour. Columns in the
 * order of falling degree take the first colour that is free.
 *
 * Source: Curtis, Powell & Reid, On the Estimation of Sparse Jacobian Matrices (1974); the order is Welsh & Powell's
 * (1967).
 */
export function colourColumns({ rows, columns, starts, indices }: SparsityPattern): Int32Array {
  const rowsOf: number[][] = Array.from({ length: columns }, () => []);
  for (let i = 0; i < rows; i++) {
    for (let e = starts[i] as number; e < (starts[i + 1] as number); e++)
      rowsOf[indices[e] as number]?.push(i);
  }
  const colours = new Int32Array(columns).fill(-1);
  const seenBy = new Int32Array(columns).fill(-1);
  const order = Array.from({ length: columns }, (_, j) => j).sort(
    (a, b) => (rowsOf[b] as number[]).length - (rowsOf[a] as number[]).length || a - b,
  );
  for (const j of order) {
    for (const i of rowsOf[j] as number[]) {
      for (let e = starts[i] as number; e < (starts[i + 1] as number); e++) {
        const colour = colours[indices[e] as number] as number;
        if (colour >= 0) seenBy[colour] = j;
      }
    }
    let colour = 0;
    while (seenBy[colour] === j) colour++;
    colours[j] = colour;
  }
  return colours;
}

/** What a sparse derivative may reuse: a pattern and a colouring found before. */
export interface SparseOptions {
  /** By default found from the graph of f. */
  readonly pattern?: SparsityPattern;
}

const SPARSE: OptionNames<SparseOptions> = { pattern: true };

/**
 * The Jacobian of a function of one value, as compressed sparse rows over the flattened output and input.
 *
 * The pattern depends on shapes only: find it once with `sparsityPattern` and pass it on. One forward pass a colour,
 * all in one batch.
 *
 * @example
 * const chain = (x: Value) => mul(slice(x, [1, null]), slice(x, [0, -1]));
 * sparseJacobian(chain, value([1, 2, 3])).values // [2, 1, 3, 2]
 */
export function sparseJacobian(f: F, x: Operand, options: SparseOptions = {}): SparseMatrix {
  checkOptions("sparseJacobian", options, SPARSE);
  const input = operand("sparseJacobian", x);
  const pattern = options.pattern ?? sparsityPattern(f, input);
  const colours = colourColumns(pattern);
  const count = Math.max(0, ...colours.map((colour) => colour + 1));
  const [y, push] = linearize(f, input);
  if (pattern.rows !== y.size || pattern.columns !== input.size) {
    throw new ArgumentError({
      where: "sparseJacobian",
      expected: `the pattern must be of ${y.size} rows and ${input.size} columns`,
      received: `${pattern.rows} and ${pattern.columns}`,
    });
  }
  if (count === 0) return { ...pattern, values: filled(tensorType([0], y.dtype), 0) };
  const seeds = new Float64Array(count * input.size);
  colours.forEach((colour, j) => {
    seeds[colour * input.size + j] = 1;
  });
  const directions = constant(tensorType([count, ...input.shape], "float64"), seeds);
  const map = vmap((t: Value) => push(t));
  const pushed = withRecording(state.recording && y.tracked, () => map(directions));
  const products = reshape(pushed, [count * y.size]);
  const places = new Int32Array(pattern.indices.length);
  for (let i = 0; i < pattern.rows; i++) {
    for (let e = pattern.starts[i] as number; e < (pattern.starts[i + 1] as number); e++) {
      places[e] = (colours[pattern.indices[e] as number] as number) * pattern.rows + i;
    }
  }
  return { ...pattern, values: take(products, constant(tensorType([places.length], "int32"), places), 0) };
}

/**
 * The Hessian of a scalar function of one value, as compressed sparse rows: the sparse Jacobian of its gradient.
 *
 * @example
 * sparseHessian((x) => sum(mul(x, mul(x, x))), [1, 2]).values // [6, 12]
 */
export function sparseHessian(f: F, x: Operand, options: SparseOptions = {}): SparseMatrix {
  checkOptions("sparseHessian", options, SPARSE);
  return sparseJacobian(grad(f as (x: Value) => Value) as F, x, options);
}
