import { compile, interpret } from "@adjoint/compiler";
import { grad, jvp, parameter, random, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { wasm } from "../src/targets/wasm/target.ts";

test("functions that draw have the derivatives of what they drew", () => {
  const dropped = (source: random.Generator) => (x: Value) => random.dropout(source, x, 0.5).square().sum();
  const x = value([1, 2, 3, 4, 5, 6, 7, 8]);
  const [eager, compiled] = [new random.Generator(4), new random.Generator(4)];
  const f = compile(dropped(compiled));
  f(x);
  dropped(eager)(x);
  const wanted = grad(dropped(eager))(x);
  expect(wanted.abs().sum().item()).toBeGreaterThan(0);
  expect(grad(f)(x).toArray()).toEqual(wanted.toArray());
  expect(jvp(f, [x], [x])[1].toArray()).toEqual(jvp(dropped(eager), [x], [x])[1].toArray());
  expect(compiled.count).toBe(eager.count);
});

const draws: Record<string, (from: random.Source) => Value> = {
  uniform: (from) => random.uniform(from, [5]),
  "uniform between bounds": (from) => random.uniform(from, [3], { low: -1, high: 2, dtype: "float64" }),
  normal: (from) => random.normal(from, [2, 3]),
  "a scalar": (from) => random.normal(from),
  "truncated normal": (from) => random.truncatedNormal(from, [4]),
  bits: (from) => random.bits(from, [4]),
  bernoulli: (from) => random.bernoulli(from, 0.3, [20]),
  gumbel: (from) => random.gumbel(from, [4]),
  categorical: (from) => random.categorical(from, [0, 1, 2]),
  permutation: (from) => random.permutation(from, 6),
  dropout: (from) => random.dropout(from, [1, 2, 3, 4, 5, 6], 0.5),
};

describe.each([interpret, wasm])("random numbers in functions compiled to $name", (target) => {
  test.each(Object.entries(draws))(
    "%s: a generator goes on from call to call as it does uncompiled",
    (_, draw) => {
      const sequence = (compiled: boolean) => {
        const generator = new random.Generator(7);
        const f = () => draw(generator).add(draw(generator));
        const g = compiled ? compile(f, { target }) : f;
        const drawn = [1, 2, 3].map(() => g().toArray());
        // Between calls it may be used uncompiled.
        return [drawn, draw(generator).toArray(), g().toArray(), generator.count];
      };
      expect(sequence(true)).toEqual(sequence(false));
    },
  );

  test.each(Object.entries(draws))("%s: a key may be an argument", (_, draw) => {
    const f = compile((from: random.Key) => draw(random.fold(from, 3)), { target });
    for (const seed of [0, 1, 2 ** 40]) {
      const key = random.split(random.key(seed))[0] as random.Key;
      expect(f(key).toArray()).toEqual(draw(random.fold(key, 3)).toArray());
    }
  });

  test("a key from outside gives the same numbers each call", () => {
    const f = compile(() => random.normal(random.key(1), [2]), { target });
    expect(f().toArray()).toEqual(f().toArray());
  });

  test("a generator that counts on and back is followed", () => {
    const generator = new random.Generator(0);
    const f = compile(() => random.uniform(generator), { target });
    const [first, second] = [f().item(), f().item()];
    generator.count = 0;
    expect([f().item(), f().item(), first === second]).toEqual([first, second, false]);
  });

  test("gradients are those of what was drawn", () => {
    const run = (compiled: boolean) => {
      const [w, generator] = [parameter([1, 2, 3]), new random.Generator(1)];
      const f = (x: Value) => {
        w.grad = null;
        random.dropout(generator, w.mul(x), 0.5).sum().backward();
      };
      const step = compiled ? compile(f, { target }) : f;
      return [1, 2, 3].map((k) => {
        step(value([k, k, k]));
        return (w.grad as unknown as Value).toArray();
      });
    };
    expect(run(true)).toEqual(run(false));
  });
});
