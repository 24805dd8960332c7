/// <reference lib="esnext.disposable" preserve="true" />
/** compile: a function that is captured on the first call for each signature and runs as a program after that. */

import { ArgumentError, isValue, type TreeInput, type Value, value } from "@adjoint/core";
import {
  checkOptions,
  describe,
  isRecording,
  isWatched,
  type OptionNames,
  storageOf,
} from "@adjoint/core/operations";
import type { Target } from "./program.ts";
import { DEFAULT_TARGET, type TargetName, targetNamed } from "./registry.ts";
import { isPlainObject, type Leaf, patternOf } from "./signature.ts";
import { traceFunction } from "./tracing.ts";
import { Variant } from "./variant.ts";

/** Options of `compile`. */
export interface CompileOptions {
  /** What to compile to: a target, or the name of one. "c" and "auto" are there once `@adjoint/native` is imported. */
  readonly target?: Target | TargetName;
  /**
   * How many threads share the work of large steps, the calling one included: by default as many as the machine has, at
   * most 8. The same number gives the same results. 1 starts no worker.
   */
  readonly threads?: number;
  /**
   * Whether a call may write its results over those of the call before. Memory for megabytes of new results can take longer
   * than they do to compute; with this, read or copy results before the next call, or pass them to it; assign a copy. Their data may lie
   * in the program's own memory, which threads share. By default each call's are new.
   */
  readonly reuseResults?: boolean;
}

const COMPILE: OptionNames<CompileOptions> = { target: true, threads: true, reuseResults: true };

/** A compiled function: called as the function itself, with numbers where it takes values if you like. */
export interface Compiled<A extends readonly unknown[], R> {
  (...args: TreeInput<A>): R;
  /**
   * Captures and compiles for the signature of these arguments, if that was not done, and runs nothing: throws what
   * cannot be compiled, and takes the time of a first call.
   */
  prepare(...args: TreeInput<A>): void;
  /**
   * Gives the memory of all programs back; parameters keep their data. A later call compiles again. Not needed: what
   * is no longer used is collected as any object is.
   */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** How many signatures of one function are kept: the one that was not called for longest goes first. */
const MOST_SIGNATURES = 64;

/**
 * `f` as compiled code. The first call for each signature runs f once, on values without data, and compiles what it
 * does; calls after that run the program.
 *
 * A signature is the structure of the arguments, the shapes and dtypes of values, and texts and booleans themselves.
 * Numbers are inputs, which f gets as float64 scalars. Parameters that f reads are inputs too, and what it assigns to them, and the
 * gradients that it leaves, are outputs: a training step compiles as it is written. f must not look at data, for example
 * with item(), and whatever else it does or reads in JavaScript happens once, when it is captured: Math.random(),
 * console.log(), a module's mode. What f makes it makes anew each call.
 *
 * Results are new values. Where an argument or a parameter is differentiable they can be differentiated, to any order,
 * unless f assigns or calls backward(): then they are constants. While another function is captured or compiled,
 * inside detectAnomaly, and where f assigns, as drawing from a generator does, and an argument is differentiable, f itself is run. The programs of the last 64 signatures are kept.
 *
 * Throws: ArgumentError where f looks at data, is async, or takes or returns what is no value, number, text, boolean,
 * array or plain object.
 *
 * @example
 * const w = parameter([1, 2]);
 * const step = compile((x: Value, rate: Value | number) => {
 *   const [loss, gradient] = valueAndGrad((w: Value) => w.mul(x).sum().square())(w);
 *   w.assign(w.sub(gradient.mul(rate)));
 *   return loss;
 * });
 * [step(value([1, 1]), 0.1), step(value([1, 1]), 0.1)] // [9, ~3.24]
 * w // ~[0.04, 1.04]
 */
export function compile<A extends readonly Value[], R>(
  f: (...args: A) => R,
  options?: CompileOptions,
): Compiled<A, R>;
export function compile<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options?: CompileOptions,
): Compiled<A, R>;
export function compile<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: CompileOptions = {},
): Compiled<A, R> {
  const {
    target = DEFAULT_TARGET,
    threads,
    reuseResults = false,
  } = checkOptions("compile", options, COMPILE);
  checkFunction(f);
  const chosen = typeof target === "string" ? targetNamed(target) : target;
  const divided = threads === undefined ? chosen : withThreads(chosen, threads);
  const cache = new Cache(f as never, divided, reuseResults);
  const compiled = Object.assign((...args: unknown[]) => cache.call(args), {
    prepare: (...args: unknown[]) => cache.prepare(args),
    dispose: () => cache.dispose(),
    ...(Symbol.dispose === undefined ? {} : { [Symbol.dispose]: () => cache.dispose() }),
  });
  Object.defineProperty(compiled, "name", { value: f.name });
  caches.set(compiled, cache);
  return compiled as unknown as Compiled<A, R>;
}

