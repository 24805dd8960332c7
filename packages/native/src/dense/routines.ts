/**
 * Core's dense routines by those of a library. Fortran's matrices lie by columns, so that core's a is to them aᵀ; most
 * routines are chosen so that this is what they want.
 *
 * What core's own give for infinite, NaN and singular matrices is a convention. So factorisations take finite matrices, and
 * decline where what a library finds is not finite or not what was asked for.
 */

import type { DenseRoutines, Pivoting, Triangle } from "@adjoint/core/operations";
import type { Library, Memory } from "../system/blas.ts";
import { letter, one, word, wordAt } from "./fortran.ts";
import { productOf } from "./product.ts";

/** From how much work on a library is asked: multiplications, or columns of what is factored. */
export interface Least {
  readonly product: number;
  readonly cholesky: number;
  readonly lu: number;
  readonly triangular: number;
  readonly qr: number;
  readonly symmetricEigen: number;
  readonly realEigen: number;
  readonly singularValues: number;
}

/** Calls a routine on the threads that so many multiplications are worth. */
export type Run = (work: number, routine: () => void) => void;

/** More multiplications than these are shared among threads: below, waiting for each other costs what they gain, or more. */
const SHARED = 2 ** 25;

type Numbers = Float64Array;

/** The places of a routine's verdict, and of how much room it has. */
const [INFO, SIZE] = [7, 6] as const;

/** Core's routines by a library's, as far as it has them, on so many threads. */
export function routinesOf(library: Library, threads: number | null, least: Least): DenseRoutines {
  const run: Run = (work, routine) => {
    const before = library.useThreads(work > SHARED ? threads : 1);
    try {
      routine();
    } finally {
      library.useThreads(before);
    }
  };
  return {
    ...productOf(library, run, least.product),
    ...choleskyOf(library, run, least.cholesky),
    ...luOf(library, run, least.lu),
    ...triangularOf(library, run, least.triangular),
    ...qrOf(library, run, least.qr),
    ...symmetricEigenOf(library, run, least.symmetricEigen),
    ...realEigenOf(library, run, least.realEigen),
    ...singularValuesOf(library, run, least.singularValues),
  };
}

function choleskyOf(library: Library, run: Run, least: number): DenseRoutines {
  const potrf = library.routine("dpotrf", 5, 1);
  if (potrf === null) return {};
  const cholesky = (a: Numbers, n: number): Numbers | null => {
    if (n < least) return null;
    const l = a.slice();
    run(n ** 3, () => potrf(letter("U"), word(0, n), l, word(0, n), word(INFO, 0)));
    for (let i = 0; i < n; i++) l.fill(0, i * n + i + 1, (i + 1) * n);
    return succeeded(l) ? l : null;
  };
  return { cholesky };
}

function luOf(library: Library, run: Run, least: number): DenseRoutines {
  const getrf = library.routine("dgetrf", 6, 0);
  if (getrf === null) return {};
  const lu = (a: Numbers, n: number, m: number): Pivoting | null => {
    const k = Math.min(n, m);
    if (k < least) return null;
    const columns = transposed(a, n, m);
    const swaps = wordsOf(library, k);
    run(n * m * k, () => getrf(word(0, n), word(1, m), columns, word(0, n), swaps, word(INFO, 0)));
    if (!succeeded(columns)) return null;
    transposed(columns, m, n, a);
    const order = Array.from({ length: n }, (_, i) => i);
    let sign = 1;
    for (let i = 0; i < k; i++) {
      const j = (swaps[(i * swaps.length) / k] as number) - 1;
      if (i === j) continue;
      [order[i], order[j]] = [order[j] as number, order[i] as number];
      sign = -sign;
    }
    return { order, sign };
  };
  return { lu };
}

function triangularOf(library: Library, run: Run, least: number): DenseRoutines {
  const trsm = library.routine("dtrsm", 11, 4);
  if (trsm === null) return {};
  const triangular = (
    a: Numbers,
    b: Numbers,
    n: number,
    m: number,
    { lower, transposeA, unitDiagonal }: Triangle,
  ): Numbers | null => {
    if (n * n * m < least || !isFinite(a)) return null;
    if (!unitDiagonal && hasZeroDiagonal(a, n)) return null;
    const x = b.slice();
    const [half, read, diagonal] = [
      letter(lower ? "U" : "L"),
      letter(transposeA ? "T" : "N"),
      letter(unitDiagonal ? "U" : "N"),
    ];
    // As xᵀ op(a)ᵀ = bᵀ.
    run(n * n * m, () =>
      trsm(
        ...[letter("R"), half, read, diagonal, word(0, m), word(1, n), one.float64],
        ...[a, word(1, n), x, word(0, m)],
      ),
    );
    if (!isFinite(x)) return null;
    b.set(x);
    return b;
  };
  return { triangular };
}

