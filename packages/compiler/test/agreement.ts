/** Holds programs on a target to what core computes eagerly. */

import { capture, isValue, random, type TypedArray, type Value, value, vjp } from "@adjoint/core";
import type { Draw } from "@adjoint/core/operations";
import { storageOf } from "@adjoint/core/operations";
import { compile } from "../src/compile.ts";
import type { Program, Storage, Target } from "../src/program.ts";
import { argumentsOf, instanceOf, isSingle, type RandomProgram } from "./programs.ts";

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
 * The largest difference between numbers, relative to the largest finite one of the array, or to `least` where that is
 * smaller; infinite where NaN or an infinity stands in one alone.
 */
export function distance(actual: Storage, expected: Storage, least = 1e-30): number {
  const a = typeof actual === "number" ? [actual] : actual;
  const b = typeof expected === "number" ? [expected] : (expected as TypedArray);
  if (a.length !== b.length) return Infinity;
  let scale = least;
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

/** One array that a call leaves behind. */
interface Trace {
  readonly what: string;
  readonly type: string;
  readonly data: Storage;
}

const CALLS = 3;
/** Errors of numbers that are smaller than this come from numbers that are not. */
const ORDINARY = 0.01;

/** What calls of a program give and leave behind: eager, or compiled to a target. */
function tracesOf(program: RandomProgram, target: Target | null, noise = 0): Trace[] {
  const { f, states } = instanceOf(program, noise);
  const call = target === null ? f : (compile(f as never, { target }) as typeof f);
  const traces: Trace[] = [];
  const note = (what: string, x: Value | null): void => {
    traces.push({
      what,
      type: x === null ? "none" : `${x.dtype} [${x.shape.join(", ")}]`,
      data: x === null ? 0 : (storageOf(x) as Storage),
    });
  };
  for (let n = 0; n < CALLS; n++) {
    const outputs = call(...argumentsOf(program, n, noise));
    for (const [i, y] of outputs.entries()) note(`output ${i} of call ${n}`, y);
    // States that nobody looks at stay in the program.
    if (n < CALLS - 1 && program.seed % 2 === 0) continue;
    states.forEach((w, i) => {
      note(`state ${i} after call ${n}`, w);
      if (w.isParameter) note(`gradient ${i} after call ${n}`, w.grad);
    });
  }
  return traces;
}

/**
 * Where a random program compiled to a target differs from eager code by more than rounding, or null. How far rounding
 * goes is measured: by what becomes of arguments that are a little off.
 */
export function disagreement(program: RandomProgram, target: Target): string | null {
  const expected = tracesOf(program, null);
  const actual = tracesOf(program, target);
  if (actual.length !== expected.length) return "another number of results";
  const bound = isSingle(program) ? 2e-5 : 1e-11;
  let beside: Trace[] | null = null;
  for (const [i, { what, type, data }] of expected.entries()) {
    const own = actual[i] as Trace;
    if (own.type !== type) return `${what}: ${own.type} for ${type}`;
    const isWhole = type.startsWith("int32") || type.startsWith("bool");
    const error = distance(own.data, data, ORDINARY);
    if (error <= (isWhole ? 0 : bound)) continue;
    beside ??= tracesOf(program, null, isSingle(program) ? 2 ** -22 : 2 ** -50);
    const spread = distance((beside[i] as Trace).data, data, ORDINARY);
    if (Number.isFinite(error) && error <= 20 * spread) continue;
    return `${what}, ${type}: off by ${error} (noise ${spread}); ${textOf(own.data)} for ${textOf(data)}`;
  }
  return null;
}

const textOf = (data: Storage): string => (typeof data === "number" ? String(data) : data.join(" "));
