/** Real numbers to some 140 digits (binary), and elementary functions of them: what lane functions are held to. */

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

/** log2 |x|, to a few digits. */
export function log2(x: Real): number {
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
  const shift = Math.floor(log2(x)) - x.exponent - 60;
  const digits = shift > 0 ? x.digits >> BigInt(shift) : x.digits << BigInt(-shift);
  const exponent = x.exponent + shift;
  const half = Math.trunc(exponent / 2);
  return Number(digits) * 2 ** half * 2 ** (exponent - half);
}

/** x to PRECISION digits or a few more. */
function shorten(x: Real): Real {
  if (x.digits === 0n) return { digits: 0n, exponent: 0 };
  const excess = Math.floor(log2(x)) - x.exponent - PRECISION;
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
  const shift = Math.max(0, Math.ceil(PRECISION + 2 - (log2(a) - a.exponent) + (log2(b) - b.exponent)));
  return shorten({
    digits: (a.digits << BigInt(shift)) / b.digits,
    exponent: a.exponent - shift - b.exponent,
  });
};

const one = real(1);

/**
 * The sum of c(0)·x + c(1)·x² + …, c(k + 1) = c(k)·numerator(k)/denominator(k), c(0) = 1, |x| < 1, in as many digits
 * after the point as x needs.
 */
function series(
  x: Real,
  numerator: (k: number) => number,
  denominator: (k: number) => number,
  factor = x,
): Real {
  if (x.digits === 0n) return x;
  const point = Math.ceil(PRECISION - log2(x));
  const step = fixed(factor, point);
  let term = fixed(x, point);
  let sum = 0n;
  for (let k = 0; term !== 0n && term !== -1n; k++) {
    sum += term;
    term = (((term * step) >> BigInt(point)) * BigInt(numerator(k))) / BigInt(denominator(k));
  }
  return shorten({ digits: sum, exponent: -point });
}

/** artanh x = x + x³/3 + …, |x| ≤ ½. */
const artanhSeries = (x: Real): Real => oddSeries(x, mul(x, x));
/** arctan x, |x| ≤ ½. */
const arctanSeries = (x: Real): Real => oddSeries(x, neg(mul(x, x)));

function oddSeries(x: Real, square: Real): Real {
  if (x.digits === 0n) return x;
  const point = Math.ceil(PRECISION - log2(x));
  const step = fixed(square, point);
  let power = fixed(x, point);
  let sum = 0n;
  for (let k = 1n; power !== 0n && power !== -1n; k += 2n) {
    sum += power / k;
    power = (power * step) >> BigInt(point);
  }
  return shorten({ digits: sum, exponent: -point });
}

const whole = (n: number): Real => real(n);

/** ln 2 = 2 artanh ⅓. */
const LN2 = scale(artanhSeries(div(one, whole(3))), 1);
/** π = 16 arctan ⅕ − 4 arctan 1/239 (Machin). */
const PI = sub(scale(arctanSeries(div(one, whole(5))), 4), scale(arctanSeries(div(one, whole(239))), 2));

export function expm1(x: Real): Real {
  if (log2(x) > -1) return sub(exp(x), one);
  return series(
    x,
    () => 1,
    (k) => k + 2,
  );
}

export function exp(x: Real): Real {
  if (x.digits === 0n) return one;
  const n = Math.round(toNumber(x) / Math.LN2);
  const r = sub(x, mul(whole(n), LN2));
  return scale(
    add(
      one,
      series(
        r,
        () => 1,
        (k) => k + 2,
      ),
    ),
    n,
  );
}

export function log(x: Real): Real {
  const n = Math.round(log2(x));
  const s = scale(x, -n);
  return add(mul(whole(n), LN2), scale(artanhSeries(div(sub(s, one), add(s, one))), 1));
}

export function log1p(x: Real): Real {
  if (log2(x) > -2) return log(add(one, x));
  return scale(artanhSeries(div(x, add(x, whole(2)))), 1);
}

/** The sine and the cosine, |x| < 2^20. */
function sinCos(x: Real): [sin: Real, cos: Real] {
  const turns = Math.round((toNumber(x) / Math.PI) * 2);
  const r = sub(x, mul(whole(turns), scale(PI, -1)));
  const square = neg(mul(r, r));
  const s = series(
    r,
    () => 1,
    (k) => (2 * k + 2) * (2 * k + 3),
    square,
  );
  const c = add(
    one,
    series(
      scale(square, -1),
      () => 1,
      (k) => (2 * k + 3) * (2 * k + 4),
      square,
    ),
  );
  const quarters = ((turns % 4) + 4) % 4;
  const [a, b] = quarters % 2 === 0 ? [s, c] : [c, neg(s)];
  return quarters < 2 ? [a, b] : [neg(a), neg(b)];
}
export const sin = (x: Real): Real => sinCos(x)[0];
export const cos = (x: Real): Real => sinCos(x)[1];

export function tanh(x: Real): Real {
  const t = expm1(scale(x, 1));
  return div(t, add(t, whole(2)));
}
