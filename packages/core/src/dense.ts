/** Where a library's routines for dense matrices take the place of core's own. */

import type { TypedArray } from "./dtype.ts";

/** A matrix within an array: where it starts and how far apart its rows and columns are. */
export interface Matrix {
  readonly data: TypedArray;
  readonly start: number;
  readonly row: number;
  readonly column: number;
}

/** Which system a triangular solve solves. */
export interface Triangle {
  /** Whether the lower triangle of a is read, or the upper one. */
  readonly lower: boolean;
  readonly transposeA: boolean;
  readonly unitDiagonal: boolean;
}

/** What elimination does to rows: the row of the input that each came from, and the sign of the permutation. */
export interface Pivoting {
  readonly order: number[];
  readonly sign: number;
}

/** Eigenvalues in any order, and their eigenvectors as the rows of a matrix, of length 1 and any sign. */
export interface Eigenpairs {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/**
 * Routines that core calls before its own, each if it is there. One that gives null (`product`: false) has changed nothing,
 * and core goes on by itself: so small problems are declined, and those whose result is infinite, NaN or no factorisation at
 * all, for which core's own have conventions.
 *
 * Matrices are row-major float64, n × m or n × n, and may be overwritten by a routine that takes them.
 */
export interface DenseRoutines {
  /** Writes the n × m product of a (n × k) and b (k × m), of whatever dtypes, row-major at `start` in `out`. */
  readonly product?: (
    n: number,
    m: number,
    k: number,
    a: Matrix,
    b: Matrix,
    out: TypedArray,
    start: number,
  ) => boolean;
  /** The lower factor of a symmetric matrix, zeros above it. */
  readonly cholesky?: (a: Float64Array, n: number) => Float64Array | null;
  /** Elimination with partial pivoting in place: U on and above the diagonal, the multipliers below it. */
  readonly lu?: (a: Float64Array, n: number, m: number) => Pivoting | null;
  /** Solves a triangular system in place for the m columns of b; a is kept. */
  readonly triangular?: (
    a: Float64Array,
    b: Float64Array,
    n: number,
    m: number,
    triangle: Triangle,
  ) => Float64Array | null;
  /** Q (n × m) above R (m × m) for n ≥ m, with the signs of LAPACK's reflections. */
  readonly qr?: (a: Float64Array, n: number, m: number) => Float64Array | null;
  /** Of a symmetric matrix, with orthonormal vectors. */
  readonly symmetricEigen?: (a: Float64Array, n: number) => Eigenpairs | null;
  /** Of a matrix whose eigenvalues are all real. */
  readonly realEigen?: (a: Float64Array, n: number) => Eigenpairs | null;
  /** U (n × m) above the singular values, descending, above Vᵀ (m × m), for n ≥ m. */
  readonly singularValues?: (a: Float64Array, n: number, m: number) => Float64Array | null;
}

/** The routines that are asked first. */
export let dense: DenseRoutines = {};

/**
 * Lets routines stand in for core's own from now on, and returns those that did so far. `{}` leaves all to core.
 *
 * @example
 * useDense(useDense({})) // {}
 */
export function useDense(routines: DenseRoutines): DenseRoutines {
  const before = dense;
  dense = routines;
  return before;
}
