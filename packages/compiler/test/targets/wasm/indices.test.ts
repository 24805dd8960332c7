import { grad, random, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { interpret } from "../../../src/interpret.ts";
import { wasm } from "../../../src/targets/wasm/target.ts";
import { distance, runOn } from "../../agreement.ts";

const drawn = (seed: number, shape: readonly number[], dtype: "float64" | "float32") =>
  random.uniform(random.key(seed), shape, { low: -1, high: 1, dtype });

/** Indices that are known to be inside of their axis, and the same that only data tells, one of them outside. */
const known = (n: number) => value(Int32Array.from({ length: n }, (_, i) => (3 * i) % 5));
const given = (n: number) => value(Int32Array.from({ length: n }, (_, i) => (i === 1 ? 9 : -((3 * i) % 5))));

describe("indices beside numbers of any width", () => {
  describe.each(["float64", "float32"] as const)("of %s", (dtype) => {
    // Whole vectors, and what is left over; a long loop goes in stretches.
    test.each([1, 2, 3, 4, 7, 64, 65, 150_001])("pick what core picks, in loops of %i", (n) => {
      const x = drawn(n, [n], dtype);
      const table = drawn(1, [5, 2], dtype);
      const all = (i: Value) => [
        (table: Value, x: Value) => table.slice(null, 0).take(i).mul(x).sin(),
        (table: Value, x: Value) => table.take(i, 0).mul(x.expandDims(1)).sum(1),
        (table: Value, x: Value) => grad((t: Value) => t.take(i, 0).prod(1).mul(x).sum())(table) as Value,
        (_: Value, x: Value) => x.add(i),
        (table: Value, x: Value) => table.slice(null, 1).take(i).mul(i.cast(dtype)).add(x),
      ];
      const close = (f: (...xs: Value[]) => Value[], args: readonly Value[]) => {
        const expected = runOn(interpret, f, args);
        const actual = runOn(wasm, f, args);
        const worst = Math.max(...actual.map((a, k) => distance(a, expected[k] as never)));
        expect(worst).toBeLessThan(dtype === "float64" ? 1e-11 : 1e-4);
      };
      close((table, x) => all(known(n)).map((f) => f(table as Value, x as Value)), [table, x]);
      close((table, x, i) => all(i as Value).map((f) => f(table as Value, x as Value)), [table, x, given(n)]);
    });
  });
});
