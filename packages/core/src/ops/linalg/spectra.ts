/** Eigenvalues, singular values and the exponential of one matrix in plain numbers: row-major float64 arrays. */

import { dense, type Eigenpairs } from "../../dense.ts";
import { gemm } from "../../gemm.ts";
import { determinant, identityMatrix, solveSystem } from "./factorisations.ts";

type Numbers = Float64Array;

const EPSILON = 2 ** -52;
/** More sweeps than any matrix of finite numbers needs; those of NaN end here. */
const SWEEPS = 60;

const at = (a: ArrayLike<number>, i: number): number => a[i] as number;

/** Rotates two vectors of `n` elements `step` apart: x ← c x − s y, y ← s x + c y. */
function rotate(a: Numbers, x: number, y: number, step: number, n: number, c: number, s: number): void {
  for (let k = 0; k < n; k++, x += step, y += step) {
    const [u, v] = [at(a, x), at(a, y)];
    a[x] = c * u - s * v;
    a[y] = s * u + c * v;
  }
}

/** The rotation that annihilates what two vectors or two diagonal elements, `zeta` apart, have in common. */
function jacobiRotation(zeta: number): [c: number, s: number] {
  const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const c = 1 / Math.hypot(1, t);
  return [c, c * t];
}

/** The sign that makes the first of a vector's largest elements positive. */
function signOf(a: Numbers, start: number, step: number, n: number): number {
  let most = 0;
  for (let k = 0; k < n; k++) {
    const x = at(a, start + k * step);
    // Elements of one size but for rounding count as equal, so that the sign does not hang on the last bit.
    if (Math.abs(x) > Math.abs(most) * (1 + 1e-10)) most = x;
  }
  return most < 0 ? -1 : 1;
}

function sortedIndices(x: ArrayLike<number>): number[] {
  return Array.from(x, (_, i) => i).sort((i, j) => at(x, i) - at(x, j) || i - j);
}

/** Eigenvalues, ascending, above the matrix whose columns are their eigenvectors, each with its sign: (n + 1) × n. */
function inOrder({ values, vectors }: Eigenpairs, n: number): Numbers {
  const out = new Float64Array((n + 1) * n);
  sortedIndices(values).forEach((from, j) => {
    out[j] = at(values, from);
    const sign = signOf(vectors, from * n, 1, n);
    for (let i = 0; i < n; i++) out[(i + 1) * n + j] = sign * at(vectors, from * n + i);
  });
  return out;
}

/**
 * Eigenvalues of a symmetric matrix, ascending, above the matrix whose columns are its eigenvectors: (n + 1) × n. Only
 * orthogonal to rounding where eigenvalues repeat; the first largest element of each vector is positive.
 */
export function symmetricEigen(a: Numbers, n: number): Numbers {
  return inOrder(dense.symmetricEigen?.(a, n) ?? jacobi(a, n), n);
}

/** Source: the cyclic Jacobi method, Golub & Van Loan, Matrix Computations (2013), §8.5. */
function jacobi(a: Numbers, n: number): Eigenpairs {
  const vectors = identityMatrix(n);
  const tiny = 1e-17 * Math.hypot(...rowNorms(a, n));
  for (let sweep = 0, busy = true; busy && sweep < SWEEPS; sweep++) {
    busy = false;
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) {
        const off = at(a, p * n + q);
        if (!(Math.abs(off) > tiny)) continue;
        busy = true;
        const [c, s] = jacobiRotation((at(a, q * (n + 1)) - at(a, p * (n + 1))) / (2 * off));
        rotate(a, p, q, n, n, c, s);
        rotate(a, p * n, q * n, 1, n, c, s);
        a[p * n + q] = 0;
        a[q * n + p] = 0;
        rotate(vectors, p * n, q * n, 1, n, c, s);
      }
    }
  }
  const values = diagonal(a, n);
  if (values.some(Number.isNaN)) vectors.fill(Number.NaN);
  return { values, vectors };
}

function diagonal(a: Numbers, n: number): Numbers {
  return Float64Array.from({ length: n }, (_, i) => at(a, i * (n + 1)));
}

function rowNorms(a: Numbers, n: number): number[] {
  return Array.from({ length: n }, (_, i) => Math.hypot(...a.subarray(i * n, (i + 1) * n)));
}

