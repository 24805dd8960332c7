/** The error function of lanes and its complement. */

import { erfc as erfcOfValue, erf as erfOfValue } from "@adjoint/core/functions";
import { upper } from "./double-word.ts";
import { expInTwoFactors, expOfSmall, reduceByLn2 } from "./exponential.ts";
import type { LaneFunction, Lanes } from "./lanes.ts";
import { polynomial } from "./polynomial.ts";

/** erf(x)/x − 1 by powers of x², |x| ≤ 0.85: erf to 2^−27.1 and 2^−56.0. */
const ERF = {
  float32: [0.12837917, -0.37612587, 0.11282826, -0.026805645, 0.005054902, -0.00063318975],
  float64: [
    0.12837916709551256, -0.37612638903183293, 0.11283791670930512, -0.02686617063991321,
    0.0052239775683270515, -0.0008548323359338871, 0.00012055185808794832, -1.4921835063988088e-5,
    1.6398119034133688e-6, -1.569065065836473e-7, 1.065797079657973e-8,
  ],
} as const;

/** ln erfc(x) by powers of x from 0.85 to 4 or 6, where erf is 1 to the dtype: erf to 2^−28.8 and 2^−55.0. */
const LN_ERFC = {
  float32: [-0.00010452355, -1.128061, -0.6365187, -0.1045263, 0.022519361, -0.003117975, 0.00020369487],
  float64: [
    -1.610547079925117e-7, -1.1283773980641665, -0.6366287611220212, -0.10274461292261546,
    0.019068870041172147, 0.00030051210177153257, -0.0017991436474367449, 0.0006747418388778902,
    -7.335161292416626e-5, -5.154258658731622e-5, 3.531293824920992e-5, -1.2574382597016242e-5,
    3.0812729098149862e-6, -5.46631340870324e-7, 6.966139933168924e-8, -6.08170747165797e-9,
    3.2662380437662764e-10, -8.147245152146705e-12,
  ],
} as const;

/**
 * x + x·p(x²) where x is small, else 1 − erfc x, the exponential of a polynomial.
 *
 * Error: 1.4 ulp in float32, 1.5 in float64.
 */
export const erf: LaneFunction = {
  name: "erf",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const u = m.atMost(m.abs(x!), m.constant(m.dtype === "float32" ? 4 : 6));
    const small = m.madd(u, polynomial(ERF[m.dtype], m.mul(u, u), m), u);
    const [n, r] = reduceByLn2(polynomial(LN_ERFC[m.dtype], u, m), m);
    const large = m.sub(m.constant(1), m.mul(expOfSmall(r, m), m.power2(n)));
    return m.copySign(m.select(m.lt(u, m.constant(0.85)), small, large), x!);
  },
  covers: null,
  scalar: (x) => erfOfValue(x).item(),
};

/**
 * (1/(e^(x²) erfc x) − 1)/x by powers of (x − k)/(x + k), 0 ≤ x ≤ 10.1 or 27.3, where erfc is 0: erfc to 2^−26.3 and
 * 2^−55.5. It rises slowly from 2/√π to √π, so that its polynomial is well-conditioned, and leaves erfc 0 exactly 1.
 */
const ERFC = {
  float32: {
    center: 3,
    slope: [
      1.5288521, 0.33616996, -0.09970203, -0.009239734, 0.025245821, -0.007789068, -0.004338632, 0.0037617222,
      0.00046588882, -0.0008594634, -9.9639605e-5,
    ],
  },
  float64: {
    center: 4,
    slope: [
      1.5748247426219544, 0.30112173382310076, -0.1397656260258148, 0.03697287465589241, 0.009112289706516927,
      -0.01700719512860326, 0.009001327782341917, -0.000582525322035713, -0.002697218273045964,
      0.0020314321301077264, -0.00040337504731095857, -0.00045296196861781783, 0.00043491318500619877,
      -0.00011856281268676236, -7.641636411652162e-5, 8.830733157801755e-5, -2.8643944613439792e-5,
      -1.1826106841975991e-5, 1.70849967177663e-5, -7.273858577372011e-6, -1.6727896248821509e-6,
      4.305703108798494e-6, -1.420628873640395e-6, -1.123970921202842e-6, 5.848590768083537e-7,
      1.5908835401158028e-7, -5.9418849603718616e-8,
    ],
  },
} as const;

/**
 * erfc x = e^(−x²)/(1 + x·s(x)) for x ≥ 0, and 2 less that of −x below.
 *
 * Error: 4.2 ulp in float32, 4.0 in float64.
 */
export const erfc: LaneFunction = {
  name: "erfc",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const u = m.atMost(m.abs(x!), m.constant(m.dtype === "float32" ? 10.1 : 27.3));
    // −x² in two parts: the square of half the digits is exact.
    const short = upper(u, m);
    const high = m.mul(m.neg(short), short);
    const low = m.mul(m.sub(short, u), m.add(short, u));
    const [gaussian, power] = expInTwoFactors(high, low, m);
    const { center, slope } = ERFC[m.dtype];
    const t = m.div(m.sub(u, m.constant(center)), m.add(u, m.constant(center)));
    const y = m.div(gaussian, m.madd(u, polynomial(slope, t, m), m.constant(1)));
    const tail = m.mul(m.mul(y, power), power);
    return m.select(m.lt(x!, m.constant(0)), m.sub(m.constant(2), tail), tail);
  },
  covers: null,
  scalar: (x) => erfcOfValue(x).item(),
};
