import * as core from "@adjoint/core";
import { binary, unary } from "@adjoint/core/operations";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { setCodeGeneration } from "../src/generation.ts";

afterEach(() => setCodeGeneration(true));

const cube = () =>
  unary({
    name: "cube",
    expression: (x, m) => m.mul(x, m.mul(x, x)),
    partial: (x, _y, m) => m.mul(m.constant(3), m.mul(x, x)),
  });
const ratio = () =>
  binary({
    name: "ratio",
    expression: (a, b, m) => m.div(m.exp(a), m.select(m.lt(b, m.zero), m.neg(m.one), m.add(m.one, b))),
    partials: [
      (_a, _b, y) => y,
      (a, b, _y, m) => {
        const d = m.add(m.one, b);
        return m.select(m.lt(b, m.zero), m.zero, m.neg(m.div(m.exp(a), m.mul(d, d))));
      },
    ],
  });

/** Two shapes that broadcast, up to rank 4. */
const shapes = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom("both", "first", "second")), {
    maxLength: 4,
  })
  .chain((axes) =>
    fc.record({
      a: fc.constant(axes.map(([n, who]) => (who === "second" ? 1 : n))),
      b: fc.constant(axes.map(([n, who]) => (who === "first" ? 1 : n))),
      drop: fc.integer({ min: 0, max: axes.length }),
    }),
  )
  .map(({ a, b, drop }) => ({ a, b: b.slice(0, drop).every((n) => n === 1) ? b.slice(drop) : b }));

describe("generated loops", () => {
  test("are told apart by dtypes and steps, in whatever order they are made", () => {
    const shapes = [[2], [1, 1], [1, 2], [2, 1]] as const;
    const dtypes = ["float64", "float32", "int32", "bool"] as const;
    const kinds = shapes.flatMap((shape) => dtypes.map((dtype) => ({ shape, dtype })));
    const draw = ({ shape, dtype }: (typeof kinds)[number]) =>
      core.value(new Float64Array(shape.length === 2 && shape[0] * shape[1] === 1 ? 1 : 2).fill(1), {
        shape,
        dtype,
      });
    const f = ratio();
    for (const a of kinds)
      for (const b of kinds) {
        const y = f(draw(a), draw(b));
        expect([a, b, y.data.every((n: number) => Math.abs(n - Math.E / 2) < 1e-6)]).toEqual([a, b, true]);
      }
  });

  test("equal closures over the same expression, values and gradients, for all shapes that broadcast", () => {
    fc.assert(
      fc.property(shapes, fc.constantFrom("float32", "float64"), fc.nat(), (shape, dtype, seed) => {
        const draw = (s: readonly number[], i: number) =>
          core.random.uniform(core.random.fold(core.random.key(seed), i), s, {
            low: -1,
            high: 2,
            dtype: dtype as "float32",
          });
        const run = (on: boolean) => {
          setCodeGeneration(on);
          const f = ratio();
          const a = core.parameter(draw(shape.a, 0));
          const b = core.parameter(draw(shape.b, 1));
          const y = f(a, b);
          y.backward(draw(y.shape, 2));
          a.mul(2).add(y).backward(draw(y.shape, 3));
          return [y, a.grad, b.grad].map((x) => [x?.shape, x?.dtype, x?.toArray()]);
        };
        expect(run(true)).toEqual(run(false));
      }),
      { numRuns: 200 },
    );
  });

  test("scalars take the same values with and without code generation, to the second derivative", () => {
    const run = (on: boolean) => {
      setCodeGeneration(on);
      const f = cube();
      const g = ratio();
      const h = (x: core.Value) => g(f(x), x.mul(0.3)).add(f(2)).sub(f(x));
      return [h(core.value(0.7)), core.grad(h)(0.7), core.grad((x) => core.grad(h)(x))(0.7)].map((x) =>
        x.item(),
      );
    };
    expect(run(true)).toEqual(run(false));
  });

  test("scalars equal one-element tensors", () => {
    for (const [name, f] of Object.entries(core)) {
      const record = (f as Partial<core.Defined<unknown>>).definition?.operation;
      if (!record?.elementwise) continue;
      const call = f as (...xs: unknown[]) => core.Value;
      const xs = Array.from({ length: record.elementwise.arity }, (_, i) => 0.3 + 0.4 * i);
      const results = [xs.map((x) => core.parameter(x)), xs.map((x) => core.parameter([x]))].map((ps) => {
        const y = call(...ps);
        if (y.isDifferentiable) y.sum().backward();
        // A sum that begins at 0 has no −0.
        return [y.data[0], ...ps.map((p) => p.grad && (p.grad.data[0] as number) + 0)];
      });
      expect(results[0], name).toEqual(results[1]);
    }
  });

  test("a rule that is a constant serves recorded and unrecorded sweeps alike", () => {
    const flat = unary({ name: "flat", expression: (x) => x, pull: (_dy, _x, _y, m) => m.zero });
    for (const createGraph of [false, true]) {
      const p = core.parameter([1, 2]);
      flat(p).sum().backward(undefined, { createGraph });
      expect(p.grad?.toArray()).toEqual([0, 0]);
    }
  });

  test("an operation of one's own differentiates to any order", () => {
    const f = cube();
    expect(
      core
        .grad((x) => core.grad((x) => core.grad((x) => f(x))(x))(x))(5)
        .item(),
    ).toBe(6);
    expect(f([1, 2]).toArray()).toEqual([1, 8]);
    expect(f.definition.name).toBe("cube");
  });
});

