/** Real numbers to some 140 binary digits, and functions of them: what lane functions are held to. */

/** digits · 2^exponent. */
export interface Real {
  readonly digits: bigint;
  readonly exponent: number;
}

const PRECISION = 150;

const bytes = new DataView(new ArrayBuffer(8));

/** A finite number, exactly. */
export function real(x: number): Real {
  bytes.setFloat64(0, x);
  const bits = bytes.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const digits = biased === 0 ? fraction : fraction | (1n << 52n);
  return { digits: x < 0 ? -digits : digits, exponent: Math.max(biased, 1) - 1075 };
}

/** log2 |x| as a number. */
export function magnitude(x: Real): number {
  let digits = x.digits < 0n ? -x.digits : x.digits;
  let exponent = x.exponent;
  while (digits >> 1000n) {
    digits >>= 900n;
    exponent += 900;
  }
  return Math.log2(Number(digits)) + exponent;
}

/** The nearest float64, or one of the two nearest. */
export function toNumber(x: Real): number {
  if (x.digits === 0n) return 0;
  const shift = Math.floor(magnitude(x)) - x.exponent - 60;
  const digits = shift > 0 ? x.digits >> BigInt(shift) : x.digits << BigInt(-shift);
  const exponent = x.exponent + shift;
  const half = Math.trunc(exponent / 2);
  return Number(digits) * 2 ** half * 2 ** (exponent - half);
}

/** x to PRECISION digits or a few more. */
function shorten(x: Real): Real {
  if (x.digits === 0n) return { digits: 0n, exponent: 0 };
  const excess = Math.floor(magnitude(x)) - x.exponent - PRECISION;
  return excess <= 0 ? x : { digits: x.digits >> BigInt(excess), exponent: x.exponent + excess };
}

/** x · 2^point as a whole number. */
function fixed(x: Real, point: number): bigint {
  const shift = x.exponent + point;
  return shift >= 0 ? x.digits << BigInt(shift) : x.digits >> BigInt(-shift);
}

export const add = (a: Real, b: Real): Real => {
  if (a.digits === 0n) return b;
  if (b.digits === 0n) return a;
  const [high, low] = a.exponent >= b.exponent ? [a, b] : [b, a];
  return shorten({
    digits: (high.digits << BigInt(high.exponent - low.exponent)) + low.digits,
    exponent: low.exponent,
  });
};
const neg = (a: Real): Real => ({ digits: -a.digits, exponent: a.exponent });
export const abs = (a: Real): Real => (a.digits < 0n ? neg(a) : a);
export const sub = (a: Real, b: Real): Real => add(a, neg(b));
export const mul = (a: Real, b: Real): Real =>
  shorten({ digits: a.digits * b.digits, exponent: a.exponent + b.exponent });
export const scale = (a: Real, power: number): Real => ({
  digits: a.digits,
  exponent: a.exponent + power,
});
const div = (a: Real, b: Real): Real => {
  if (a.digits === 0n) return a;
  const shift = Math.max(
    0,
    Math.ceil(PRECISION + 2 - (magnitude(a) - a.exponent) + (magnitude(b) - b.exponent)),
  );
  return shorten({
    digits: (a.digits << BigInt(shift)) / b.digits,
    exponent: a.exponent - shift - b.exponent,
  });
};
/** The root of whole order n of a positive number, by Newton's iteration from above. */
const root = (a: Real, n: number): Real => {
  if (a.digits === 0n) return a;
  const exponent = Math.floor(magnitude(a) / n) - PRECISION;
  const whole = fixed(a, -exponent * n);
  const order = BigInt(n);
  let x = 1n << BigInt(PRECISION + 2);
  for (;;) {
    const next = ((order - 1n) * x + whole / x ** (order - 1n)) / order;
    if (next >= x) return { digits: x, exponent };
    x = next;
  }
};
const sqrt = (a: Real): Real => root(a, 2);

const one = real(1);
const two = real(2);

/** The sum of t(0) = x, t(k + 1) = t(k)·step·numerator/denominator of k, to as many places as x needs. */
function series(x: Real, step: Real, ratio: (k: number) => [numerator: number, denominator: number]): Real {
  if (x.digits === 0n) return x;
  const point = Math.ceil(PRECISION - magnitude(x));
  const factor = fixed(step, point);
  let term = fixed(x, point);
  let sum = 0n;
  for (let k = 0; term !== 0n && term !== -1n; k++) {
    sum += term;
    const [numerator, denominator] = ratio(k);
    term = (((term * factor) >> BigInt(point)) * BigInt(numerator)) / BigInt(denominator);
  }
  return shorten({ digits: sum, exponent: -point });
}

/** artanh x, |x| ≤ ½. */
const artanhOfSmall = (x: Real): Real => series(x, mul(x, x), (k) => [2 * k + 1, 2 * k + 3]);
/** arctan x, |x| ≤ ½. */
const arctanOfSmall = (x: Real): Real => series(x, neg(mul(x, x)), (k) => [2 * k + 1, 2 * k + 3]);
/** e^x − 1, |x| ≤ ½. */
const expm1OfSmall = (x: Real): Real => series(x, x, (k) => [1, k + 2]);

const LN2 = scale(artanhOfSmall(div(one, real(3))), 1);
/** Machin's formula: π = 16 arctan 1/5 − 4 arctan 1/239. */
const PI = sub(scale(arctanOfSmall(div(one, real(5))), 4), scale(arctanOfSmall(div(one, real(239))), 2));

