import {
  backward,
  broadcastTo,
  cast,
  customVjp,
  GraphError,
  identity,
  lerp,
  noGrad,
  parameter,
  reshape,
  slice,
  stopGradient,
  transpose,
  type Value,
  value,
  vjp,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

const gradOf = (x: Value) => x.grad?.toArray();

describe("backward", () => {
  test("is exact under fan-out: x·x, a diamond, a parameter used a thousand times", () => {
    const x = parameter(3);
    x.mul(x).backward();
    expect(gradOf(x)).toBe(6);

    const a = parameter(2);
    const left = a.mul(3);
    const right = a.add(1);
    left.mul(right).backward();
    expect(gradOf(a)).toBe(3 * (2 + 1) + 3 * 2);

    const w = parameter([1, 2]);
    let sum = value([0, 0]);
    for (let i = 0; i < 1000; i++) sum = sum.add(w);
    sum.sum().backward();
    expect(gradOf(w)).toEqual([1000, 1000]);
  });

  test("twice means twice the gradient", () => {
    const x = parameter([1, 2]);
    const y = x.mul(x).sum();
    y.backward();
    y.backward();
    expect(gradOf(x)).toEqual([4, 8]);
    x.grad = null;
    y.backward();
    expect(gradOf(x)).toEqual([2, 4]);
  });

  test("weighs the elements of a tensor by a cotangent", () => {
    const x = parameter([1, 2, 3]);
    x.square().backward([1, 0, 10]);
    expect(gradOf(x)).toEqual([2, 0, 60]);
  });

  test("leaves the gradient of a parameter that nothing flows to absent", () => {
    const x = parameter(1);
    const unused = parameter(2);
    const through = parameter(3);
    x.add(through.sign()).add(stopGradient(unused)).backward();
    expect(gradOf(x)).toBe(1);
    expect(unused.grad).toBeNull();
    expect(through.grad).toBeNull();
  });

  test("gives a parameter a gradient of its dtype, also where it is the output itself", () => {
    for (const createGraph of [false, true]) {
      const w = parameter([1, 2], { dtype: "float32" });
      backward(w, value([0.1, 2]), { createGraph });
      expect(w.grad?.dtype).toBe("float32");
      expect(gradOf(w)).toEqual([Math.fround(0.1), 2]);
    }
  });

  test("serves small graphs after one that is deeper than its buffers", () => {
    const w = parameter(1);
    let y = w.mul(2);
    for (let i = 0; i < 300_000; i++) y = y.neg();
    y.backward();
    expect(gradOf(w)).toBe(2);
    for (const x of [parameter(3), parameter(4)]) {
      x.mul(x).sin().add(x.exp().mul(x)).backward();
      const at = x.item();
      expect(x.grad?.item()).toBeCloseTo(2 * at * Math.cos(at * at) + Math.exp(at) * (1 + at), 10);
    }
  });

  test("refuses data that was replaced, however much was computed since", () => {
    const w = parameter([1, 2]);
    const y = w.mul(w);
    w.assign([3, 4]);
    expect(() => y.sum().exp().backward()).toThrow(GraphError);
    expect(() => y.mul(w).sum().backward()).toThrow(GraphError);
    expect(w.grad).toBe(null);
  });

  test("refuses what is no value", () => {
    expect(() => backward(3 as never)).toThrow("backward: output must be a value, got number.");
    expect(() => backward(undefined as never)).toThrow("backward: output must be a value, got undefined.");
  });

  test("leaves a gradient as it is where a rule says that nothing flows", () => {
    const [x, w] = [parameter(2), parameter(3)];
    w.mul(5).backward();
    const scaled = customVjp(
      (x, w) => x.mul(w),
      (dy, { inputs: [, w] }) => [dy.mul(w as Value), null],
    );
    scaled(x, w).backward();
    expect([gradOf(x), gradOf(w)]).toEqual([3, 5]);
  });

  test("sums over the axes that broadcasting repeated, in float32 too", () => {
    const bias = parameter([1, 2, 3], { dtype: "float32" });
    const column = parameter([[1], [2]], { dtype: "float32" });
    const scale = parameter(2, { dtype: "float32" });
    const x = value(Float32Array.of(1, 2, 3, 4, 5, 6), { shape: [2, 3] });
    x.mul(scale).add(bias).mul(column).sum().backward();
    expect(gradOf(bias)).toEqual([3, 3, 3]);
    expect(gradOf(column)).toEqual([[2 * 6 + 6], [2 * 15 + 6]]);
    expect(gradOf(scale)).toBe(6 + 2 * 15);
    expect([bias, column, scale].map((p) => p.grad?.dtype)).toEqual(["float32", "float32", "float32"]);
  });

  test("reads nothing of what only moves, so that its data may have been replaced", () => {
    const w = parameter([[1, 2]]);
    const moved = [
      identity(w),
      reshape(w, [2, 1]),
      cast(w, "float32"),
      transpose(w),
      broadcastTo(w, [3, 2]),
      slice(w, 0, 1),
    ];
    const y = moved.map((x) => cast(x.sum(), "float64")).reduce((a, b) => a.add(b));
    w.assign([[5, 5]]);
    y.backward();
    expect(w.grad?.toArray()).toEqual([[7, 8]]);
  });

  test.each([false, true])(
    "computes in the dtype that operands meet in, with createGraph %s",
    (createGraph) => {
      const a = parameter([0, 0]);
      a.div(value([3, 7], { dtype: "float32" }))
        .sum()
        .backward(undefined, { createGraph });
      expect(a.grad?.toArray()).toEqual([1 / 3, 1 / 7]);
      const weight = value(Int32Array.of(-(2 ** 31)));
      const b = parameter([0]);
      lerp(b, [1], weight).sum().backward(undefined, { createGraph });
      expect(b.grad?.toArray()).toEqual([1 + 2 ** 31]);
    },
  );

  test("keeps each parameter's dtype where float32 and float64 meet", () => {
    const a = parameter([1, 2], { dtype: "float32" });
    const b = parameter([3, 4]);
    const s = parameter(0.5);
    a.mul(b).mul(s).sum().backward();
    expect([a, b, s].map((p) => [p.grad?.dtype, gradOf(p)])).toEqual([
      ["float32", [1.5, 2]],
      ["float64", [0.5, 1]],
      ["float64", 11],
    ]);
    expect(a.grad?.data).toBeInstanceOf(Float32Array);
    expect(b.grad?.data).toBeInstanceOf(Float64Array);
    const scalar = parameter(0.5);
    a.grad = null;
    a.mul(scalar).sum().backward();
    expect(scalar.grad?.dtype).toBe("float64");
  });

  test("never leaks NaN from the branch that where did not take", () => {
    for (const at of [0, -1]) {
      const x = parameter(at);
      x.gt(0).where(x.log(), 0).backward();
      expect(gradOf(x)).toBe(0);
      const t = parameter([at, 2]);
      t.gt(0).where(t.log(), 0).sum().backward();
      expect(gradOf(t)).toEqual([0, 0.5]);
    }
    const x = parameter([4, 0]);
    x.gt(1).where(x.sqrt().mul(Infinity), 1).backward([0, 1]);
    expect(gradOf(x)).toEqual([0, 0]);
  });

  test("differentiates a chain of a million operations", () => {
    const x = parameter(1);
    let y: Value = x;
    for (let i = 0; i < 1_000_000; i++) y = i % 2 === 0 ? y.add(x) : y.mul(0.5);
    y.backward();
    // y = x·(1 + ½ + …): the derivative is y itself at x = 1.
    expect(gradOf(x)).toBeCloseTo(y.item(), 12);
  });

  test("differentiates a chain of tensors and a comb of many inputs without overflow", () => {
    const w = parameter([1, 1]);
    let y: Value = w;
    for (let i = 0; i < 50_000; i++) y = y.add(0).reshape([2]);
    y.sum().backward();
    expect(gradOf(w)).toEqual([1, 1]);

    const leaves = Array.from({ length: 20_000 }, (_, i) => parameter(i));
    const [first, ...rest] = leaves as [Value, ...Value[]];
    first.stack(rest).mul(2).sum().backward();
    expect(leaves.every((leaf) => leaf.grad?.item() === 2)).toBe(true);
  });

  test("adds to the parameter, not to values that share its array", () => {
    const a = parameter([1, 2]);
    const b = parameter([3, 4]);
    const seed = value([1, 1]);
    a.add(b).add(a).backward(seed);
    expect([gradOf(a), gradOf(b), seed.toArray()]).toEqual([
      [2, 2],
      [1, 1],
      [1, 1],
    ]);
    a.add(b).backward(seed);
    expect([gradOf(a), gradOf(b), seed.toArray()]).toEqual([
      [3, 3],
      [2, 2],
      [1, 1],
    ]);
  });

  test("records itself with createGraph, for derivatives of gradients", () => {
    const x = parameter(2);
    x.mul(x).mul(x).backward(undefined, { createGraph: true });
    const first = x.grad as Value;
    expect(first.item()).toBe(12);
    x.grad = null;
    first.backward();
    expect(gradOf(x)).toBe(12);
  });

  test("does not record otherwise", () => {
    const x = parameter(2);
    x.mul(x).backward();
    expect(x.grad?.isDifferentiable).toBe(false);
  });

  test("says so when a parameter's data that a rule reads was replaced", () => {
    const w = parameter([1, 2], { label: "w" });
    const x = parameter([3, 4]);
    const y = w.mul(x).sum();
    w.assign([5, 6]);
    expect(() => backward(y)).toThrow(
      'backward: the data that mul used must still be there, got "w" [2], replaced by assign() since (version 1). Call backward() before assign(), or compute the output again.',
    );
    expect(() => backward(y)).toThrow(GraphError);
    expect(x.grad).toBeNull();
  });

  test("minds no data that only what lies outside has read", () => {
    const [w, bias] = [parameter(2), parameter(0)];
    const outside = w.mul(w);
    const [, pull] = vjp((x: Value) => x.mul(outside).add(bias), value(3));
    w.assign(5);
    bias.assign(1);
    expect(pull(1)[0].item()).toBe(4);
  });

  test("minds no data that was replaced before it was read", () => {
    const [w, v] = [parameter(2), parameter(3)];
    const y = w.mul(2);
    v.assign(4);
    y.mul(v).backward();
    expect([gradOf(w), gradOf(v)]).toEqual([8, 4]);
  });

  test("minds a replaced parameter only where its data is read", () => {
    const w = parameter([1, 2]);
    const bias = parameter([0, 0]);
    const x = value([3, 4]);
    const y = x.mul(w).add(bias).sum();
    bias.assign([1, 1]);
    w.assign([9, 9]);
    y.backward();
    expect([gradOf(w), gradOf(bias)]).toEqual([
      [3, 4],
      [1, 1],
    ]);
    // The slopes of a/b are 1/b and −(a/b)/b.
    const [a, b] = [parameter(6), parameter(2)];
    const quotient = a.div(b);
    a.assign(100);
    quotient.backward();
    expect([gradOf(a), gradOf(b)]).toEqual([0.5, -1.5]);
    b.assign(100);
    expect(() => quotient.backward()).toThrow("the data that div used must still be there");
  });

  test("refuses outputs that are not scalars, not floating or not differentiable", () => {
    const x = parameter([1, 2]);
    expect(() => x.mul(2).backward()).toThrow(
      "backward: output must be a scalar, got shape [2]. Reduce it, for example with sum(), or give a cotangent.",
    );
    expect(() => x.mul(2).backward([1, 2, 3])).toThrow(
      "backward: cotangent must have the output's shape [2], got [3].",
    );
    expect(() => x.gt(1).sum().backward()).toThrow(
      "backward: output must be float64 or float32, got int32. Integers and comparisons have no derivative.",
    );
    expect(() => noGrad(() => x.sum()).backward()).toThrow(
      "backward: an output computed from a parameter, got a result of sum of shape []. Make the leaves with parameter(), and do not compute inside noGrad().",
    );
  });
});

describe("noGrad", () => {
  test("computes constants, and recording goes on afterwards, also after an error", () => {
    const x = parameter(2);
    expect(noGrad(() => x.mul(3)).isDifferentiable).toBe(false);
    expect(() =>
      noGrad(() => {
        throw new Error("from inside");
      }),
    ).toThrow("from inside");
    expect(x.mul(3).isDifferentiable).toBe(true);
  });

  test("holds no inputs, so that memory can go", () => {
    const y = noGrad(() => parameter(2).mul(3));
    expect([y.inputs, y.operation?.name]).toEqual([[], "mul"]);
  });
});
