/** Gradient descent with a step that doubles and halves, as a differentiable loop, and derivatives in either mode. */

import { cond, grad, jacobian, logicalNot, norm, type Value, value, whileLoop } from "@adjoint/core";

/** A scalar function of a vector. */
export type Objective = (x: Value) => Value;

/** How a gradient is found: by the reverse sweep, or by forward sweeps along all axes at once. */
export type Mode = "reverse" | "forward";

/** The four nestings by their names: the outer mode, then the inner one. */
export const NESTINGS: Readonly<Record<"rr" | "rf" | "fr" | "ff", readonly [outer: Mode, inner: Mode]>> = {
  rr: ["reverse", "reverse"],
  rf: ["reverse", "forward"],
  fr: ["forward", "reverse"],
  ff: ["forward", "forward"],
};

/** The gradient of a scalar function of a vector, or of a scalar. */
export function gradient(f: Objective, mode: Mode): Objective {
  if (mode === "reverse") return (x) => grad(f)(x);
  return jacobian(f, { mode });
}

/** The descent's point, its value and gradient there, its step, and how often it has gone on with this step. */
type Descent = {
  readonly x: Value;
  readonly fx: Value;
  readonly slope: Value;
  readonly eta: Value;
  readonly successes: Value;
  readonly isDone: Value;
};

const NEAR = 1e-5;

/** A minimum of f near where the descent starts. */
export function argmin(f: Objective, mode: Mode, start: Value): Value {
  const slopeOf = gradient(f, mode);
  const initial: Descent = {
    x: start,
    fx: f(start),
    slope: slopeOf(start),
    eta: value(1e-5),
    successes: value(0),
    isDone: value(false),
  };
  const goesOn = ({ slope, isDone }: Descent) => norm(slope).gt(NEAR).logicalAnd(logicalNot(isDone));
  const step = (at: Descent): Descent =>
    cond(
      at.successes.eq(10),
      (): Descent => ({ ...at, eta: at.eta.mul(2), successes: value(0) }),
      (): Descent => {
        const x = at.x.sub(at.slope.mul(at.eta));
        return cond(
          norm(at.x.sub(x)).le(NEAR),
          (): Descent => ({ ...at, isDone: value(true) }),
          () => moved(at, x),
        );
      },
    );
  const moved = (at: Descent, x: Value): Descent => {
    const fx = f(x);
    return cond(
      fx.lt(at.fx),
      (): Descent => ({ ...at, x, fx, slope: slopeOf(x), successes: at.successes.add(1) }),
      (): Descent => ({ ...at, eta: at.eta.div(2), successes: value(0) }),
    );
  };
  return whileLoop(goesOn, step, initial).x;
}

/** A maximum of f near where the ascent starts. */
export function argmax(f: Objective, mode: Mode, start: Value): Value {
  return argmin((x) => f(x).neg(), mode, start);
}
