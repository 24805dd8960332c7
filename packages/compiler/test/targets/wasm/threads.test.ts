import { compile, explain } from "@adjoint/compiler";
import * as m from "@adjoint/core";
import { parameter, random, type Value } from "@adjoint/core";
import { Adam, MLP, softmaxCrossEntropy } from "@adjoint/nn";
import { describe, expect, test } from "vitest";
import { board } from "../../../src/targets/wasm/threads.ts";
import { published } from "../../published.ts";

const drawn = (seed: number, shape: number[], dtype: "float32" | "float64" = "float64") =>
  random.normal(random.key(seed), shape, { dtype });

/** How far the elements of two values are apart at most, in units of the largest. */
function apart(a: Value, b: Value): number {
  let [worst, largest] = [0, 1e-300];
  a.data.forEach((x, i) => {
    const y = b.data[i] as number;
    worst = Math.max(worst, Math.abs(x - y));
    largest = Math.max(largest, Math.abs(y));
  });
  return worst / largest;
}

describe("threads", () => {
  const rows = drawn(1, [700, 1031]);
  const bias = drawn(2, [1031]);
  const [a, b] = [drawn(3, [180, 150], "float32"), drawn(4, [150, 170], "float32")];
  const batch = [drawn(5, [9, 100, 80]), drawn(6, [9, 80, 70])] as const;
  const functions: Readonly<Record<string, () => (...xs: Value[]) => Value>> = {
    elementwise: () => (x, y) => m.tanh(m.add(m.mul(x, 2), y)),
    "a sum": () => (x, y) => m.sum(m.sin(m.mul(x, y))),
    "sums of rows": () => (x) => m.sum(m.square(x), 1),
    "sums of columns": () => (x) => m.sum(m.square(x), 0),
    "a maximum and what is below it": () => (x) => m.sub(x, m.max(x)),
    "functions far from where lanes compute them": () => (x, y) => m.sin(m.add(m.mul(x, 1e9), y)),
    "functions that have no code of their own": () => (x) => m.lgamma(m.add(m.abs(x), 0.5)),
  };

  for (const [name, make] of Object.entries(functions)) {
    test(`${name}: value and gradient for any number of threads`, () => {
      const f = make();
      const both = (x: Value, y: Value) =>
        [f(x, y), m.grad((x: Value, y: Value) => m.sum(m.sin(f(x, y))))(x, y)] as const;
      const expected = both(rows, bias);
      for (const threads of [1, 2, 3]) {
        const compiled = compile(both, { threads });
        for (let i = 0; i < 3; i++) {
          const found = compiled(rows, bias);
          expect(apart(found[0], expected[0])).toBeLessThan(1e-11);
          expect(apart(found[1], expected[1])).toBeLessThan(1e-11);
        }
        if (name !== "functions that have no code of their own")
          expect(explain(compiled).includes("in parts")).toBe(threads > 1);
      }
    });
  }

  test("products are the same numbers for any number of threads", () => {
    const f = (a: Value, b: Value, c: Value, d: Value) => [m.matmul(a, b), m.matmul(c, d)];
    const [first, second] = compile(f, { threads: 1 })(a, b, ...batch) as [Value, Value];
    for (const threads of [2, 3, 7]) {
      const compiled = compile(f, { threads });
      for (let i = 0; i < 5; i++) {
        const [x, y] = compiled(a, b, ...batch) as [Value, Value];
        expect(apart(x, first)).toBe(0);
        expect(apart(y, second)).toBe(0);
      }
    }
  });

  test("a training step is the same, run after run, and that of one thread but for rounding", () => {
    const trained = (threads: number) => {
      const model = new MLP([200, 256, 10], { seed: 1 });
      const optimizer = new Adam(model.parameters(), { learningRate: 0.01 });
      const labels = m.value(Int32Array.from({ length: 96 }, (_, i) => i % 10));
      const step = compile(
        (x: Value) => {
          optimizer.zeroGrad();
          const loss = softmaxCrossEntropy(model.forward(x), labels);
          loss.backward();
          optimizer.step();
          return loss;
        },
        { threads },
      );
      const losses = Array.from({ length: 30 }, (_, i) => step(drawn(i, [96, 200], "float32")).item());
      if (threads > 1) expect(explain(step)).toContain("shared with workers");
      return [losses, ...model.parameters().map((w) => [...w.data])];
    };
    const two = trained(2);
    expect(trained(2)).toEqual(two);
    const one = trained(1);
    expect((two[0] as number[]).at(-1)).toBeCloseTo((one[0] as number[]).at(-1) as number, 3);
  });

  test("memory that a loop takes may grow while workers know it", () => {
    const w = parameter(1.5);
    const f = (x: Value) =>
      m.whileLoop(
        ([, i]) => m.lt(i as Value, 40),
        ([x, i]) => [m.sin(m.mul(x as Value, w)), m.add(i as Value, 1)],
        [x, m.value(0)],
      )[0] as Value;
    const both = (x: Value) => m.grad((x: Value) => m.sum(f(x)))(x);
    const x = drawn(7, [200_000]);
    const compiled = compile(both, { threads: 2 });
    const expected = both(x);
    for (let i = 0; i < 3; i++) expect(apart(compiled(x), expected)).toBeLessThan(1e-12);
    expect(explain(compiled)).toContain("in parts");
  });

  test.each([0, 1.5, -1, Number.NaN])(
    "threads must be a whole number from 1 on, and %s is refused",
    (threads) => {
      expect(() => compile((x: Value) => x, { threads })).toThrow(
        `compile: threads must be a whole number from 1 on, got ${threads}.`,
      );
    },
  );
});

describe("workers", () => {
  test("do parts of a task by themselves, sleep, come back when they are called, and forget", async () => {
    const x = drawn(1, [600_000]);
    const f = (x: Value) => m.add(m.mul(x, x), 1);
    const { publish, call, until, done, membership, words, result } = published(f, x);
    for (let round = 0; round < 3; round++) {
      publish(2);
      expect(await until(() => done() === 2, call)).toBe(true);
      // After a while without work it leaves.
      expect(await until(() => Atomics.load(words, board.present / 4) === 0)).toBe(true);
    }
    expect(Array.from(result())).toEqual(Array.from(f(x).data));
    membership.leave();
    publish(2);
    call();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(done()).toBe(0);
  });

  test("ask for functions of numbers that are neither in lanes nor in JavaScript", async () => {
    // The divisor is 2⁻³⁰⁰ of x: beyond what lanes compute.
    const hard = (x: Value) => m.mod(x, 1e-90);
    const x = drawn(2, [300_000]);
    const { publish, call, until, membership, result } = published(hard, x);
    publish(2);
    // Each question waits for a turn of this thread: the first will do.
    expect(await until(() => result()[100] !== 0, call)).toBe(true);
    expect(Array.from(result().subarray(0, 100))).toEqual(Array.from(hard(x).data.subarray(0, 100)));
    membership.leave();
  });
});
