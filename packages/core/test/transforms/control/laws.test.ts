/** Loops and branches of captured graphs, held to the plain loops of eager code: all derivatives, any nesting, batches. */

import {
  capture,
  cond,
  foriLoop,
  grad,
  gt,
  hvp,
  jvp,
  lt,
  mean,
  mul,
  parameter,
  random,
  scan,
  stack,
  sum,
  type Value,
  value,
  vmap,
  whileLoop,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

/** A scalar function of a vector of three and a matrix. */
type Program = (x: Value, w: Value) => Value;

const weight = parameter([0.4, -0.3, 0.8]);

const programs: Record<string, Program> = {
  "cond that chooses by an argument": (x, w) =>
    cond(
      gt(x.slice(0), 0),
      (x) => x.sin().mul(w.slice(0)).sum(),
      (x) => x.mul(x).mul(x).sum(),
      x,
    ),
  "cond whose branches give several values, one of them nothing that moves": (x, w) => {
    const { a, b } = cond(
      gt(w.slice(0, 0), 10),
      (x, w) => ({ a: x.matmul(w), b: value([1, 2]) }),
      (x, w) => ({ a: w.mul(2).slice(1), b: stack([x.sum(), w.sum()]).tanh() }),
      x,
      w,
    );
    return a.square().sum().add(b.prod());
  },
  "cond of a parameter and of what is read from outside": (x, w) => {
    const outside = w.slice(2).mul(x);
    return cond(
      lt(x.sum(), 0),
      () => outside.mul(weight).sum(),
      (x) => outside.sub(weight.mul(x)).square().sum(),
      x,
    );
  },
  "scan of a recurrent layer": (x, w) => {
    const [h, ys] = scan(
      (h: Value, x: Value) => {
        const next = h.matmul(w).add(weight.mul(x)).tanh();
        return [next, { out: next.square(), in: h.mul(x) }] as const;
      },
      x,
      stack([x.slice(0), x.slice(1), value(0.7), x.slice(2)]),
    );
    return h.sum().add(ys.out.mul(ys.in).sum());
  },
  "scan backward, of which only what it gives is used": (x, w) =>
    scan((h: Value, row: Value) => [h.mul(row.sum()).sin(), h.mul(row)] as const, x.slice(1), w, {
      reverse: true,
    })[1]
      .square()
      .mean(),
  "scan that carries an integer and gives a bool": (x, w) => {
    const [[n, sum], ys] = scan(
      ([n, sum]: [Value, Value], row: Value) =>
        [
          [n.add(1), sum.add(row.matmul(x).mul(n))] as [Value, Value],
          { far: gt(sum, 0.2), sum: sum.mul(n) },
        ] as const,
      [value(new Int32Array([2])).slice(0), x.sum()] as [Value, Value],
      w,
    );
    return sum.mul(n).add(ys.far.mul(ys.sum).sum());
  },
  "scan from a plain number, with the same entries twice": (x, w) =>
    scan((sum: Value, [a, b]: [Value, Value]) => [sum.mul(a.sum()).add(b.mul(a).sum()), []] as const, 0.5, [
      w,
      w,
    ] as [Value, Value])[0].mul(x.sum()),
  "scan without a carry": (x, w) =>
    scan((_: [], row: Value) => [[] as [], row.matmul(x).exp()] as const, [] as [], w)[1].sum(),
  "scan in snapshots": (x, w) => {
    const xs = stack([x.slice(0), x.slice(1), x.slice(2), x.sum(), x.mean(), x.max(), value(0.1)]);
    const [h, ys] = scan(
      (h: Value, a: Value) => [h.matmul(w).add(a).tanh(), h.mul(a).sum()] as const,
      x,
      xs,
      {
        snapshots: 2,
      },
    );
    return h.sum().add(ys.square().sum());
  },
  "scan in snapshots, backward": (x, w) => {
    const xs = stack([x.slice(0), x.slice(1), x.slice(2), x.sum(), x.mean(), x.max(), value(0.1)]);
    const [h, ys] = scan(
      (h: Value, a: Value) => [h.mul(w.slice(0)).sub(a).sin(), h.mul(a).sum()] as const,
      x,
      xs,
      {
        snapshots: 3,
        reverse: true,
      },
    );
    return h.sum().add(
      ys
        .square()
        .mul(value([1, 2, 3, 4, 5, 6, 7]))
        .sum(),
    );
  },
  "foriLoop that reads its index": (x, w) =>
    foriLoop(1, 5, (i, { a, b }) => ({ a: a.add(b.mul(i).mul(w.slice(1))), b: b.mul(x).tanh() }), {
      a: x,
      b: w.slice(0),
    }).a.sum(),
  "foriLoop without a step": (x, w) => foriLoop(3, 3, (_, y) => y.matmul(w), x).sum(),
  "whileLoop whose steps depend on the data": (x, w) =>
    whileLoop(
      (y) => lt(y.square().sum(), 30),
      (y) => y.mul(1.5).add(w.slice(0)).add(x.mul(0.1)),
      x,
    )
      .square()
      .sum(),
  "whileLoop that counts, nonlinear in what is outside": (x, w) => {
    const { y } = whileLoop(
      ({ n }) => lt(n, 4),
      ({ n, y }) => ({ n: n.add(1), y: y.matmul(w).sin().add(x.square()).mul(weight) }),
      { n: value(Int32Array.of(0)).slice(0), y: x },
    );
    return y.square().sum();
  },
  "whileLoop that does not run": (x, w) =>
    whileLoop(
      (y) => gt(y.sum(), 100),
      (y) => y.matmul(w),
      x.mul(w.slice(0)),
    )
      .square()
      .sum(),
  "whileLoop in whileLoop": (x, w) =>
    whileLoop(
      ([y]) => lt(y.sum(), 20),
      ([y, z]) => {
        const inner = whileLoop(
          (u) => lt(u.sum(), 4),
          // Never ends where z is below zero: not reached by those that are done.
          (u) => u.mul(1.3).add(w.slice(2, 2).square()).add(z.sum().mul(0.1)),
          z.square().add(0.1),
        );
        return [
          y.add(inner),
          cond(
            lt(y.sum(), 15),
            (z) => z.sin().square(),
            (z) => z.mul(0).sub(100),
            inner,
          ),
        ] as [Value, Value];
      },
      [x.square(), x] as [Value, Value],
    )[0]
      .square()
      .mean(),
  "whileLoop in scan in cond, reading from all around": (x, w) => {
    const k = x.mul(2);
    return cond(
      gt(x.sum().square(), 0.001),
      (x) => {
        const scale = w.sum();
        const [h, ys] = scan(
          (h: Value, row: Value) => {
            const y = whileLoop(
              (y) => lt(y.square().sum(), 5),
              (y) => y.mul(1.7).add(row.mul(k)).add(weight),
              h.mul(scale).tanh(),
            );
            return [y.sin(), y.matmul(k)] as const;
          },
          x,
          w,
        );
        return h.sum().add(ys.square().sum());
      },
      (x) => x.sum(),
      x,
    );
  },
  "cond in whileLoop": (x, w) =>
    whileLoop(
      (y) => lt(y.square().sum(), 30),
      (y) =>
        cond(
          gt(y.slice(0), 0.5),
          (y) => y.mul(1.4).add(x),
          (y) => y.matmul(w).square().add(0.6),
          y,
        ),
      x,
    )
      .mul(weight)
      .sum(),
  "vmap in scan, over what is carried": (x, w) =>
    scan(
      (h: Value, row: Value) => {
        const next = vmap((a: Value, b: Value) =>
          whileLoop(
            (y) => lt(y, 2),
            (y) => y.mul(1.5).add(b.square()).add(0.1),
            a.sin().square(),
          ),
        )(h, row);
        return [next.sin(), next] as const;
      },
      x,
      w,
    )[1].mean(),
  "grad in foriLoop": (x, w) =>
    foriLoop(0, 3, (_, y) => y.sub(grad((y: Value) => y.matmul(w).sin().mul(y).sum())(y).mul(0.3)), x)
      .square()
      .sum(),
  "values without elements": (x, w) =>
    scan(
      (c: { h: Value; e: Value }, row: Value) => [{ h: c.h.mul(row).cos(), e: c.e.mul(2) }, c.e] as const,
      { h: x, e: x.slice([0, 0]) },
      w,
    )[0].h.sum(),
};

const at = {
  x: value([0.3, -0.5, 0.9]),
  w: value([
    [0.5, 0.2, -0.1],
    [0.3, -0.4, 0.6],
    [0.2, 0.7, 0.35],
  ]),
};
const draw = (n: number, shape: number[]) =>
  random.uniform(random.fold(random.key(7), n), shape, { low: -1, dtype: "float64" });

function expectClose(what: string, actual: Value, expected: Value, bound = 1e-12): void {
  expect([what, actual.shape]).toEqual([what, expected.shape]);
  const size = 1 + Math.max(0, ...Array.from(expected.data, Math.abs));
  const worst =
    Math.max(0, ...Array.from(actual.data, (a, i) => Math.abs(a - (expected.data[i] as number)))) / size;
  expect([what, worst <= bound], String(worst)).toEqual([what, true]);
}

const cases = Object.entries(programs);

describe.each(cases)("%s", (_, f) => {
  const { x, w } = at;
  const t = draw(1, [3]);
  const u = draw(2, [3]);
  const graph = capture((x, w) => f(x, w), x, w);
  const captured: Program = (x, w) => graph.evaluate(x, w)[0] as Value;
  /** What capturing `g` computes, of values of which nothing is known while it is captured. */
  const whole = (g: (...xs: Value[]) => Value, ...xs: Value[]) =>
    capture(g, ...xs).evaluate(...xs)[0] as Value;

  test("computes the same captured", () => {
    expectClose("value", captured(x, w), f(x, w), 1e-15);
    expectClose(
      "captured again",
      whole((x, w) => captured(x as Value, w as Value), x, w),
      f(x, w),
      1e-15,
    );
  });

  test("has the gradient that eager code has and that difference quotients have, to both arguments and a parameter", () => {
    for (const argnums of [0, 1] as const) {
      const expected = grad(f, { argnums })(x, w);
      expectClose(`grad of captured ${argnums}`, grad(captured, { argnums })(x, w), expected);
      const derived = whole((x, w) => grad(f, { argnums })(x as Value, w as Value), x, w);
      expectClose(`captured grad ${argnums}`, derived, expected);
    }
    const h = 1e-6;
    const quotient = f(x.add(t.mul(h)), w)
      .sub(f(x.sub(t.mul(h)), w))
      .div(2 * h);
    expectClose("quotient", sum(mul(grad(captured)(x, w), t)), quotient, 1e-7);
    expectClose("jvp of captured", jvp((x) => captured(x, w), [x], [t])[1], quotient, 1e-7);
    const byParameter = (y: Value): Value => {
      weight.grad = null;
      if (y.isDifferentiable) y.backward();
      const found = weight.grad as Value | null;
      weight.grad = null;
      return found ?? value([0, 0, 0]);
    };
    expectClose("parameter", byParameter(captured(x, w)), byParameter(f(x, w)));
  });

  test("has the second derivatives that eager code has, whatever nests in what", () => {
    const nestings: Record<string, (f: Program) => (x: Value, w: Value) => Value> = {
      "reverse over reverse": (f) => (x, w) => grad((x: Value) => sum(mul(grad(f)(x, w), t)))(x),
      "reverse over forward": (f) => (x, w) => grad((x: Value) => jvp((x: Value) => f(x, w), [x], [t])[1])(x),
      "forward over reverse": (f) => (x, w) => jvp((x: Value) => grad(f)(x, w), [x], [t])[1],
      mixed: (f) => (x, w) => jvp((x: Value) => grad(f, { argnums: 1 })(x, w), [x], [t])[1],
    };
    const expected = hvp((x) => f(x, w), x, t);
    for (const [name, nest] of Object.entries(nestings)) {
      const eager = name === "mixed" ? nest(f)(x, w) : expected;
      expectClose(name, nest(captured)(x, w), eager, 1e-11);
      expectClose(
        `captured ${name}`,
        whole((x, w) => nest(f)(x as Value, w as Value), x, w),
        eager,
        1e-11,
      );
    }
    const along = (f: Program) => (x: Value) =>
      jvp((x: Value) => jvp((x: Value) => f(x, w), [x], [t])[1], [x], [u])[1];
    expectClose("forward over forward", along(captured)(x), sum(mul(expected, u)), 1e-11);
  });

  test("has the third derivatives that eager code has", () => {
    const third = (f: Program) => (x: Value) =>
      grad((x: Value) => sum(mul(grad((x: Value) => sum(mul(grad((x: Value) => f(x, w))(x), t)))(x), u)))(x);
    expectClose(
      "third",
      whole((x) => third(f)(x as Value), x),
      third(f)(x),
      1e-10,
    );
  });

  test("maps over batches, differentiated before, after, and twice", () => {
    const xs = stack([x, draw(3, [3]), draw(4, [3]).mul(0.5), x.neg()]);
    const ws = stack([w, draw(5, [3, 3]), w.mul(0.5), w.neg()]);
    const rows = [0, 1, 2, 3].map((i) => [xs.slice(i), ws.slice(i)] as const);
    const one = (x: Value) => f(x, w);
    const shared = rows.map(([x]) => one(x));
    expectClose("one argument", vmap(one)(xs), stack(shared));
    expectClose("both arguments", vmap(f)(xs, ws), stack(rows.map(([x, w]) => f(x, w))));
    const gradients = stack(rows.map(([x, w]) => grad(f)(x, w)));
    expectClose("vmap of grad", vmap(grad(f))(xs, ws), gradients);
    expectClose("grad of vmap", grad((xs: Value) => sum(vmap(f)(xs, ws)))(xs), gradients);
    const toShared = rows.map(([x]) => grad((w: Value) => f(x, w))(w)).reduce((a, b) => a.add(b));
    expectClose(
      "grad of vmap by what is shared",
      grad((w: Value) => sum(vmap((x: Value) => f(x, w))(xs)))(w),
      toShared,
    );
    const products = stack(rows.map(([x, w]) => hvp((x) => f(x, w), x, t)));
    const twice = vmap((x: Value, w: Value) => grad((x: Value) => sum(mul(grad(f)(x, w), t)))(x));
    expectClose("vmap of grad of grad", twice(xs, ws), products, 1e-11);
    const split = grad((xs: Value) => sum(mul(vmap(grad(f))(xs, ws), t)));
    expectClose("grad of vmap of grad", split(xs), products, 1e-11);
    const whole2 = capture((xs: Value, ws: Value) => split(xs).add(mul(ws.sum(), 0)), xs, ws);
    expectClose("captured", whole2.evaluate(xs, ws)[0] as Value, products, 1e-11);
    const nested = vmap((x: Value) => mean(vmap((w: Value) => f(x, w))(ws)))(xs);
    const loops = rows.map(([x]) => mean(stack(rows.map(([, w]) => f(x, w)))));
    expectClose("vmap of vmap", nested, stack(loops));
  });
});
