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
