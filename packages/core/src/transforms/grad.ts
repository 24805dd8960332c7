/** grad and valueAndGrad: the gradient of a scalar function as a function. */

import { ArgumentError, describe } from "../errors.ts";
import { zerosLike } from "../op.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { checkedSeed } from "../sweep/backward.ts";
import { reverseSweep } from "../sweep/reverse.ts";
import { isValue, type Value } from "../value.ts";
import { leaveLevel, runLevel } from "./trace.ts";
import { checkFloating, flatten, type TreeInput, type ValueTree } from "./tree.ts";

/** Options of `grad` and `valueAndGrad`. */
export interface GradOptions<N extends number | readonly number[] = number | readonly number[]> {
  /** Which argument to differentiate by, or which several. By default the first. */
  readonly argnums?: N;
}

const GRAD: OptionNames<GradOptions> = { argnums: true };

/** A gradient: the structure of the argument that it is by, or one for each of several. */
export type Gradient<A extends readonly unknown[], N> = N extends readonly number[]
  ? { -readonly [I in keyof N]: ValueTree<A[N[I] & keyof A]> }
  : ValueTree<A[N & keyof A]>;

/** A function's arguments: in those that are differentiated, numbers may stand for values. */
export type Arguments<A extends readonly unknown[], N = number> = number extends A["length"]
  ? TreeInput<A>
  : { [I in keyof A]: I extends Chosen<N> ? TreeInput<A[I]> : A[I] };

/** The places of the arguments that are differentiated, as tuple keys. */
type Chosen<N> = N extends readonly number[] ? `${N[number]}` : `${N & number}`;

/**
 * The gradient of a scalar function, as a function of the same arguments.
 *
 * The gradient has the structure of the argument; where the output does not depend on a leaf it is zero. Nests to any
 * order: `grad((x) => grad(f)(x))` is the second derivative. Throws: ShapeError where f returns no scalar.
 *
 * @example
 * grad((x) => mul(x, sin(x)))(1) // 1.3817732906760363
 */
export function grad<A extends readonly Value[], const N extends number | readonly number[] = 0>(
  f: (...args: A) => Value,
  options?: GradOptions<N>,
): (...args: Arguments<A, N>) => Gradient<A, N>;
export function grad<A extends readonly unknown[], const N extends number | readonly number[] = 0>(
  f: (...args: A) => Value,
  options?: GradOptions<N>,
): (...args: Arguments<A, N>) => Gradient<A, N>;
export function grad<A extends readonly unknown[], const N extends number | readonly number[] = 0>(
  f: (...args: A) => Value,
  options: GradOptions<N> = {},
): (...args: Arguments<A, N>) => Gradient<A, N> {
  const both = differentiate("grad", f, options);
  return (...args) => both(args)[1];
}

/**
 * The value and gradient of a scalar function from one pass.
 *
 * @example
 * valueAndGrad((x) => mul(x, x))(3) // [9, 6]
 */
export function valueAndGrad<A extends readonly Value[], const N extends number | readonly number[] = 0>(
  f: (...args: A) => Value,
  options?: GradOptions<N>,
): (...args: Arguments<A, N>) => [value: Value, gradient: Gradient<A, N>];
export function valueAndGrad<A extends readonly unknown[], const N extends number | readonly number[] = 0>(
  f: (...args: A) => Value,
  options?: GradOptions<N>,
): (...args: Arguments<A, N>) => [value: Value, gradient: Gradient<A, N>];
export function valueAndGrad<A extends readonly unknown[], const N extends number | readonly number[] = 0>(
  f: (...args: A) => Value,
  options: GradOptions<N> = {},
): (...args: Arguments<A, N>) => [value: Value, gradient: Gradient<A, N>] {
  const both = differentiate("valueAndGrad", f, options);
  return (...args) => both(args);
}

function differentiate<A extends readonly unknown[], N extends number | readonly number[]>(
  where: string,
  f: (...args: A) => Value,
  options: GradOptions<N>,
): (args: Arguments<A, N>) => [value: Value, gradient: Gradient<A, N>] {
  const argnums: number | readonly number[] = checkOptions(where, options, GRAD).argnums ?? 0;
  const chosen = typeof argnums === "number" ? [argnums] : argnums;
  if (typeof f !== "function") {
    throw new ArgumentError({ where, expected: "f must be a function", received: describe(f) });
  }
  return (args) => {
    const missing = chosen.find((n) => !Number.isInteger(n) || n < 0 || n >= args.length);
    if (missing !== undefined) {
      throw new ArgumentError({
        where,
        expected: `argnums must be in [0, ${args.length - 1}] for ${args.length} argument${args.length === 1 ? "" : "s"}`,
        received: String(missing),
      });
    }
    const flat = flatten(
      where,
      chosen.map((n) => args[n]),
    );
    checkFloating(where, flat.leaves);
    const { leaves, result, floor } = runLevel(flat.leaves, (aliases) => {
      const traced = flat.rebuild(aliases) as unknown[];
      const all: unknown[] = [...args];
      chosen.forEach((n, i) => {
        all[n] = traced[i];
      });
      return f(...(all as unknown as A));
    });
    if (!isValue(result)) {
      throw new ArgumentError({
        where,
        expected: "f must return a value",
        received: describe(result),
        ...((result as unknown) instanceof Promise
          ? { advice: "An async function cannot be differentiated." }
          : {}),
      });
    }
    const cotangents: Value[] = [];
    const seed = checkedSeed(where, result, undefined);
    const recorded = reverseSweep(
      [result],
      [seed],
      { floor, record: "needed", targets: leaves },
      (leaf, dx) => {
        cotangents.push(dx ?? zerosLike(leaf));
      },
    );
    const gradients = flat.rebuild(cotangents) as unknown[];
    return [
      leaveLevel(result, recorded),
      (typeof argnums === "number" ? gradients[0] : gradients) as Gradient<A, N>,
    ];
  };
}
