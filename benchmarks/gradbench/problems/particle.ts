/** particle: where a charge must be for a particle that flies past it to land at 0; derivatives within derivatives. */

import { stack, type Value, value, whileLoop } from "@adjoint/core";
import { field, scalar } from "../input.ts";
import { type Problem, task } from "../problem.ts";
import { argmin, gradient, type Mode, NESTINGS } from "./descent.ts";

/** Euler's time step. */
const DT = 0.1;

type Flight = { readonly before: Value; readonly x: Value; readonly v: Value };

/** The square of where the particle lands; its acceleration is the derivative of a potential, in the inner mode. */
export function landing(w: Value, inner: Mode): Value {
  const charges = [stack([10, w.neg().add(10)]), value([10, 0])];
  const distance = (x: Value, y: Value) => x.sub(y).square().sum().sqrt();
  const potential = (x: Value) =>
    charges.map((charge) => distance(x, charge).reciprocal()).reduce((sum, part) => sum.add(part));
  const slope = gradient(potential, inner);

  const before = value([0, 8]);
  const v = value([0.75, 0]);
  const start: Flight = { before, x: before.add(v.mul(DT)), v };
  const landed = whileLoop(
    ({ x }: Flight) => x.slice(1).gt(0),
    ({ before, x, v }: Flight): Flight => {
      const next = v.sub(slope(before).mul(DT));
      return { before: x, x: x.add(next.mul(DT)), v: next };
    },
    start,
  );
  const rest = landed.x.slice(1).neg().div(landed.v.slice(1));
  return landed.x.slice(0).add(landed.v.slice(0).mul(rest)).square();
}

/** The w at which the particle lands at 0. */
export function best(w: Value, outer: Mode, inner: Mode): Value {
  return argmin((w) => landing(w, inner), outer, w);
}

const nested =
  (name: keyof typeof NESTINGS): Problem[string] =>
  (input) =>
    task((w: Value) => best(w, ...NESTINGS[name]), [scalar(field(input, "w"), "w")]);

export const particle: Problem = { rr: nested("rr"), rf: nested("rf"), fr: nested("fr"), ff: nested("ff") };