/**
 * Singular values and vectors of a matrix with n ≥ m, as the rows of one (n + 1 + m) × m matrix: U, the values
 * (descending), Vᵀ. The first largest element of each row of Vᵀ is positive.
 */
export function singularValues(a: Numbers, n: number, m: number): Numbers {
  const out = dense.singularValues?.(a, n, m) ?? oneSidedJacobi(a, n, m);
  for (let j = 0; j < m; j++) {
    const row = (n + 1 + j) * m;
    if (signOf(out, row, 1, m) > 0) continue;
    for (let i = 0; i < n; i++) out[i * m + j] = -at(out, i * m + j);
    for (let i = 0; i < m; i++) out[row + i] = -at(out, row + i);
  }
  return out;
}

/**
 * Source: Golub & Van Loan (2013), §8.6.3; Demmel & Veselić, Jacobi's Method is More Accurate than QR (1992).
 */
function oneSidedJacobi(a: Numbers, n: number, m: number): Numbers {
  const scale = a.reduce((most, x) => Math.max(most, Math.abs(x)), 0) || 1;
  // Columns as rows, so that each lies together.
  const w = new Float64Array(m * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) w[j * n + i] = at(a, i * m + j) / scale;
  const v = identityMatrix(m);
  const product = (p: number, q: number) => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += at(w, p * n + k) * at(w, q * n + k);
    return sum;
  };
  for (let sweep = 0, busy = true; busy && sweep < SWEEPS; sweep++) {
    busy = false;
    for (let p = 0; p < m - 1; p++) {
      for (let q = p + 1; q < m; q++) {
        const [pp, qq, pq] = [product(p, p), product(q, q), product(p, q)];
        if (!(Math.abs(pq) > EPSILON * Math.sqrt(pp * qq))) continue;
        busy = true;
        const [c, s] = jacobiRotation((qq - pp) / (2 * pq));
        rotate(w, p * n, q * n, 1, n, c, s);
        rotate(v, p * m, q * m, 1, m, c, s);
      }
    }
  }
  const norms = Float64Array.from({ length: m }, (_, j) => -Math.sqrt(product(j, j)));
  const out = new Float64Array((n + 1 + m) * m);
  sortedIndices(norms).forEach((from, j) => {
    const norm = -at(norms, from);
    out[n * m + j] = norm * scale;
    for (let i = 0; i < n; i++) out[i * m + j] = at(w, from * n + i) / norm;
    for (let i = 0; i < m; i++) out[(n + 1 + j) * m + i] = at(v, from * m + i);
    if (norm === 0) completeColumn(out, n, m, j);
  });
  return out;
}

/**
 * How the matrix of cofactors changes along t, without dividing: with a = U diag(s) Vᵀ and m = UᵀtV it is
 * det(UVᵀ)·U d Vᵀ, d_ij = −m_ji g_ij apart from the diagonal, where d_ii = Σⱼ g_ij m_jj, g_ij the product of all s but
 * s_i and s_j.
 */
export function cofactorChange(a: Numbers, t: ArrayLike<number>, n: number): Numbers {
  const f = singularValues(a, n, n);
  const [u, s, vt] = [f.subarray(0, n * n), f.subarray(n * n, n * (n + 1)), f.subarray(n * (n + 1))];
  const times = (x: ArrayLike<number>, y: ArrayLike<number>, transposeX: boolean, transposeY: boolean) => {
    const out = new Float64Array(n * n);
    const view = (data: ArrayLike<number>, transposed: boolean) => ({
      data: data as Numbers,
      start: 0,
      row: transposed ? 1 : n,
      column: transposed ? n : 1,
    });
    gemm(n, n, n, view(x, transposeX), view(y, transposeY), out, 0);
    return out;
  };
  const m = times(times(u, t, true, false), vt, false, true);
  const sign = determinant(u.slice(), n) * determinant(vt.slice(), n) < 0 ? -1 : 1;
  const d = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (i === j) continue;
      const g = s.reduce((product, x, k) => (k === i || k === j ? product : product * x), sign);
      d[i * n + j] = -g * at(m, j * n + i);
      d[i * (n + 1)] = at(d, i * (n + 1)) + g * at(m, j * (n + 1));
    }
  }
  return times(times(u, d, false, false), vt, false, false);
}

