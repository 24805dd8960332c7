/** Functions of core that are made of several, compiled in float32: their errors, and those of their derivatives. */

import { compile, type Target } from "@adjoint/compiler";
import { grad, logSigmoid, sigmoid, silu, softplus, sum, type Value, value } from "@adjoint/core";
import { expect, test } from "vitest";
import { generator } from "../math/generator.ts";
import { ulpsOfSingle } from "../math/ulps.ts";

const SAMPLES = 50_000;

/** The functions, and the largest errors allowed in units in the last place. Float64 is exact enough to tell. */
const CASES: readonly [name: string, f: (x: Value) => Value, limit: number][] = [
  ["sigmoid", sigmoid, 1.8],
  ["silu", silu, 1.8],
  ["softplus", softplus, 1.6],
  ["logSigmoid", logSigmoid, 1.6],
  ["the derivative of softplus", grad((x: Value) => sum(softplus(x))), 1.8],
  ["the derivative of logSigmoid", grad((x: Value) => sum(logSigmoid(x))), 1.8],
  // A product of two sigmoids, whose errors add up, but which keeps its digits where either is near 1.
  ["the derivative of sigmoid", grad((x: Value) => sum(sigmoid(x))), 3.5],
];

/** Numbers where results are neither denormal nor 0. */
function drawn(): Float32Array {
  const random = generator(5);
  return Float32Array.from({ length: SAMPLES }, (_, i) => (i % 2 === 0 ? 160 : 8) * (random() - 0.5));
}

/** Declares a test for each function. */
export function holdAccuracy(target: Target): void {
  const xs = drawn();
  test.each(CASES)(`%s of float32 by ${target.name} is within its bound`, (_, f, limit) => {
    const got = compile(f, { target })(value(xs, { dtype: "float32" })) as Value;
    const exact = f(value(Float64Array.from(xs)));
    let [worst, where] = [0, 0];
    for (let i = 0; i < SAMPLES; i++) {
      const error = ulpsOfSingle(got.data[i] as number, exact.data[i] as number);
      if (error > worst) [worst, where] = [error, xs[i] as number];
    }
    expect(worst, `at ${where}`).toBeLessThanOrEqual(limit);
  });
}
