/** Numeric derivatives on their own: of a scalar function, of all inputs, and along a direction. */

import {
  ArgumentError,
  noGrad,
  ShapeError,
  type TreeInput,
  type TypedArray,
  type Value,
  type ValueTree,
  value,
} from "@adjoint/core";
import { differences, EPSILON, type Sample } from "./differences.ts";
import { isFloating, leavesOf } from "./leaves.ts";

/** A numeric derivative, and what it may be off by. */
export interface NumericDerivative {
  readonly derivative: number;
  readonly error: number;
}

/**
 * The derivative of a function of one number, with an estimate of its error.
 *
 * `f` may compute with plain numbers or with values. Source: Ridders (1982), see `gradcheck`.
 *
 * @example
 * derivative(Math.exp, 1).derivative // ~2.718281828
 */
export function derivative(f: (x: number) => number | Value, x: number): NumericDerivative {
  if (typeof x !== "number" || !Number.isFinite(x)) {
    throw new ArgumentError({
      where: "derivative",
      expected: "x must be a finite number",
      received: typeof x === "number" ? String(x) : `a ${typeof x}`,
    });
  }
  const { derivatives, errors } = differences(
    (t) => {
      const moved = x + t;
      const y = noGrad(() => f(moved));
      const number = typeof y === "number" ? y : y.item();
      return { sample: sampleOf([number]), t: moved - x };
    },
    { x },
  );
  return { derivative: derivatives[0] as number, error: errors[0] as number };
}

/**
 * The gradient of a scalar function by every one of its arguments, from central differences alone.
 *
 * `inputs` are the arguments of `f`, as in `gradcheck`; the result has their structure, and zero for integers.
 * Throws: ShapeError where f returns no scalar.
 *
 * @example
 * numericGradient((x) => sum(mul(x, x)), [value([1, 2])])[0] // ~[2, 4]
 */
export function numericGradient<A extends readonly Value[]>(
  f: (...args: A) => Value,
  inputs: TreeInput<NoInfer<A>>,
): { -readonly [I in keyof A]: ValueTree<A[I]> };
export function numericGradient<A extends readonly unknown[]>(
  f: (...args: A) => Value,
  inputs: TreeInput<NoInfer<A>>,
): { -readonly [I in keyof A]: ValueTree<A[I]> };
export function numericGradient(f: (...args: never[]) => Value, inputs: unknown): unknown {
  const where = "numericGradient";
  const { leaves, rebuild } = leavesOf(where, inputs, "inputs");
  const values = leaves.map((leaf) => leaf.value);
  const evaluate = (xs: readonly Value[]): Value => {
    const y = noGrad(() => f(...(rebuild(xs) as never[])));
    if (y.rank === 0) return y;
    throw new ShapeError({
      where,
      expected: "output must be a scalar",
      received: `shape [${y.shape.join(", ")}]`,
      advice: "Reduce it, for example with sum().",
    });
  };
  const epsilon = spacing([...values, evaluate(values)]);
  const gradients = values.map((x, at) => {
    const { data, shape, dtype } = x;
    const gradient = new Float64Array(x.size);
    if (!isFloating(x)) return value(gradient, { shape });
    data.forEach((entry, flat) => {
      const probe = (t: number) => {
        const moved = data.slice();
        moved[flat] = entry + t;
        const xs = values.map((same, i) => (i === at ? value(moved, { shape, dtype }) : same));
        return { sample: sampleOf([evaluate(xs).item()]), t: (moved[flat] as number) - entry };
      };
      gradient[flat] = differences(probe, { x: entry, epsilon }).derivatives[0] as number;
    });
    return value(gradient, { shape, dtype });
  });
  return rebuild(gradients);
}

/**
 * The derivative of a function's outputs as all inputs move along tangents, from central differences alone.
 *
 * `primals` and `tangents` are arguments of `f` in one structure; the result has the structure of f's output.
 * Throws: ShapeError where a tangent's shape is not its primal's.
 *
 * @example
 * numericJvp((x) => mul(x, x), [value([1, 2])], [value([1, 10])]) // ~[2, 40]
 */
export function numericJvp<A extends readonly Value[], R>(
  f: (...args: A) => R,
  primals: TreeInput<NoInfer<A>>,
  tangents: TreeInput<NoInfer<A>>,
): ValueTree<R>;
export function numericJvp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  primals: TreeInput<NoInfer<A>>,
  tangents: TreeInput<NoInfer<A>>,
): ValueTree<R>;
export function numericJvp(f: (...args: never[]) => unknown, primals: unknown, tangents: unknown): unknown {
  const where = "numericJvp";
  const { leaves, rebuild } = leavesOf(where, primals, "primals");
  const values = leaves.map((leaf) => leaf.value);
  const directions = leavesOf(where, tangents, "tangents").leaves.map((leaf) => leaf.value);
  values.forEach(({ shape }, i) => {
    const given = directions[i]?.shape;
    if (given !== undefined && directions.length === values.length && String(given) === String(shape)) return;
    throw new ShapeError({
      where,
      expected: `a tangent must have its primal's shape [${shape.join(", ")}]`,
      received: given === undefined ? "none" : `[${given.join(", ")}]`,
    });
  });
  const outputsAt = (t: number) => {
    const xs = values.map((x, i) => (isFloating(x) ? moved(x, directions[i] as Value, t) : x));
    return leavesOf(
      where,
      noGrad(() => f(...(rebuild(xs) as never[]))),
      "output",
    );
  };
  const start = outputsAt(0);
  const outputs = start.leaves.map((leaf) => leaf.value);
  const epsilon = spacing([...values, ...outputs]);
  // Steps are fractions of the largest entry, along a direction whose largest entry is 1.
  const length = largest(directions) || 1;
  const probe = (t: number) => {
    const ys = outputsAt(t / length).leaves.flatMap((leaf) => Array.from(leaf.value.data));
    return { sample: sampleOf(ys), t: t / length };
  };
  const { derivatives } = differences(probe, { epsilon });
  let at = 0;
  return start.rebuild(
    outputs.map(({ size, shape, dtype }) => {
      const data = derivatives.slice(at, at + size);
      at += size;
      return value(data, { shape, dtype: dtype === "float32" ? dtype : "float64" });
    }),
  );
}

function moved({ data, shape, dtype }: Value, direction: Value, t: number): Value {
  const to: TypedArray = data.slice();
  const v = direction.data;
  for (let i = 0; i < to.length; i++) to[i] = (data[i] as number) + t * (v[i] as number);
  return value(to, { shape, dtype });
}

function largest(values: readonly Value[]): number {
  let out = 0;
  for (const { data } of values) for (const x of data) out = Math.max(out, Math.abs(x));
  return out;
}

function sampleOf(values: readonly number[]): Sample {
  return { values: Float64Array.from(values), sizes: Float64Array.from(values, Math.abs) };
}

function spacing(values: readonly Value[]): number {
  return values.some(({ dtype }) => dtype === "float32") ? EPSILON.float32 : EPSILON.float64;
}
