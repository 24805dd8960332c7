/** gradcheck: the gradients of a function against numeric ones. */

import {
  ArgumentError,
  add,
  cast,
  mul,
  noGrad,
  random,
  sum,
  type TreeInput,
  type TypedArray,
  type Value,
  value,
  vjp,
} from "@adjoint/core";
import type { OptionNames } from "@adjoint/core/operations";
import {
  COMPARISON,
  type Comparison,
  type ComparisonOptions,
  checkComparison,
  compareDirections,
  compareEntries,
  type Place,
  type Problem,
  tolerances,
} from "./comparison.ts";
import type { Sample } from "./differences.ts";
import { ancestors, isFloating, type Leaf, leavesOf, unravel } from "./leaves.ts";
import { GradcheckReport, GradientError } from "./report.ts";

/** Options of `gradcheck` and `assertGradients`. */
export interface GradcheckOptions extends ComparisonOptions {
  /** 1 (the default) checks gradients; 2 checks derivatives of the gradient along a random direction as well. */
  readonly order?: 1 | 2;
  /** Inputs with more entries than this are checked along random directions. By default 512. */
  readonly maxEntries?: number;
  /** How many random directions. By default 4. */
  readonly directions?: number;
  /** Outputs with more entries than this are reduced by a random cotangent. By default 16. */
  readonly maxOutputs?: number;
}

const GRADCHECK: OptionNames<GradcheckOptions> = {
  ...COMPARISON,
  order: true,
  maxEntries: true,
  directions: true,
  maxOutputs: true,
};

/**
 * Compares the gradients of `f` by its inputs with numeric ones.
 *
 * `inputs` are the arguments of `f`: values, numbers, or arrays and plain objects of them; integers and bools among
 * them are passed on. `f` may return the same; each entry of a small output is checked, larger ones are reduced by a
 * random cotangent. The numeric derivative is Ridders' extrapolation of central differences, whose steps suit the
 * entry and the dtype; a derivative fails where
 *
 *     |analytic − numeric| > atol + rtol·max(|analytic|, |numeric|) + safety·estimate,
 *
 * with the extrapolation's own error estimate, of which at most a tenth of the derivative is forgiven beyond rounding,
 * so that differences that do not settle do not pass by their noise. float32 inputs are moved and evaluated in float32.
 * Inputs are not modified. Throws: ArgumentError where f returns no floating-point value.
 *
 * @example
 * gradcheck((x, y) => mul(sin(x), y), [value([1, 2]), 3]).passed // true
 */
export function gradcheck<A extends readonly Value[]>(
  f: (...args: A) => unknown,
  inputs: TreeInput<NoInfer<A>>,
  options?: GradcheckOptions,
): GradcheckReport;
export function gradcheck<A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  inputs: TreeInput<NoInfer<A>>,
  options?: GradcheckOptions,
): GradcheckReport;
export function gradcheck(
  f: (...args: never[]) => unknown,
  inputs: unknown,
  options: GradcheckOptions = {},
): GradcheckReport {
  return check("gradcheck", f, inputs, options);
}

/**
 * Throws unless the gradients of `f` agree with numeric ones. Takes what `gradcheck` takes.
 *
 * Throws: GradientError with the report in its message.
 *
 * @example
 * assertGradients((x) => mul(x, x), [3]) // undefined
 */
export function assertGradients<A extends readonly Value[]>(
  f: (...args: A) => unknown,
  inputs: TreeInput<NoInfer<A>>,
  options?: GradcheckOptions,
): void;
export function assertGradients<A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  inputs: TreeInput<NoInfer<A>>,
  options?: GradcheckOptions,
): void;
export function assertGradients(
  f: (...args: never[]) => unknown,
  inputs: unknown,
  options: GradcheckOptions = {},
): void {
  const report = check("assertGradients", f, inputs, options);
  if (!report.passed) throw new GradientError("assertGradients", report);
}