export function exp(x: Real): Real {
  const n = Math.round(toNumber(x) / Math.LN2);
  const r = sub(x, mul(real(n), LN2));
  return scale(add(one, expm1OfSmall(r)), n);
}
export const expm1 = (x: Real): Real => (magnitude(x) < -1 ? expm1OfSmall(x) : sub(exp(x), one));
export const exp2 = (x: Real): Real => exp(mul(x, LN2));
export const sigmoid = (x: Real): Real => div(one, add(one, exp(neg(x))));
export const silu = (x: Real): Real => mul(x, sigmoid(x));
export const softplus = (x: Real): Real => log1p(exp(x));

export function log(x: Real): Real {
  const n = Math.round(magnitude(x));
  const s = scale(x, -n);
  return add(mul(real(n), LN2), scale(artanhOfSmall(div(sub(s, one), add(s, one))), 1));
}
export const log1p = (x: Real): Real =>
  magnitude(x) < -2 ? scale(artanhOfSmall(div(x, add(x, two))), 1) : log(add(one, x));
export const log2 = (x: Real): Real => div(log(x), LN2);
export const log10 = (x: Real): Real => div(log(x), log(real(10)));

/** a^b for a > 0. */
export const pow = (a: Real, b: Real): Real => exp(mul(b, log(a)));
export const cbrt = (x: Real): Real => (x.digits < 0n ? neg(root(neg(x), 3)) : root(x, 3));
export const hypot = (a: Real, b: Real): Real => sqrt(add(mul(a, a), mul(b, b)));

/** The sine and the cosine, |x| < 2^30. */
function sinCos(x: Real): [sin: Real, cos: Real] {
  const quarters = Math.round((toNumber(x) / Math.PI) * 2);
  const r = sub(x, mul(real(quarters), scale(PI, -1)));
  const step = neg(mul(r, r));
  const s = series(r, step, (k) => [1, (2 * k + 2) * (2 * k + 3)]);
  const c = add(
    one,
    series(scale(step, -1), step, (k) => [1, (2 * k + 3) * (2 * k + 4)]),
  );
  const [a, b] = quarters % 2 === 0 ? [s, c] : [c, neg(s)];
  return ((quarters % 4) + 4) % 4 < 2 ? [a, b] : [neg(a), neg(b)];
}
export const sin = (x: Real): Real => sinCos(x)[0];
export const cos = (x: Real): Real => sinCos(x)[1];
export const tan = (x: Real): Real => div(sin(x), cos(x));

export function atan(x: Real): Real {
  if (magnitude(x) < -1) return arctanOfSmall(x);
  return scale(atan(div(x, add(one, sqrt(add(one, mul(x, x)))))), 1);
}
/** For b ≠ 0. */
export function atan2(a: Real, b: Real): Real {
  const angle = atan(div(a, b));
  if (b.digits > 0n) return angle;
  return a.digits < 0n ? sub(angle, PI) : add(angle, PI);
}
/** For |x| < 1, as is arccos. */
export const asin = (x: Real): Real => atan(div(x, sqrt(mul(sub(one, x), add(one, x)))));
export const acos = (x: Real): Real => scale(atan(sqrt(div(sub(one, x), add(one, x)))), 1);

export function sinh(x: Real): Real {
  if (x.digits < 0n) return neg(sinh(neg(x)));
  const t = expm1(x);
  return scale(add(t, div(t, add(one, t))), -1);
}
export function cosh(x: Real): Real {
  const y = exp(x);
  return scale(add(y, div(one, y)), -1);
}
export function tanh(x: Real): Real {
  const t = expm1(scale(x, 1));
  return div(t, add(t, two));
}
export function asinh(x: Real): Real {
  if (x.digits < 0n) return neg(asinh(neg(x)));
  const square = mul(x, x);
  return log1p(add(x, div(square, add(one, sqrt(add(one, square))))));
}
export function acosh(x: Real): Real {
  const t = sub(x, one);
  return log1p(add(t, sqrt(mul(t, add(t, two)))));
}
export const atanh = (x: Real): Real => scale(log1p(div(scale(x, 1), sub(one, x))), -1);

/** 2/√π e^(−x²) (x + 2x³/3 + 4x⁵/15 + …), which does not alternate. */
export function erf(x: Real): Real {
  const square = mul(x, x);
  const sum = series(x, scale(square, 1), (k) => [1, 2 * k + 3]);
  return scale(div(mul(exp(neg(square)), sum), sqrt(PI)), 1);
}
/** Laplace's continued fraction e^(−x²)/√π · 1/(x + ½/(x + 1/(x + …))) where 1 − erf x would cancel. */
export function erfc(x: Real): Real {
  if (toNumber(x) < 2) return sub(one, erf(x));
  let fraction = x;
  for (let k = Math.ceil(800 / toNumber(x) ** 2) + 20; k > 0; k--) {
    fraction = add(x, div(scale(real(k), -1), fraction));
  }
  return div(exp(neg(mul(x, x))), mul(fraction, sqrt(PI)));
}

/** The remainder with the sign of b: exact. */
export function mod(a: Real, b: Real): Real {
  const exponent = Math.min(a.exponent, b.exponent);
  const [x, y] = [fixed(a, -exponent), fixed(b, -exponent)];
  return { digits: ((x % y) + y) % y, exponent };
}
