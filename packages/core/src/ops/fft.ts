/** Discrete Fourier transforms; complex numbers are pairs along a last axis of size 2. */

import { allocate, isFloat } from "../dtype.ts";
import { ArgumentError, describe, ShapeError } from "../errors.ts";
import { apply, type Draw, define, type Operation, operand, operation } from "../op.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { formatShape, normalizeAxis, sizeOf } from "../shape.ts";
import type { TensorType } from "../tensor-type.ts";
import type { Operand, Value } from "../value.ts";
import { mul } from "./elementwise.ts";
import { concat, stack } from "./joining.ts";
import { broadcastTo, cast } from "./movement.ts";
import { type Range, slice } from "./slicing.ts";

/** Which sums: Σ xₖ e^(sign·2πijk/n) along an axis. */
interface Transform {
  readonly axis: number;
  readonly sign: 1 | -1;
}

const fftOperation: Operation<Transform> = /* @__PURE__ */ operation({
  name: "fft",
  linear: true,
  infer: ([x]) => x as TensorType,
  evaluate: ([x], { axis, sign }, type) => {
    const { data, shape } = x as Value;
    const n = shape[axis] as number;
    const inner = sizeOf(shape.slice(axis + 1)) / 2;
    const out = allocate(type.dtype, type.size);
    const run = n > 0 ? transformOf(n, sign) : () => {};
    const [re, im] = [new Float64Array(n), new Float64Array(n)];
    for (let line = 0; line < type.size / (2 * n); line++) {
      const start = 2 * (Math.floor(line / inner) * n * inner + (line % inner));
      for (let k = 0, i = start; k < n; k++, i += 2 * inner) {
        re[k] = data[i] as number;
        im[k] = data[i + 1] as number;
      }
      run(re, im);
      for (let k = 0, i = start; k < n; k++, i += 2 * inner) {
        out[i] = re[k] as number;
        out[i + 1] = im[k] as number;
      }
    }
    return out;
  },
  // The adjoint of a Fourier sum is the one of the other sign.
  vjp: [(dy, { attributes: { axis, sign } }) => transform(dy, axis, sign === 1 ? -1 : 1)],
  batch: ([x], _, { axis, sign }) => transform(x as Value, axis + 1, sign),
});

function transform(x: Value, axis: number, sign: 1 | -1): Value {
  return apply(fftOperation, [x], { axis, sign });
}

type InPlace = (re: Float64Array, im: Float64Array) => void;

/** Above this prime factor a convolution is faster than sums by the definition. */
const LARGE = 50;

/** The transform of n complex numbers, in place. */
function transformOf(n: number, sign: 1 | -1): InPlace {
  const primes: number[] = [];
  let rest = n;
  while (rest % 2 === 0) rest /= 2;
  const leaf = n / rest;
  for (let p = 3; rest > 1; p += 2) {
    if (p * p > rest) p = rest;
    for (; rest % p === 0; rest /= p) primes.push(p);
  }
  if (primes.length === 0) return powerOfTwo(n, sign);
  return Math.max(...primes) > LARGE ? chirp(n, sign) : mixed(n, primes, leaf, sign);
}

/** Cosine and sine of 2πk/n, exact at quarter turns. */
function unitRoot(k: number, n: number): [number, number] {
  const quarter = Math.round((4 * k) / n);
  const angle = (Math.PI * (4 * k - quarter * n)) / (2 * n);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return (
    [
      [c, s],
      [-s, c],
      [-c, -s],
      [s, -c],
    ] as [number, number][]
  )[quarter % 4] as [number, number];
}

/** Tables of `count` powers of the n-th root of unity. */
function unitRoots(n: number, count: number, sign: 1 | -1): { cosines: Float64Array; sines: Float64Array } {
  const [cosines, sines] = [new Float64Array(count), new Float64Array(count)];
  for (let k = 0; k < count; k++) {
    const [c, s] = unitRoot(k, n);
    cosines[k] = c;
    sines[k] = sign * s;
  }
  return { cosines, sines };
}