/** Makes column j of U a unit vector orthogonal to those before it. */
function completeColumn(u: Numbers, n: number, m: number, j: number): void {
  for (let axis = 0; axis < n; axis++) {
    for (let i = 0; i < n; i++) u[i * m + j] = i === axis ? 1 : 0;
    // Twice is enough: Giraud, Langou & Rozložník (2005).
    for (let k = 0; k < 2 * j; k++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += at(u, i * m + j) * at(u, i * m + (k % j));
      for (let i = 0; i < n; i++) u[i * m + j] = at(u, i * m + j) - sum * at(u, i * m + (k % j));
    }
    let norm = 0;
    for (let i = 0; i < n; i++) norm = Math.hypot(norm, at(u, i * m + j));
    if (norm < 0.5 / Math.sqrt(n)) continue;
    for (let i = 0; i < n; i++) u[i * m + j] = at(u, i * m + j) / norm;
    return;
  }
}

/**
 * Real eigenvalues of a matrix, ascending, above the matrix whose columns are its eigenvectors, of length 1, the first
 * largest element positive: (n + 1) × n. Null where an eigenvalue is not real, by more than rounding.
 */
export function realEigen(a: Numbers, n: number): Numbers | null {
  const pairs = dense.realEigen?.(a, n) ?? shiftedQr(a, n);
  return pairs && inOrder(pairs, n);
}

/**
 * Source: Householder's Hessenberg form and the shifted QR iteration with real shifts, Golub & Van Loan (2013), §7.4.2,
 * §7.5.
 */
function shiftedQr(a: Numbers, n: number): Eigenpairs | null {
  if (a.some(Number.isNaN))
    return {
      values: new Float64Array(n).fill(Number.NaN),
      vectors: new Float64Array(n * n).fill(Number.NaN),
    };
  const q = hessenberg(a, n);
  const norm = Math.hypot(...rowNorms(a, n));
  let high = n - 1;
  let tries = 0;
  while (high > 0) {
    let low = high;
    for (; low > 0; low--) {
      const size = Math.abs(at(a, low * (n + 1))) + Math.abs(at(a, (low - 1) * (n + 1)));
      if (Math.abs(at(a, low * n + low - 1)) <= EPSILON * (size || norm)) break;
    }
    if (low > 0) a[low * n + low - 1] = 0;
    if (low === high) {
      high--;
      tries = 0;
      continue;
    }
    const [e, f] = [at(a, (high - 1) * (n + 1)), at(a, (high - 1) * n + high)];
    const [g, h] = [at(a, high * n + high - 1), at(a, high * (n + 1))];
    const half = (e - h) / 2;
    const root = half * half + f * g;
    // A pair that is complex by rounding only is a repeated eigenvalue: the last step for it.
    const repeated = low === high - 1 && root < 0;
    if (repeated && Math.sqrt(-root) > 64 * n * EPSILON * norm) return null;
    if (++tries > 100 * n) return null;
    // Wilkinson's shift; an exceptional one now and then breaks cycles.
    const shift =
      tries % 11 === 10
        ? h + Math.abs(g)
        : root > 0
          ? h - (f * g) / (half + (half < 0 ? -1 : 1) * Math.sqrt(root) || 1)
          : repeated
            ? h + half
            : h;
    let x = at(a, low * (n + 1)) - shift;
    let y = at(a, (low + 1) * n + low);
    for (let k = low; k < high; k++) {
      const r = Math.hypot(x, y);
      if (r !== 0) {
        const [c, s] = [x / r, -y / r];
        rotate(a, k * n, (k + 1) * n, 1, n, c, s);
        rotate(a, k, k + 1, n, Math.min(k + 3, high + 1), c, s);
        rotate(q, k, k + 1, n, n, c, s);
      }
      if (k > low) a[(k + 1) * n + k - 1] = 0;
      if (k + 1 < high) {
        x = at(a, (k + 1) * n + k);
        y = at(a, (k + 2) * n + k);
      }
    }
    if (repeated) a[high * n + high - 1] = 0;
  }
  return triangularVectors(a, q, n, norm);
}

