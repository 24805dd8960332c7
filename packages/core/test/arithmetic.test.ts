import { grad, parameter, type Value, value } from "@adjoint/core";
import { type ScalarFunction, unary } from "@adjoint/core/operations";
import { afterEach, expect, test } from "vitest";
import { setCodeGeneration } from "../src/generation.ts";

afterEach(() => setCodeGeneration(true));

test("an expression calls functions from outside the language: numbers, loops, source and values alike", () => {
  for (const on of [true, false]) {
    setCodeGeneration(on);
    // x³, whose derivative calls x² and so on: polynomials of falling degree.
    const powers: ScalarFunction[] = [3, 2, 1, 0].map((n, i) => ({
      name: `power${n}`,
      compute: (x) => x ** n,
      operation: () => operations[i] as (x: Value) => Value,
    }));
    const operations = powers.map((f, i) =>
      unary({
        name: f.name,
        expression: (x, m) => m.call(f, x),
        partial: (x, _y, m) => {
          const next = powers[i + 1];
          return next === undefined ? m.zero : m.mul(m.constant(3 - i), m.call(next, x));
        },
      }),
    );
    const cube = operations[0] as (x: Value) => Value;
    const x = parameter([2, 3]);
    cube(x).sum().backward();
    expect([cube(value(2)).item(), cube(x).toArray(), x.grad?.toArray()]).toEqual([8, [8, 27], [12, 27]]);
    const second = grad(grad(cube));
    expect([second(2).item(), grad(second)(2).item()]).toEqual([12, 6]);
  }
});
