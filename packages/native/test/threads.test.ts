import { compile, explain } from "@adjoint/compiler";
import * as m from "@adjoint/core";
import { parameter, random, type Value } from "@adjoint/core";
import { Adam, MLP, softmaxCrossEntropy } from "@adjoint/nn";
import { describe, expect, test } from "vitest";
import { distance } from "../../compiler/test/agreement.ts";
import { cTarget } from "../src/index.ts";

const drawn = (seed: number, shape: number[], dtype: "float32" | "float64" = "float64") =>
  random.normal(random.key(seed), shape, { dtype });

/** Our own code alone, which gives the same numbers on every machine. */
const target = cTarget({ blas: false });

function expectSame(found: readonly Value[], expected: readonly Value[], bound: number): void {
  for (const [i, y] of expected.entries())
    expect(distance((found[i] as Value).data, y.data, 1)).toBeLessThanOrEqual(bound);
}

describe("threads of programs in C", () => {
  const rows = drawn(1, [700, 1031]);
  const bias = drawn(2, [1031]);
  const functions: Readonly<Record<string, (x: Value, y: Value) => Value>> = {
    elementwise: (x, y) => m.tanh(m.add(m.mul(x, 2), y)),
    "a sum": (x, y) => m.mean(m.sin(m.mul(x, y))),
    "means of rows": (x) => m.mean(m.square(x), 1),
    "means of columns": (x) => m.mean(m.square(x), 0),
    "a maximum and what is below it": (x) => m.sub(x, m.max(x)),
    "a function far from where lanes compute it": (x, y) => m.sin(m.add(m.mul(x, 1e9), y)),
    "a loop": (x, y) =>
      m.whileLoop(
        (s) => m.lt(s.k, 3),
        (s) => ({ z: m.tanh(m.add(m.mul(s.z, x), y)), k: m.add(s.k, 1) }),
        { z: x, k: m.value(0) },
      ).z,
  };

  for (const [name, f] of Object.entries(functions)) {
    test(`${name}: value and gradient, the same run after run`, () => {
      const both = (x: Value, y: Value) =>
        [f(x, y), m.grad((x: Value, y: Value) => m.mean(m.sin(f(x, y))))(x, y)] as const;
      const expected = both(rows, bias);
      for (const threads of [2, 3]) {
        const compiled = compile(both, { target, threads });
        const first = compiled(rows, bias);
        expectSame(first, expected, 1e-9);
        for (let i = 0; i < 3; i++) expectSame(compiled(rows, bias), first, 0);
        expect(explain(compiled)).toContain("in parts");
        expect(explain(compiled)).toContain(`${threads} threads`);
      }
    });
  }

  test("products of all layouts, divided by rows, by columns and by their batch", () => {
    const dtype = "float32";
    const shapes: readonly (readonly [a: number[], b: number[]])[] = [
      [
        [180, 150],
        [150, 170],
      ],
      [
        [37, 500],
        [500, 301],
      ],
      [
        [1030, 130],
        [130, 33],
      ],
      [
        [9, 100, 80],
        [9, 80, 71],
      ],
      [
        [3, 120, 130],
        [130, 140],
      ],
      [
        [1, 2100],
        [2100, 2099],
      ],
    ];
    for (const [transposeA, transposeB] of [
      [false, false],
      [true, false],
      [false, true],
    ] as const) {
      const turned = (shape: number[], is: boolean) =>
        is ? [...shape.slice(0, -2), ...shape.slice(-2).reverse()] : shape;
      const operands = shapes.flatMap(([a, b], i) => [
        drawn(2 * i, turned(a, transposeA), dtype),
        drawn(2 * i + 1, turned(b, transposeB), dtype),
      ]);
      const f = (...xs: Value[]) =>
        shapes.map((_, i) =>
          m.matmul(xs[2 * i] as Value, xs[2 * i + 1] as Value, { transposeA, transposeB }),
        );
      const expected = f(...operands);
      for (const threads of [2, 7]) {
        const compiled = compile(f, { target, threads });
        const first = compiled(...operands);
        expectSame(first, expected, 1e-4);
        for (let i = 0; i < 3; i++) expectSame(compiled(...operands), first, 0);
      }
    }
  });

  test("products that a library does in parts, where there is one", () => {
    const [a, b] = [drawn(7, [650, 640], "float32"), drawn(8, [640, 1300], "float32")];
    const compiled = compile((a: Value, b: Value) => m.matmul(a, b), { target: cTarget(), threads: 2 });
    const first = compiled(a, b);
    expectSame([first], [m.matmul(a, b)], 1e-4);
    expectSame([compiled(a, b)], [first], 0);
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
        { target, threads },
      );
      const x = drawn(9, [96, 200], "float32");
      return Array.from({ length: 5 }, () => step(x).item());
    };
    const [one, two] = [trained(1), trained(2)];
    expect(trained(2)).toEqual(two);
    for (const [i, loss] of two.entries()) expect(loss).toBeCloseTo(one[i] as number, 4);
  });

  test("two programs share the workers, also where one replaces a parameter that the other reads", () => {
    const w = parameter(drawn(3, [300, 400]));
    const scale = compile(() => w.assign(m.tanh(m.mul(w, 1.5))), { target, threads: 2 });
    const total = compile((x: Value) => m.sum(m.sin(m.mul(w, x))), { target, threads: 3 });
    const eager = parameter(drawn(3, [300, 400]));
    for (let i = 0; i < 20; i++) {
      scale();
      eager.assign(m.tanh(m.mul(eager, 1.5)));
      const expected = m.sum(m.sin(m.mul(eager, 0.7))).item();
      expect(Math.abs(total(m.value(0.7)).item() - expected)).toBeLessThan(1e-8);
    }
  });
});
