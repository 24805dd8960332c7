/** The functions that kernels compute in lanes, by their names in core's scalar language. */

import { erf, erfc } from "./error-function.ts";
import { exp, exp2, expm1 } from "./exponential.ts";
import { cosh, sinh, tanh } from "./hyperbolic.ts";
import { acosh, asinh, atanh } from "./inverse-hyperbolic.ts";
import { acos, asin, atan, atan2 } from "./inverse-trigonometric.ts";
import type { LaneFunction } from "./lanes.ts";
import { log, log1p, log2, log10 } from "./logarithm.ts";
import { sigmoid, silu, softplus } from "./logistic.ts";
import { cbrt, hypot, pow } from "./power.ts";
import { ceil, floor, mod, trunc } from "./rounding.ts";
import { cos, sin, tan } from "./trigonometric.ts";

const all = [
  ...[exp, exp2, expm1, log, log2, log10, log1p, pow, cbrt, hypot, erf, erfc],
  ...[sin, cos, tan, asin, acos, atan, atan2, sinh, cosh, tanh, asinh, acosh, atanh],
  ...[sigmoid, silu, softplus],
  ...[floor, ceil, trunc, mod],
];

/** How lanes compute a function of the scalar language, by its name there, and `exp2`. */
export const laneFunctions: ReadonlyMap<string, LaneFunction> = new Map(all.map((f) => [f.name, f]));
