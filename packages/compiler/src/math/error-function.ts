/** The error function of lanes and its complement. */

import { erfc as erfcOfValue, erf as erfOfValue } from "@adjoint/core/functions";
import { upper } from "./double-word.ts";
import { expm1OfSmall, expOfSmall, factorsOfPower2, reduceByLn2 } from "./exponential.ts";
import type { LaneFunction, Lanes } from "./lanes.ts";
import { LN2 } from "./logarithm.ts";
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
 * (1/(e^(x²) erfc x) − 1)/x − 1.5 by powers of (x − k)/(x + k), 0 ≤ x ≤ 10.1 or 27.3, where erfc is 0: erfc to 2^−27.8 and
 * 2^−56.3. It rises slowly from 2/√π − 1.5 to √π − 1.5, so that its polynomial is well-conditioned, and leaves erfc 0
 * exactly 1.
 */
const ERFC = {
  float32: {
    center: 3,
    slope: [
      0.028852087, 0.33616987, -0.0997002, -0.0092355255, 0.025218297, -0.007845305, -0.004216906,
      0.0040438287, 0.00036881864, -0.0013265323, -0.00033623542,
    ],
  },
  float64: {
    center: 4,
    slope: [
      0.07482474262195442, 0.3011217338231007, -0.13976562602583323, 0.03697287465588421,
      0.009112289707817498, -0.017007195127623522, 0.00900132774643217, -0.0005825253542678003,
      -0.002697217760158077, 0.002031432644960438, -0.0004033793667355859, -0.00045296673803787253,
      0.0004349361360854935, -0.00011853495801748975, -7.649567198378172e-5, 8.82004618089998e-5,
      -2.846591835888053e-5, -1.1552895062698468e-5, 1.683653515066274e-5, -7.734665096450386e-6,
      -1.4876627436839287e-6, 4.797839369309612e-6, -1.4443256579075434e-6, -1.425297351751971e-6,
      5.228759409822619e-7, 2.3959369564141093e-7, -2.7813039387764895e-8,
    ],
  },
} as const;

/**
 * erfc x = e^(−x²)/(1 + x·s(x)) for x ≥ 0, and 2 less that of −x below.
 *
 * What rounding takes from the denominator and from its inverse is put back with e^r − 1, where e^(−x²) = 2ⁿ e^r.
 *
 * Error: 2.0 ulp.
 */
export const erfc: LaneFunction = {
  name: "erfc",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const one = m.constant(1);
    const u = m.atMost(m.abs(x!), m.constant(m.dtype === "float32" ? 10.1 : 27.3));
    // −x² in two parts: the square of half the digits is exact.
    const short = upper(u, m);
    const high = m.mul(m.neg(short), short);
    const low = m.mul(m.sub(short, u), m.add(short, u));
    const n = m.nearest(m.mul(high, m.constant(Math.LOG2E)));
    const [ln2, rest] = LN2[m.dtype];
    const r = m.add(m.madd(n, m.constant(-ln2), high), m.madd(n, m.constant(-rest), low));
    // The denominator: 1.5·x, and 1 + x·(s − 1.5) with what the first lost.
    const { center, slope } = ERFC[m.dtype];
    const t = m.div(m.sub(u, m.constant(center)), m.add(u, m.constant(center)));
    const half = m.mul(u, m.constant(0.5));
    const most = m.add(u, half);
    const more = m.add(one, m.madd(u, polynomial(slope, t, m), m.sub(half, m.sub(most, u))));
    const d = m.add(most, more);
    // Its inverse: w, and w·(1 − w·d) from exact products of halves.
    const inverse = m.div(one, d);
    const w = upper(inverse, m);
    const dHigh = upper(d, m);
    const dLow = m.add(m.sub(d, dHigh), m.sub(more, m.sub(d, most)));
    const minus = m.neg(w);
    const left = m.madd(minus, dLow, m.madd(minus, dHigh, one));
    const y = m.madd(inverse, expm1OfSmall(r, m, left), w);
    const [a, b] = factorsOfPower2(n, m);
    const tail = m.mul(m.mul(y, a), b);
    return m.select(m.lt(x!, m.constant(0)), m.sub(m.constant(2), tail), tail);
  },
  covers: null,
  scalar: (x) => erfcOfValue(x).item(),
};
