/** useBlas: core's products, convolutions and linear algebra by the machine's BLAS and LAPACK. */

import { ArgumentError } from "@adjoint/core";
import {
  checkOptions,
  type DenseRoutines,
  describe,
  type OptionNames,
  useDense,
} from "@adjoint/core/operations";
import { LibraryError } from "../errors.ts";
import { findLibrary, hasLargeStack, type Library, usualPaths } from "../system/blas.ts";
import { type Least, routinesOf } from "./routines.ts";

/** Options of `useBlas`. */
export interface BlasOptions {
  /** The library's path, or its name where the system finds it by that; by default the first of the usual ones. */
  readonly library?: string;
  /**
   * How many threads it may use for large work; by default as many as it takes by itself. One where koffi had loaded another
   * library before this package was imported: its calls then have too small a stack for more.
   */
  readonly threads?: number;
}

const OPTIONS: OptionNames<BlasOptions> = { library: true, threads: true };

/** A library, and what it is used for. */
export interface BlasInUse {
  readonly path: string;
  /** Maker, version and kernels, as far as the library tells. */
  readonly description: string;
  /** How many threads it may use for large work; null where it does not tell. */
  readonly threads: number | null;
  /** The routines that it does. */
  readonly routines: readonly string[];
}

/** Below these own code is as fast, or so little slower that its digits are preferred. */
export const LEAST: Least = {
  product: 1000,
  cholesky: 24,
  lu: 24,
  triangular: 4096,
  qr: 12,
  symmetricEigen: 12,
  realEigen: 8,
  singularValues: 8,
};

/** What a library would be used for, and on how many threads; nothing is changed. */
export function offerOf(
  library: Library,
  threads: number | null,
): { readonly offer: BlasInUse; readonly routines: DenseRoutines } {
  const count = hasLargeStack ? (threads ?? library.ownThreads) : 1;
  const routines = routinesOf(library, count, LEAST);
  const { path, description } = library;
  return { offer: { path, description, threads: count, routines: Object.keys(routines) }, routines };
}

/**
 * Lets a BLAS library of the machine do what core does with dense matrices from now on: products (and so convolutions and
 * `einsum`), Cholesky, LU and QR factorisations, triangular systems, eigenvalues and singular values, with all that is
 * made of them. Eager operations use it, and those that core evaluates for compiled programs; small ones stay core's.
 *
 * Signs, orders, infinities and NaN are core's. Numbers differ from core's by rounding, and from one library, processor or number
 * of threads to the other; sums of float32 products are float32. With these the same they are the same on every run.
 * `useDense({})` of `@adjoint/core/operations` gives all back to core.
 *
 * Throws: LibraryError where there is none; ArgumentError for threads that are no number of them.
 *
 * @example
 * machine().blas === null || useBlas().routines.includes("product") // true
 */
export function useBlas(options: BlasOptions = {}): BlasInUse {
  const { library: path, threads } = checkOptions("useBlas", options, OPTIONS);
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0)) {
    throw new ArgumentError({
      where: "useBlas",
      expected: "threads must be a whole number ≥ 1",
      received: describe(threads),
    });
  }
  const library = findLibrary(path ?? null);
  if (library === null) {
    throw new LibraryError({
      where: "useBlas",
      expected: "a BLAS library must be there",
      received: `none of ${(path === undefined ? usualPaths() : [path]).join(", ")}`,
      advice: "Install one, for example OpenBLAS, or name another's path as library.",
    });
  }
  const { offer, routines } = offerOf(library, threads ?? null);
  useDense(routines);
  return offer;
}