/** The report of a function; errors name the public function that was called. */
function check(
  where: string,
  f: (...args: never[]) => unknown,
  inputs: unknown,
  options: GradcheckOptions,
): GradcheckReport {
  checkComparison(where, options, GRADCHECK);
  const { order = 1 } = options;
  if (order !== 1 && order !== 2) {
    throw new ArgumentError({ where, expected: "order must be 1 or 2", received: String(order) });
  }
  if (!Array.isArray(inputs)) {
    throw new ArgumentError({
      where,
      expected: "inputs must be an array of the function's arguments",
      received: `a ${typeof inputs}`,
    });
  }
  const all = leavesOf(where, inputs, "inputs");
  const leaves = all.leaves.filter((leaf) => isFloating(leaf.value));
  /** The floating outputs, from the floating inputs. */
  const g = (...xs: Value[]): Value[] => {
    let next = 0;
    const args = all.rebuild(all.leaves.map(({ value: x }) => (isFloating(x) ? (xs[next++] as Value) : x)));
    const outputs = leavesOf(where, f(...(args as never[])), "output").leaves.map((leaf) => leaf.value);
    return outputs.filter(isFloating);
  };
  const start = noGrad(() => g(...leaves.map((leaf) => leaf.value)));
  if (start.length === 0) {
    throw new ArgumentError({
      where,
      expected: "f must return a floating-point value",
      received: "none",
      advice: "Integers and comparisons have no derivative.",
    });
  }
  const size = start.reduce((n, y) => n + y.size, 0);
  const cotangents =
    size <= (options.maxOutputs ?? 16) ? unitCotangents(start) : [randomCotangents(start, options.seed ?? 0)];
  const outputs = size > 1 && cotangents.length > 1 ? outputNames(start) : null;
  const parts = [compare(where, 1, g, leaves, cotangents, outputs, options)];
  if (order === 2 && (parts[0] as Comparison).failureCount === 0) {
    const seeds = randomCotangents(start, options.seed ?? 0);
    const directions = randomCotangents(
      leaves.map((leaf) => leaf.value),
      (options.seed ?? 0) + 1,
    );
    const slope = (...xs: Value[]): Value[] => [alongDirection(g, xs, seeds, directions)];
    parts.push(compare(where, 2, slope, leaves, [[value(1)]], null, options));
  }
  const entries = leaves.reduce((n, leaf) => n + leaf.value.size, 0);
  const along =
    entries > (options.maxEntries ?? 512) ? ` along ${options.directions ?? 4} random directions` : "";
  return new GradcheckReport({
    where: "gradcheck",
    ...joined(parts, options.maxFailures ?? 10),
    scope: `${counted(entries, "entry", "entries")} of ${counted(leaves.length, "input", "inputs")}${along}${order === 2 ? ", first and second order" : ""}`,
    ...tolerances(options, parts[0]?.float32 ?? false),
  });
}

/** Compares derivatives of ⟨cotangent, g⟩ for each of several cotangents. */
function compare(
  where: string,
  order: 1 | 2,
  g: (...xs: Value[]) => Value[],
  leaves: readonly Leaf[],
  cotangents: readonly (readonly Value[])[],
  outputs: readonly string[] | null,
  options: GradcheckOptions,
): Comparison {
  const primals = leaves.map((leaf) => leaf.value);
  let float32 = false;
  const recorded = (...xs: Value[]): Value[] => {
    const ys = g(...xs);
    float32 = involvesFloat32(ancestors(ys));
    return ys;
  };
  const [, pull] = vjp(recorded, ...primals);
  const analytic = cotangents.map((ys) => (pull([...ys]) as Value[]).map((dx) => dx.data));
  const problem: Problem = {
    order,
    inputs: leaves.map(({ path, value: { shape, data } }) => ({ path, shape, data })),
    analytic,
    outputs,
    float32,
    evaluate: (points) => {
      const xs = points.map((data, i) => rebuilt(data, primals[i] as Value));
      const ys = noGrad(() => g(...xs));
      return weighted(where, ys, cotangents);
    },
  };
  const entries = primals.reduce((n, x) => n + x.size, 0);
  if (entries > (options.maxEntries ?? 512))
    return compareDirections(problem, options.directions ?? 4, options);
  const places: Place[] = [];
  primals.forEach((x, input) => {
    for (let flat = 0; flat < x.size; flat++) places.push({ input, flat });
  });
  return compareEntries(problem, places, options);
}

