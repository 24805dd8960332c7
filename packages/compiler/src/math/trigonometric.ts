/** Trigonometric functions of lanes. */

import { upper } from "./double-word.ts";
import type { LaneFunction, Lanes } from "./lanes.ts";
import { polynomial } from "./polynomial.ts";

/**
 * π/2 in parts, all but the last so short that their products with whole numbers of 12 (float32) or 18 (float64) digits
 * are exact. Source: Cody and Waite, Software Manual for the Elementary Functions (1980), chapter 8.
 */
const HALF_PI = {
  float32: [1.5703125, 0.0004837512969970703, 7.549533620476723e-8, 2.563344151594519e-12],
  float64: [1.5707963267923333, 2.5633441515839558e-12, 1.0562999066987428e-23],
} as const;

/** Where those digits suffice. */
const REACH = { float32: 6400, float64: 400000 } as const;

/** (sin(r)/r − 1)/r² by powers of r², |r| ≤ π/4: sin to 2^−27.9 and 2^−57.9. */
const SIN = {
  float32: [-0.16666655, 0.008332187, -0.00019517893],
  float64: [
    -0.1666666666666663, 0.00833333333332184, -0.00019841269829358528, 2.7557313538514225e-6,
    -2.505073438923675e-8, 1.589543328554766e-10,
  ],
} as const;

/** (cos(r) − 1)/r² by powers of r², |r| ≤ π/4: cos to 2^−33.0 and 2^−63.9. */
const COS = {
  float32: [-0.5, 0.041666646, -0.001388731, 2.4432327e-5],
  float64: [
    -0.5, 0.041666666666666595, -0.0013888888888873338, 2.4801587288997475e-5, -2.7557314215294656e-7,
    2.0875705114038095e-9, -1.1358732709141168e-11,
  ],
} as const;

/**
 * sin x: with x = kπ/2 + r, in turn sin r, cos r, −sin r, −cos r. What it shares with `cos` of x need be done once.
 *
 * Error: 1.6 ulp.
 */
export const sin: LaneFunction = {
  name: "sin",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const [k, r, rest] = reduce(x!, m);
    const z = m.mul(r, r);
    const half = m.mul(k, m.constant(0.5));
    const turn = m.floor(half);
    const y = m.select(m.lt(turn, half), cosine(z, m), sine(r, z, rest, m));
    return m.select(m.eq(x!, m.constant(0)), x!, alternate(y, turn, m));
  },
  covers: ([x], m) => m.le(m.abs(x!), m.constant(REACH[m.dtype])),
  scalar: Math.sin,
};

/**
 * cos x: with x = kπ/2 + r, in turn cos r, −sin r, −cos r, sin r.
 *
 * Error: 1.6 ulp.
 */
export const cos: LaneFunction = {
  name: "cos",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const [k, r, rest] = reduce(x!, m);
    const z = m.mul(r, r);
    const half = m.mul(k, m.constant(0.5));
    const turn = m.ceil(half);
    const y = m.select(m.lt(half, turn), sine(r, z, rest, m), cosine(z, m));
    return alternate(y, turn, m);
  },
  covers: ([x], m) => m.le(m.abs(x!), m.constant(REACH[m.dtype])),
  scalar: Math.cos,
};

/**
 * tan x: with x = kπ/2 + r, sin r/cos r and −cos r/sin r by turns. What rounding takes from r, from both and from their
 * quotient y is put back at the end, where dy/dr = 1 + y². Error: 1.4 ulp in float32, 1.3 in float64.
 */
export const tan: LaneFunction = {
  name: "tan",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const one = m.constant(1);
    const [k, r, rest] = reduceWithRest(x!, m);
    const z = m.mul(r, r);
    const half = m.mul(k, m.constant(0.5));
    const odd = m.lt(m.floor(half), half);
    const sum = (a: T, b: T) => {
      const high = m.add(a, b);
      return { high, low: m.sub(b, m.sub(high, a)) };
    };
    const s = sum(r, m.mul(m.mul(r, z), polynomial(SIN[m.dtype], z, m)));
    const c = sum(one, m.mul(z, polynomial(COS[m.dtype], z, m)));
    const [top, bottom] = [m.select(odd, m.neg(c.high), s.high), m.select(odd, s.high, c.high)];
    const [topRest, bottomRest] = [m.select(odd, m.neg(c.low), s.low), m.select(odd, s.low, c.low)];
    const y = m.div(top, bottom);
    // top − y·bottom, from exact products of halves.
    const [yHigh, bottomHigh] = [upper(y, m), upper(bottom, m)];
    const [yLow, bottomLow] = [m.sub(y, yHigh), m.sub(bottom, bottomHigh)];
    const crossed = m.sub(
      m.sub(m.sub(top, m.mul(yHigh, bottomHigh)), m.mul(yHigh, bottomLow)),
      m.mul(yLow, bottomHigh),
    );
    const left = m.sub(crossed, m.mul(yLow, bottomLow));
    const lost = m.div(m.sub(m.add(left, topRest), m.mul(y, bottomRest)), bottom);
    const tangent = m.add(y, m.add(lost, m.mul(rest, m.madd(y, y, one))));
    return m.select(m.eq(x!, m.constant(0)), x!, tangent);
  },
  covers: ([x], m) => m.le(m.abs(x!), m.constant(REACH[m.dtype])),
  scalar: Math.tan,
};

/** The whole number k nearest to x/(π/2), and x − kπ/2 as a sum of two numbers, the second below the first's last digits. */
function reduce<T, M>(x: T, m: Lanes<T, M>): [k: T, r: T, rest: T] {
  const k = m.nearest(m.mul(x, m.constant(2 / Math.PI)));
  const parts = HALF_PI[m.dtype].map((part) => m.constant(-part));
  const last = parts.pop()!;
  let r = x;
  for (const part of parts) r = m.madd(k, part, r);
  return [k, r, m.mul(k, last)];
}

/** As `reduce`, and what r lacks because each of its subtractions is rounded. */
function reduceWithRest<T, M>(x: T, m: Lanes<T, M>): [k: T, r: T, rest: T] {
  const k = m.nearest(m.mul(x, m.constant(2 / Math.PI)));
  let [r, rest] = [x, m.constant(0)];
  for (const part of HALF_PI[m.dtype]) {
    const before = r;
    r = m.madd(k, m.constant(-part), before);
    rest = m.add(rest, m.madd(k, m.constant(-part), m.sub(before, r)));
  }
  return [k, r, rest];
}

/** sin(r + rest), |r| ≤ π/4, z = r²; 0 of −0. */
function sine<T, M>(r: T, z: T, rest: T, m: Lanes<T, M>): T {
  return m.add(r, m.madd(m.mul(r, z), polynomial(SIN[m.dtype], z, m), rest));
}

/** cos r, |r| ≤ π/4, z = r². */
function cosine<T, M>(z: T, m: Lanes<T, M>): T {
  return m.madd(z, polynomial(COS[m.dtype], z, m), m.constant(1));
}

/** y where the whole number n is even, −y where it is odd. */
function alternate<T, M>(y: T, n: T, m: Lanes<T, M>): T {
  const half = m.mul(n, m.constant(0.5));
  const odd = m.sub(half, m.floor(half));
  return m.mul(y, m.madd(odd, m.constant(-4), m.constant(1)));
}
