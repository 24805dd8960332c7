/** Functions with rules of their own, compiled: they are what they are eager. */

import {
  customJvp,
  customVjp,
  fixedPoint,
  grad,
  implicitSolve,
  jvp,
  linearize,
  onCotangent,
  parameter,
  type Value,
  value,
  vjp,
} from "@adjoint/core";
import { expect, test } from "vitest";
import { compile } from "../src/index.ts";

const near = (x: Value | null) =>
  Array.from((x as Value).data, (entry) => expect.closeTo(entry, 12)) as unknown as number[];
const numbers = (x: Value | null) => Array.from((x as Value).data);

test("customVjp, customJvp and onCotangent in a step with backward", () => {
  const w = parameter([2, 3]);
  // A slope on purpose that is not the function's, so that the rule shows.
  const f = customVjp(
    (x) => x.mul(3).exp(),
    (dy, { output }) => [dy.mul(output)],
  );
  const g = customJvp(
    (x) => x.sin(),
    ([t], { inputs: [x] }) => (t as Value).mul((x as Value).cos()),
  );
  const step = (x: Value) => {
    w.grad = null;
    const y = onCotangent(f(g(x.mul(w))), (d) => d.mul(x)).sum();
    y.backward();
    return y;
  };
  const compiled = compile(step);
  for (const x of [value([0.1, 0.2]), value([-1, 0.5])]) {
    const y = near(step(x));
    const dw = near(w.grad);
    expect(numbers(compiled(x))).toEqual(y);
    expect(numbers(w.grad)).toEqual(dw);
  }
});

test("fixedPoint, by what it reads of the function around", () => {
  const root = (a: Value) => fixedPoint((x) => x.add(a.div(x)).mul(0.5), 1, []);
  const compiled = compile((a: Value) => grad(root)(a));
  for (const a of [4, 9]) {
    expect(compiled(value(a)).item()).toBeCloseTo(1 / (2 * Math.sqrt(a)), 12);
  }
});

test("parameters as arguments of stated rules and solutions are read again at each call", () => {
  const w = parameter(4);
  const scaled = customVjp(
    (x) => x.mul(3),
    (dy) => [dy.mul(3)],
  );
  const moved = customJvp(
    (x) => x.add(1),
    ([t]) => t as Value,
  );
  const root = (w: Value) => fixedPoint((x, a) => x.add((a as Value).div(x)).mul(0.5), 1, [w]);
  const half = implicitSolve(
    (x, a) => x.mul(2).sub(a as Value),
    (a) => (a as Value).mul(0.5),
  );
  for (const f of [scaled, moved, root, half, (w: Value) => onCotangent(w, (d) => d.mul(2))]) {
    const step = () => {
      w.grad = null;
      const y = f(w);
      y.backward();
      return y;
    };
    const compiled = compile(step);
    for (const data of [4, 9]) {
      w.assign(data);
      const expected = [near(step()), near(w.grad)];
      expect([numbers(compiled()), numbers(w.grad)]).toEqual(expected);
    }
  }
});

test("parameters that are differentiated by as arguments are read again at each call", () => {
  const w = parameter(2);
  const f = (w: Value) => w.mul(w).mul(w);
  const derivatives = () => [grad(f)(w), jvp(f, [w], [1])[1], vjp(f, w)[1](1)[0], linearize(f, w)[1](1)];
  const compiled = compile(derivatives);
  for (const data of [2, 3]) {
    w.assign(data);
    expect(compiled().map((d) => d.item())).toEqual(new Array(4).fill(3 * data * data));
  }
});
