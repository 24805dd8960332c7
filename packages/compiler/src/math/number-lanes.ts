/** Lanes that are JavaScript numbers, one lane at a time. */

import type { Lanes } from "./lanes.ts";

const double = new Float64Array(1);
/** The bits of `double`: the low half, then the high one. (JavaScript's platforms are little-endian.) */
const halves = new Int32Array(double.buffer);

/**
 * Lanes of numbers, each instruction rounded to the dtype.
 *
 * With `fused`, `madd` rounds once, otherwise twice. (In float64 it rounds twice even so where its operands are near
 * the ends of the range.) What is unspecified is NaN.
 */
export function numberLanes(dtype: "float32" | "float64", fused: boolean): Lanes<number, boolean> {
  const single = dtype === "float32";
  // Sums, products, quotients and roots of float32 may be rounded to float64 first: 53 ≥ 2·24 + 2 digits (Figueroa,
  // When is double rounding innocuous?, 1995).
  const round = single ? Math.fround : (x: number) => x;
  const leastExponent = single ? -126 : -1022;
  const leastNormal = 2 ** leastExponent;
  const isNormal = (x: number): boolean => x >= leastNormal && x < Infinity;
  const twice = (a: number, b: number, c: number): number => round(round(a * b) + c);
  const once = single ? fusedSingle : fusedDouble;
  return {
    dtype,
    constant: round,
    add: (a, b) => round(a + b),
    sub: (a, b) => round(a - b),
    mul: (a, b) => round(a * b),
    div: (a, b) => round(a / b),
    madd: fused ? once : twice,
    neg: (a) => -a,
    abs: Math.abs,
    sqrt: (a) => round(Math.sqrt(a)),
    floor: Math.floor,
    ceil: Math.ceil,
    trunc: Math.trunc,
    nearest,
    min: Math.min,
    max: Math.max,
    atMost: (a, limit) => select(limit < a, limit, a),
    atLeast: (a, limit) => select(a < limit, limit, a),
    copySign: (a, b) => (isNegative(a) === isNegative(b) ? a : -a),
    exponent: (a) => (isNormal(Math.abs(a)) ? exponentOf(a) : NaN),
    significand: (a) => (isNormal(a) ? a / power2(exponentOf(a)) : NaN),
    power2: (n) => (Number.isInteger(n) && n >= leastExponent && n < 2 - leastExponent ? power2(n) : NaN),
    eq: (a, b) => a === b,
    lt: (a, b) => a < b,
    le: (a, b) => a <= b,
    and: (a, b) => a && b,
    or: (a, b) => a || b,
    not: (a) => !a,
    select,
  };
}

function select(mask: boolean, a: number, b: number): number {
  return mask ? a : b;
}

function isNegative(x: number): boolean {
  return x < 0 || Object.is(x, -0);
}

/** To the nearest whole number, ties to even: adding 2⁵² to a number that is not greater leaves no fraction. */
function nearest(x: number): number {
  const size = Math.abs(x);
  if (!(size < 2 ** 52)) return x;
  const whole = size + 2 ** 52 - 2 ** 52;
  return isNegative(x) ? -whole : whole;
}

function exponentOf(x: number): number {
  double[0] = x;
  return ((halves[1]! >>> 20) & 0x7ff) - 1023;
}

function power2(n: number): number {
  halves[0] = 0;
  halves[1] = (n + 1023) << 20;
  return double[0]!;
}

/** a·b + c, all float32, rounded once: the product is exact, and a sum rounded to odd may be rounded again. */
function fusedSingle(a: number, b: number, c: number): number {
  return Math.fround(addToOdd(a * b, c));
}

/**
 * a·b + c rounded once, where no intermediate result over- or underflows; else twice.
 *
 * Source: Boldo and Melquiond, Emulation of a FMA and Correctly Rounded Sums: Proved Algorithms Using Rounding to Odd
 * (2008), figure 3.
 */
function fusedDouble(a: number, b: number, c: number): number {
  const product = a * b;
  const size = Math.abs(product);
  // Beyond these, halves of factors overflow, or the product's error is denormal.
  const safe = Math.abs(a) < 2 ** 990 && Math.abs(b) < 2 ** 990 && size > 2 ** -960 && size < 2 ** 1020;
  if (!safe) return product + c;
  const error = productError(a, b, product);
  const low = c + error;
  const lowError = sumError(c, error, low);
  const high = product + low;
  return high + addToOdd(sumError(product, low, high), lowError);
}

/** a·b − product. Source: Dekker, A floating-point technique for extending the available precision (1971). */
function productError(a: number, b: number, product: number): number {
  const a1 = upper(a);
  const a2 = a - a1;
  const b1 = upper(b);
  const b2 = b - b1;
  return a2 * b2 - (product - a1 * b1 - a2 * b1 - a1 * b2);
}

/** The upper half of a number's digits. */
function upper(x: number): number {
  const shifted = x * (2 ** 27 + 1);
  return shifted - (shifted - x);
}

/** a + b − sum. Source: Knuth, The Art of Computer Programming, volume 2, §4.2.2, theorem B. */
function sumError(a: number, b: number, sum: number): number {
  const rest = sum - a;
  return a - (sum - rest) + (b - rest);
}

/** a + b rounded to odd: where that is not exact, to the neighbour whose last digit is 1. */
function addToOdd(a: number, b: number): number {
  const sum = a + b;
  const error = sumError(a, b, sum);
  if (!(error !== 0 && Math.abs(sum) < Infinity)) return sum;
  double[0] = sum;
  if ((halves[0]! & 1) === 0) {
    // The last digit of `sum` being 0, the odd neighbour away from 0 is the next bit pattern, the other the one before.
    if (error > 0 === sum > 0) halves[0] = halves[0]! | 1;
    else {
      if (halves[0] === 0) halves[1] = halves[1]! - 1;
      halves[0] = halves[0]! - 1;
    }
  }
  return double[0]!;
}
