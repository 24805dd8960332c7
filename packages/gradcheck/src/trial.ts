/** One argument list of an operation, as a function of the values in it. */

import { isValue, noGrad, random, type TypedArray, type Value, value } from "@adjoint/core";
import type { Definition, Draw } from "@adjoint/core/operations";
import { isFloating } from "./leaves.ts";

/** An operation at one argument list: a function from the floating values in it to its floating outputs. */
export interface Trial {
  readonly definition: Definition;
  /** The call, with shapes in the place of values: `concat([[2, 3], [1, 3]])`. */
  readonly call: string;
  readonly leaves: readonly Value[];
  /** All arguments as they were drawn. */
  readonly args: readonly unknown[];
  /** All outputs. */
  readonly apply: (leaves: readonly Value[]) => Value[];
  /** The outputs that have derivatives. */
  readonly f: (...leaves: Value[]) => Value[];
  /** Seeded numbers of their own. */
  readonly draw: (index: number, like: Value) => Value;
}

/** The values of an operation's results. */
type Call = (...args: never[]) => unknown;

/** The trials that an operation's samples make, at points drawn by `seed`. */
export function trialsOf(f: Call, definition: Definition, seed: number): Trial[] {
  const trials: Trial[] = [];
  const key = random.key(seed);
  definition.samples(drawing(random.fold(key, 0))).forEach((args, i) => {
    const own = random.fold(key, i + 1);
    trials.push(trialOf(f, definition, args, own));
    for (const reshaped of definition.operation?.elementwise ? reshapedArguments(args) : [])
      trials.push(trialOf(f, definition, reshaped, own));
  });
  return trials;
}

function trialOf(f: Call, definition: Definition, args: readonly unknown[], key: random.Key): Trial {
  const leaves: Value[] = [];
  const visit = (x: unknown): void => {
    if (isValue(x)) {
      if (isFloating(x)) leaves.push(x);
    } else if (Array.isArray(x)) x.forEach(visit);
  };
  visit(args);
  const apply = (values: readonly Value[]): Value[] => {
    let next = 0;
    const replace = (x: unknown): unknown => {
      if (isValue(x)) return isFloating(x) ? values[next++] : x;
      return Array.isArray(x) ? x.map(replace) : x;
    };
    return valuesIn(f(...(replace(args) as unknown[] as never[])));
  };
  return {
    definition,
    call: `${definition.name}(${args.map(describe).join(", ")})`,
    leaves,
    args,
    apply,
    f: (...values) => apply(values).filter(isFloating),
    draw: (index, { shape, dtype }) => {
      const from = random.fold(key, index);
      // Away from 0, so that a wrong sign or a missing term shows.
      const data = random.uniform(from, shape, { low: 0.5, high: 1.5, dtype: "float64" }).data;
      const signs = random.uniform(random.fold(from, 1), shape, { dtype: "float64" }).data;
      return value(
        data.map((x, i) => ((signs[i] as number) < 0.5 ? -x : x)),
        { shape, dtype },
      );
    },
  };
}

/** Draws float64 values from open intervals, each of its own stream. */
function drawing(key: random.Key): Draw {
  let drawn = 0;
  return (shape, [low, high] = [-2, 2]) =>
    random.uniform(random.fold(key, drawn++), shape, { low, high, dtype: "float64" });
}

function valuesIn(x: unknown): Value[] {
  if (isValue(x)) return [x];
  if (Array.isArray(x)) return x.flatMap(valuesIn);
  if (typeof x === "object" && x !== null) return Object.values(x).flatMap(valuesIn);
  return [];
}

/** The arguments of an elementwise operation at its first elements, as a scalar, at size 1, and emptied. */
function reshapedArguments(args: readonly unknown[]): unknown[][] {
  const operands = args.filter(
    (x) => isValue(x) || typeof x !== "object" || Array.isArray(x) || ArrayBuffer.isView(x),
  );
  const values = operands.map((x) => (isValue(x) ? x : value(x as number)));
  if (values.some(({ size }) => size === 0)) return [];
  return [[], [1], [1, 1, 1], [0]].map((shape) => [
    ...values.map(({ data, dtype }) =>
      value(data.slice(0, shape.includes(0) ? 0 : 1) as TypedArray, { shape, dtype }),
    ),
    // Options, which are plain objects, come last.
    ...args.filter((x) => !operands.includes(x)),
  ]);
}

function describe(x: unknown): string {
  if (isValue(x)) return `[${x.shape.join(", ")}]`;
  if (Array.isArray(x) && x.some(isValue)) return `[${x.map(describe).join(", ")}]`;
  return x === undefined ? "undefined" : JSON.stringify(x).replaceAll(",", ", ");
}

/** The outputs of a trial without recording. */
export function outputsOf(trial: Trial, leaves: readonly Value[] = trial.leaves): Value[] {
  return noGrad(() => trial.f(...leaves));
}

/** ⟨a, b⟩ over lists of values, and the sum of the sizes of its terms. */
export function inner(
  a: readonly { readonly data: TypedArray }[],
  b: readonly { readonly data: TypedArray }[],
): { value: number; size: number } {
  let sum = 0;
  let size = 0;
  a.forEach(({ data }, i) => {
    const other = (b[i] as { readonly data: TypedArray }).data;
    data.forEach((x, j) => {
      const term = x * (other[j] as number);
      sum += term;
      size += Math.abs(term);
    });
  });
  return { value: sum, size };
}

/** x + t·direction, value by value. */
export function moved(xs: readonly Value[], directions: readonly Value[], t: number): Value[] {
  return xs.map((x, i) => {
    const v = (directions[i] as Value).data;
    const { shape, dtype } = x;
    return value(
      x.data.map((entry, j) => entry + t * (v[j] as number)),
      { shape, dtype },
    );
  });
}
