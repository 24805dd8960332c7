/** Elementwise operations at special numbers, in all dtypes: compiled as eager, infinities and NaN included. */

import { compile, type Target } from "@adjoint/compiler";
import * as core from "@adjoint/core";
import { type DType, type TypedArray, type Value, value } from "@adjoint/core";
import type { Definition } from "@adjoint/core/operations";
import { describe, expect, test } from "vitest";

type Public = ((...xs: Value[]) => Value) & { readonly definition: Definition };

const operations = Object.values(core).filter(
  (f) =>
    typeof f === "function" && "definition" in f && (f as Public).definition.operation?.elementwise != null,
) as unknown as Public[];

const FLOATS = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  2,
  -3,
  7.25,
  1e-5,
  -1e-9,
  30,
  -30,
  1e6,
  -1e15,
  Infinity,
  -Infinity,
  NaN,
];
const SPECIAL: Record<DType, readonly number[]> = {
  float64: [...FLOATS, 1e-300, 5e-324, 710, -746, 1e300],
  float32: [...FLOATS, 1e-30, 88, -104, 1e30],
  int32: [0, 1, -1, 2, -3, 7, 100, -(2 ** 31), 2 ** 31 - 1],
  bool: [0, 1],
};
const DTYPES = ["float64", "float32", "int32", "bool"] as const;
const isFloat = ({ dtype }: Value) => dtype === "float64" || dtype === "float32";

/** Vectors of all combinations of special numbers. */
function gridOf(dtypes: readonly DType[]): Value[] {
  const rows = dtypes.reduce<number[][]>(
    (found, dtype) => found.flatMap((row) => SPECIAL[dtype].map((x) => [...row, x])),
    [[]],
  );
  return dtypes.map((dtype, k) =>
    value(Float64Array.from(rows, (row) => row[k] as number) as TypedArray, { dtype }),
  );
}

/** All lists of dtypes for some operands. */
const combinations = (arity: number): DType[][] =>
  arity === 0 ? [[]] : combinations(arity - 1).flatMap((list) => DTYPES.map((dtype) => [...list, dtype]));

/** An operation's result, and where that is floating its cotangents. */
const derived =
  (f: Public, hasGradient: boolean) =>
  (...xs: Value[]): Value[] => {
    const y = f(...xs);
    const floating = xs.filter(isFloat);
    if (!hasGradient || !isFloat(y) || floating.length === 0) return [y];
    const along = (...leaves: Value[]) => {
      const rest = leaves[Symbol.iterator]();
      return f(...xs.map((x) => (isFloat(x) ? (rest.next().value as Value) : x)));
    };
    const weights = core.cos(core.arange(y.size, undefined, undefined, { dtype: "float64" }));
    return [y, ...(core.vjp(along, ...floating)[1](core.cast(weights, y.dtype)) as unknown as Value[])];
  };

/** The first place where numbers are not the same but for rounding, or null. */
function difference(
  actual: Value,
  expected: Value,
  xs: readonly Value[],
  isSingle: boolean,
  absolute: number,
): string | null {
  const [bound, least] = isSingle ? [1e-5, 1e-36] : [1e-12, 1e-305];
  for (const [i, y] of expected.data.entries()) {
    const x = actual.data[i] as number;
    if (Object.is(x, y) || x === y) continue;
    const size = Math.max(Math.abs(x), Math.abs(y));
    if (Math.abs(x - y) <= bound * size + absolute || size < least) continue;
    return `at ${xs.map(({ data }) => data[i])}: ${x} for ${y}`;
  }
  return null;
}

/** Holds a target to eager code at special numbers. */
export function holdSpecial(target: Target): void {
  describe(`compiled to ${target.name}`, () => {
    test.each(operations.map((f) => [f.definition.name, f] as const))("%s", (_, f) => {
      const arity = f.definition.operation?.elementwise?.arity as number;
      // One program of all combinations: some targets take long to make one.
      const jobs = combinations(arity).flatMap((dtypes) => {
        const xs = gridOf(dtypes);
        if ((xs[0] as Value).size > 2500) return [];
        // Numbers of float32 are computed in float64 by core, so that less of them is out of reach.
        const isSingle = dtypes.includes("float32");
        return [{ dtypes, xs, isSingle, g: derived(f, !isSingle) }];
      });
      const all = (...grids: Value[]) => {
        const rest = grids[Symbol.iterator]();
        return jobs.map(({ xs, g }) => g(...xs.map(() => rest.next().value as Value)));
      };
      const found = compile(all, { target })(...jobs.flatMap(({ xs }) => xs));
      for (const [j, { dtypes, xs, isSingle, g }] of jobs.entries()) {
        for (const [i, y] of g(...xs).entries()) {
          const own = found[j]?.[i] as Value;
          expect(own.dtype).toBe(y.dtype);
          // Terms of a derivative may cancel.
          const absolute = i === 0 ? 0 : 1e-24;
          const apart = difference(own, y, xs, isSingle && y.dtype !== "float64", absolute);
          expect(apart, `output ${i} of ${dtypes.join(", ")}`).toBeNull();
        }
      }
    });
  });
}
