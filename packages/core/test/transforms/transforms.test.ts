import {
  exp,
  grad,
  jvp,
  linearize,
  log,
  matmul,
  noGrad,
  parameter,
  sin,
  type Value,
  value,
  valueAndGrad,
  vjp,
  where,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

const third = (f: (x: Value) => Value) => grad((x) => grad((x) => grad(f)(x))(x));

describe("grad", () => {
  test("nests to the third derivative", () => {
    expect(third((x) => x.pow(4))(2).item()).toBe(48);
    const f = (x: Value) => exp(x.neg()).mul(sin(x.mul(2 * Math.PI)));
    // d³/dx³ e^(−x) sin(2πx) at 0: Im((−1 + 2πi)³) = 6π − 8π³.
    expect(third(f)(0).item()).toBeCloseTo(6 * Math.PI - 8 * Math.PI ** 3, 10);
  });

  test("tells nested perturbations apart", () => {
    // Siskind & Pearlmutter, Perturbation Confusion and Referential Transparency (2005): d/dx (x · d/dy (x + y)) = 1.
    expect(grad((x) => x.mul(grad((y: Value) => x.add(y))(1)))(1).item()).toBe(1);
    expect(grad((x) => x.mul(jvp((y) => x.add(y), [1], [1])[1]))(1).item()).toBe(1);
    expect(jvp((x) => x.mul(grad((y: Value) => x.mul(y))(2)), [3], [1])[1].item()).toBe(6);
    expect(grad((x) => grad((y: Value) => x.mul(x).mul(y))(5))(3).item()).toBe(6);
  });

  test("has the structure of its argument", () => {
    const loss = (p: { w: Value; b: readonly [Value, number] }, x: Value) =>
      p.w.mul(x).sum().add(p.b[0].mul(p.b[1]));
    const g = grad(loss)({ w: value([1, 2]), b: [3, 4] }, value([5, 6]));
    expect([g.w.toArray(), (g.b[0] as Value).item()]).toEqual([[5, 6], 4]);
    expect(grad((x, y) => x.mul(y), { argnums: [0, 1] })(2, 3).map((d) => d.item())).toEqual([3, 2]);
    expect(grad((x, y) => x.mul(y), { argnums: 1 })(value(2), 3).item()).toBe(2);
  });

  test("is zero where the output does not depend on a leaf, and of a constant function", () => {
    expect(grad((x, _y) => x.mul(2), { argnums: 1 })(value(1), value([1, 2])).toArray()).toEqual([0, 0]);
    expect(grad((_x) => value(3))(1).item()).toBe(0);
    expect(grad((x) => x.sign())(2).item()).toBe(0);
  });

  test("leaves the branch that where did not take out, at 0 and below", () => {
    const f = (x: Value) => where(x.gt(0), log(x), 0);
    expect([0, -1, 2].map((at) => grad(f)(at).item())).toEqual([0, 0, 0.5]);
    expect([0, -1, 2].map((at) => grad((x) => grad(f)(x))(at).item())).toEqual([0, 0, -0.25]);
  });

  test("does not touch parameters' gradients and differentiates through closures", () => {
    const w = parameter(3);
    const dx = grad((x) => x.mul(x).mul(w))(2);
    expect([dx.item(), w.grad]).toEqual([12, null]);
    dx.backward();
    expect(w.grad?.item()).toBe(4);
  });

  test("differentiates by a parameter as by any value, and its gradient flows on", () => {
    const w = parameter([1, 2]);
    const g = grad((w) => w.mul(w).mul(w).sum())(w);
    expect(g.toArray()).toEqual([3, 12]);
    g.sum().backward();
    expect(w.grad?.toArray()).toEqual([6, 12]);
  });

  test("shows its function an argument by its label", () => {
    const labels: (string | null)[] = [];
    const f = (x: Value) => {
      labels.push(x.label);
      return x.square();
    };
    grad(f)(value(2, { label: "speed" }));
    grad(f)(value(2));
    expect(labels).toEqual(["speed", null]);
  });

  test("keeps the label of its result", () => {
    const [y] = valueAndGrad((x: Value) => {
      const y = x.square();
      y.label = "loss";
      return y;
    })(2);
    expect([y.label, valueAndGrad((x: Value) => x.square())(2)[0].label]).toEqual(["loss", null]);
  });

  test("returns constants at the top level, which hold no graph", () => {
    const [y, g] = valueAndGrad((x) => x.mul(x).sum())(value([1, 2]));
    expect([y.isDifferentiable, g.isDifferentiable, y.inputs, g.inputs]).toEqual([false, false, [], []]);
    const w = parameter(2);
    expect(noGrad(() => grad((x) => x.mul(w))(1)).isDifferentiable).toBe(false);
    expect(noGrad(() => grad((x) => x.mul(w))(w)).item()).toBe(2);
  });

  test("computes the same whether the sweep is recorded or not", () => {
    const f = (x: Value, w: Value) =>
      matmul(x, w)
        .tanh()
        .add(x.sum(1, { keepDims: true }))
        .softmax()
        .square()
        .sum();
    const x = value([
      [0.1, 0.2],
      [0.3, -0.4],
    ]);
    const w = value([
      [1, 2, 3],
      [-1, 0.5, 2],
    ]);
    const fast = grad(f, { argnums: [0, 1] })(x, w);
    const w2 = parameter(w);
    const recorded = grad(f, { argnums: [0, 1] })(x, w2);
    expect(recorded[0].isDifferentiable).toBe(true);
    expect(recorded.map((g) => g.toArray())).toEqual(fast.map((g) => g.toArray()));
  });

  test("refuses what has no gradient with a sentence", () => {
    expect(() => grad((x) => x)(value([1, 2]))).toThrow(
      "grad: output must be a scalar, got shape [2]. Reduce it, for example with sum(), or take jacobian().",
    );
    expect(() => grad((x) => x.sum())(value(Int32Array.of(1, 2)))).toThrow(
      'grad: what is differentiated by must be float64 or float32, got int32. Cast it, for example with cast(x, "float64").',
    );
    expect(() => grad((x: Value) => x.item() as never)(1)).toThrow("grad: f must return a value, got 1.");
    expect(() => grad((async () => value(2)) as never)(1 as never)).toThrow(
      "grad: f must return a value, got a Promise. An async function cannot be differentiated.",
    );
    expect(() => grad((x: Value) => x, { argnums: 2 as 0 })(1)).toThrow(
      "grad: argnums must be in [0, 0] for 1 argument, got 2.",
    );
    for (const argnums of [1, -1, 0.5]) {
      expect(() => grad((x: Value) => x, { argnums: argnums as 0 })(1)).toThrow(
        `grad: argnums must be in [0, 0] for 1 argument, got ${argnums}.`,
      );
    }
    expect(() => grad(3 as never)).toThrow("grad: f must be a function, got 3.");
    expect(() => grad((x: Value) => x)("3" as never)).toThrow(
      'grad: argument[0] must be a value, a number, or an array or plain object of them, got "3".',
    );
  });
});

describe("vjp", () => {
  test("returns the output and a pullback that may be called again", () => {
    const [y, pull] = vjp((x, w) => matmul(x, w), value([[1, 2]]), value([[3], [4]]));
    expect(y.toArray()).toEqual([[11]]);
    expect(pull(value([[1]])).map((d) => d.toArray())).toEqual([[[3, 4]], [[1], [2]]]);
    expect(pull(value([[10]])).map((d) => d.toArray())).toEqual([[[30, 40]], [[10], [20]]]);
  });

  test("takes and returns structures", () => {
    const [y, pull] = vjp((p: { a: Value; b: Value }) => [p.a.mul(p.b), p.a.add(1)] as const, { a: 2, b: 3 });
    expect(y.map((v) => v.item())).toEqual([6, 3]);
    const [dp] = pull([1, 10]);
    expect([dp.a.item(), dp.b.item()]).toEqual([13, 2]);
  });

  test("asks no cotangent that counts of outputs that are not floating", () => {
    const [y, pull] = vjp((x: Value) => ({ top: x.argmax(), twice: x.mul(2) }), value([1, 2]));
    expect([y.top.item(), y.top.dtype]).toEqual([1, "int32"]);
    expect(pull({ top: 1, twice: value([1, 10]) })[0].toArray()).toEqual([2, 20]);
  });

  test("refuses a cotangent of another shape or structure", () => {
    expect(() => vjp((x) => x, value(Int32Array.of(1)))).toThrow(
      'vjp: what is differentiated by must be float64 or float32, got int32. Cast it, for example with cast(x, "float64").',
    );
    const [, pull] = vjp((x) => x.mul(2), value([1, 2]));
    expect(() => pull(value([1]))).toThrow("vjp: cotangent must have the output's shape [2], got [1].");
    expect(() => pull([1, 2] as never)).toThrow(
      "vjp: the cotangent must have the output's structure (1 values), got 2.",
    );
  });

  test("refuses to read parameters replaced between the two calls", () => {
    const w = parameter(2, { label: "w" });
    const [, pull] = vjp((x) => x.mul(w), value(3));
    w.assign(5);
    expect(() => pull(1)).toThrow("replaced by assign() since");
  });
});

describe("jvp", () => {
  test("pushes tangents through, also of structures", () => {
    const [y, t] = jvp((p: { a: Value; b: Value }) => p.a.mul(p.b), [{ a: 2, b: 3 }], [{ a: 1, b: 10 }]);
    expect([y.item(), t.item()]).toEqual([6, 23]);
  });

  test("is zero where nothing flows and broadcasts like its primal", () => {
    expect(jvp((_x) => value([1, 2]), [1], [1])[1].toArray()).toEqual([0, 0]);
    expect(
      jvp(
        (x) =>
          x.add(
            value([
              [1, 2],
              [3, 4],
            ]),
          ),
        [value([1, 2])],
        [value([1, 10])],
      )[1].toArray(),
    ).toEqual([
      [1, 10],
      [1, 10],
    ]);
  });

  test("differentiates again in any mode: forward over reverse, reverse over forward, forward over forward", () => {
    const f = (x: Value) => x.pow(3).mul(x.sin());
    const d2 = (x: number) => (6 * x - x ** 3) * Math.sin(x) + 6 * x * x * Math.cos(x);
    const forward = (f: (x: Value) => Value) => (x: Value | number) => jvp(f, [x], [1])[1];
    const results = [
      grad((x) => forward(f)(x))(0.7),
      forward((x) => grad(f)(x))(0.7),
      forward((x) => forward(f)(x))(0.7),
    ];
    for (const result of results) expect(result.item()).toBeCloseTo(d2(0.7), 12);
  });

  test("gives constants at the top level, and what flows on where one tangent may be differentiated by", () => {
    const f = (x: Value, u: Value) => x.mul(u).sin();
    expect(jvp(f, [1, 2], [1, 1]).map((y) => y.isDifferentiable)).toEqual([false, false]);
    // d/dt of cos(xu)·(t·u + 1·x) is u·cos(xu), whichever of the tangents is t.
    const slope = 2 * Math.cos(2);
    expect(grad((t: Value) => jvp(f, [1, 2], [t, 1])[1])(5).item()).toBeCloseTo(slope, 15);
    expect(grad((t: Value) => jvp(f, [2, 1], [1, t])[1])(5).item()).toBeCloseTo(slope, 15);
  });

  test("pushes nothing through what is computed of parameters alone", () => {
    const w = parameter([2, 3, 4]);
    const [y, t] = jvp((x) => x.mul(w.cumprod().take([2]).sum()).add(w.max()), [5], [10]);
    expect([y.item(), t.item()]).toEqual([5 * 24 + 4, 240]);
  });

  test("pushes tangents in the dtype of what they are of", () => {
    const [, t] = jvp((x) => x, [value([1], { dtype: "float32" })], [value([0.1])]);
    expect([t.dtype, t.toArray()]).toEqual(["float32", [Math.fround(0.1)]]);
  });

  test("refuses tangents that do not fit", () => {
    expect(() => jvp((x) => x, [value(Int32Array.of(1))], [value([1])])).toThrow(
      'jvp: what is differentiated by must be float64 or float32, got int32. Cast it, for example with cast(x, "float64").',
    );
    expect(() => jvp((x: Value, y: Value) => x.add(y), [1, 2], [1] as never)).toThrow(
      "jvp: tangents must have the primals' structure (2 values), got 1.",
    );
    expect(() => jvp((x) => x, [value([1, 2])], [1])).toThrow(
      "jvp: a tangent must have its primal's shape [2], got [].",
    );
  });
});

test("a result that is a value from outside stays connected to what is outside", () => {
  const w = parameter(3);
  for (const [outside, slope] of [
    [w.mul(w), 6],
    [w, 1],
  ] as const) {
    for (const y of [
      vjp((_x: Value) => outside, 1)[0],
      jvp((_x: Value) => outside, [1], [1])[0],
      linearize((_x: Value) => outside, 1)[0],
      valueAndGrad((_x: Value) => outside)(1)[0],
    ]) {
      w.grad = null;
      y.backward();
      expect((w.grad as Value | null)?.item()).toBe(slope);
    }
  }
});

test("results are constant under noGrad, and where a function reads nothing differentiable", () => {
  const w = parameter(2);
  const results = (f: (x: Value) => Value) => [
    ...jvp(f, [3], [1]),
    vjp(f, 3)[0],
    linearize(f, 3)[0],
    ...valueAndGrad(f)(3),
  ];
  const areDifferentiable = (ys: Value[]) => ys.map((y) => y.isDifferentiable);
  const [none, all] = [false, true].map((is) => new Array<boolean>(6).fill(is));
  expect(areDifferentiable(results((x) => x.mul(w)))).toEqual(all);
  expect(areDifferentiable(noGrad(() => results((x) => x.mul(w))))).toEqual(none);
  expect(areDifferentiable(results((x) => x.mul(2)))).toEqual(none);
});
