/** Control flow that every target is held to. */

import {
  add,
  cond,
  cos,
  exp,
  foriLoop,
  grad,
  gt,
  hessian,
  jvp,
  lt,
  matmul,
  mul,
  random,
  scan,
  sin,
  square,
  sub,
  sum,
  tanh,
  type Value,
  value,
  valueAndGrad,
  vmap,
  whileLoop,
} from "@adjoint/core";
import { storageOf } from "@adjoint/core/operations";
import { describe, expect, test } from "vitest";
import type { Storage, Target } from "../../src/program.ts";
import { distance, programOf, runOn, valuesIn } from "../agreement.ts";

type F = (...xs: Value[]) => unknown;

const draw = (seed: number, shape: readonly number[]) =>
  random.uniform(random.key(seed), shape, { low: 0.2, high: 1, dtype: "float64" });

/** A recurrent network with a gate: each step takes an entry, and gives one. */
const recurrent = (w: Value, xs: Value, start: Value): Value => {
  const [last, ys] = scan(
    (h: Value, x: Value) => {
      const next = tanh(matmul(h, w).add(x));
      return [next, mul(next, x)] as const;
    },
    start,
    xs,
  );
  return sum(last).add(sum(ys));
};

/** Steps until the sum is large: how many depends on the data. */
const unbounded = (x: Value, a: Value): Value =>
  whileLoop(
    (c) => lt(sum(c.y), 40),
    (c) => ({ y: add(mul(c.y, add(a, 1)), mul(sin(c.y), 0.1)), n: add(c.n, 1) }),
    { y: x, n: value(0) },
  ).y;

const choosing = (x: Value): Value =>
  cond(
    gt(sum(x), 1),
    (x) => sum(exp(x)),
    (x) => sum(mul(x, x)),
    x,
  );

/** A loop within a loop within a branch. */
const nested = (x: Value): Value =>
  cond(
    gt(sum(x), 0),
    (x) => {
      const [total] = scan(
        (c: Value, row: Value) => {
          const y = whileLoop(
            (y) => lt(sum(y), 9),
            (y) => mul(y, 1.7),
            row,
          );
          return [add(c, sum(cos(y))), y] as const;
        },
        0,
        x,
      );
      return total;
    },
    (x) => sum(x),
    x,
  );

