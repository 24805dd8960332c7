/** The logistic function of lanes, its product with x, and its integral. */

import {
  sigmoid as sigmoidOfValue,
  silu as siluOfValue,
  softplus as softplusOfValue,
} from "@adjoint/core/functions";
import { expm1OfSmall, factorsOfPower2, reduceByLn2 } from "./exponential.ts";
import type { LaneFunction, Lanes } from "./lanes.ts";
import { logOfProduct } from "./logarithm.ts";

/** Below the first e^x and x·e^x are 0; above the second 1 + e^−x is 1. */
const ENDS = { float32: [-110, 20], float64: [-754, 40] } as const;

/** Numbers a, b and d with σ(x) = ab/d: with x = n ln 2 − r, ab = 2ⁿ and d = 2ⁿ + e^r. */
function quotient<T, M>(x: T, m: Lanes<T, M>): [a: T, b: T, d: T] {
  const one = m.constant(1);
  const [lowest, highest] = ENDS[m.dtype];
  const [n, minus] = reduceByLn2(m.atLeast(m.atMost(x, m.constant(highest)), m.constant(lowest)), m);
  const [a, b] = factorsOfPower2(n, m);
  const power = m.mul(a, b);
  const sum = m.add(one, power);
  // What that sum lost matters where e^r < 1; where 2ⁿ > 1 it is 0.
  const lost = m.sub(power, m.sub(sum, one));
  return [a, b, m.add(sum, expm1OfSmall(m.neg(minus), m, lost))];
}

/** 1/(1 + e^−x). Error: 1.8 ulp. */
export const sigmoid: LaneFunction = {
  name: "sigmoid",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const [a, b, d] = quotient(x!, m);
    return m.mul(m.div(a, d), b);
  },
  covers: null,
  scalar: (x) => sigmoidOfValue(x).item(),
};

/** x/(1 + e^−x). Error: 1.8 ulp. */
export const silu: LaneFunction = {
  name: "silu",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const [a, b, d] = quotient(x!, m);
    const [lowest, highest] = ENDS[m.dtype];
    const factor = m.select(m.lt(x!, m.constant(lowest)), m.constant(0), a);
    const y = m.mul(m.div(m.mul(x!, factor), d), b);
    return m.select(m.lt(m.constant(highest), x!), x!, y);
  },
  covers: null,
  scalar: (x) => siluOfValue(x).item(),
};

/** ln(1 + e^x) = max(x, 0) + ln(1 + e^−|x|). Error: 1.6 ulp. */
export const softplus: LaneFunction = {
  name: "softplus",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const [zero, one] = [m.constant(0), m.constant(1)];
    const [n, r] = reduceByLn2(m.atLeast(m.neg(m.abs(x!)), m.constant(ENDS[m.dtype][0])), m);
    const [a, b] = factorsOfPower2(n, m);
    const y = expm1OfSmall(r, m);
    const sum = m.add(one, y);
    const power = m.mul(m.mul(sum, a), b);
    // 1 + e^−|x|, the power of e, is in [1, 2], and half of it is taken where it is greater than √2.
    const e = m.select(m.lt(m.constant(Math.SQRT2 - 1), power), one, zero);
    const scale = m.madd(e, m.constant(-0.5), one);
    const lost = m.mul(m.mul(scale, m.mul(a, b)), m.sub(y, m.sub(sum, one)));
    return m.add(m.atLeast(x!, zero), logOfProduct(m.mul(scale, m.sub(power, e)), e, m, lost));
  },
  covers: null,
  scalar: (x) => softplusOfValue(x).item(),
};
