/**
 * Factorisations of one matrix in plain numbers: row-major float64 arrays, overwritten or returned. Nothing here throws:
 * where a factor does not exist, its elements are NaN or infinite.
 */

import { dense, type Pivoting, type Triangle } from "../../dense.ts";

type Numbers = Float64Array;

/** Element of an array that is known to be there. */
const at = (a: ArrayLike<number>, i: number): number => a[i] as number;

/** The lower Cholesky factor of a symmetric matrix; NaN where it is not positive definite. */
export function choleskyFactor(a: Numbers, n: number): Numbers {
  const known = dense.cholesky?.(a, n);
  if (known) return known;
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = at(a, i * n + j);
      for (let k = 0; k < j; k++) sum -= at(a, i * n + k) * at(a, j * n + k);
      // The root of a pivot ≤ 0 is no factor of a definite matrix.
      a[i * n + j] = i === j ? (sum > 0 ? Math.sqrt(sum) : Number.NaN) : sum / at(a, j * n + j);
    }
    for (let i = 0; i < j; i++) a[i * n + j] = 0;
  }
  return a;
}

/** Swaps two rows of width m. */
function swapRows(a: Numbers, m: number, i: number, j: number): void {
  if (i === j) return;
  for (let k = 0; k < m; k++) {
    const x = at(a, i * m + k);
    a[i * m + k] = at(a, j * m + k);
    a[j * m + k] = x;
  }
}

/**
 * Gaussian elimination with partial pivoting in place: U on and above the diagonal, the multipliers L below it.
 *
 * Source: Golub & Van Loan, Matrix Computations (2013), algorithm 3.4.1.
 */
export function luFactor(a: Numbers, n: number, m: number): Pivoting {
  const known = dense.lu?.(a, n, m);
  if (known) return known;
  const order = Array.from({ length: n }, (_, i) => i);
  let sign = 1;
  for (let k = 0; k < Math.min(n, m); k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++)
      if (Math.abs(at(a, i * m + k)) > Math.abs(at(a, pivot * m + k))) pivot = i;
    if (pivot !== k) {
      swapRows(a, m, k, pivot);
      [order[k], order[pivot]] = [order[pivot] as number, order[k] as number];
      sign = -sign;
    }
    const p = at(a, k * m + k);
    if (p === 0) continue;
    for (let i = k + 1; i < n; i++) {
      const factor = at(a, i * m + k) / p;
      a[i * m + k] = factor;
      if (factor !== 0)
        for (let j = k + 1; j < m; j++) a[i * m + j] = at(a, i * m + j) - factor * at(a, k * m + j);
    }
  }
  return { order, sign };
}

/** Solves a triangular system in place for the m columns of b, reading only one triangle of a. */
export function solveTriangle(a: Numbers, b: Numbers, n: number, m: number, triangle: Triangle): Numbers {
  const known = dense.triangular?.(a, b, n, m, triangle);
  if (known) return known;
  const { lower, transposeA, unitDiagonal } = triangle;
  const [row, column] = transposeA ? [1, n] : [n, 1];
  const forward = lower !== transposeA;
  for (let step = 0; step < n; step++) {
    const i = forward ? step : n - 1 - step;
    for (let done = 0; done < step; done++) {
      const k = forward ? done : n - 1 - done;
      const factor = at(a, i * row + k * column);
      if (factor !== 0)
        for (let j = 0; j < m; j++) b[i * m + j] = at(b, i * m + j) - factor * at(b, k * m + j);
    }
    if (unitDiagonal) continue;
    const pivot = at(a, i * (n + 1));
    for (let j = 0; j < m; j++) b[i * m + j] = at(b, i * m + j) / pivot;
  }
  return b;
}

/** Solves a x = b, or aᵀ x = b, for the m columns of b; a is overwritten by its factors. */
export function solveSystem(a: Numbers, b: Numbers, n: number, m: number, transposeA: boolean): Numbers {
  const { order } = luFactor(a, n, n);
  const lower = { lower: true, transposeA, unitDiagonal: true };
  const upper = { lower: false, transposeA, unitDiagonal: false };
  const x = new Float64Array(n * m);
  if (transposeA) {
    solveTriangle(a, b, n, m, upper);
    solveTriangle(a, b, n, m, lower);
    order.forEach((from, i) => {
      x.set(b.subarray(i * m, (i + 1) * m), from * m);
    });
    return x;
  }
  order.forEach((from, i) => {
    x.set(b.subarray(from * m, (from + 1) * m), i * m);
  });
  solveTriangle(a, x, n, m, lower);
  return solveTriangle(a, x, n, m, upper);
}

/** An identity matrix. */
export function identityMatrix(n: number): Numbers {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) out[i * (n + 1)] = 1;
  return out;
}

/** The sign and the logarithm of the size of a determinant. */
export function logDeterminant(a: Numbers, n: number): [sign: number, log: number] {
  let { sign } = luFactor(a, n, n);
  let log = 0;
  for (let i = 0; i < n; i++) {
    const pivot = at(a, i * (n + 1));
    sign *= Math.sign(pivot);
    log += Math.log(Math.abs(pivot));
  }
  return sign === 0 ? [0, -Infinity] : [sign, log];
}