/** By odd prime factors down to a power of 2. Source: Cooley & Tukey (1965). */
function mixed(n: number, primes: readonly number[], leaf: number, sign: 1 | -1): InPlace {
  const { cosines, sines } = unitRoots(n, n, sign);
  const atLeaf = powerOfTwo(leaf, sign);
  const [xr, xi] = [new Float64Array(n), new Float64Array(n)];
  const widest = Math.max(...primes);
  const [tr, ti] = [new Float64Array(widest), new Float64Array(widest)];
  const visit = (
    re: Float64Array,
    im: Float64Array,
    level: number,
    from: number,
    stride: number,
    o: number,
    size: number,
  ) => {
    if (level === primes.length) {
      for (let k = 0, i = from; k < leaf; k++, i += stride) {
        re[o + k] = xr[i] as number;
        im[o + k] = xi[i] as number;
      }
      atLeaf(re.subarray(o, o + leaf), im.subarray(o, o + leaf));
      return;
    }
    const p = primes[level] as number;
    const part = size / p;
    for (let r = 0; r < p; r++) visit(re, im, level + 1, from + r * stride, stride * p, o + r * part, part);
    for (let j = 0; j < part; j++) {
      for (let r = 0; r < p; r++) {
        tr[r] = re[o + r * part + j] as number;
        ti[r] = im[o + r * part + j] as number;
      }
      for (let q = 0; q < p; q++) {
        const to = j + q * part;
        let [u, v] = [0, 0];
        for (let r = 0; r < p; r++) {
          const place = (r * to * stride) % n;
          const [c, s] = [cosines[place] as number, sines[place] as number];
          const [x, y] = [tr[r] as number, ti[r] as number];
          u += x * c - y * s;
          v += x * s + y * c;
        }
        re[o + to] = u;
        im[o + to] = v;
      }
    }
  };
  return (re, im) => {
    xr.set(re);
    xi.set(im);
    visit(re, im, 0, 0, 1, 0, n);
  };
}

/** By halves. Source: Cooley & Tukey, An Algorithm for the Machine Calculation of Complex Fourier Series (1965). */
function powerOfTwo(n: number, sign: 1 | -1): InPlace {
  const half = n >> 1;
  const { cosines, sines } = unitRoots(n, half, sign);
  const reversed = new Uint32Array(n);
  for (let i = 1; i < n; i++) reversed[i] = ((reversed[i >> 1] as number) >> 1) | (i & 1 ? half : 0);
  return (re, im) => {
    for (let i = 0; i < n; i++) {
      const j = reversed[i] as number;
      if (i >= j) continue;
      for (const part of [re, im]) [part[i], part[j]] = [part[j] as number, part[i] as number];
    }
    for (let size = 2; size <= n; size *= 2) {
      const [reach, step] = [size / 2, n / size];
      for (let start = 0; start < n; start += size) {
        for (let k = 0, i = start, j = start + reach; k < reach; k++, i++, j++) {
          const [c, s] = [cosines[k * step] as number, sines[k * step] as number];
          const [x, y] = [re[j] as number, im[j] as number];
          const u = x * c - y * s;
          const v = x * s + y * c;
          re[j] = (re[i] as number) - u;
          im[j] = (im[i] as number) - v;
          re[i] = (re[i] as number) + u;
          im[i] = (im[i] as number) + v;
        }
      }
    }
  };
}

/**
 * jk = (j² + k² − (j − k)²)/2 makes the sums of any n a convolution with a chirp.
 *
 * Source: Bluestein, A Linear Filtering Approach to the Computation of Discrete Fourier Transform (1970).
 */
function chirp(n: number, sign: 1 | -1): InPlace {
  const size = 2 ** Math.ceil(Math.log2(2 * n - 1));
  const forward = powerOfTwo(size, -1);
  const backward = powerOfTwo(size, 1);
  const [c, s] = [new Float64Array(n), new Float64Array(n)];
  const [fr, fi] = [new Float64Array(size), new Float64Array(size)];
  for (let k = 0, square = 0; k < n; k++) {
    const [cosine, sine] = unitRoot(square, 2 * n);
    c[k] = cosine;
    s[k] = sign * sine;
    for (const place of [k, (size - k) % size]) {
      fr[place] = c[k] as number;
      fi[place] = -(s[k] as number);
    }
    // k² modulo 2n, so that the angle stays small and exact.
    square = (square + 2 * k + 1) % (2 * n);
  }
  forward(fr, fi);
  const [xr, xi] = [new Float64Array(size), new Float64Array(size)];
  return (re, im) => {
    xr.fill(0);
    xi.fill(0);
    const turn = (
      from: Float64Array,
      fromI: Float64Array,
      to: Float64Array,
      toI: Float64Array,
      scale: number,
    ) => {
      for (let k = 0; k < n; k++) {
        const [x, y] = [from[k] as number, fromI[k] as number];
        const [p, q] = [c[k] as number, s[k] as number];
        to[k] = scale * (x * p - y * q);
        toI[k] = scale * (x * q + y * p);
      }
    };
    turn(re, im, xr, xi, 1);
    forward(xr, xi);
    for (let k = 0; k < size; k++) {
      const [x, y] = [xr[k] as number, xi[k] as number];
      const [p, q] = [fr[k] as number, fi[k] as number];
      xr[k] = x * p - y * q;
      xi[k] = x * q + y * p;
    }
    backward(xr, xi);
    turn(xr, xi, re, im, 1 / size);
  };
}

