/** saddle: the saddle point of a function by a descent whose function is found by an ascent. */

import { concat, sum, type Value } from "@adjoint/core";
import { tensor } from "../input.ts";
import { type Problem, task } from "../problem.ts";
import { argmax, argmin, type Mode, NESTINGS } from "./descent.ts";

const height = (x: Value, y: Value): Value => sum(x.square()).sub(sum(y.square()));

/** The x where the maximum over y is least, and the y where it is; both searches start at the same point. */
export function saddlePoint(start: Value, outer: Mode, inner: Mode): Value {
  const highest = (x: Value) =>
    height(
      x,
      argmax((y) => height(x, y), inner, start),
    );
  const x = argmin(highest, outer, start);
  return concat([x, argmax((y) => height(x, y), inner, start)]);
}

const nested =
  (name: keyof typeof NESTINGS): Problem[string] =>
  (input) =>
    task((start: Value) => saddlePoint(start, ...NESTINGS[name]), [tensor(input, "start", 2)]);

export const saddle: Problem = { rr: nested("rr"), rf: nested("rf"), fr: nested("fr"), ff: nested("ff") };
