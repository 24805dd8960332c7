/** gradcheckParameters: the gradients that a loss leaves in a model's parameters, against numeric ones. */

import {
  ArgumentError,
  isValue,
  noGrad,
  random,
  ShapeError,
  stopGradient,
  type TypedArray,
  type Value,
  value,
} from "@adjoint/core";
import type { OptionNames } from "@adjoint/core/operations";
import {
  COMPARISON,
  type ComparisonOptions,
  checkComparison,
  compareEntries,
  type Place,
  type Problem,
  tolerances,
} from "./comparison.ts";
import { counted } from "./gradcheck.ts";
import { ancestors } from "./leaves.ts";
import { GradcheckReport } from "./report.ts";

/** Options of `gradcheckParameters`. */
export interface ParametersOptions extends ComparisonOptions {
  /** Of a parameter with more entries than this, so many are checked, chosen by the seed. By default 32. */
  readonly maxEntries?: number;
}

const PARAMETERS: OptionNames<ParametersOptions> = { ...COMPARISON, maxEntries: true };

/**
 * Compares what `loss().backward()` adds to the gradients of parameters with numeric derivatives.
 *
 * `loss` returns a scalar computed from the parameters; it must not draw random numbers. Each parameter is assigned
 * data with one entry moved, and its own data again; its `.grad`, and that of every other parameter that the loss
 * reaches, is restored as it was, also after an error. Tolerances are those of `gradcheck`.
 * Throws: ArgumentError for values that are no parameters; ShapeError where the loss is no scalar.
 *
 * @example
 * const w = parameter([1, 2]);
 * gradcheckParameters(() => sum(mul(w, w)), [w]).passed // true
 */
export function gradcheckParameters(
  loss: () => Value,
  parameters: readonly Value[],
  options: ParametersOptions = {},
): GradcheckReport {
  const where = "gradcheckParameters";
  checkComparison(where, options, PARAMETERS);
  const distinct = [...new Set(parameters)];
  for (const p of distinct) {
    if (!isValue(p) || !p.isParameter) {
      throw new ArgumentError({
        where,
        expected: "parameters must be made by parameter()",
        received: isValue(p) ? `a value of shape [${p.shape.join(", ")}]` : `a ${typeof p}`,
      });
    }
  }
  const { analytic, float32 } = gradientsOf(where, loss, distinct);
  // Constants that share the parameters' data, to put it back with.
  const originals = distinct.map(stopGradient);
  const base = originals.map((x) => x.data);
  const current = [...base];
  const problem: Problem = {
    order: 1,
    inputs: distinct.map((p, i) => ({
      path: p.label ?? `parameters[${i}]`,
      shape: p.shape,
      data: base[i] as TypedArray,
    })),
    analytic: [analytic],
    outputs: null,
    float32,
    evaluate: (points) => {
      points.forEach((data, i) => {
        if (data === current[i]) return;
        const p = distinct[i] as Value;
        p.assign(
          data === base[i] ? (originals[i] as Value) : value(data, { shape: p.shape, dtype: p.dtype }),
        );
        current[i] = data;
      });
      const y = noGrad(loss).item();
      return { values: Float64Array.of(y), sizes: Float64Array.of(Math.abs(y)) };
    },
  };
  const places = choosePlaces(distinct, options);
  try {
    const comparison = compareEntries(problem, places, options);
    const size = distinct.reduce((n, p) => n + p.size, 0);
    return new GradcheckReport({
      where,
      ...comparison,
      scope: `${places.length} of ${size} entries of ${counted(distinct.length, "parameter", "parameters")}`,
      ...tolerances(options, float32),
    });
  } finally {
    distinct.forEach((p, i) => {
      if (current[i] !== base[i]) p.assign(originals[i] as Value);
    });
  }
}

/** The gradients that the loss's backward pass adds; every parameter's own gradient is put back. */
function gradientsOf(
  where: string,
  loss: () => Value,
  parameters: readonly Value[],
): { analytic: TypedArray[]; float32: boolean } {
  const output = loss();
  if (!isValue(output) || output.rank !== 0) {
    throw new ShapeError({
      where,
      expected: "the loss must be a scalar",
      received: isValue(output) ? `shape [${output.shape.join(", ")}]` : `a ${typeof output}`,
      advice: "Reduce it, for example with mean().",
    });
  }
  const behind = [...ancestors([output])];
  const touched = [...new Set([...parameters, ...behind.filter((x) => x.isParameter)])];
  const before = touched.map((p) => p.grad);
  try {
    for (const p of touched) p.grad = null;
    if (output.isDifferentiable) output.backward();
    const analytic = parameters.map((p) => p.grad?.data ?? new Float64Array(p.size));
    return { analytic, float32: behind.some(({ dtype }) => dtype === "float32") };
  } finally {
    touched.forEach((p, i) => {
      p.grad = before[i] as Value | null;
    });
  }
}

/** All entries of small parameters, and a seeded choice of the large ones'. */
function choosePlaces(
  parameters: readonly Value[],
  { maxEntries = 32, seed = 0 }: ParametersOptions,
): Place[] {
  const key = random.key(seed);
  return parameters.flatMap(({ size }, input) => {
    if (size <= maxEntries) return Array.from({ length: size }, (_, flat) => ({ input, flat }));
    const chosen = random.permutation(random.fold(key, input), size).data.slice(0, maxEntries).sort();
    return Array.from(chosen, (flat) => ({ input, flat }));
  });
}