/** Options of a Fourier transform. */
export interface FourierOptions {
  /** The axis that is transformed, by default the last; the axis of the pairs does not count. */
  readonly axis?: number;
  /** How many elements are transformed: others are cut off, missing ones are 0. By default all. */
  readonly size?: number;
  /** What divides the sums: "backward" n in the inverse (by default), "forward" n here, "ortho" √n in both. */
  readonly norm?: "backward" | "forward" | "ortho";
}

const FOURIER: OptionNames<FourierOptions> = { axis: true, size: true, norm: true };

/** An operand with its transformed axis; `pairs` says whether its last axis holds real and imaginary parts. */
function prepare(where: string, x: Operand, pairs: boolean, options: FourierOptions) {
  const { axis = -1, size, norm } = checkOptions(where, options, FOURIER);
  const given = operand(where, x);
  const input = isFloat(given.dtype) ? given : cast(given, "float64");
  const rank = input.rank - (pairs ? 1 : 0);
  if (rank < 1 || (pairs && input.shape.at(-1) !== 2)) {
    throw new ShapeError({
      where,
      expected: pairs
        ? "complex numbers as pairs along a last axis of size 2, of rank 2 or more"
        : "at least one axis",
      received: `shape ${formatShape(input.shape)}`,
    });
  }
  if (norm !== undefined && norm !== "backward" && norm !== "forward" && norm !== "ortho") {
    throw new ArgumentError({
      where,
      expected: 'norm must be "backward", "forward" or "ortho"',
      received: describe(norm),
    });
  }
  const along = normalizeAxis(where, axis, rank);
  if (size !== undefined && (!Number.isInteger(size) || size < 1)) {
    throw new ArgumentError({ where, expected: "size must be a whole number ≥ 1", received: describe(size) });
  }
  return { input, along };
}

/** x cut off or filled with zeros to `size` along an axis. */
function fit(x: Value, axis: number, size: number): Value {
  const n = x.shape[axis] as number;
  if (size <= n) return size === n ? x : along(x, axis, [0, size]);
  const shape = x.shape.map((count, i) => (i === axis ? size - n : count));
  return concat([x, broadcastTo(cast(0, x.dtype), shape)], axis);
}

function along(x: Value, axis: number, range: Range): Value {
  return slice(x, ...new Array<null>(axis).fill(null), range);
}

/** A transform of complex numbers, divided as `norm` says. */
function scaled(x: Value, axis: number, sign: 1 | -1, norm: FourierOptions["norm"] = "backward"): Value {
  const y = transform(x, axis, sign);
  const n = x.shape[axis] as number;
  if (norm === "ortho") return mul(y, 1 / Math.sqrt(n));
  return (norm === "forward") === (sign === -1) ? mul(y, 1 / n) : y;
}

/** Real numbers as pairs. */
function paired(x: Value): Value {
  return stack([x, broadcastTo(cast(0, x.dtype), x.shape)], -1);
}

function complexSamples(draw: Draw) {
  return [
    [draw([4, 2])],
    [draw([2, 3, 2]), { norm: "ortho" }],
    [draw([5, 2, 2]), { axis: 0 }],
    [draw([3, 2]), { size: 4 }],
    [draw([2, 6, 2]), { size: 5, norm: "forward" }],
    [draw([1, 2])],
  ];
}

