/** Loops of compiled functions whose steps assign to what is outside: taken one by one, as eager code takes them. */

import { compile } from "@adjoint/compiler";
import { foriLoop, grad, parameter, random, scan, type Value, value, whileLoop } from "@adjoint/core";
import { expect, test } from "vitest";

/** What a function gives and leaves in a parameter and its gradient, eager and compiled, twice over. */
function bothWays(f: (p: Value) => (x: Value) => Value): unknown[][] {
  return [false, true].map((compiled) => {
    const p = parameter(2);
    const g = compiled ? compile(f(p)) : f(p);
    return [1, 3].map((x) => [g(value(x)).toArray(), p.toArray(), p.grad?.toArray()]);
  });
}

test.each<[string, (p: Value) => (x: Value) => Value]>([
  [
    "foriLoop",
    (p) => (x) =>
      foriLoop(
        0,
        3,
        (_, y) => {
          p.assign(p.add(1));
          return y.mul(p);
        },
        x,
      ),
  ],
  [
    "foriLoop that trains",
    (p) => (x) =>
      foriLoop(
        0,
        3,
        (i) => {
          const loss = p.mul(x).sub(i).square();
          loss.backward();
          p.assign(p.sub((p.grad as Value).mul(0.01)));
          return loss;
        },
        0,
      ),
  ],
  [
    "scan",
    (p) => (x) =>
      scan(
        (y: Value, a: Value) => {
          p.assign(p.add(a));
          return [y.mul(p), p.mul(y)] as const;
        },
        x,
        value([1, 2, 3]),
        { reverse: true },
      )[1],
  ],
  [
    "scan with snapshots",
    (p) => (x) =>
      scan(
        (y: Value, a: Value) => {
          p.assign(p.add(a));
          return [y.mul(p), p.mul(y)] as const;
        },
        x,
        value([1, 2, 3]),
        { snapshots: 2 },
      )[1],
  ],
  [
    "whileLoop whose number of steps is known",
    (p) => (x) =>
      whileLoop(
        ({ n }) => n.lt(3),
        ({ n, y }) => {
          p.assign(p.add(1));
          return { n: n.add(1), y: y.mul(p) };
        },
        { n: 0, y: x },
      ).y,
  ],
])("%s assigns in each step", (_, f) => {
  const [eager, compiled] = bothWays(f);
  expect(compiled).toEqual(eager);
});

test("whileLoop whose number of steps is not known refuses to assign", () => {
  const p = parameter(2);
  const f = compile((x: Value) =>
    whileLoop(
      (y) => y.lt(100),
      (y) => {
        p.assign(p.add(1));
        return y.mul(p);
      },
      x,
    ),
  );
  expect(() => f(value(1))).toThrow(
    "whileLoop: a body that assigns to nothing outside, where the number of steps depends on data, got one that assigns to a parameter, a buffer or a gradient while a function is compiled. Carry what changes, and assign it after the loop.",
  );
  expect(p.item()).toBe(2);
});

test("random numbers differ from step to step: by a generator, and by a key folded with the index", () => {
  const drawing = (source: random.Generator) => (x: Value) =>
    foriLoop(0, 3, (_, y) => y.mul(random.uniform(source, [], { dtype: "float64" })), x);
  const folding = (x: Value) =>
    foriLoop(
      0,
      3,
      (i, y) => y.mul(random.uniform(random.fold(random.key(3), i), [], { dtype: "float64" })),
      x,
    );
  const eager = drawing(new random.Generator(1));
  const compiled = compile(drawing(new random.Generator(1)));
  for (const x of [1, 2]) expect(compiled(value(x)).item()).toBe(eager(value(x)).item());
  expect(compile(folding)(value(2)).item()).toBe(folding(value(2)).item());
  const derivative = compile((x: Value) => grad(folding)(x))(value(2)).item();
  expect(derivative).toBeCloseTo(folding(value(1)).item(), 14);
});
