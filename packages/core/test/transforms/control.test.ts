import {
  capture,
  cond,
  fixedPoint,
  foriLoop,
  grad,
  implicitSolve,
  jvp,
  parameter,
  random,
  scan,
  type Value,
  value,
  vmap,
  whileLoop,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

describe("cond", () => {
  test("runs only the branch that holds, and differentiates it", () => {
    const f = (x: Value) =>
      cond(
        x.gt(0),
        (x) => x.log(),
        (x) => x.neg(),
        x,
      );
    expect([f(value(1)).item(), f(value(-2)).item(), grad(f)(4).item(), grad(f)(-1).item()]).toEqual([
      0, 2, 0.25, -1,
    ]);
  });

  test("selects between both while captured, without leaking NaN", () => {
    const f = (x: Value) =>
      cond(
        x.gt(0),
        (x) => x.log(),
        (x) => x.mul(0),
        x,
      );
    const graph = capture((x) => f(x), 1);
    expect([graph.evaluate(value(1))[0]?.item(), graph.evaluate(value(-1))[0]?.item()]).toEqual([0, -0]);
    expect(vmap((x: Value) => grad(f)(x))(value([4, -1])).toArray()).toEqual([0.25, 0]);
    expect(() =>
      capture(
        (x) =>
          cond(
            x.gt(0),
            () => [x, x],
            () => [x],
          ) as never,
        1,
      ),
    ).toThrow(
      "cond: while a function is captured, both branches must return one structure, got result[0], result[1] and result[0].",
    );
  });
});

describe("whileLoop", () => {
  test("differentiates however often it ran, to any order, in both modes", () => {
    // Doubles x until it passes 100: 2^n·x, n depending on x.
    const f = (x: Value) =>
      whileLoop(
        (y) => y.lt(100),
        (y) => y.mul(2),
        x,
      );
    expect([f(value(3)).item(), grad(f)(3).item(), grad(f)(30).item(), jvp(f, [3], [1])[1].item()]).toEqual([
      192, 64, 4, 64,
    ]);
    const g = (x: Value) =>
      whileLoop(
        ({ n }) => n.lt(3),
        ({ y, n }) => ({ y: y.mul(x), n: n.add(1) }),
        { y: x, n: 0 },
      ).y;
    expect(grad((x) => grad(g)(x))(2).item()).toBe(4 * 3 * 2 * 2);
  });

  test("is one operation of a captured graph, whatever the number of steps, and differentiates in any mode", () => {
    // The divisor is read from outside the loop: its own derivative flows as well.
    const f = (x: Value) =>
      whileLoop(
        (y) => y.lt(100),
        (y) => y.mul(2).mul(x.div(x)),
        x,
      );
    const graph = capture(f, 1);
    expect(graph.nodes.map((node) => node.operation?.name)).toContain("whileLoop");
    const g = (x: Value) => graph.evaluate(x)[0] as Value;
    expect([3, 30].map((x) => g(value(x)).item())).toEqual([192, 120]);
    expect([grad(g)(3).item(), grad(g)(30).item(), jvp(g, [3], [1])[1].item()]).toEqual([64, 4, 64]);
    expect(grad((x) => grad((x: Value) => g(x.mul(x)))(x))(3).item()).toBe(32);
    expect(grad((x) => jvp((x: Value) => g(x.mul(x)), [x], [1])[1])(3).item()).toBe(32);
    expect(
      capture((x) => grad(f)(x), 1)
        .evaluate(value(3))[0]
        ?.item(),
    ).toBe(64);
  });

  test("batches loops of different lengths", () => {
    const f = (x: Value) =>
      whileLoop(
        ({ y }) => y.lt(100),
        ({ y, n }) => ({ y: y.mul(2), n: n.add(1) }),
        { y: x, n: 0 },
      );
    const xs = value([3, 30, 300]);
    const { y, n } = vmap((x: Value) => f(x))(xs);
    expect([y.toArray(), n.toArray()]).toEqual([
      [192, 120, 300],
      [6, 2, 0],
    ]);
    expect(vmap((x: Value) => grad((x: Value) => f(x).y)(x))(xs).toArray()).toEqual([64, 4, 1]);
    expect(grad((xs: Value) => vmap((x: Value) => f(x).y)(xs).sum())(xs).toArray()).toEqual([64, 4, 1]);
  });

  test("differentiates by parameters that a captured loop reads", () => {
    const w = parameter(2);
    const graph = capture(
      (x) =>
        whileLoop(
          (y) => y.lt(100),
          (y) => y.mul(w),
          x,
        ),
      1,
    );
    graph.evaluate(value(3))[0]?.backward();
    expect(w.grad?.item()).toBe(3 * 6 * 2 ** 5);
  });

  test("refuses a condition that is no scalar, and a captured body that changes types", () => {
    expect(() =>
      whileLoop(
        (y) => y.lt(10),
        (y) => y,
        value([1, 2]),
      ),
    ).toThrow("whileLoop: the condition must be a scalar, got shape [2].");
    expect(() =>
      capture(
        (x) =>
          whileLoop(
            (y) => y.sum().lt(10),
            (y) => y.stack([y]),
            x,
          ),
        1,
      ),
    ).toThrow(
      "whileLoop: while a function is captured, body must keep the carry's float64 [], got float64 [2].",
    );
  });
});

test("foriLoop carries structures", () => {
  const f = (x: Value) =>
    foriLoop(0, 4, (i, { a, b }) => ({ a: a.add(b.mul(i)), b: b.mul(x) }), {
      a: 0,
      b: 1,
    }).a;
  // Σ i·xⁱ: derivative Σ i²·x^(i−1).
  expect([f(value(2)).item(), grad(f)(2).item()]).toEqual([2 + 2 * 4 + 3 * 8, 1 + 4 * 2 + 9 * 4]);
});

describe("scan", () => {
  test("stacks what each step gives, forward and reverse", () => {
    const step = (sum: Value, x: Value) => [sum.add(x), sum.mul(x)] as const;
    const [sum, ys] = scan(step, 1, value([1, 2, 3]));
    expect([sum.item(), ys.toArray()]).toEqual([7, [1, 4, 12]]);
    const [, reversed] = scan(step, 1, value([1, 2, 3]), { reverse: true });
    expect(reversed.toArray()).toEqual([6, 8, 3]);
  });

  test("differentiates a recurrence by its parameters, its start and its inputs, captured as well", () => {
    const f = (w: Value, h: Value, xs: Value) =>
      scan((h: Value, x: Value) => [h.mul(w).add(x).tanh(), h.mul(h)] as const, h, xs)[1].sum();
    const args = [value(0.5), value(0.1), value([0.3, -0.2, 0.7])] as const;
    const g = grad(f, { argnums: [0, 1, 2] })(...args);
    const graph = capture(
      (w, h, xs) => [...grad(f, { argnums: [0, 1, 2] })(w as Value, h as Value, xs as Value)],
      ...args,
    );
    const captured = graph.evaluate(...args).flatMap((x) => Array.from(x.data));
    g.flatMap((x) => Array.from(x.data)).forEach((d, i) => {
      expect(captured[i]).toBeCloseTo(d, 15);
    });
    const step = 1e-6;
    const numeric =
      (f(value(0.5 + step), args[1], args[2]).item() - f(value(0.5 - step), args[1], args[2]).item()) /
      (2 * step);
    expect(g[0].item()).toBeCloseTo(numeric, 9);
  });

  test("keeps few carries where it is told to, and gives the same gradients", () => {
    let steps = 0;
    let alive = 0;
    let most = 0;
    const step = (h: Value, x: Value) => {
      steps++;
      return [h.mul(1.01).add(x).sin(), h.mul(x)] as const;
    };
    const loss = (options: { snapshots?: number; reverse?: boolean }) => (w: Value, xs: Value) => {
      const [h, ys] = scan((h: Value, x: Value) => step(h.mul(w), x), value([0.1, 0.2]), xs, options);
      return h.sum().add(ys.square().sum());
    };
    const xs = random.uniform(random.key(1), [50, 2], { low: -1, dtype: "float64" });
    const at = [value(0.9), xs] as const;
    for (const reverse of [false, true]) {
      steps = 0;
      const plain = grad(loss({ reverse }), { argnums: [0, 1] })(...at);
      expect(steps).toBe(50);
      for (const snapshots of [2, 3, 5]) {
        steps = 0;
        const few = grad(loss({ reverse, snapshots }), { argnums: [0, 1] })(...at);
        expect(few[0].item()).toBeCloseTo(plain[0].item(), 13);
        const worst = Array.from(few[1].data).map((d, i) => Math.abs(d - (plain[1].data[i] as number)));
        expect(Math.max(...worst)).toBeLessThan(1e-14);
        // Twice over 50 = C(s + r, s) and more: each step runs at most r + 2 times, forward pass included.
        const repetitions = { 2: 9, 3: 5, 5: 3 }[snapshots] as number;
        expect(steps).toBeLessThanOrEqual(50 * (repetitions + 2));
      }
    }
    // What stays alive after the forward pass: nodes that the result was computed from.
    const count = (y: Value) => {
      const seen = new Set<Value>([y]);
      for (const x of seen) for (const input of x.inputs) seen.add(input);
      return seen.size;
    };
    const w = parameter(0.9);
    most = count(loss({})(w, xs));
    alive = count(loss({ snapshots: 3 })(w, xs));
    expect(alive).toBeLessThan(most);
  });

  test("refuses inputs without one leading size and steps of another form", () => {
    expect(() => scan((c: Value, _x: Value) => [c, c], 0, value(1))).toThrow(
      "scan: all of xs must have one leading size, got a scalar.",
    );
    expect(() => scan((c: Value, _x: Value) => [c, c], 0, value([]))).toThrow(
      "scan: at least one entry, got none.",
    );
    expect(() => scan((c: Value) => c as never, 0, value([1]))).toThrow(
      "scan: f must return [carry, y], got a Value.",
    );
  });
});

describe("fixedPoint", () => {
  const squareRoot = (a: Value) => fixedPoint((x, a) => x.add(a.div(x)).mul(0.5), 1, [a]);
  test("differentiates by the implicit function theorem, to the second order", () => {
    expect(squareRoot(value(2)).item()).toBeCloseTo(Math.SQRT2, 14);
    expect(grad(squareRoot)(2).item()).toBeCloseTo(0.5 / Math.SQRT2, 12);
    expect(grad((a) => grad(squareRoot)(a))(2).item()).toBeCloseTo(-0.25 / 2 ** 1.5, 10);
  });

  test("solves Kepler's equation, by several parameters, keeping no iteration", () => {
    // E = M + e·sin E: dE/dM = 1/(1 − e·cos E), dE/de = sin E/(1 − e·cos E).
    const kepler = (M: Value, e: Value) => fixedPoint((E, M, e) => M.add(e.mul(E.sin())), 0, [M, e]);
    const E = kepler(value(1), value(0.5)).item();
    const [dM, de] = grad(kepler, { argnums: [0, 1] })(1, 0.5);
    expect(dM.item()).toBeCloseTo(1 / (1 - 0.5 * Math.cos(E)), 10);
    expect(de.item()).toBeCloseTo(Math.sin(E) / (1 - 0.5 * Math.cos(E)), 10);
    const M = parameter(1);
    expect(kepler(M, value(0.5)).inputs.length).toBe(2);
  });

  test("says where it does not settle", () => {
    expect(() => fixedPoint((x) => x.mul(2), 1, [])).toThrow(
      "fixedPoint: the iteration must settle to 1e-12 within 1000 steps, got one that does not. Start nearer to the solution, or damp the iteration.",
    );
  });
});

describe("implicitSolve", () => {
  test("differentiates a solution, not the solver, to the second order", () => {
    const cubeRoot = implicitSolve(
      (x, a) => x.pow(3).sub(a),
      (a) => value(Math.cbrt(a.item())),
    );
    expect(grad((a) => cubeRoot(a))(8).item()).toBeCloseTo(1 / 12, 14);
    expect(grad((a) => grad((a) => cubeRoot(a))(a))(8).item()).toBeCloseTo(-2 / (9 * 32), 14);
  });

  test("solves systems: an intersection of two curves moves with its parameters", () => {
    // x² + y² = r², y = m·x: x = r/√(1 + m²), by hand.
    const meet = implicitSolve(
      (z, r, m) => {
        const [x, y] = [z.slice(0), z.slice(1)];
        return x
          .square()
          .add(y.square())
          .sub(r.square())
          .stack([y.sub(m.mul(x))]);
      },
      (r, m) => {
        const x = r.item() / Math.hypot(1, m.item());
        return value([x, m.item() * x]);
      },
    );
    const [dr, dm] = grad((r: Value, m: Value) => meet(r, m).slice(0), { argnums: [0, 1] })(2, 0.75);
    expect(dr.item()).toBeCloseTo(0.8, 14);
    expect(dm.item()).toBeCloseTo((-2 * 0.75) / 1.25 ** 3, 14);
  });
});
