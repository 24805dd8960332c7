/** Tracing: from a function and the patterns of its arguments to a program, and what becomes of the program's outputs. */

import { ArgumentError, type DType, type Graph, isValue, type Value } from "@adjoint/core";
import {
  bodyGraphOf,
  type Cell,
  constant,
  current,
  dataCell,
  describe,
  formatShape,
  type GradientCell,
  gradientCell,
  graphOf,
  isBody,
  isOlder,
  storageOf,
  type Trace,
  type TracedGradient,
  traceCall,
  typeOf,
} from "@adjoint/core/operations";
import type { Program } from "./program.ts";
import { build, isPlainObject, type Pattern, typesOf } from "./signature.ts";

/** Where a value of the function's result comes from. */
export type Source =
  /** A result of the program. */
  | { readonly kind: "result"; readonly index: number }
  /** A value or number of the arguments. */
  | { readonly kind: "argument"; readonly index: number }
  /** A parameter, a buffer or a constant: itself. */
  | { readonly kind: "value"; readonly value: Value };

/** A function as a program. */
export interface Traced {
  readonly program: Program;
  /** The data and gradients that are the program's states, in order. */
  readonly cells: readonly Cell[];
  /** The gradients that are what the program keeps, in order. */
  readonly kept: readonly GradientCell[];
  /** Gradients that are the same after each call: none, or constants. */
  readonly settled: readonly { readonly cell: GradientCell; readonly value: Value | null }[];
  /** Gradients that are read, and the dtype that they must have for the program to be the function; null for none. */
  readonly guards: readonly { readonly cell: GradientCell; readonly dtype: DType | null }[];
  /** Whether the function changes parameters, buffers or gradients. */
  readonly effects: boolean;
  /** Whether it leaves gradients, as backward does. */
  readonly differentiates: boolean;
  readonly sources: readonly Source[];
  /** The function's result from one value for each source. */
  rebuild(values: readonly Value[]): unknown;
  /** Without effects, the results by the operations that were called, derivative rules of their own included. */
  readonly graph: Graph;
  /** The graph's inputs after the arguments: differentiable values from outside, */
  readonly fixed: readonly Value[];
  /** then what stands for parameters and buffers: these. */
  readonly states: readonly Value[];
}

/** Traces a function; null where it reads values of a capture around it, so that it is no program by itself. */
export function traceFunction(f: (...args: never[]) => unknown, patterns: readonly Pattern[]): Traced | null {
  const traced = traceCall(typesOf(patterns), (inputs) => {
    const leaves = inputs[Symbol.iterator]();
    const result = f(...(patterns.map((pattern) => build(pattern, leaves)) as never[]));
    const { leaves: values, rebuild } = takeApart(result);
    // A parameter that the function made is known by its data only here.
    return { values, now: values.map(current), rebuild };
  });
  const { inputs: args, floor, gradients } = traced;
  const { values, now, rebuild } = traced.result;

  const argumentAt = new Map(args.map((x, i) => [x, i] as const));
  const results: Value[] = [];
  const sources = values.map((y, i): Source => {
    const argument = argumentAt.get(y);
    if (argument !== undefined) return { kind: "argument", index: argument };
    if (y.isAssignable && isOlder(y, floor)) return { kind: "value", value: y };
    const data = now[i] as Value;
    if (storageOf(data) !== null) return { kind: "value", value: y.isAssignable ? asConstant(data) : y };
    return { kind: "result", index: results.push(data) - 1 };
  });

  const replaced = gradients.filter((gradient) => gradient.replaced);
  const settles = ({ after }: TracedGradient) => after === null || storageOf(after) !== null;
  const kept = replaced.filter((gradient) => gradient.before === null && !settles(gradient));
  const assigned = traced.states.filter(({ after }) => after !== null);
  const accumulated = replaced.filter((gradient) => gradient.before !== null && !settles(gradient));
  const outputs = [...results, ...[...assigned, ...accumulated, ...kept].map(({ after }) => after as Value)];
  const effects = assigned.length + replaced.length > 0;
  // Results of a function with effects are constants, of which nobody asks how they were computed.
  const called = effects ? null : graphOf(args, results, floor);
  const body = called !== null && isBody(called) ? called : bodyGraphOf(args, outputs, floor);
  const own = called ?? body;
  const states = statesOf(traced, new Set([...body.outside, ...own.outside]));
  const befores = states.map(({ before }) => before);
  const isState = new Set(befores);
  const foreign = body.outside.filter((x) => storageOf(x) === null && !isState.has(x));
  checkLeaks(foreign.filter((x) => !isOlder(x, floor)));
  if (foreign.length > 0) return null;

  // Differentiable values from outside are constants of the program, and inputs of its derivatives.
  const fixed = own.outside.filter((x) => !isState.has(x));
  const places = new Map(states.map(({ of }, i) => [of, i] as const));
  return {
    program: {
      graph: body.withInputs(befores),
      arguments: args.length,
      results: results.length,
      updates: [...assigned, ...accumulated].map((of) => places.get(of) as number),
    },
    cells: states.map(({ cell }) => cell),
    kept: kept.map(({ parameter }) => gradientCell(parameter)),
    settled: replaced.filter(settles).map(({ parameter, after }) => ({
      cell: gradientCell(parameter),
      value: after === null ? null : asConstant(after),
    })),
    guards: gradients
      .filter(({ read }) => read)
      .map(({ parameter, before }) => ({
        cell: gradientCell(parameter),
        dtype: before === null ? null : before.dtype,
      })),
    effects,
    differentiates: kept.length + accumulated.length > 0,
    sources,
    rebuild,
    graph: own.withInputs([...fixed, ...befores]),
    fixed,
    states: states.map(({ value }) => value),
  };
}

