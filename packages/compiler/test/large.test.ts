/** Programs of very many operations: what engines bound (variables, functions, the stack) must not bound them. */

import { compile } from "@adjoint/compiler";
import { add, mul, parameter, sin, tanh, type Value, value, valueAndGrad } from "@adjoint/core";
import { type Arithmetic, unary } from "@adjoint/core/operations";
import { expect, test } from "vitest";

const SLOW = 120_000;

/** A result's numbers, and those of its parts. */
function numbersOf(x: unknown): number[] {
  if (Array.isArray(x)) return x.flatMap(numbersOf);
  return Array.from((x as Value).data);
}

/** Expects a function to compute compiled what it computes eagerly, up to rounding. */
function expectSame(f: (...args: Value[]) => unknown, args: readonly Value[], digits = 1e-11): void {
  const [given, wanted] = [numbersOf(compile(f)(...args)), numbersOf(f(...args))];
  expect(given.length).toBe(wanted.length);
  wanted.forEach((x, i) => {
    expect(Math.abs((given[i] as number) - x)).toBeLessThanOrEqual(digits * Math.max(1, Math.abs(x)));
  });
}

const scalars = [0.5, 0.9, 0.1].map((x) => value(x));

function chain(x: Value, a: Value, b: Value, length: number): Value {
  let y = x;
  for (let i = 0; i < length; i++) y = add(mul(sin(y), a), b);
  return y;
}

/** Sums, products and functions of values that were computed before, the latest most often. */
function graph(xs: readonly Value[], length: number): Value {
  const values = [...xs];
  let seed = 7;
  const draw = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const pick = () => {
    const reach = draw() < 0.7 ? Math.min(20, values.length) : values.length;
    return values[values.length - 1 - Math.floor(draw() * reach)] as Value;
  };
  for (let i = 0; i < length; i++) {
    const [a, b, kind] = [pick(), pick(), draw()];
    values.push(kind < 0.4 ? mul(add(a, b), 0.5) : kind < 0.7 ? mul(a, b) : kind < 0.85 ? tanh(a) : sin(b));
  }
  return values.slice(-50).reduce((sum, x) => add(sum, x));
}

test("a chain of 30 000 scalar operations is compiled with its gradients", { timeout: SLOW }, () => {
  expectSame(
    valueAndGrad((x: Value, a: Value, b: Value) => chain(x, a, b, 10_000), { argnums: [0, 1, 2] }) as never,
    scalars,
  );
});

test("a chain of a million operations, those of its gradient among them, is compiled", {
  timeout: SLOW,
}, () => {
  expectSame(
    valueAndGrad((x: Value, a: Value, b: Value) => chain(x, a, b, 112_000), { argnums: [0, 1, 2] }) as never,
    scalars,
  );
});

test("a graph of 20 000 scalar operations that share operands is compiled with its gradients", {
  timeout: SLOW,
}, () => {
  expectSame(
    valueAndGrad((...xs: Value[]) => graph(xs, 20_000), { argnums: [0, 1, 2] }) as never,
    scalars,
    1e-9,
  );
});

test("ten chains side by side, which become vectors, may be 10 000 operations long", {
  timeout: SLOW,
}, () => {
  const f = (x: Value, a: Value) => {
    let ys = Array.from({ length: 10 }, (_, i) => mul(x, 0.1 * i + 0.3));
    for (let i = 0; i < 5000; i++) ys = ys.map((y) => add(mul(y, a), x));
    return ys;
  };
  expectSame(f as never, scalars.slice(0, 2));
});

test("a sum of 150 000 different scalars is compiled", { timeout: SLOW }, () => {
  const f = (x: Value, a: Value) => {
    let [y, sum] = [x, x];
    for (let i = 0; i < 150_000; i++) {
      y = mul(y, a);
      sum = add(sum, y);
    }
    return sum;
  };
  expectSame(f as never, [value(0.7), value(0.99999)]);
});

test("operations of many instructions fill functions sooner", { timeout: SLOW }, () => {
  // One step after the other of the logistic map, each of which takes three instructions.
  const logistic = unary({
    name: "logistic",
    expression: <T, M>(x: T, m: Arithmetic<T, M>) => {
      let y = x;
      for (let i = 0; i < 30; i++) y = m.mul(m.mul(m.constant(3.7), y), m.sub(m.one, y));
      return m.mul(m.constant(0.001), y);
    },
  });
  const f = (x: Value) => {
    let y = x;
    for (let i = 0; i < 1500; i++) y = logistic(y);
    return add(y, x);
  };
  expectSame(f as never, [value(0.4)]);
});

test("2 000 scalar parameters exchange their data in a step", { timeout: SLOW }, () => {
  const states = Array.from({ length: 2000 }, (_, i) => parameter(i));
  const step = compile(() => {
    const old = states.map((w) => mul(w, 1));
    states.forEach((w, i) => {
      w.assign(old[(i + 1) % old.length] as Value);
    });
  });
  step();
  step();
  expect(states.map((w) => w.item())).toEqual(states.map((_, i) => (i + 2) % states.length));
});