/** A value of other data, with the label of the one it stands for. */
function rebuilt(data: TypedArray, { shape, dtype, label }: Value): Value {
  return value(data, { shape, dtype, ...(label === null ? {} : { label }) });
}

/** ⟨cotangent, ys⟩ for each cotangent, summed in float64. */
function weighted(where: string, ys: readonly Value[], cotangents: readonly (readonly Value[])[]): Sample {
  const values = new Float64Array(cotangents.length);
  const sizes = new Float64Array(cotangents.length);
  cotangents.forEach((weights, k) => {
    if (ys.length !== weights.length || ys.some((y, i) => y.size !== weights[i]?.size)) {
      throw new ArgumentError({
        where,
        expected: "f must return the same shapes wherever it is evaluated",
        received: ys.map(({ shape }) => `[${shape.join(", ")}]`).join(" and "),
      });
    }
    ys.forEach((y, i) => {
      const { data } = y;
      const weight = (weights[i] as Value).data;
      for (let j = 0; j < data.length; j++) {
        if (weight[j] === 0) continue;
        const term = (weight[j] as number) * (data[j] as number);
        values[k] = (values[k] as number) + term;
        sizes[k] = (sizes[k] as number) + Math.abs(term);
      }
    });
  });
  return { values, sizes };
}

/** For each entry of the outputs, the cotangent that picks it. */
function unitCotangents(ys: readonly Value[]): Value[][] {
  return ys.flatMap((y, at) =>
    Array.from({ length: y.size }, (_, flat) =>
      ys.map(({ size, shape, dtype }, i) => {
        const data = new Float64Array(size);
        if (i === at) data[flat] = 1;
        return value(data, { shape, dtype });
      }),
    ),
  );
}

/** A random cotangent of outputs, in their dtypes. */
function randomCotangents(ys: readonly Value[], seed: number): Value[] {
  const key = random.fold(random.key(seed), 1);
  return ys.map(({ shape, dtype }, i) =>
    cast(random.normal(random.fold(key, i), shape, { dtype: "float64" }), dtype),
  );
}

function outputNames(ys: readonly Value[]): string[] {
  return ys.flatMap((y, i) =>
    Array.from({ length: y.size }, (_, flat) => {
      const name = ys.length === 1 ? "output" : `output ${i}`;
      return y.rank === 0 ? name : `${name}[${unravel(flat, y.shape).join(", ")}]`;
    }),
  );
}

/** The derivative of ⟨seeds, g⟩ along directions of its inputs, as a value that can be differentiated. */
function alongDirection(
  g: (...xs: Value[]) => Value[],
  xs: readonly Value[],
  seeds: readonly Value[],
  directions: readonly Value[],
): Value {
  const [, pull] = vjp(g, ...xs);
  const gradients = pull([...seeds]) as Value[];
  let slope: Value = value(0);
  gradients.forEach((dx, i) => {
    slope = add(slope, cast(sum(mul(dx, directions[i] as Value)), "float64"));
  });
  return slope;
}

function involvesFloat32(values: Iterable<Value>): boolean {
  for (const { dtype } of values) if (dtype === "float32") return true;
  return false;
}

/** Several comparisons as one. */
function joined(parts: readonly Comparison[], maxFailures: number) {
  const sumOf = (pick: (part: Comparison) => number) => parts.reduce((n, part) => n + pick(part), 0);
  const failures = parts.flatMap((part) => part.failures).slice(0, maxFailures);
  const worsts = parts.flatMap(({ worst }) => (worst === null ? [] : [worst]));
  return {
    checked: sumOf((part) => part.checked),
    undecided: sumOf((part) => part.undecided),
    failureCount: sumOf((part) => part.failureCount),
    failures,
    worst: failures[0] ?? worsts[0] ?? null,
    deterministic: parts.every((part) => part.deterministic),
  };
}

/** A count with its noun. */
export function counted(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