/** A state of the program: what it is of, what stands for it when a call begins, and where it lives between calls. */
interface State {
  readonly of: unknown;
  readonly value: Value;
  readonly before: Value;
  readonly cell: Cell;
}

/** The data and gradients that a program replaces, or reads: those that are among what it has `read` from outside. */
function statesOf(traced: Trace<unknown>, read: ReadonlySet<Value>): State[] {
  const data = traced.states
    .filter(({ before, after }) => after !== null || read.has(before))
    .map((of) => ({ of, value: of.value, before: of.before, cell: dataCell(of.value) }));
  const gradients = traced.gradients.flatMap((of) => {
    const { before, parameter, replaced, after } = of;
    if (before === null) return [];
    const updated = replaced && after !== null && storageOf(after) === null;
    if (!updated && !read.has(before)) return [];
    return [{ of, value: parameter, before, cell: gradientCell(parameter) }];
  });
  return [...data, ...gradients];
}

function asConstant(x: Value): Value {
  return constant(typeOf(x), storageOf(x) as never);
}

/** Refuses values that a function mapped or captured inside has let out. */
function checkLeaks([leaked]: readonly Value[]): void {
  if (leaked === undefined) return;
  throw new ArgumentError({
    where: "compile",
    expected: "what is returned, assigned or differentiated must be computed from arguments and parameters",
    received: `a value of shape ${formatShape(leaked.shape)} that belongs to a function inside`,
    advice: "Return it from the function that vmap, whileLoop or capture runs.",
  });
}

/** The values of a result, each once, and a way to build the same structure of others. */
function takeApart(result: unknown): {
  leaves: Value[];
  rebuild: (values: readonly Value[]) => unknown;
} {
  const places = new Map<Value, number>();
  const visit = (x: unknown, path: string): ((from: readonly Value[]) => unknown) => {
    if (isValue(x)) {
      const place = places.get(x) ?? places.size;
      places.set(x, place);
      return (from) => from[place];
    }
    if (x === null || (typeof x !== "object" && typeof x !== "function")) return () => x;
    if (Array.isArray(x)) {
      const parts = x.map((entry, i) => visit(entry, `${path}[${i}]`));
      return (from) => parts.map((part) => part(from));
    }
    if (isPlainObject(x)) {
      const parts = Object.entries(x).map(([key, entry]) => [key, visit(entry, `${path}.${key}`)] as const);
      return (from) => Object.fromEntries(parts.map(([key, part]) => [key, part(from)]));
    }
    throw new ArgumentError({
      where: "compile",
      expected: `${path} must be a value, a number, a text, a boolean, or an array or plain object of such`,
      received: describe(x),
      ...(x instanceof Promise
        ? { advice: "An async function cannot be compiled: await outside, and compile what computes." }
        : {}),
    });
  };
  const rebuild = visit(result, "the result");
  return { leaves: [...places.keys()], rebuild };
}
