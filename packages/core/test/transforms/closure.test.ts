import {
  capture,
  checkpoint,
  customJvp,
  customVjp,
  fixedPoint,
  grad,
  hessian,
  implicitSolve,
  jacobian,
  jvp,
  noGrad,
  onCotangent,
  parameter,
  sparsityPattern,
  stack,
  stopGradient,
  type Value,
  value,
  vmap,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

const doubled = customVjp(
  (x) => x.mul(2),
  (dy) => [dy.mul(2)],
);

describe("what a function with stated rules reads from outside", () => {
  const scaledVjp = (w: Value) =>
    customVjp(
      (x) => x.mul(w),
      (dy) => [dy.mul(w)],
    );
  const scaledJvp = (w: Value) =>
    customJvp(
      (x) => x.mul(w),
      ([t]) => (t as Value).mul(w),
    );
  const refusal = (where: string, what: string) =>
    `${where}: what f reads from outside must be constant, since its rule gives the derivatives of its arguments only, got ${what}. Pass it as an argument, or read it through stopGradient().`;

  test.each([
    ["customVjp", scaledVjp],
    ["customJvp", scaledJvp],
  ])("%s: a differentiable value is an error that names it", (where, scaled) => {
    const w = parameter([2, 3], { label: "w" });
    expect(() => scaled(w)([1, 1])).toThrow(refusal(where, '"w" [2]'));
    expect(() => scaled(w.exp())(w)).toThrow(refusal(where, "a result of exp of shape [2]"));
    expect(() => grad((w: Value) => scaled(w)(5))(2)).toThrow(
      `${where}: what f reads from outside must be constant`,
    );
    expect(() => scaled(w)(w)).toThrow(refusal(where, '"w" [2]'));
    expect(() =>
      customVjp(
        () => w,
        () => [],
      )(),
    ).toThrow(refusal("customVjp", '"w" [2]'));
  });

  test.each([
    ["customVjp", scaledVjp],
    ["customJvp", scaledJvp],
  ])("%s: constants are read, also through stopGradient, comparisons and noGrad", (_, scaled) => {
    const w = parameter(3);
    expect(grad((x) => scaled(value(3))(x))(5).item()).toBe(3);
    expect(grad((x) => scaled(stopGradient(w))(x))(5).item()).toBe(3);
    expect(noGrad(() => scaled(w)(5)).item()).toBe(15);
    const gated = customVjp(
      (x) => w.gt(0).where(x.mul(stopGradient(w)), 0),
      (dy) => [dy],
    );
    expect(grad((w: Value) => gated(5).mul(w))(2).item()).toBe(15);
    expect(w.grad).toBe(null);
  });

  test.each([
    ["customVjp", scaledVjp],
    ["customJvp", scaledJvp],
  ])("%s: values of the capture around are read, by the function and by its rule", (where, scaled) => {
    const f = (x: Value, w: Value) => scaled(w)(x).sin();
    const [xs, ws] = [value([0.1, 0.2, 0.3]), value([2, 3, -1])];
    const expected = xs.mul(ws).sin().toArray();
    expect(vmap(f)(xs, ws).toArray()).toEqual(expected);
    const slope = xs.mul(ws).cos().mul(ws).toArray();
    expect(vmap((x: Value, w: Value) => grad((x: Value) => f(x, w))(x))(xs, ws).toArray()).toEqual(slope);
    expect(grad((xs: Value) => vmap(f)(xs, ws).sum())(xs).toArray()).toEqual(slope);
    const graph = capture(f as never, xs, ws);
    const run = (x: Value, w: Value) => graph.evaluate(x, w)[0] as Value;
    expect(run(xs, ws).toArray()).toEqual(expected);
    expect(grad((x: Value) => run(x, ws).sum())(xs).toArray()).toEqual(slope);
    // The second derivative by x and w goes through the rule, which reads w.
    const mixed = grad((w: Value) => grad((x: Value) => run(x, stopGradient(w)).sum())(xs).sum());
    expect(mixed(ws).toArray()).toEqual([0, 0, 0]);
    // By w itself nothing is stated.
    for (const mapped of [run, vmap(f)]) {
      expect(() => grad((w: Value) => mapped(xs, w).sum())(ws)).toThrow(`${where}: what f reads`);
    }
  });

  // w·x², by a rule that reads x and w.
  const squares = [
    [
      "customVjp",
      (w: Value) =>
        customVjp(
          (x) => x.mul(x).mul(w),
          (dy, { inputs: [x] }) => [dy.mul(x as Value).mul(w.mul(2))],
        ),
    ],
    [
      "customJvp",
      (w: Value) =>
        customJvp(
          (x) => x.mul(x).mul(w),
          ([t], { inputs: [x] }) => (t as Value).mul(x as Value).mul(w.mul(2)),
        ),
    ],
  ] as const;

  test.each(squares)("%s: rules read arguments beside what is around", (_, scaled) => {
    const f = (x: Value, w: Value) => scaled(w)(x);
    const [xs, ws] = [value([1, 2, 3]), value([5, 7, -1])];
    const slope = [10, 28, -6];
    expect(vmap(grad(f))(xs, ws).toArray()).toEqual(slope);
    expect(grad((xs: Value) => vmap(f)(xs, ws).sum())(xs).toArray()).toEqual(slope);
    const graph = capture(f as never, xs, ws);
    expect(grad((xs: Value) => (graph.evaluate(xs, ws)[0] as Value).sum())(xs).toArray()).toEqual(slope);
  });

  test.each(squares)("%s: maps what an inner map shares and an outer one does not", (where, scaled) => {
    const f = (x: Value, w: Value) => scaled(w)(x);
    const [xs, ws] = [
      value([
        [1, 2, 3],
        [4, 5, 6],
      ]),
      value([5, 7]),
    ];
    // The argument of the rule is shared in the inner map, then what it reads.
    const sharedX = vmap(vmap(f, { inAxes: [null, 0] }));
    const sharedW = vmap(vmap(f, { inAxes: [0, null] }));
    const byX = grad((x: Value) => sharedX(x, xs).sum())(ws);
    expect(byX.toArray()).toEqual([2 * 5 * 6, 2 * 7 * 15]);
    const expected = xs.mul(ws.expandDims(1)).mul(2);
    expect(grad((x: Value) => sharedW(x, ws).sum())(xs).toArray()).toEqual(expected.toArray());
    // Of what is shared alone, no lane needs its own.
    const alone = vmap(vmap((x: Value, w: Value) => x.add(scaled(value(3))(w)), { inAxes: [0, null] }));
    expect(alone(xs, ws).toArray()).toEqual(xs.add(ws.square().mul(3).expandDims(1)).toArray());
    if (where === "customVjp") return;
    expect(jvp((x: Value) => sharedW(x, ws), [xs], [xs])[1].toArray()).toEqual(expected.mul(xs).toArray());
    expect(jvp((x: Value) => sharedX(x, xs), [ws], [value([1, 1])])[1].toArray()).toEqual(
      xs.mul(ws.mul(2).expandDims(1)).toArray(),
    );
  });

  test("rules read the output, captured as well", () => {
    const exps = [
      customVjp(
        (x) => x.exp(),
        (dy, { output }) => [dy.mul(output)],
      ),
      customJvp(
        (x) => x.exp(),
        ([t], { output }) => (t as Value).mul(output),
      ),
    ];
    for (const f of exps)
      expect(grad((xs: Value) => vmap(f)(xs).sum())(value([0, 1])).toArray()).toEqual([1, Math.exp(1)]);
  });

  test("customVjp: what only the rule reads may be differentiable, and has no derivative", () => {
    const f = (x: Value, w: Value) =>
      customVjp(
        (x) => x.mul(1),
        (dy) => [dy.mul(w)],
      )(x);
    const graph = capture(f as never, 1, 1);
    const run = (x: Value, w: Value) => graph.evaluate(x, w)[0] as Value;
    expect(grad(run, { argnums: [0, 1] })(2, 3).map((d) => d.item())).toEqual([3, 0]);
  });

  test.each([
    ["customVjp", scaledVjp],
    ["customJvp", scaledJvp],
  ])("%s: a captured value that turns out differentiable is named, it alone", (where, scaled) => {
    const graph = capture(((x: Value, c: Value, w: Value) => scaled(w.mul(c))(x)) as never, 1, 1, 1);
    const read = (x: Value, c: Value, w: Value) =>
      where === "customVjp"
        ? customVjp(
            (x) => x.mul(c).mul(w),
            (dy) => [dy.mul(c)],
          )(x)
        : customJvp(
            (x) => x.mul(c).mul(w),
            ([t]) => (t as Value).mul(c),
          )(x);
    const both = capture(read as never, 1, 1, 1);
    const [x, w] = [parameter(1, { label: "x" }), parameter(2, { label: "w" })];
    expect(() => (both.evaluate(x, value(3), w)[0] as Value).backward()).toThrow(refusal(where, '"w" []'));
    expect(() => (graph.evaluate(x, value(3), w)[0] as Value).backward()).toThrow(
      refusal(where, "a result of mul of shape []"),
    );
    expect((graph.evaluate(x, value(3), value(2))[0] as Value).item()).toBe(6);
  });

  test("customJvp: forward, tangents are those of the arguments, and of nothing captured", () => {
    const f = (a: Value, b: Value, c: Value, w: Value) =>
      customJvp(
        (a, b) =>
          a
            .add(b as Value)
            .mul(c)
            .mul(w),
        (ts) =>
          ts
            .reduce((sum, t) => sum.add(t))
            .mul(c)
            .mul(w),
      )(a, b);
    const graph = capture(f as never, 1, 1, 1, 1);
    const run = (a: Value, b: Value, c: Value, w: Value) => graph.evaluate(a, b, c, w)[0] as Value;
    const w = parameter(7, { label: "w" });
    const [c, two] = [value(5), value(2)];
    expect(jvp((a: Value, b: Value) => run(a, b, c, w), [1, 1], [1, 10])[1].item()).toBe(11 * 35);
    expect(grad((a: Value) => run(a, two, c, value(7)))(1).item()).toBe(35);
    expect(() => jvp((w: Value) => run(two, two, c, w), [w], [1])).toThrow(refusal("customJvp", '"w" []'));
    const mapped = vmap((a: Value, w: Value) => jvp((a: Value) => run(a, two, c, w), [a], [a])[1]);
    expect(mapped(value([1, 2]), value([3, 4])).toArray()).toEqual([15, 40]);
  });

  test("a captured rule that does not fit, or reads data, says so in the sweep", () => {
    const few = customVjp(
      (a, b) => a.add(b),
      (dy) => [dy],
    );
    const f = (x: Value) => vmap((x: Value) => few(x, x))(x).sum();
    expect(f(value([1, 2])).item()).toBe(6);
    expect(() => grad(f)(value([1, 2]))).toThrow(
      "customVjp: the pullback must return one cotangent for each of the 2 inputs, got 1.",
    );
    const reading = customVjp(
      (x) => x.mul(2),
      (dy) => [value(2 * dy.item())],
    );
    const graph = capture((x) => reading(x), 1);
    expect(grad((x: Value) => graph.evaluate(x)[0] as Value)(5).item()).toBe(2);
  });

  test("rules may leave inputs out while they are captured", () => {
    const first = customVjp(
      (a, b) => a.mul(b),
      (dy, { inputs: [, b] }) => [dy.mul(b as Value), null],
    );
    const [da, db] = grad((a: Value, b: Value) => vmap(first)(a, b).sum(), { argnums: [0, 1] })(
      value([1, 2]),
      value([3, 4]),
    );
    expect([da.toArray(), db.toArray()]).toEqual([
      [3, 4],
      [0, 0],
    ]);
    const second = (w: Value) =>
      customVjp(
        (a, b) => a.mul(b as Value).mul(w),
        (dy, { inputs: [a] }) => [null, dy.mul(a as Value).mul(w)],
      );
    const ws = value([5, 6]);
    const mapped = (a: Value, b: Value) =>
      vmap((a: Value, b: Value, w: Value) => second(w)(a, b))(a, b, ws).sum();
    const by = grad(mapped, { argnums: [0, 1] })(value([1, 2]), value([3, 4]));
    expect(by.map((d) => d.toArray())).toEqual([
      [0, 0],
      [5, 12],
    ]);
  });

  test("a checkpointed function may return what it reads", () => {
    const w = parameter(3);
    checkpoint(() => w)()
      .mul(2)
      .backward();
    expect(w.grad?.item()).toBe(2);
    expect(grad((x: Value) => checkpoint(() => x)(1))(5).item()).toBe(1);
  });
});

describe("onCotangent", () => {
  const tenfold = (x: Value) => onCotangent(x, (d) => d.mul(10));

  test("is the identity to tangents", () => {
    expect(jvp((x) => tenfold(x.mul(3)).mul(2), [5], [7]).map((y) => y.item())).toEqual([30, 42]);
    expect(jacobian((x) => tenfold(x), { mode: "forward" })(value([1, 2])).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  test("nests in both orders of differentiation", () => {
    // The gradient is 10·3x²; forward over reverse differentiates that.
    const f = (x: Value) => tenfold(x.pow(3));
    expect(jvp(grad(f), [2], [1])[1].item()).toBe(120);
    expect(grad(grad(f))(2).item()).toBe(120);
    expect(hessian((x: Value) => f(x).sum())(value([1, 2])).toArray()).toEqual([
      [60, 0],
      [0, 120],
    ]);
    // The tangent 3x² does not pass the hook backwards.
    expect(grad((x: Value) => jvp(f, [x], [1])[1])(2).item()).toBe(12);
  });

  test("does to each example of a batch what it does in a loop", () => {
    const unit = (d: Value) => d.div(d.norm());
    const f = (x: Value, w: Value) => onCotangent(x, unit).mul(w).sum();
    const xs = value([
      [1, 2],
      [3, 4],
    ]);
    const ws = value([
      [3, 4],
      [0, 5],
    ]);
    const expected = [
      [0.6, 0.8],
      [0, 1],
    ];
    expect(vmap(grad(f))(xs, ws).toArray()).toEqual(expected);
    expect(grad((xs: Value) => vmap(f)(xs, ws).sum())(xs).toArray()).toEqual(expected);
    const scaling = (x: Value, w: Value) => onCotangent(x, (d) => d.mul(w)).sum();
    expect(grad((xs: Value) => vmap(scaling)(xs, ws).sum())(xs).toArray()).toEqual(ws.toArray());
    expect(vmap((x: Value) => jvp(tenfold, [x], [x])[1])(xs).toArray()).toEqual(xs.toArray());
  });

  test("refuses a cotangent of another shape, and mixes no elements", () => {
    expect(() => grad((x: Value) => onCotangent(x, (d) => d.sum()).sum())(value([1, 2]))).toThrow(
      "onCotangent: a cotangent must have the shape [2], got [].",
    );
    expect(Array.from(sparsityPattern((x) => tenfold(x), [1, 2, 3]).indices)).toEqual([0, 1, 2]);
    // What the hook reads is no part of the result.
    const reading = (x: Value) => {
      const turned = x.slice([null, null, -1]);
      return onCotangent(x, (d) => d.mul(turned));
    };
    expect(Array.from(sparsityPattern(reading, [1, 2, 3]).indices)).toEqual([0, 1, 2]);
  });
});

describe("fixedPoint", () => {
  // √a as the solution of x = (x + a/x)/2: the derivatives are 1/(2√a) and −1/(4 a√a).
  const root = (a: Value, start: Value | number = 1) =>
    fixedPoint((x) => x.add(a.div(x)).mul(0.5), start, []);
  const passed = (a: Value, start: Value | number = 1) =>
    fixedPoint((x, a) => x.add((a as Value).div(x)).mul(0.5), start, [a]);

  test.each([
    ["read from outside", root],
    ["passed", passed],
  ])("differentiates by what is %s, in both modes and to any order", (_, f) => {
    expect(grad((a: Value) => f(a))(4).item()).toBeCloseTo(1 / 4, 12);
    const w = parameter(4);
    f(w).mul(3).backward();
    expect(w.grad?.item()).toBeCloseTo(3 / 4, 12);
    expect(jvp((a: Value) => f(a), [4], [8])[1].item()).toBeCloseTo(2, 12);
    for (const second of [
      grad((a: Value) => grad((a: Value) => f(a))(a))(4),
      jvp((a: Value) => grad((a: Value) => f(a))(a), [4], [1])[1],
      grad((a: Value) => jvp((a: Value) => f(a), [a], [1])[1])(4),
      jvp((a: Value) => jvp((a: Value) => f(a), [a], [1])[1], [4], [1])[1],
    ]) {
      expect(second.item()).toBeCloseTo(-1 / 32, 10);
    }
  });

  test.each([
    ["read from outside", root],
    ["passed", passed],
  ])("batches and captures with what is %s", (_, f) => {
    const squares = value([4, 9, 16]);
    const roots = [2, 3, 4];
    const near = (x: Value, expected: number[]) =>
      expect(x.toArray()).toEqual(expected.map((e) => expect.closeTo(e, 10)));
    near(vmap((a: Value) => f(a))(squares), roots);
    near(vmap((a: Value) => f(a, a))(squares), roots);
    const slopes = roots.map((x) => 1 / (2 * x));
    near(vmap((a: Value) => grad((a: Value) => f(a))(a))(squares), slopes);
    near(grad((a: Value) => vmap((a: Value) => f(a, a))(a).sum())(squares), slopes);
    near(vmap((a: Value) => jvp((a: Value) => f(a), [a], [1])[1])(squares), slopes);
    const graph = capture((a: Value) => f(a), value(1));
    expect((graph.evaluate(value(9))[0] as Value).item()).toBeCloseTo(3, 12);
    expect(grad((a: Value) => graph.evaluate(a)[0] as Value)(9).item()).toBeCloseTo(1 / 6, 10);
  });

  test("iterates until no element moves, from its start, captured as well", () => {
    const settling = (start: number[]) => fixedPoint((x) => x.mul(0.5).add(1), start, []);
    expect(settling([2, 0]).toArray()).toEqual([2, expect.closeTo(2, 11)]);
    // Of the two roots the one that is near.
    const graph = capture((a: Value) => passed(a, -1), 1);
    expect([passed(value(9), -1).item(), graph.evaluate(value(9))[0]?.item()]).toEqual([
      expect.closeTo(-3, 12),
      expect.closeTo(-3, 12),
    ]);
    expect(fixedPoint((x, a) => x.add((a as Value).div(x)).mul(0.5), 1, [9]).item()).toBeCloseTo(3, 12);
  });

  test("is as near as its tolerance says, relative to 1 + |x|, in as many steps as allowed", () => {
    const halving = (solution: number, start: number, maxIterations: number) =>
      fixedPoint((x) => x.add(solution).mul(0.5), start, [], { tolerance: 1e-3, maxIterations }).item();
    // The step to go is |start − solution|/2ᵏ.
    for (const solution of [1e9, -1e9]) {
      expect(halving(solution, 0, 10) / solution).toBeCloseTo(1, 2);
      expect(() => halving(solution, 0, 9)).toThrow(
        "fixedPoint: the iteration must settle to 0.001 within 9 steps, got one that does not. Start nearer to the solution, or damp the iteration.",
      );
    }
    expect(halving(0, 1, 10)).toBe(2 ** -10);
    expect(() => halving(0, 1, 9)).toThrow("within 9 steps");
    for (const tolerance of [0, -1, Number.NaN]) {
      expect(() => fixedPoint((x) => x, 1, [], { tolerance })).toThrow(
        `fixedPoint: tolerance must be > 0, got ${tolerance}.`,
      );
    }
  });

  test("counts how the step depends on where it is, in both modes", () => {
    // x = x/4 + a²: x = 4a²/3.
    const f = (a: Value) => fixedPoint((x, a) => x.mul(0.25).add((a as Value).square()), 0, [a]);
    expect([grad(f)(3).item(), jvp(f, [3], [1])[1].item()]).toEqual([
      expect.closeTo(8, 10),
      expect.closeTo(8, 10),
    ]);
    const still = (a: Value) => fixedPoint((x, a) => x.mul(0.25).add(stopGradient(a as Value)), 0, [a]);
    expect([grad(still)(3).item(), jvp(still, [3], [1])[1].item()]).toEqual([0, 0]);
  });

  test("keeps no iteration, and nothing of its start", () => {
    const [w, start] = [parameter(4), parameter(1)];
    expect(root(w, start).inputs).toEqual([w]);
    expect(noGrad(() => root(w)).inputs).toEqual([]);
    expect(grad((x: Value) => passed(value(4), x))(1).item()).toBe(0);
    expect(root(value(4)).isDifferentiable).toBe(false);
  });

  test("has the derivative of a solution that the iteration does not depend on", () => {
    const f = (a: Value) => fixedPoint((_x, a) => (a as Value).mul(3), 0, [a]);
    expect([grad(f)(2).item(), jvp(f, [2], [1])[1].item()]).toEqual([3, 3]);
  });
});

describe("implicitSolve", () => {
  // x³ = a w by both: dx/da = w/(3x²), dx/dw = a/(3x²).
  const solved = (w: Value) =>
    implicitSolve(
      (x, a) => x.pow(3).sub((a as Value).mul(w)),
      (a) => value(Math.cbrt((a as Value).item() * w.item())),
    );

  test("differentiates by what the residual reads from outside, in both modes", () => {
    const f = (w: Value, a: Value) => solved(w)(a);
    const [dw, da] = grad(f, { argnums: [0, 1] })(2, 4);
    expect([dw.item(), da.item()].map((x) => x * 12)).toEqual([expect.closeTo(4, 12), expect.closeTo(2, 12)]);
    expect(jvp(f, [2, 4], [3, 5])[1].item()).toBeCloseTo((3 * 4 + 5 * 2) / 12, 14);
    // The solution is ∛(a w): the mixed second derivative is x/(9 a w).
    const mixed = grad((a: Value) => grad((w: Value) => f(w, a))(2))(4);
    expect(mixed.item()).toBeCloseTo(2 / (9 * 8), 14);
    const forward = jvp((a: Value) => grad((w: Value) => f(w, a))(2), [4], [1])[1];
    expect(forward.item()).toBeCloseTo(2 / (9 * 8), 14);
  });

  test("batches and captures where its solver can be captured", () => {
    const division = (w: Value, a: Value) =>
      implicitSolve(
        (x, a) => x.mul(w).sub(a as Value),
        (a) => (a as Value).div(stopGradient(w)),
      )(a);
    const [ws, as] = [value([[2, 4]]), value([[6, 5]])];
    expect(vmap(division)(ws, as).toArray()).toEqual([[3, 1.25]]);
    const [dw, da] = grad((w: Value, a: Value) => vmap(division)(w, a).sum(), { argnums: [0, 1] })(ws, as);
    expect([dw.toArray(), da.toArray()]).toEqual([[[-1.5, -5 / 16]], [[0.5, 0.25]]]);
    const inside = vmap((w: Value, a: Value) => grad((w: Value) => division(w, a).sum())(w))(ws, as);
    expect(inside.toArray()).toEqual([[-1.5, -5 / 16]]);
  });

  test("takes numbers", () => {
    const cubeRoot = implicitSolve(
      (x, a) => x.pow(3).sub(a as Value),
      (a) => value(Math.cbrt((a as Value).item())),
    );
    expect(cubeRoot(8).item()).toBe(2);
  });

  test("refuses a residual of another size where it is called", () => {
    const wrong = implicitSolve(
      (x) => stack([x, x]),
      () => value(0),
    );
    expect(() => wrong()).toThrow(
      "implicitSolve: the residual must have as many elements as the solution (1), got 2.",
    );
  });
});

test("a function with a stated rule is evaluated once where its data is known", () => {
  let runs = 0;
  const counted = customVjp(
    (x) => {
      runs++;
      return doubled(x);
    },
    (dy) => [dy],
  );
  grad((x) => counted(x))(1);
  expect(runs).toBe(1);
});

test("fixedPoint does not depend on where it starts, as far as derivatives go, eager and captured", () => {
  const root = (start: Value, a: Value) => fixedPoint((x, a) => x.add(a.div(x)).mul(0.5), start, [a]);
  const both = (s: Value, a: Value) =>
    grad((s: Value, a: Value) => root(s.mul(s), a), { argnums: [0, 1] })(s, a);
  expect(both(value(1.2), value(4)).map((d) => d.item())).toEqual([0, expect.closeTo(0.25, 12)]);
  const [ds, da] = capture(both as never, value(1), value(1)).evaluate(value(1.2), value(4)) as [
    Value,
    Value,
  ];
  expect([ds.item(), da.item()]).toEqual([0, expect.closeTo(0.25, 12)]);
});
