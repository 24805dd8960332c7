import {
  capture,
  fixedPoint,
  grad,
  jvp,
  noGrad,
  parameter,
  stack,
  stopGradient,
  type Value,
  value,
  vmap,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

const X = value([
  [1, 2],
  [3, 4],
  [-1, 0],
]);
const rows = (x: Value) => Array.from({ length: x.shape[0] as number }, (_, i) => x.slice(i));

/** Asserts that two values agree in shape and to rounding. */
function expectClose(actual: Value, expected: Value, what = ""): void {
  expect([what, actual.shape]).toEqual([what, expected.shape]);
  const worst = Array.from(actual.data).reduce((most, a, i) => {
    const e = expected.data[i] as number;
    return Math.max(
      most,
      a === e || (Number.isNaN(a) && Number.isNaN(e)) ? 0 : Math.abs(a - e) / (1 + Math.abs(e)),
    );
  }, 0);
  expect([what, worst < 1e-12], `${worst}`).toEqual([what, true]);
}

describe("vmap", () => {
  test("maps any axis, puts the results' axis anywhere, and leaves arguments that are null alone", () => {
    const dot = (x: Value, w: Value) => x.mul(w).sum();
    expect(vmap(dot, { inAxes: [1, null] })(X, value([1, 2, 3])).toArray()).toEqual([4, 10]);
    expect(vmap((x) => x.mul(2), { inAxes: -1, outAxes: 1 })(X).toArray()).toEqual([
      [2, 4],
      [6, 8],
      [-2, 0],
    ]);
    expect(vmap((_x) => value([7, 8]))(X).shape).toEqual([3, 2]);
  });

  test("takes and returns structures", () => {
    const f = (p: { x: Value; y: Value }) => ({ sum: p.x.add(p.y), both: [p.x, p.y] as [Value, Value] });
    const result = vmap(f)({ x: value([1, 2]), y: value([10, 20]) });
    expect([result.sum.toArray(), result.both[1].toArray()]).toEqual([
      [11, 22],
      [10, 20],
    ]);
  });

  test("nests", () => {
    const table = vmap(
      vmap((x: Value, y: Value) => x.mul(y), { inAxes: [null, 0] }),
      { inAxes: [0, null] },
    );
    expect(table(value([1, 2]), value([10, 20, 30])).toArray()).toEqual([
      [10, 20, 30],
      [20, 40, 60],
    ]);
  });

  test("mixes with grad and jvp, inside and around", () => {
    const w = value([
      [0.1, 0.2],
      [0.3, -0.4],
    ]);
    const f = (x: Value, w: Value) => w.matmul(x).tanh().logSoftmax().max().add(x.sum());
    const perExample = vmap((x: Value) => grad((x: Value) => f(x, w))(x))(X);
    expectClose(perExample, stack(rows(X).map((x) => grad((x: Value) => f(x, w))(x))));
    const around = grad((w: Value) => vmap((x: Value) => f(x, w))(X).sum())(w);
    expectClose(
      around,
      grad((w: Value) =>
        rows(X)
          .map((x) => f(x, w))
          .reduce((a, b) => a.add(b)),
      )(w),
    );
    const pushed = jvp((w: Value) => vmap((x: Value) => f(x, w))(X), [w], [w])[1];
    expectClose(pushed, stack(rows(X).map((x) => jvp((w: Value) => f(x, w), [w], [w])[1])));
    const p = parameter(w);
    vmap((x: Value) => f(x, p))(X)
      .sum()
      .backward();
    expectClose(p.grad as Value, around);
  });

  test("of nothing keeps shape and dtype, where examples are computed one after another too", () => {
    const rows = value([], { shape: [0, 2], dtype: "float32" });
    const settled = (x: Value) => fixedPoint((y, x) => y.mul(0.5).add(x as Value), stopGradient(x), [x]);
    for (const f of [settled, (x: Value) => x.exp(), (x: Value) => x.concat([x]).slice([0, 2])]) {
      const y = vmap(f)(rows);
      expect([y.shape, y.dtype]).toEqual([[0, 2], "float32"]);
    }
  });

  test("puts the mapped axis where it is asked for, where results do not depend on it too", () => {
    const f = (x: Value) => [x.add([1, 2, 3]), value([4, 5, 6])];
    const [added, constant] = vmap(f, { outAxes: -1 })(value([10, 20])) as [Value, Value];
    expect(added.toArray()).toEqual([
      [11, 21],
      [12, 22],
      [13, 23],
    ]);
    expect(constant.toArray()).toEqual([
      [4, 4],
      [5, 5],
      [6, 6],
    ]);
  });

  test("refuses sizes that differ, reading data, and nothing to map", () => {
    expect(() => vmap((x, y) => x.add(y))(value([1, 2]), value([1, 2, 3]))).toThrow(
      "vmap: mapped axes must have one size, got 2 and 3.",
    );
    expect(() => vmap((x) => x.mul(x.item()))(value([1, 2]))).toThrow(
      "item: data that is known, got an argument of a captured function, of shape [], which is being captured and has only a type. Express the choice with where(), or compute the number outside.",
    );
    expect(() => vmap((x) => x, { inAxes: [null] })(value([1]))).toThrow(
      "vmap: at least one argument must be mapped.",
    );
    expect(() => vmap((x) => x)(value(1))).toThrow("vmap: a scalar has no axes, got 0.");
    expect(() => vmap((x: Value, y: Value) => x.add(y), { inAxes: [0] })(value([1]), value([1]))).toThrow(
      "vmap: inAxes must name an axis or null for each of the 2 arguments, got [0].",
    );
  });
});

describe("capture", () => {
  test("prints its operations and evaluates them at other arguments", () => {
    const graph = capture((x, y) => x.mul(y).sum(0).tanh(), value([1, 2]), value(0.5));
    expect(String(graph)).toBe(
      [
        "graph (%0 : float64 [2], %1 : float64 []) {",
        "  %2 = mul(%0, %1) : float64 [2]",
        "  %3 = sum(%2) {axes: [0], keepDims: false} : float64 []",
        "  %4 = tanh(%3) : float64 []",
        "  return %4",
        "}",
      ].join("\n"),
    );
    expect(graph.evaluate(value([0.1, 0.2]), value(2))[0]?.item()).toBe(Math.tanh(0.1 * 2 + 0.2 * 2));
  });

  test("keeps only what the outputs need, once, however deep", () => {
    const graph = capture((x) => {
      x.exp();
      let y = x.mul(x);
      for (let i = 0; i < 20_000; i++) y = y.add(x);
      return { twice: [y, y] };
    }, 1);
    expect([graph.nodes.length, graph.outputs.length]).toEqual([20_001, 2]);
    expect(graph.evaluate(value(2)).map((y) => y.item())).toEqual([40_004, 40_004]);
  });

  test("is differentiable where it is evaluated, and captures derivatives", () => {
    const graph = capture((x) => x.pow(3).sum(), value([1, 2]));
    expect(grad((x: Value) => graph.evaluate(x)[0] as Value)(value([1, 2])).toArray()).toEqual([3, 12]);
    const second = capture((x) => grad((x) => grad((x) => x.pow(3))(x))(x), 1);
    expect(second.evaluate(value(2))[0]?.item()).toBe(12);
  });

  test("refuses other types and counts than were captured", () => {
    const graph = capture((x) => x.mul(2), value([1, 2]));
    expect(() => graph.evaluate(value([1]))).toThrow(
      "Graph.evaluate: argument 0 must be float64 [2], as captured, got float64 [1].",
    );
    expect(() => graph.evaluate()).toThrow("Graph.evaluate: 1 arguments, got 0.");
  });
});

describe("what derivatives do not flow through, while captured", () => {
  const X = value([1, 2]);

  test("is what stopGradient is given", () => {
    const f = (x: Value) => stopGradient(x).mul(x);
    expect(grad((x) => vmap(f)(x).sum())(X).toArray()).toEqual([1, 2]);
    expect(grad((x) => capture(f, 1).evaluate(x)[0] as Value)(3).item()).toBe(3);
  });

  test("is what noGrad computes, of arguments and of what is outside", () => {
    const f = (x: Value) => noGrad(() => x.mul(1)).mul(x);
    expect(grad((x) => vmap(f)(x).sum())(X).toArray()).toEqual([1, 2]);
    expect(grad((x) => vmap(vmap(f))(x.reshape([1, 2])).sum())(X).toArray()).toEqual([1, 2]);
    expect(grad((w) => vmap((x: Value) => noGrad(() => x.mul(w)))(X).sum())(3).item()).toBe(0);
    expect(grad((x) => capture(f, 1).evaluate(x)[0] as Value)(3).item()).toBe(3);
  });

  test("does not depend on where a graph was captured, but on where it is evaluated", () => {
    const square = noGrad(() => capture((x) => x.mul(x), 1));
    expect(grad((x) => square.evaluate(x)[0] as Value)(3).item()).toBe(6);
    expect(grad((x) => noGrad(() => square.evaluate(x)[0] as Value).mul(x))(3).item()).toBe(9);
    expect(() => noGrad(() => capture(() => oops(), 1))).toThrow("oops");
    expect(grad((x) => vmap((x: Value) => x.mul(x))(x).sum())(X).toArray()).toEqual([2, 4]);
  });
});

test("backward refuses an output that is being captured, and leaves gradients as they were", () => {
  const w = parameter(3);
  const f = (x: Value) => {
    w.mul(x).backward();
    return x;
  };
  expect(() => vmap(f)(value([1, 2]))).toThrow(
    "backward: data that is known, got a result of mul of shape [], which is being captured and has only a type. Inside vmap and capture, use grad().",
  );
  expect(w.grad).toBe(null);
});

function oops(): never {
  throw new Error("oops");
}
