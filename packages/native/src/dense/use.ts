/** useBlas: core's products, convolutions and linear algebra by the machine's BLAS and LAPACK. */

import { ArgumentError } from "@adjoint/core";
import { checkOptions, describe, type OptionNames, useDense } from "@adjoint/core/operations";
import { LibraryError } from "../errors.ts";
import { findLibrary, hasLargeStack, usualPaths } from "../system/blas.ts";
import { type Least, routinesOf } from "./routines.ts";

/** Options of `useBlas`. */
export interface BlasOptions {
  /** The library's path, or its name where the system finds it by that; by default the first of the usual ones. */
  readonly library?: string;
  /** How many threads it may use; by default as many as it takes by itself. */
  readonly threads?: number;
}

const OPTIONS: OptionNames<BlasOptions> = { library: true, threads: true };

/** What `useBlas` found. */
export interface BlasInUse {
  readonly path: string;
  /** Maker, version and kernels, as far as the library tells. */
  readonly description: string;
  /** How many threads it uses; null where it does not tell. */
  readonly threads: number | null;
  /** The routines that it does. */
  readonly routines: readonly string[];
}

/** Below these own code is as fast, or so little slower that its digits are preferred. */
export const LEAST: Least = {
  product: 512,
  cholesky: 24,
  lu: 24,
  triangular: 8192,
  qr: 12,
  symmetricEigen: 12,
  realEigen: 8,
  singularValues: 8,
};

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
  const count = hasLargeStack ? (threads ?? library.ownThreads) : 1;
  const routines = routinesOf(library, count, LEAST);
  useDense(routines);
  return {
    path: library.path,
    description: library.description,
    threads: count,
    routines: Object.keys(routines),
  };
}
