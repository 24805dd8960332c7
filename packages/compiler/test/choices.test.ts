/** Choices between numbers, at special ones: where extremes are, and what stands beside 0. */

import { compile, explain } from "@adjoint/compiler";
import * as core from "@adjoint/core";
import { type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { interpreted } from "../src/interpreted.ts";
import { wasm } from "../src/targets/wasm/target.ts";

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