/**
 * What a compiled function became, for people: for each signature that it was called with, the program.
 *
 * @example
 * const f = compile((x) => x.mul(2));
 * f(3) // 6
 * explain(f).startsWith("(number)") // true
 */
export function explain(compiled: Compiled<never, unknown>): string {
  const cache = caches.get(compiled);
  if (cache === undefined) {
    throw new ArgumentError({
      where: "explain",
      expected: "a function that compile() made",
      received: describe(compiled),
    });
  }
  return cache.explain();
}

const caches = new WeakMap<object, Cache>();

/** A function and the programs that it was compiled to, the one that was called last first. */
class Cache {
  readonly #f: (...args: unknown[]) => unknown;
  readonly #target: Target;
  readonly #reuseResults: boolean;
  #variants: Variant[] = [];

  constructor(f: (...args: unknown[]) => unknown, target: Target, reuseResults: boolean) {
    this.#f = f;
    this.#target = target;
    this.#reuseResults = reuseResults;
  }

  call(args: readonly unknown[]): unknown {
    if (isWatched()) return this.#inPlace(args);
    const variants = this.#variants;
    for (let i = 0; i < variants.length; i++) {
      const variant = variants[i] as Variant;
      const leaves: Leaf[] = [];
      if (!variant.fits(args, leaves)) continue;
      if (i > 0) {
        variants.splice(i, 1);
        variants.unshift(variant);
      }
      return this.#run(variant, args, leaves);
    }
    return this.#first(args);
  }

  /** Makes a variant for arguments where there is none. */
  prepare(args: readonly unknown[]): void {
    if (!isWatched() && !this.#variants.some((variant) => variant.fits(args, []))) this.#capture(args);
  }

  explain(): string {
    if (this.#variants.length === 0) return "Not called yet.";
    return this.#variants.map((variant) => variant.explain()).join("\n\n");
  }

  dispose(): void {
    const variants = this.#variants;
    this.#variants = [];
    for (const variant of variants) variant.dispose();
  }

  /** The first call for a signature. */
  #first(args: readonly unknown[]): unknown {
    const variant = this.#capture(args);
    if (variant === null) return this.#inPlace(args);
    const leaves: Leaf[] = [];
    variant.fits(args, leaves);
    return this.#run(variant, args, leaves);
  }

  /** The function for the signature of arguments; null where it can only be run itself, now. */
  #capture(args: readonly unknown[]): Variant | null {
    const patterns = args.map((x, i) => patternOf(x, `argument ${i}`));
    if (hasSymbolic(args)) return null;
    const traced = traceFunction(this.#f as never, patterns);
    if (traced === null) return null;
    const variant = new Variant(patterns, traced, this.#target, this.#reuseResults);
    this.#variants.unshift(variant);
    if (this.#variants.length > MOST_SIGNATURES) this.#variants.pop()?.dispose();
    return variant;
  }

  #run(variant: Variant, args: readonly unknown[], leaves: readonly Leaf[]): unknown {
    // Inside noGrad backward() has nothing to do: f says so itself.
    if (variant.differentiates && !isRecording()) return this.#inPlace(args);
    // Results of programs that assign are constants.
    if (variant.assigns && isRecording() && leaves.some((x) => isValue(x) && x.isDifferentiable))
      return this.#inPlace(args);
    return variant.run(leaves);
  }

  /** Runs the function itself, on values where numbers are given as well. */
  #inPlace(args: readonly unknown[]): unknown {
    return this.#f(...args.map(withValues));
  }
}

function withValues(x: unknown): unknown {
  if (typeof x === "number") return value(x);
  if (Array.isArray(x)) return x.map(withValues);
  if (!isPlainObject(x)) return x;
  return Object.fromEntries(Object.entries(x).map(([key, entry]) => [key, withValues(entry)]));
}

/** Whether an argument is being captured, so that it has no data. */
function hasSymbolic(x: unknown): boolean {
  if (isValue(x)) return storageOf(x) === null;
  if (Array.isArray(x)) return x.some(hasSymbolic);
  return isPlainObject(x) && Object.values(x).some(hasSymbolic);
}

/** A target that is asked for a number of threads. */
function withThreads(target: Target, threads: number): Target {
  if (!Number.isInteger(threads) || threads < 1) {
    throw new ArgumentError({
      where: "compile",
      expected: "threads must be a whole number from 1 on",
      received: describe(threads),
    });
  }
  return {
    name: target.name,
    prepare: (program, options) => target.prepare(program, { ...options, threads }),
  };
}

function checkFunction(f: unknown): void {
  const advice = "Await outside, and compile what computes.";
  if (typeof f !== "function") {
    throw new ArgumentError({ where: "compile", expected: "f must be a function", received: describe(f) });
  }
  if (f.constructor.name === "AsyncFunction") {
    throw new ArgumentError({
      where: "compile",
      expected: "f must not be async",
      received: describe(f),
      advice,
    });
  }
}