/** Brings a to Hessenberg form in place by Householder reflections, and returns their product. */
function hessenberg(a: Numbers, n: number): Numbers {
  const q = identityMatrix(n);
  const v = new Float64Array(n);
  for (let k = 0; k < n - 2; k++) {
    let norm = 0;
    for (let i = k + 1; i < n; i++) norm = Math.hypot(norm, at(a, i * n + k));
    if (norm === 0) continue;
    let square = 0;
    for (let i = k + 1; i < n; i++) {
      const x = at(a, i * n + k) / norm;
      v[i] = i === k + 1 ? x + (x < 0 ? -1 : 1) : x;
      square += at(v, i) ** 2;
    }
    const reflect = (target: Numbers, start: number, step: number, across: number) => {
      for (let j = 0; j < n; j++) {
        const from = start + j * across;
        let sum = 0;
        for (let i = k + 1; i < n; i++) sum += at(v, i) * at(target, from + i * step);
        sum *= 2 / square;
        for (let i = k + 1; i < n; i++)
          target[from + i * step] = at(target, from + i * step) - sum * at(v, i);
      }
    };
    reflect(a, 0, n, 1);
    reflect(a, 0, 1, n);
    reflect(q, 0, 1, n);
    for (let i = k + 2; i < n; i++) a[i * n + k] = 0;
  }
  return q;
}

/** Eigenvectors of the triangular t by back substitution, brought back by q. */
function triangularVectors(t: Numbers, q: Numbers, n: number, norm: number): Eigenpairs {
  const values = diagonal(t, n);
  const vectors = new Float64Array(n * n);
  const x = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    x.fill(0);
    x[k] = 1;
    for (let i = k - 1; i >= 0; i--) {
      let sum = 0;
      for (let l = i + 1; l <= k; l++) sum += at(t, i * n + l) * at(x, l);
      x[i] = -sum / (at(values, i) - at(values, k) || EPSILON * norm || 1);
    }
    let length = 0;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let l = 0; l <= k; l++) sum += at(q, i * n + l) * at(x, l);
      vectors[k * n + i] = sum;
      length = Math.hypot(length, sum);
    }
    for (let i = k * n; i < (k + 1) * n; i++) vectors[i] = at(vectors, i) / length;
  }
  return { values, vectors };
}

/** Coefficients of the Padé approximant of degree 13. Source: Higham (2005), §2. */
const PADE = [
  64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
  670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
];
/** The largest 1-norm at which that approximant is exact to double precision. Source: Higham (2005), table 2.3. */
const THETA = 5.371920351148152;

/**
 * The exponential of a matrix by scaling and squaring.
 *
 * Source: Higham, The Scaling and Squaring Method for the Matrix Exponential Revisited (2005), algorithm 2.3, with the
 * approximant of degree 13 at every norm.
 */
export function matrixExponential(a: Numbers, n: number): Numbers {
  let norm = 0;
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Math.abs(at(a, i * n + j));
    norm = Math.max(norm, sum);
  }
  if (!Number.isFinite(norm)) return a.fill(Number.NaN);
  const squarings = Math.max(0, Math.ceil(Math.log2(norm / THETA)));
  const x = a.map((entry) => entry / 2 ** squarings);
  const times = (left: Numbers, right: Numbers) => {
    const out = new Float64Array(n * n);
    const whole = (data: Numbers) => ({ data, start: 0, row: n, column: 1 });
    gemm(n, n, n, whole(left), whole(right), out, 0);
    return out;
  };
  const x2 = times(x, x);
  const x4 = times(x2, x2);
  const x6 = times(x2, x4);
  const one = identityMatrix(n);
  const combine = (...terms: [number, Numbers][]) =>
    x.map((_, i) => terms.reduce((sum, [factor, term]) => sum + factor * at(term, i), 0));
  const b = (i: number) => at(PADE, i);
  // Odd and even parts, each of powers of x² only.
  const part = (k: 0 | 1) =>
    combine(
      [1, times(x6, combine([b(12 + k), x6], [b(10 + k), x4], [b(8 + k), x2]))],
      [b(6 + k), x6],
      [b(4 + k), x4],
      [b(2 + k), x2],
      [b(k), one],
    );
  const odd = times(x, part(1));
  const even = part(0);
  let y = solveSystem(combine([1, even], [-1, odd]), combine([1, even], [1, odd]), n, n, false);
  for (let k = 0; k < squarings; k++) y = times(y, y);
  return y;
}
