/** The functions that kernels compute in lanes, by their names in core's scalar language. */

import { exp, expm1 } from "./exponential.ts";
import { tanh } from "./hyperbolic.ts";
import type { LaneFunction } from "./lanes.ts";
import { log, log1p } from "./logarithm.ts";
import { cos, sin } from "./trigonometric.ts";

/** By the name of a function of the scalar language, how lanes compute it. */
export const laneFunctions: ReadonlyMap<string, LaneFunction> = new Map(
  [exp, expm1, log, log1p, sin, cos, tanh].map((f) => [f.name, f]),
);