/** The determinant. */
export function determinant(a: Numbers, n: number): number {
  let { sign: product } = luFactor(a, n, n);
  for (let i = 0; i < n; i++) product *= at(a, i * (n + 1));
  return product;
}

/**
 * The matrix of cofactors, det(a)·a⁻ᵀ where a is invertible, without dividing by the last pivot of an elimination with
 * complete pivoting: exact for singular matrices too, where it has rank 1 or is zero.
 *
 * With P a Q = L U and U = [[R, u], [0, δ]], the adjugate of U is det(R)·[[δ R⁻¹, −R⁻¹u], [0, 1]].
 */
export function cofactorMatrix(a: Numbers, n: number): Numbers {
  const out = new Float64Array(n * n);
  const rows = Array.from({ length: n }, (_, i) => i);
  const columns = [...rows];
  let product = 1;
  for (let k = 0; k < n - 1; k++) {
    let [p, q] = [k, k];
    for (let i = k; i < n; i++)
      for (let j = k; j < n; j++)
        if (Math.abs(at(a, i * n + j)) > Math.abs(at(a, p * n + q))) [p, q] = [i, j];
    const pivot = at(a, p * n + q);
    if (pivot === 0) return out;
    product *= pivot;
    if (p !== k) product = -product;
    if (q !== k) product = -product;
    swapRows(a, n, k, p);
    [rows[k], rows[p]] = [rows[p] as number, rows[k] as number];
    for (let i = 0; i < n; i++) [a[i * n + k], a[i * n + q]] = [at(a, i * n + q), at(a, i * n + k)];
    [columns[k], columns[q]] = [columns[q] as number, columns[k] as number];
    for (let i = k + 1; i < n; i++) {
      const factor = at(a, i * n + k) / pivot;
      a[i * n + k] = factor;
      for (let j = k + 1; j < n; j++) a[i * n + j] = at(a, i * n + j) - factor * at(a, k * n + j);
    }
  }
  const last = n - 1;
  const delta = at(a, n * n - 1);
  // Columns of adj(U) L⁻¹, one for each row of the permuted matrix.
  const x = identityMatrix(n);
  solveTriangle(a, x, n, n, { lower: true, transposeA: false, unitDiagonal: true });
  for (let j = 0; j < n; j++) {
    const tail = at(x, last * n + j);
    for (let i = last - 1; i >= 0; i--) {
      let sum = delta * at(x, i * n + j) - at(a, i * n + last) * tail;
      for (let k = i + 1; k < last; k++) sum -= at(a, i * n + k) * at(x, k * n + j);
      x[i * n + j] = sum / at(a, i * (n + 1));
    }
  }
  // What was solved in place above is read as R⁻¹(δ c − u t): the adjugate's transpose is scattered back.
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      out[(rows[j] as number) * n + (columns[i] as number)] = product * at(x, i * n + j);
  return out;
}

/**
 * Householder QR of a matrix with n ≥ m: Q (n × m) above R (m × m), as one (n + m) × m matrix. Signs are LAPACK's: a
 * diagonal element of R has the opposite sign of what it is made from, except where nothing stands below it.
 *
 * Source: Golub & Van Loan (2013), algorithm 5.2.1; LAPACK's dlarfg for the signs.
 */
export function qrFactor(a: Numbers, n: number, m: number): Numbers {
  const known = dense.qr?.(a, n, m);
  if (known) return known;
  const tau = new Float64Array(m);
  const reflect = (target: Numbers, k: number, from: number) => {
    for (let j = from; j < m; j++) {
      let sum = at(target, k * m + j);
      for (let i = k + 1; i < n; i++) sum += at(a, i * m + k) * at(target, i * m + j);
      sum *= at(tau, k);
      target[k * m + j] = at(target, k * m + j) - sum;
      for (let i = k + 1; i < n; i++) target[i * m + j] = at(target, i * m + j) - sum * at(a, i * m + k);
    }
  };
  for (let k = 0; k < m; k++) {
    let below = 0;
    for (let i = k + 1; i < n; i++) below = Math.hypot(below, at(a, i * m + k));
    if (below === 0) continue;
    const alpha = at(a, k * m + k);
    const beta = alpha < 0 ? Math.hypot(alpha, below) : -Math.hypot(alpha, below);
    tau[k] = (beta - alpha) / beta;
    for (let i = k + 1; i < n; i++) a[i * m + k] = at(a, i * m + k) / (alpha - beta);
    reflect(a, k, k + 1);
    a[k * m + k] = beta;
  }
  const q = new Float64Array((n + m) * m);
  for (let j = 0; j < m; j++) q[j * (m + 1)] = 1;
  for (let k = m - 1; k >= 0; k--) reflect(q, k, k);
  for (let i = 0; i < m; i++) for (let j = i; j < m; j++) q[(n + i) * m + j] = at(a, i * m + j);
  return q;
}