/**
 * The discrete Fourier transform Yⱼ = Σₖ xₖ e^(−2πijk/n), any n, in O(n log n).
 *
 * Shape: complex numbers as pairs, [..., n, 2] → [..., size, 2]. Derivative: the transform of the other sign of dy; linear.
 * Sums are float64. Throws: ShapeError unless the last axis has size 2 and another stands before it.
 * Source: Cooley & Tukey (1965); Bluestein (1970) where n has a large prime factor.
 *
 * @example
 * fft([[1, 0], [2, 0]]) // [[3, 0], [-1, 0]]
 */
export const fft = /* @__PURE__ */ define(
  { name: "fft", operation: fftOperation, samples: complexSamples },
  (x: Operand, options: FourierOptions = {}): Value => {
    const { input, along } = prepare("fft", x, true, options);
    return scaled(fit(input, along, options.size ?? (input.shape[along] as number)), along, -1, options.norm);
  },
);

/**
 * The inverse of `fft`: xₖ = (1/n) Σⱼ Yⱼ e^(2πijk/n).
 *
 * Shape: as `fft`. Derivative: the transform of the other sign of dy, over n; linear. Throws: as `fft`.
 *
 * @example
 * ifft([[3, 0], [-1, 0]]) // [[1, 0], [2, 0]]
 */
export const ifft = /* @__PURE__ */ define(
  { name: "ifft", operation: fftOperation, samples: complexSamples },
  (x: Operand, options: FourierOptions = {}): Value => {
    const { input, along } = prepare("ifft", x, true, options);
    return scaled(fit(input, along, options.size ?? (input.shape[along] as number)), along, 1, options.norm);
  },
);

/**
 * The first half of the Fourier transform of real numbers; the other half is its mirror image, conjugated.
 *
 * Shape: real [..., n] → pairs [..., ⌊n/2⌋ + 1, 2]. Derivative: of `fft` and the slice. Throws: ShapeError for a scalar.
 *
 * @example
 * rfft([1, 2, 3, 4]) // ~[[10, 0], [-2, 2], [-2, 0]]
 */
export const rfft = /* @__PURE__ */ define(
  {
    name: "rfft",
    operation: null,
    samples: (draw) => [
      [draw([6])],
      [draw([2, 5]), { norm: "ortho" }],
      [draw([3, 2]), { axis: 0, size: 4 }],
      [draw([1])],
    ],
  },
  (x: Operand, options: FourierOptions = {}): Value => {
    const { input, along: axis } = prepare("rfft", x, false, options);
    const n = options.size ?? (input.shape[axis] as number);
    const y = scaled(paired(fit(input, axis, n)), axis, -1, options.norm);
    return along(y, axis, [0, Math.floor(n / 2) + 1]);
  },
);

/**
 * The inverse of `rfft`: real numbers from the first half of their transform. Imaginary parts that real numbers cannot have
 * there (of the first element, and of the last where n is even) are not read.
 *
 * Shape: pairs [..., m, 2] → real [..., n], n = `size`, by default 2(m − 1). Derivative: of `ifft` and the mirror image; 0 to what is
 * not read. Throws: as `fft`.
 *
 * @example
 * irfft([[10, 0], [-2, 2], [-2, 0]]) // ~[1, 2, 3, 4]
 */
export const irfft = /* @__PURE__ */ define(
  {
    name: "irfft",
    operation: null,
    samples: (draw) => [
      [draw([4, 2])],
      [draw([2, 3, 2]), { size: 5, norm: "ortho" }],
      [draw([3, 2, 2]), { axis: 0 }],
      [draw([2, 2]), { size: 6 }],
      [draw([1, 2]), { size: 1 }],
    ],
  },
  (x: Operand, options: FourierOptions = {}): Value => {
    const { input, along: axis } = prepare("irfft", x, true, options);
    const n = options.size ?? Math.max(1, 2 * ((input.shape[axis] as number) - 1));
    const half = fit(input, axis, Math.floor(n / 2) + 1);
    const rest = n - Math.floor(n / 2) - 1;
    const mirrored = mul(along(half, axis, [rest, 0, -1]), cast([1, -1], half.dtype));
    const whole = rest === 0 ? half : concat([half, mirrored], axis);
    const y = scaled(whole, axis, 1, options.norm);
    return slice(y, ...new Array<null>(y.rank - 1).fill(null), 0);
  },
);
