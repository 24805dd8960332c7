import { add, grad, mul, sum, take, type Value, value } from "@adjoint/core";
import { storageOf } from "@adjoint/core/operations";
import { describe, expect, test } from "vitest";
import { interpret } from "../../src/interpret.ts";
import { interpreted } from "../../src/interpreted.ts";
import type { Storage } from "../../src/program.ts";
import { wasm } from "../../src/targets/wasm/target.ts";
import { programOf } from "../agreement.ts";

const INDICES = [
  [0, -1, 2, 1],
  [3, 1, -4, 0],
  [1000, -1000, 2 ** 31 - 1, -(2 ** 31)],
];

describe.each([interpreted, wasm])("indices that only data tells, on $name", (target) => {
  test.each(["float64", "float32", "int32", "bool"] as const)(
    "are taken and added to within their axis, and no other memory is touched: %s",
    (dtype) => {
      const x = value(
        [
          [1, 2],
          [3, 4],
          [0, 6],
        ].flat(),
        { shape: [3, 2], dtype },
      );
      const isFloating = dtype === "float64" || dtype === "float32";
      const f = (x: Value, i: Value, beside: Value): Value[] => [
        take(x, i, 0),
        take(x, i, 1),
        ...(isFloating ? [grad((x: Value) => sum(mul(take(x, i, 0), [3, 5])))(x)] : []),
        add(beside, 1),
      ];
      const beside = value(Float64Array.from({ length: 40 }, (_, k) => k));
      const of = (indices: readonly number[]) => [x, value(Int32Array.from(indices)), beside] as const;
      const program = programOf(f as never, of(INDICES[0] as number[]));
      const executable = target.prepare(program);
      const reference = interpret.prepare(program);
      for (const indices of INDICES) {
        const args = of(indices).map((arg) => storageOf(arg) as Storage);
        expect(executable.run(args)).toEqual(reference.run(args));
      }
    },
  );
});
