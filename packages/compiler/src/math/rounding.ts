/** Rounding and remainders of lanes. */

import { upper } from "./double-word.ts";
import type { LaneFunction, Lanes } from "./lanes.ts";

/** The largest whole number that is not greater. */
export const floor: LaneFunction = {
  name: "floor",
  arity: 1,
  fast: ([x], m) => m.floor(x!),
  covers: null,
  scalar: Math.floor,
};

/** The smallest whole number that is not less. */
export const ceil: LaneFunction = {
  name: "ceil",
  arity: 1,
  fast: ([x], m) => m.ceil(x!),
  covers: null,
  scalar: Math.ceil,
};

/** The whole part. */
export const trunc: LaneFunction = {
  name: "trunc",
  arity: 1,
  fast: ([x], m) => m.trunc(x!),
  covers: null,
  scalar: Math.trunc,
};

/** The remainder of a/b with the sign of b. Error: ½ ulp. */
export const mod: LaneFunction = {
  name: "mod",
  arity: 2,
  /**
   * a − nb with n the whole number nearest to a/b: exact, n having fewer digits than half of a lane's, and the halves
   * of b being taken off one after the other. It is then moved up by b where its sign is not that of b.
   */
  fast<T, M>([a, b]: readonly T[], m: Lanes<T, M>): T {
    const zero = m.constant(0);
    const minus = m.neg(m.nearest(m.div(a!, b!)));
    const high = upper(b!, m);
    const r = m.madd(minus, m.sub(b!, high), m.madd(minus, high, a!));
    const moved = m.select(m.lt(m.mul(m.copySign(m.constant(1), b!), r), zero), m.add(r, b!), r);
    return m.select(m.eq(r, zero), m.copySign(zero, b!), moved);
  },
  covers<T, M>([a, b]: readonly T[], m: Lanes<T, M>): M {
    const [quotient, least, greatest] =
      m.dtype === "float32" ? [2 ** 11, 2 ** -100, 2 ** 100] : [2 ** 25, 2 ** -960, 2 ** 960];
    const size = m.abs(b!);
    const inside = m.and(m.le(m.constant(least), size), m.le(size, m.constant(greatest)));
    return m.and(inside, m.le(m.abs(a!), m.mul(size, m.constant(quotient))));
  },
  scalar(a, b) {
    const rest = a % b;
    if (rest !== 0) return rest < 0 !== b < 0 ? rest + b : rest;
    return b < 0 || Object.is(b, -0) ? -0 : 0;
  },
};
