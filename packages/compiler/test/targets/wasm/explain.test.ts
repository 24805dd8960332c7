import { compile, explain } from "@adjoint/compiler";
import { lt, matmul, parameter, random, sum, type Value, value, whileLoop } from "@adjoint/core";
import { expect, test } from "vitest";

const drawn = (seed: number, shape: number[]) => random.normal(random.key(seed), shape, { dtype: "float32" });
const note = /^([\d.e+]+) µs, (\d+)%: (product|kernel)/gm;

test("explain says how long each step takes, and changes nothing", () => {
  const w = parameter(drawn(1, [200, 200]).data, { shape: [200, 200] });
  const step = compile(
    (x: Value) => {
      w.grad = null;
      const loss = sum(matmul(x, w).tanh());
      loss.backward();
      w.assign(w.sub((w.grad as unknown as Value).mul(1e-3)));
      return loss;
    },
    { threads: 1 },
  );
  step.prepare(drawn(2, [200, 200]));
  expect(explain(step)).toContain("not run yet");
  step(drawn(2, [200, 200]));
  const before = w.toArray();
  const text = explain(step);
  const notes = [...text.matchAll(note)];
  const count = text.match(/^(product|kernel|\S+ µs, \d+%: )/gm)?.length;
  expect(notes.length).toBe(count);
  const shares = notes.map(([, , share]) => Number(share));
  expect(shares.reduce((a, b) => a + b)).toBeGreaterThan(95);
  // Two products of 8 million multiplications are most of it.
  const products = notes.filter(([, , , kind]) => kind === "product");
  expect(products).toHaveLength(2);
  expect(products.reduce((sum, [, , share]) => sum + Number(share), 0)).toBeGreaterThan(50);
  const total = Number(text.match(/^([\d.e+]+) µs a run on one thread$/m)?.[1]);
  expect(notes.reduce((sum, [, time]) => sum + Number(time), 0) / total).toBeCloseTo(1, 1);
  expect(w.toArray()).toEqual(before);
});

test("explain runs loops that have no bound with what they were given", () => {
  const double = compile(
    (x: Value) =>
      whileLoop(
        ([x]) => lt(x as Value, 1e9),
        ([x]) => [(x as Value).mul(2)],
        [x],
      )[0] as Value,
  );
  expect(double(value(3)).item()).toBe(3 * 2 ** 29);
  expect(explain(double)).toMatch(/µs a run/);
  expect(double(value(5)).item()).toBe(5 * 2 ** 28);
});