const cases: Record<string, readonly [F, readonly Value[]]> = {
  "a scan": [recurrent, [draw(1, [3, 3]), draw(2, [5, 3]), draw(3, [3])]],
  "a scan's gradient": [
    grad(recurrent, { argnums: [0, 1, 2] }) as F,
    [draw(1, [3, 3]), draw(2, [5, 3]), draw(3, [3])],
  ],
  "a scan's value and gradient": [
    valueAndGrad(recurrent, { argnums: [0, 1, 2] }) as F,
    [draw(1, [3, 3]), draw(2, [5, 3]), draw(3, [3])],
  ],
  "a scan's value, gradient and their tangents": [
    (w, xs, start) =>
      jvp(
        (w: Value) => valueAndGrad((w: Value) => square(recurrent(w, xs as Value, start as Value)))(w),
        [w as Value],
        [sin(w as Value)],
      ),
    [draw(1, [3, 3]), draw(2, [5, 3]), draw(3, [3])],
  ],
  "a batch of scans' values and gradients": [
    (w, xs, starts) =>
      vmap((start: Value) =>
        valueAndGrad((w: Value) => square(recurrent(w, xs as Value, start)))(w as Value),
      )(starts as Value),
    [draw(1, [3, 3]), draw(2, [5, 3]), draw(3, [4, 3])],
  ],
  "a scan's Hessian": [
    (w, xs, start) => hessian((w: Value) => recurrent(w, xs as Value, start as Value))(w as Value),
    [draw(1, [2, 2]), draw(2, [4, 2]), draw(3, [2])],
  ],
  "a reversed scan with a mixed carry": [
    (xs) =>
      scan(
        (c: { s: Value; n: Value }, x: Value) =>
          [
            { s: add(mul(c.s, 0.5), sum(x)), n: add(c.n, 1) },
            { twice: mul(x, 2), big: gt(sum(x), 1) },
          ] as const,
        { s: value(0), n: value(Int32Array.of(0)).reshape([]) },
        xs as Value,
        { reverse: true },
      ),
    [draw(4, [6, 2])],
  ],
  "a loop over counts": [
    (x) => foriLoop(1, 6, (i, y: Value) => add(mul(y, i), x as Value), x),
    [draw(5, [3])],
  ],
  "an unbounded loop": [unbounded, [draw(6, [3]), draw(7, [])]],
  "an unbounded loop's gradient": [
    grad((x: Value, a: Value) => sum(unbounded(x, a)), { argnums: [0, 1] }) as F,
    [draw(6, [3]), draw(7, [])],
  ],
  "an unbounded loop's second derivatives, reverse over reverse": [
    (x, a) => grad((a: Value) => grad((a: Value) => sum(unbounded(x as Value, a)))(a))(a as Value),
    [draw(6, [3]), draw(7, [])],
  ],
  "an unbounded loop's second derivatives, forward over reverse": [
    (x, a) =>
      jvp(
        grad((a: Value) => sum(unbounded(x as Value, a))),
        [a as Value],
        [1],
      )[1],
    [draw(6, [3]), draw(7, [])],
  ],
  "a loop that never runs": [
    grad((x: Value) =>
      sum(
        whileLoop(
          (y) => lt(sum(y), -1),
          (y) => mul(y, y),
          x,
        ),
      ),
    ) as F,
    [draw(8, [2])],
  ],
  "a choice": [choosing, [draw(9, [3])]],
  "the other choice": [choosing, [value([0.1, 0.2, 0.1])]],
  "a choice's gradient": [grad(choosing) as F, [draw(9, [3])]],
  "loops in loops in branches, differentiated": [
    (x) => [nested(x as Value), grad(nested)(x as Value)],
    [draw(10, [3, 2])],
  ],
  "the branch without loops": [(x) => grad(nested)(x as Value), [sub(0, draw(10, [3, 2]))]],
  "a batch of unbounded loops": [
    (x, a) => vmap((x: Value) => grad((x: Value) => sum(unbounded(x, a as Value)))(x))(x as Value),
    [draw(11, [4, 2]), draw(7, [])],
  ],
};

/** Holds a target to eager code in branches and loops. */
export function holdControl(target: Target): void {
  describe(`control flow on ${target.name}`, () => {
    test.each(Object.entries(cases))("%s is what eager code computes", (_, [f, xs]) => {
      const expected = valuesIn(f(...xs));
      const actual = runOn(target, f, xs);
      expected.forEach((y, i) => {
        expect(distance(actual[i] as Storage, storageOf(y) as Storage)).toBeLessThan(1e-11);
      });
    });

    test("a loop stays a loop, and can be run again on other data", () => {
      const f: F = (x, a) => grad((a: Value) => sum(unbounded(x as Value, a)))(a as Value);
      const executable = target.prepare(programOf(f, [draw(6, [3]), draw(7, [])]));
      expect(executable.explain()).toContain("pass 1, down");
      for (const seed of [1, 2, 3]) {
        const xs = [draw(seed, [3]), draw(seed + 10, [])] as const;
        const [actual] = executable.run(xs.map((x) => storageOf(x) as Storage));
        const expected = storageOf(valuesIn(f(...xs))[0] as Value) as Storage;
        expect(distance(actual as Storage, expected)).toBeLessThan(1e-11);
      }
    });

    test("the stack of a long loop takes as much memory as it needs", () => {
      const f: F = (x) =>
        grad((x: Value) =>
          sum(
            whileLoop(
              (c) => lt(c.n, 3000),
              (c) => ({ y: sin(c.y), n: add(c.n, 1) }),
              { y: x, n: value(0) },
            ).y,
          ),
        )(x as Value);
      const x = draw(12, [100]);
      const [actual] = runOn(target, f, [x]);
      let dx = value(new Float64Array(100).fill(1));
      let y = x;
      for (let i = 0; i < 3000; i++) {
        dx = mul(dx, cos(y));
        y = sin(y);
      }
      expect(distance(actual as Storage, dx.data)).toBeLessThan(1e-10);
    });
  });
}