function qrOf(library: Library, run: Run, least: number): DenseRoutines {
  const gelqf = library.routine("dgelqf", 8, 0);
  const orglq = library.routine("dorglq", 9, 0);
  if (gelqf === null || orglq === null) return {};
  // As aᵀ = rᵀ qᵀ.
  const qr = (a: Numbers, n: number, m: number): Numbers | null => {
    if (m < least || !isFinite(a)) return null;
    const out = new Float64Array((n + m) * m);
    out.set(a);
    const scales = new Float64Array(m);
    const sizes = () => [word(0, m), word(1, n)];
    withRoom((...room) => {
      run(n * m * m, () => gelqf(...sizes(), out, word(0, m), scales, ...room, word(INFO, 0)));
    });
    for (let i = 0; i < m; i++) out.set(out.subarray(i * m + i, (i + 1) * m), (n + i) * m + i);
    withRoom((...room) => {
      run(n * m * m, () => orglq(...sizes(), word(0, m), out, word(0, m), scales, ...room, word(INFO, 0)));
    });
    return succeeded(out) ? out : null;
  };
  return { qr };
}

function symmetricEigenOf(library: Library, run: Run, least: number): DenseRoutines {
  const syevd = library.routine("dsyevd", 11, 2);
  if (syevd === null) return {};
  const symmetricEigen = (a: Numbers, n: number) => {
    if (n < least || !isFinite(a)) return null;
    const vectors = a.slice();
    const values = new Float64Array(n);
    // As many as its documentation asks for.
    const count = 3 + 5 * n;
    const words = wordsOf(library, count);
    withRoom((...room) => {
      run(n ** 3, () =>
        syevd(
          ...[letter("V"), letter("U"), word(0, n), vectors, word(0, n), values, ...room],
          ...[words, word(1, count), word(INFO, 0)],
        ),
      );
    });
    return succeeded(values, vectors) ? { values, vectors } : null;
  };
  return { symmetricEigen };
}

function realEigenOf(library: Library, run: Run, least: number): DenseRoutines {
  const geev = library.routine("dgeev", 14, 2);
  if (geev === null) return {};
  // The left eigenvectors of aᵀ.
  const realEigen = (a: Numbers, n: number) => {
    if (n < least || !isFinite(a)) return null;
    const rest = a.slice();
    const [values, imaginary, vectors] = [new Float64Array(n), new Float64Array(n), new Float64Array(n * n)];
    withRoom((...room) => {
      run(n ** 3, () =>
        geev(
          ...[letter("V"), letter("N"), word(0, n), rest, word(0, n), values, imaginary],
          ...[vectors, word(0, n), vectors, word(0, n), ...room, word(INFO, 0)],
        ),
      );
    });
    // What is complex by rounding only core tells from what is complex.
    return succeeded(values, vectors) && imaginary.every((x) => x === 0) ? { values, vectors } : null;
  };
  return { realEigen };
}

function singularValuesOf(library: Library, run: Run, least: number): DenseRoutines {
  const gesdd = library.routine("dgesdd", 14, 1);
  if (gesdd === null) return {};
  // As aᵀ = v diag(s) uᵀ.
  const singularValues = (a: Numbers, n: number, m: number): Numbers | null => {
    if (m < least || !isFinite(a)) return null;
    const rest = a.slice();
    const out = new Float64Array((n + 1 + m) * m);
    const [u, s, v] = [out, out.subarray(n * m), out.subarray((n + 1) * m)];
    const words = wordsOf(library, 8 * m);
    withRoom((...room) => {
      run(n * m * m, () =>
        gesdd(
          ...[letter("S"), word(0, m), word(1, n), rest, word(0, m), s, v, word(0, m), u, word(0, m)],
          ...[...room, words, word(INFO, 0)],
        ),
      );
    });
    return succeeded(out) ? out : null;
  };
  return { singularValues };
}

/** Calls a routine that says how much room it wants when it is asked with −1, and then with that. */
function withRoom(call: (room: Memory, size: bigint) => void): void {
  const wanted = new Float64Array(1);
  call(wanted, word(SIZE, -1));
  const size = wanted[0] as number;
  call(new Float64Array(size), word(SIZE, size));
}

/** Room for a library's whole numbers. */
function wordsOf(library: Library, count: number): Int32Array {
  return new Int32Array((count * library.wordBytes) / 4);
}

/** Whether a factorisation went well, and is finite. */
function succeeded(...results: readonly Numbers[]): boolean {
  return wordAt(INFO) === 0 && results.every(isFinite);
}

function isFinite(a: Numbers): boolean {
  // What 0 times an infinity or NaN makes of a sum. Four at a time, since each addition waits for the one before.
  let zero = 0;
  let i = 0;
  for (const end = a.length - 3; i < end; i += 4)
    zero +=
      (a[i] as number) * 0 + (a[i + 1] as number) * 0 + ((a[i + 2] as number) * 0 + (a[i + 3] as number) * 0);
  for (; i < a.length; i++) zero += (a[i] as number) * 0;
  return zero === 0;
}

function hasZeroDiagonal(a: Numbers, n: number): boolean {
  for (let i = 0; i < n; i++) if (a[i * (n + 1)] === 0) return true;
  return false;
}

/** The side of blocks that fit a cache. */
const BLOCK = 32;

/** The transpose of an n × m matrix. */
function transposed(a: Numbers, n: number, m: number, out: Numbers = new Float64Array(n * m)): Numbers {
  for (let top = 0; top < n; top += BLOCK) {
    const bottom = Math.min(n, top + BLOCK);
    for (let left = 0; left < m; left += BLOCK) {
      const right = Math.min(m, left + BLOCK);
      for (let i = top; i < bottom; i++)
        for (let j = left; j < right; j++) out[j * n + i] = a[i * m + j] as number;
    }
  }
  return out;
}
