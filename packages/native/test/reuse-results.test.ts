import { compile } from "@adjoint/compiler";
import { matmul, parameter, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { c } from "../src/index.ts";

/** A large array is used where it lies, a small one copied. */
describe.each([3, 5000])("results of %i elements in C", (size) => {
  const filled = (x: number) => value(new Float64Array(size).fill(x));
  const f = (x: Value) => [x.mul(2), x.sum()];

  test("are new in each call, unless they may be reused", () => {
    const once = compile(f, { target: c });
    const [kept] = once(filled(1));
    const [next] = once(filled(3));
    expect(kept?.data).toEqual(filled(2).data);
    expect(next?.data).toEqual(filled(6).data);

    const reusing = compile(f, { target: c, reuseResults: true });
    const [first, sum] = reusing(filled(1));
    expect(first?.data).toEqual(filled(2).data);
    const [second] = reusing(filled(3));
    expect(second?.data).toBe(first?.data);
    expect(second?.data).toEqual(filled(6).data);
    // Numbers are never shared.
    expect(sum?.item()).toBe(size);
  });

  test("may be given back as arguments, in any order", () => {
    const reusing = compile((x: Value, y: Value) => [x.mul(2), x.add(y)], { target: c, reuseResults: true });
    let [double, sum] = reusing(filled(1), filled(2)) as [Value, Value];
    [double, sum] = reusing(double, sum) as [Value, Value];
    expect([double.data[0], double.data[size - 1]]).toEqual([4, 4]);
    expect([sum.data[0], sum.data[size - 1]]).toEqual([5, 5]);
    [double, sum] = reusing(sum, double) as [Value, Value];
    expect([double.data[0], double.data[size - 1]]).toEqual([10, 10]);
    expect([sum.data[0], sum.data[size - 1]]).toEqual([9, 9]);
  });

  test("are kept where sweeps may read them, even where they are reused", () => {
    const reusing = compile((x: Value) => x.mul(x), { target: c, reuseResults: true });
    const w = parameter(filled(2));
    const y = reusing(w);
    reusing(parameter(filled(5)));
    reusing(filled(7));
    expect(y.data).toEqual(filled(4).data);
    y.sum().backward();
    expect(w.grad?.data).toEqual(filled(4).data);
  });
});

test("products in C read and write large arrays where they lie, whatever their rows are", () => {
  for (const [n, k, m] of [
    [64, 48, 80],
    [64, 48, 77],
    [61, 53, 1],
    [1, 60, 2077],
  ] as const) {
    const [a, b] = [
      [n, k],
      [k, m],
    ].map((shape) =>
      value(
        Float64Array.from({ length: shape[0]! * shape[1]! }, (_, i) => (i % 7) - 3),
        { shape },
      ),
    ) as [Value, Value];
    const found = compile((a: Value, b: Value) => matmul(a, b), { target: c })(a, b);
    // Small whole numbers: no sum is rounded.
    expect(found.data).toEqual(matmul(a, b).data);
  }
});
