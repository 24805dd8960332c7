/** emitC: a function, or a derivative of it, as C source that needs nothing but the C library. */

import { allSteps, type Plan, planOf } from "@adjoint/compiler/targets";
import { ArgumentError, capture, isValue, type TypedArray, type Value, value } from "@adjoint/core";
import { checkOptions, describe, type OptionNames } from "@adjoint/core/operations";
import { unknownIn } from "./c/segments.ts";
import { DERIVATIVES, type Derivative, derived, type F } from "./emit/derivative.ts";
import { headerOf, patternOf } from "./emit/header.ts";
import { checkName, named, type Parameter, parametersOf, unused } from "./emit/parameters.ts";
import { sourceOf } from "./emit/source.ts";

/** Options of `emitC`. */
export interface EmitOptions {
  /** The name of the C function, and of its header. */
  readonly name: string;
  /**
   * The function itself, by default; its value and gradients by all floating arguments; its value and Jacobian or Hessian
   * by the first argument, whole or in compressed sparse rows; or the product of that Hessian with a vector, a further
   * argument.
   */
  readonly derivative?: Derivative;
  /** The names of the arguments; by default those that the function itself has for them, or x0, x1 … */
  readonly names?: readonly string[];
}

const EMIT: OptionNames<EmitOptions> = { name: true, derivative: true, names: true };

/** A C function as its source and its header. */
export interface Emitted {
  readonly source: string;
  readonly header: string;
}

/**
 * A function as C source, without JavaScript and without dependencies: to be compiled anywhere, called from anything.
 *
 * Arguments are as the examples in shape and dtype. Scalars are passed by value, all else as row-major arrays; results are
 * arrays that the caller has. What the function reads from outside, parameters too, is compiled in. Loops stay loops.
 *
 * A sparse Jacobian or Hessian is evaluated once a colour of its columns, all at once, and its entries are gathered. Where
 * they lie, which the arguments' shapes alone decide, are constants of the header: `name_rows`, `name_columns`,
 * `name_nonzeros`, `name_row_starts` and `name_column_indices`.
 *
 * Throws: ArgumentError for a name that is none in C, and where the function needs an operation that has no C.
 *
 * @example
 * const energy = (x: Value, k: Value) => x.square().sum().mul(k);
 * const { header } = emitC(energy, [[1, 2, 3], 0.5], { name: "energy", derivative: "gradient" });
 * header.includes("int energy(const double *x, double k, double *value, double *gradient_x, double *gradient_k);") // true
 */
export function emitC(
  f: F,
  examples: readonly (Value | number | readonly unknown[] | TypedArray)[],
  options: EmitOptions,
): Emitted {
  const { name, derivative = "value", names } = checkOptions("emitC", options, EMIT);
  checkName(name);
  if (!DERIVATIVES.includes(derivative)) {
    throw new ArgumentError({
      where: "emitC",
      expected: `derivative must be one of ${DERIVATIVES.join(", ")}`,
      received: describe(derivative),
    });
  }
  const used = new Set([name]);
  const xs = examples.map((x) => (isValue(x) ? x : value(x as number)));
  const inputs = named(xs, names ?? parametersOf(f), used);
  const { g, read, results, patterns } = derived(f, inputs, derivative);
  const graph = capture(g, ...read.map(({ example }) => example));
  const plan = planOf({ graph, arguments: read.length, results: graph.outputs.length, updates: [] });
  checkSteps(plan);
  const written = graph.outputs.map(
    (example, i): Parameter => ({
      name: unused((results.length === graph.outputs.length ? results[i] : undefined) ?? `value${i}`, used),
      example,
      isScalar: false,
    }),
  );
  const [pattern = null] = patterns;
  const definitions = pattern === null ? "" : patternOf(name, pattern);
  return {
    source: sourceOf({ name, plan, read, written, definitions }),
    header: headerOf({ name, derivative, read, written, pattern }),
  };
}

function checkSteps({ steps }: Plan): void {
  for (const step of allSteps(steps)) {
    const missing =
      step.kind === "evaluation"
        ? step.op.name
        : step.kind === "kernel"
          ? unknownIn(step.kernel)[0]
          : undefined;
    if (missing === undefined) continue;
    throw new ArgumentError({
      where: "emitC",
      expected: "every operation must have C code",
      received: missing,
      advice: "Compute that outside, and pass it as an argument.",
    });
  }
}
