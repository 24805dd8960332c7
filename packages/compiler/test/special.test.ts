/** Elementwise operations at special numbers, in all dtypes: compiled as eager, infinities and NaN included. */

import { compile, explain } from "@adjoint/compiler";
import * as core from "@adjoint/core";
import { type DType, type TypedArray, type Value, value } from "@adjoint/core";
import type { Definition } from "@adjoint/core/operations";
import { describe, expect, test } from "vitest";
import { interpreted } from "../src/interpreted.ts";
import { wasm } from "../src/targets/wasm/target.ts";

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

describe.each([interpreted, wasm])("compiled to $name", (target) => {
  test.each(operations.map((f) => [f.definition.name, f] as const))("%s", (_, f) => {
    const arity = f.definition.operation?.elementwise?.arity as number;
    for (const dtypes of combinations(arity)) {
      const xs = gridOf(dtypes);
      if ((xs[0] as Value).size > 2500) continue;
      // Numbers of float32 are computed in float64 by core, so that less of them is out of reach.
      const isSingle = dtypes.includes("float32");
      const g = derived(f, !isSingle);
      const expected = g(...xs);
      const actual = compile(g, { target })(...xs);
      for (const [i, y] of expected.entries()) {
        const own = actual[i] as Value;
        expect(own.dtype).toBe(y.dtype);
        // Terms of a derivative may cancel.
        const absolute = i === 0 ? 0 : 1e-24;
        const found = difference(own, y, xs, isSingle && y.dtype !== "float64", absolute);
        expect(found, `output ${i} of ${dtypes.join(", ")}`).toBeNull();
      }
    }
  });
});

describe.each([interpreted, wasm])("argmax and argmin compiled to $name", (target) => {
  test.each(["float64", "float32", "int32"] as const)(
    "take the first of ties, of NaN and of infinities, by kernels alone, in %s",
    (dtype) => {
      const rows: readonly (readonly number[])[] =
        dtype === "int32"
          ? [
              [1, 5, 5, 2],
              [-(2 ** 31), 0, 2 ** 31 - 1, 2 ** 31 - 1],
              [3, 3, 3, 3],
            ]
          : [
              [1, 5, 5, 2],
              [1, NaN, 7, NaN],
              [-Infinity, -Infinity, -Infinity, -Infinity],
              [0, -0, Infinity, Infinity],
              [NaN, NaN, 1, -Infinity],
            ];
      const x = value(rows, { dtype });
      for (const axis of [0, 1]) {
        const f = (y: Value) => [core.argmax(y, axis), core.argmin(y, axis)];
        const compiled = compile(f, { target });
        expect(compiled(x).map((y) => y.toArray())).toEqual(f(x).map((y) => y.toArray()));
        if (target === wasm) expect(explain(compiled)).toContain("0 evaluations by core");
      }
    },
  );
});

describe("where beside 0, compiled to wasm", () => {
  test("keeps or clears lanes, and tells 0 from −0", () => {
    for (const dtype of ["float64", "float32", "int32"] as const) {
      const numbers = dtype === "int32" ? [1, -2, 3, 0, 5] : [1, NaN, -Infinity, -0, 5, Infinity, 0];
      const x = value(numbers, { dtype });
      const zero = (sign: number) =>
        value(
          numbers.map(() => sign * 0),
          { dtype },
        );
      const f = (x: Value) => [
        core.where(x.gt(0), x, zero(1)),
        core.where(x.gt(0), zero(1), x),
        core.where(x.gt(0), x, zero(-1)),
        core.where(x.gt(0), zero(-1), x),
      ];
      const compiled = compile(f, { target: wasm })(x);
      for (const [i, y] of f(x).entries()) {
        const same = [...y.data].every((expected, k) => Object.is(compiled[i]?.data[k], expected));
        expect(same, `${dtype}, choice ${i}: ${compiled[i]?.data} for ${y.data}`).toBe(true);
      }
    }
  });
});
