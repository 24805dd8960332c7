import * as m from "@adjoint/core";
import { random, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { planOf } from "../../src/graph/plan.ts";
import { printSteps } from "../../src/graph/print.ts";
import { interpret } from "../../src/interpret.ts";
import { interpreted } from "../../src/interpreted.ts";
import { wasm } from "../../src/targets/wasm/target.ts";
import { distance, programOf, runOn } from "../agreement.ts";

/** Enough elements for what is cheap to be computed again. */
const SIZE = 4100;

const drawn = (seed: number, shape: readonly number[]) =>
  random.uniform(random.key(seed), shape, { dtype: "float64" });
const [x, y] = [drawn(1, [SIZE]), drawn(2, [SIZE])];
const table = drawn(3, [7]);
const picks = value(Int32Array.from({ length: SIZE }, (_, i) => (5 * i) % 7));

/** A sum in between, so that what follows it is another pass over memory. */
const programs: Readonly<Record<string, (x: Value, y: Value, table: Value) => Value[]>> = {
  "a difference that is squared and scaled": (x, y) => {
    const d = x.sub(y);
    return [d.div(d.square().sum())];
  },
  "what is taken from a table, with what it is multiplied by": (x, _, table) => {
    const taken = m.take(table, picks);
    const product = x.mul(taken);
    return [m.take(table.mul(product.sum()), picks).mul(product).sub(taken)];
  },
  "a chain of cheap operations, all of it": (x, y) => {
    const a = x.add(y);
    const b = a.mul(x);
    const c = b.neg().add(a);
    const total = c.sum();
    return [a.mul(total), b.mul(c).mul(total), c.gt(0).cast("float64").mul(total)];
  },
  "a value that is returned as well": (x, y) => {
    const product = x.mul(y);
    const next = product.add(1);
    return [product, next.div(next.sum())];
  },
  "the gradient of products along a table": (x, y, table) =>
    m.grad((table: Value) => {
      const [a, b] = [m.take(table, picks), m.take(table, m.sub(6, picks))];
      return a.mul(x).sub(b.mul(y)).square().sum().sqrt();
    })(table) as unknown as Value[],
  "what is read through a view of another order": (x, y) => {
    const rows = x.add(y).reshape([SIZE / 4, 4]);
    const total = rows.sum();
    return [...rows.unstack(1), rows.transpose().mul(total)];
  },
};

describe.each([interpreted, wasm])("values that are computed again, on $name", (target) => {
  test.each(Object.entries(programs))("are the same numbers: %s", (_, f) => {
    const flat = (...xs: Value[]) => [f(...(xs as [Value, Value, Value]))].flat();
    const args = [x, y, table];
    const expected = runOn(interpret, flat, args);
    const actual = runOn(target, flat, args);
    expect(Math.max(...actual.map((a, i) => distance(a, expected[i] as never)))).toBeLessThan(1e-13);
  });
});

describe("planOf", () => {
  const loads = (f: (...xs: Value[]) => unknown, ...args: Value[]) =>
    [...printSteps(planOf(programOf(f, args)).steps).matchAll(/= (b\d+)\[|(b\d+)\[.*\] = /g)].map(
      ([, read, written]) => (read === undefined ? `→${written}` : read),
    );

  test("keeps nothing in memory that the next pass has all it takes for", () => {
    const f = (x: Value, y: Value) => {
      const d = x.sub(y);
      const total = d.square().sum();
      return [x.mul(y).mul(total), d.div(total)];
    };
    const size = (n: number) => loads(f, ...[1, 2].map((seed) => drawn(seed, [n])));
    // Both passes read x and y alone; few elements are kept.
    expect(size(SIZE).filter((name) => name === "b0" || name === "b1")).toHaveLength(4);
    expect(size(SIZE).length).toBe(size(SIZE - 100).length - 2);
  });

  test("keeps what another pass would have to load more for", () => {
    const f = (x: Value, y: Value) => {
      const d = x.sub(y);
      return d.div(d.square().sum());
    };
    const stored = loads(f, x, y).filter((name) => name.startsWith("→"));
    expect(stored).toHaveLength(3);
  });
});
