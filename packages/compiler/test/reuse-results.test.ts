import { compile, interpret } from "@adjoint/compiler";
import { parameter, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { wasm } from "../src/targets/wasm/target.ts";

describe.each([interpret, wasm])("compile to $name", (target) => {
  test("gives new results in each call, unless they may be reused", () => {
    const f = (x: Value) => [x.mul(2), x.sum()];
    const once = compile(f, { target });
    const kept = once(value([1, 2]));
    once(value([3, 4]));
    expect(kept.map((y) => y.toArray())).toEqual([[2, 4], 3]);

    const reusing = compile(f, { target, reuseResults: true });
    const first = reusing(value([1, 2]));
    expect(first.map((y) => y.toArray())).toEqual([[2, 4], 3]);
    const [, before] = first;
    const second = reusing(value([3, 4]));
    expect(second.map((y) => y.toArray())).toEqual([[6, 8], 7]);
    // Numbers are never shared; arrays are where the target has them in memory of its own.
    expect(before?.item()).toBe(3);
    expect(first[0]?.data === second[0]?.data).toBe(target.name === "wasm");
    expect(reusing(second[0] as Value)[0]?.toArray()).toEqual([12, 16]);
  });

  test("takes results of the call before as arguments, in any order", () => {
    const size = 5000;
    const swapped = compile(
      (x: Value, y: Value) => [y.reshape([size]), x.mul(2), x.add(y), x.reshape([size])],
      {
        target,
        reuseResults: true,
      },
    );
    const all = (x: number) => value(new Float64Array(size).fill(x), { shape: [1, size] });
    let [y, twice, sum, x] = swapped(all(1), all(3)) as [Value, Value, Value, Value];
    const firsts = () => [y, twice, sum, x].map((value) => [value.data[0], value.data[size - 1]]);
    expect(firsts()).toEqual([
      [3, 3],
      [2, 2],
      [4, 4],
      [1, 1],
    ]);
    const rows = (value: Value) => value.reshape([1, size]);
    [y, twice, sum, x] = swapped(rows(y), rows(x)) as [Value, Value, Value, Value];
    expect(firsts()).toEqual([
      [1, 1],
      [6, 6],
      [4, 4],
      [3, 3],
    ]);
    [y, twice, sum, x] = swapped(rows(sum), rows(twice)) as [Value, Value, Value, Value];
    expect(firsts()).toEqual([
      [6, 6],
      [8, 8],
      [10, 10],
      [4, 4],
    ]);
  });

  test("returns arguments as they were, though the call writes over what they were results of", () => {
    const numbers = (reuseResults: boolean) => {
      const f = compile((x: Value, y: Value) => [y, x.add(y)], { target, reuseResults });
      let [x, y] = [value([1, 1, 1]), value([1, 1, 1])];
      return Array.from({ length: 8 }, () => {
        [x, y] = f(x, y) as [Value, Value];
        return [x.toArray(), y.toArray()];
      });
    };
    expect(numbers(true)).toEqual(numbers(false));
    expect(numbers(true).at(-1)).toEqual([
      [34, 34, 34],
      [55, 55, 55],
    ]);
  });

  test("keeps results that sweeps may read, even where results are reused", () => {
    const reusing = compile((x: Value) => x.mul(x), { target, reuseResults: true });
    const w = parameter([1, 2]);
    const y = reusing(w);
    reusing(parameter([5, 6]));
    reusing(value([7, 8]));
    expect(y.toArray()).toEqual([1, 4]);
    y.sum().backward();
    expect(w.grad?.toArray()).toEqual([2, 4]);
  });
});
