import * as m from "@adjoint/core";
import { random, type Value } from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planOf } from "../../src/graph/plan.ts";
import { printSteps } from "../../src/graph/print.ts";
import { interpret } from "../../src/interpret.ts";
import { interpreted } from "../../src/interpreted.ts";
import { wasm } from "../../src/targets/wasm/target.ts";
import { distance, programOf, runOn } from "../agreement.ts";

const drawn = (seed: number, shape: readonly number[]) =>
  random.uniform(random.key(seed), shape, { low: -1, high: 1, dtype: "float64" });

const steps = (f: (...xs: Value[]) => unknown, ...examples: Value[]) =>
  printSteps(planOf(programOf(f, examples)).steps);

describe("sums of values among zeros", () => {
  test("are one buffer that all are put into, where they meet nowhere", () => {
    const halves = m.grad((x: Value) => {
      const [a, b] = [x.slice([0, 3]), x.slice([3, 6])];
      return m.sum(m.exp(a).add(m.exp(b).mul(2)));
    });
    expect(steps((x) => halves(x), drawn(1, [6]))).toBe(`kernel exp_scale_exp_scale_6 {
  r4: f64 = 2
  for i0 < 3 {
    r0: f64 = b0[i0 + 3]
    r3: f64 = exp(r0)
    r5: f64 = mul(r4, r3)
    b1[i0 + 3] = r5
    r6: f64 = b0[i0]
    r7: f64 = exp(r6)
    b1[i0] = r7
  }
}`);
  });

  test("are zeros elsewhere, once", () => {
    const columns = m.grad((x: Value) => m.sum(x.slice(null, 0).mul(x.slice(null, 2))));
    const text = steps((x) => columns(x), drawn(1, [4, 3]));
    expect(text.match(/\[…\] = 0/g)).toHaveLength(1);
    expect(text).not.toContain("add(");
  });

  test.each([interpreted, wasm])("are zeros where nothing is put anywhere, on $name", (target) => {
    const none = m.grad((x: Value) => m.sum(x.slice([0, 0])).add(m.sum(x.slice([2, 2]))));
    const executable = target.prepare(programOf((x) => none(x), [drawn(1, [3])]));
    expect(executable.run([Float64Array.of(1, 2, 3)])).toEqual([new Float64Array(3)]);
  });

  test.each([interpreted, wasm])("are what core computes, whatever meets, on $name", (target) => {
    const range = (n: number) => fc.tuple(fc.nat(n - 1), fc.nat(n), fc.integer({ min: 1, max: 3 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(range(7), range(5)), { minLength: 2, maxLength: 5 }), (slices) => {
        const f = (x: Value) =>
          m.grad((x: Value) =>
            slices
              .map(([rows, columns], i) => {
                const ranges = [rows, columns].map(
                  ([from, count, step]) => [from, from + count, step] as const,
                );
                return m.sum(x.slice(...(ranges as never[])).square()).mul(i + 1);
              })
              .reduce((a, b) => a.add(b)),
          )(x);
        const x = drawn(slices.length, [7, 5]);
        const flat = (x: Value) => [f(x) as Value];
        const [expected] = runOn(interpret, flat, [x]);
        const [actual] = runOn(target, flat, [x]);
        expect(distance(actual as never, expected as never)).toBeLessThan(1e-14);
      }),
      { numRuns: 60 },
    );
  });
});
