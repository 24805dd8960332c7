/** Holds programs on a target to what core computes eagerly. */

import { capture, isValue, random, type TypedArray, type Value, value, vjp } from "@adjoint/core";
import type { Draw } from "@adjoint/core/operations";
import { storageOf } from "@adjoint/core/operations";
import type { Program, Storage, Target } from "../src/program.ts";

/** A program without state. */
export function programOf(f: (...xs: Value[]) => unknown, examples: readonly Value[]): Program {
  const graph = capture(f, ...examples);
  return { graph, arguments: examples.length, results: graph.outputs.length, updates: [] };
}

/** The outputs of a function of values, run on a target. */
export function runOn(target: Target, f: (...xs: Value[]) => unknown, xs: readonly Value[]): Storage[] {
  const executable = target.prepare(programOf(f, xs));
  try {
    return executable.run(xs.map((x) => storageOf(x) as Storage));
  } finally {
    executable.dispose();
  }
}

/** All values in a result, in order. */
export function valuesIn(x: unknown): Value[] {
  if (isValue(x)) return [x];
  if (Array.isArray(x)) return x.flatMap(valuesIn);
  return typeof x === "object" && x !== null ? Object.values(x).flatMap(valuesIn) : [];
}

/** A function's floating outputs and, for cotangents that are drawn, its gradient. */
export function withGradient(f: (...xs: Value[]) => Value[], seed: number): (...xs: Value[]) => Value[] {
  return (...xs) => {
    const floating = (...leaves: Value[]) => f(...leaves).filter(isFloating);
    const outputs = f(...xs);
    if (!outputs.some(isFloating)) return outputs;
    const [ys, pull] = vjp(floating, ...xs);
    const cotangents = (ys as Value[]).map(({ shape, dtype }, i) =>
      value(
        random.uniform(random.fold(random.key(seed), i), shape, { low: -1, high: 1, dtype: "float64" }).data,
        {
          shape,
          dtype,
        },
      ),
    );
    return [...outputs, ...(pull(cotangents as never) as unknown as Value[])];
  };
}

function isFloating(x: Value): boolean {
  return x.dtype === "float64" || x.dtype === "float32";
}

/** Draws float64 or float32 values, each of its own stream. */
export function drawing(seed: number, dtype: "float64" | "float32"): Draw {
  let drawn = 0;
  return (shape, [low, high] = [-2, 2]) => {
    const key = random.fold(random.key(seed), drawn++);
    return random.uniform(key, shape, { low, high, dtype });
  };
}

/**
 * The largest difference between numbers, in units of `relative` of the array's largest finite one; infinite where NaN
 * or an infinity stands in one alone.
 */
export function distance(actual: Storage, expected: Storage): number {
  const a = typeof actual === "number" ? [actual] : actual;
  const b = typeof expected === "number" ? [expected] : (expected as TypedArray);
  if (a.length !== b.length) return Infinity;
  let scale = 1e-30;
  for (const x of b) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x));
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    if (Object.is(x, y) || x === y) continue;
    const difference = Math.abs(x - y);
    worst = Math.max(worst, Number.isNaN(difference) ? Infinity : difference / scale);
  }
  return worst;
}