describe("special values", () => {
  // IEEE 754-2019 §9.2.1 and C17 Annex F; NumPy 1.26 prints the same.
  const { pow, maximum, minimum, sign, relu, div, log, log1p, exp, softplus, sigmoid, value } = core;
  const at = (x: core.Value) => x.item();
  test("powers of 0 have the slopes of their limits by the exponent", () => {
    const slope = (a: number, b: number) =>
      core
        .grad((b) => pow(a, b))(b)
        .item();
    expect([slope(0, 2), slope(0, 0), slope(0, -1)]).toEqual([0, 0, -Infinity]);
  });

  test("follow IEEE 754", () => {
    expect([
      at(pow(1, Number.NaN)),
      at(pow(Number.NaN, 0)),
      at(pow(1, Infinity)),
      at(pow(-1, -Infinity)),
      at(pow(0, -1)),
      at(pow(-8, 1 / 3)),
    ]).toEqual([1, 1, 1, 1, Infinity, Number.NaN]);
    expect([at(div(1, 0)), at(div(-1, 0)), at(div(0, 0))]).toEqual([Infinity, -Infinity, Number.NaN]);
    expect([at(log(0)), at(log(-1)), at(log1p(-1)), at(exp(-Infinity)), at(exp(710))]).toEqual([
      -Infinity,
      Number.NaN,
      -Infinity,
      0,
      Infinity,
    ]);
    expect([
      at(maximum(Number.NaN, 1)),
      at(minimum(1, Number.NaN)),
      at(relu(Number.NaN)),
      at(sign(-0)),
    ]).toEqual([Number.NaN, Number.NaN, Number.NaN, -0]);
  });

  test("softplus and sigmoid neither overflow nor lose small numbers", () => {
    expect([at(softplus(1000)), at(softplus(-1000)), at(sigmoid(1000)), at(sigmoid(-1000))]).toEqual([
      1000, 0, 1, 0,
    ]);
    expect(at(softplus(-40))).toBeCloseTo(Math.exp(-40), 30);
    // σ'(40) = e^−40/(1 + e^−40)², which y·(1 − y) would round to 0.
    expect(
      core
        .grad((x) => sigmoid(x))(40)
        .item() / Math.exp(-40),
    ).toBeCloseTo(1, 12);
    expect(
      core
        .grad((x) => softplus(x))(value(-1000))
        .item(),
    ).toBe(0);
  });

  test("denormal and huge numbers pass", () => {
    expect(at(value(5e-324).mul(1))).toBe(5e-324);
    expect(
      core
        .grad((x) => x.mul(x))(1e308)
        .item(),
    ).toBe(Infinity);
    expect(
      core
        .grad((x) => x.sqrt())(5e-324)
        .item(),
    ).toBeCloseTo(0.5 / Math.sqrt(5e-324), -150);
  });
});

test("where reads any condition that is not 0 as true, whatever the choices are", () => {
  const i32 = (...xs: number[]) => core.value(Int32Array.from(xs));
  expect(core.where(core.value(0.5), i32(1, 2), i32(3, 4)).toArray()).toEqual([1, 2]);
  expect(
    core.where(core.value(1e-50), core.value(Float32Array.of(1)), core.value(Float32Array.of(2))).toArray(),
  ).toEqual([1]);
  expect(core.where([Number.NaN, 0], 1, 2).toArray()).toEqual([1, 2]);
});

describe("misuse", () => {
  test("is one clear sentence", () => {
    expect(() => core.add([1, 2], [1, 2, 3])).toThrow(
      "add: shapes must broadcast (sizes equal or 1, aligned at the last axis), got [2] and [3]. Reshape or transpose one operand.",
    );
    expect(() => core.value(1).add("2" as never)).toThrow(
      'add: operands must be values, numbers or arrays of numbers, got "2".',
    );
    expect(() => core.value(1).add(undefined as never)).toThrow(
      "add: operands must be values, numbers or arrays of numbers, got undefined.",
    );
    expect(() => core.tanh(null as never)).toThrow(
      "tanh: operands must be values, numbers or arrays of numbers, got null.",
    );
  });
});

describe("a cotangent of 0", () => {
  const EXTREMES = [0, -0, 1, -1, 0.5, 1e308, -1e308, 1e-320, Infinity, -Infinity, Number.NaN];
  const operations = Object.entries(core).flatMap(([name, f]) => {
    const record = (f as Partial<core.Defined<unknown>>).definition?.operation;
    return record?.elementwise && record.differentiable
      ? [{ name, f: f as (...xs: core.Value[]) => core.Value, arity: record.elementwise.arity }]
      : [];
  });

  test.each(operations)("stays 0 through $name, whatever its partials are", ({ f, arity }) => {
    const points = Array.from({ length: EXTREMES.length ** arity }, (_, i) =>
      Array.from(
        { length: arity },
        (_, k) => EXTREMES[Math.floor(i / EXTREMES.length ** k) % EXTREMES.length],
      ),
    ) as number[][];
    const zero = (grad: core.Value | null) => grad === null || grad.data.every((x: number) => x === 0);
    const columns = Array.from({ length: arity }, (_, k) => points.map((point) => point[k] as number));
    for (const createGraph of [false, true]) {
      const tensors = columns.map((column) => core.parameter(column));
      const y = f(...tensors);
      y.backward(core.zerosLike(y), { createGraph });
      expect(tensors.map(({ grad }) => zero(grad))).toEqual(tensors.map(() => true));
      for (const point of points) {
        const scalars = point.map((x) => core.parameter(x));
        f(...scalars).backward(0, { createGraph });
        expect([point, scalars.map(({ grad }) => zero(grad))]).toEqual([point, scalars.map(() => true)]);
      }
    }
  });
});
