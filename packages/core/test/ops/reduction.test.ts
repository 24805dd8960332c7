import {
  argmax,
  grad,
  logSoftmax,
  logSumExp,
  max,
  mean,
  parameter,
  random,
  softmax,
  stack,
  sum,
  unstack,
  type Value,
  value,
  vmap,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

const x = value([
  [1, 2, 3],
  [4, 5, 6],
]);

describe("sum", () => {
  test("over all, some, negative and no axes, keeping them or not", () => {
    expect(sum(x).item()).toBe(21);
    expect(sum(x, 0).toArray()).toEqual([5, 7, 9]);
    expect(sum(x, -1).toArray()).toEqual([6, 15]);
    expect(sum(x, [0, 1], { keepDims: true }).toArray()).toEqual([[21]]);
    expect(sum(x, []).toArray()).toEqual(x.toArray());
    expect(sum(5).item()).toBe(5);
    // NumPy 2.4: np.sum(5., axis=0) and axis=-1 are 5.
    expect([sum(5, 0).item(), sum(5, -1, { keepDims: true }).item()]).toEqual([5, 5]);
  });

  test("over axes that do not neighbour each other", () => {
    const y = value(
      Float64Array.from({ length: 24 }, (_, i) => i),
      { shape: [2, 3, 4] },
    );
    expect(sum(y, [0, 2]).toArray()).toEqual([60, 92, 124]);
    expect(sum(y, [0, 1]).toArray()).toEqual([60, 66, 72, 78]);
  });

  test("of nothing is 0", () => {
    expect(sum([]).item()).toBe(0);
    expect(sum(value([[], []]), 1).toArray()).toEqual([0, 0]);
    expect(sum(value([], { shape: [0, 3] }), 0).toArray()).toEqual([0, 0, 0]);
  });

  test("of a million float32 or float64 numbers keeps its digits, along either axis", () => {
    const n = 1_000_000;
    const f32 = random.uniform(random.key(1), [n]);
    let exact = 0n;
    for (const u of f32.data) exact += BigInt(u * 2 ** 24);
    const expected = Number(exact) / 2 ** 24;
    expect(sum(f32).item()).toBe(Math.fround(expected));
    const tenths = value(new Float64Array(n).fill(0.1));
    expect(Math.abs(sum(tenths).item() / 1e5 - 1)).toBeLessThan(4e-16 * 8);
    const rows = sum(tenths.reshape([n / 2, 2]), 0).toArray() as number[];
    for (const row of rows) expect(Math.abs(row / 5e4 - 1)).toBeLessThan(1e-14);
  });

  test("refuses axes that are not there", () => {
    expect(() => sum(x, 2)).toThrow("sum: axis must be in [-2, 1] for rank 2, got 2.");
    expect(() => sum(x, [0, -2])).toThrow("sum: axes must be distinct, got [0, -2].");
    expect(() => sum(5, 1)).toThrow("sum: a scalar has no axes, got 1.");
    expect(() => sum(x, 0.5)).toThrow("sum: axis must be a whole number, got 0.5.");
  });
});

describe("max and min", () => {
  test("share the gradient equally among ties, in each row", () => {
    const p = parameter([
      [1, 3, 3],
      [2, 2, 2],
    ]);
    p.max(1).sum().backward();
    expect(p.grad?.toArray()).toEqual([
      [0, 0.5, 0.5],
      [1 / 3, 1 / 3, 1 / 3],
    ]);
  });

  test("carry NaN and refuse empty axes", () => {
    expect(max([1, Number.NaN, 3]).item()).toBeNaN();
    expect(() => max([])).toThrow("max: axis 0 must not be empty, got [0].");
    expect(max(value([], { shape: [0, 3] }), 1).shape).toEqual([0]);
  });
});

test("mean of nothing is NaN", () => {
  expect(mean([]).item()).toBeNaN();
  expect(mean(value([[], []]), 0).shape).toEqual([0]);
});

describe("the softmax family", () => {
  test("does not overflow, underflow or lose its sum", () => {
    expect(softmax([1000, 1000, -1000]).toArray()).toEqual([0.5, 0.5, 0]);
    expect(logSoftmax([0, -1000]).toArray()).toEqual([0, -1000]);
    expect(logSumExp([-1000, -1000]).item()).toBeCloseTo(-1000 + Math.LN2, 10);
    expect(logSumExp([-Infinity, -Infinity]).item()).toBe(-Infinity);
    expect(logSumExp([Infinity, 0]).item()).toBe(Infinity);
    expect(logSumExp([-Infinity, 2]).item()).toBe(2);
    expect(logSumExp([]).item()).toBe(-Infinity);
  });

  test("logSumExp's gradient is softmax, its second derivative softmax's", () => {
    const at = value([0.1, 2, -1]);
    const g = grad((x) => logSumExp(x))(at);
    const p = softmax(at).toArray() as number[];
    for (const [i, d] of g.data.entries()) expect(d).toBeCloseTo(p[i] as number, 15);
    const row = grad((x) => grad((x) => logSumExp(x))(x).slice(0))(at);
    for (const [i, d] of row.data.entries()) {
      expect(d).toBeCloseTo((p[0] as number) * ((i === 0 ? 1 : 0) - (p[i] as number)), 15);
    }
  });

  test("works along any axis and on scalars", () => {
    for (const total of softmax(x, 0).sum(0).data) expect(total).toBeCloseTo(1, 15);
    expect(softmax(3).item()).toBe(1);
    expect(logSumExp(x, [0, 1], { keepDims: true }).shape).toEqual([1, 1]);
  });
});

test("argmax takes the first of ties and NaN as largest", () => {
  expect(
    value([
      [1, 3, 3],
      [2, 2, 2],
    ])
      .argmax(1)
      .toArray(),
  ).toEqual([1, 0]);
  expect(
    value([
      [1, 3],
      [2, 4],
    ])
      .argmax()
      .item(),
  ).toBe(3);
  expect(value([1, Number.NaN, 5, Number.NaN]).argmax().item()).toBe(1);
  expect(value([1, 2]).argmax().dtype).toBe("int32");
});

test("argmax maps as a loop does", () => {
  const xs = random.normal(random.key(5), [3, 4, 5]);
  for (const f of [(x: Value) => argmax(x, 0), (x: Value) => argmax(x, -1), (x: Value) => argmax(x)]) {
    const mapped = vmap(f)(xs);
    expect(mapped.toArray()).toEqual(stack(unstack(xs).map((x) => f(x))).toArray());
  }
});

test("softmax and logSoftmax of a scalar refuse axes that it cannot have", () => {
  expect(softmax(3, 0).item()).toBe(1);
  expect(() => softmax(3, 5)).toThrow("softmax: axis must be in [-1, 0] for rank 1, got 5.");
  expect(() => logSoftmax(3, -2)).toThrow("logSoftmax: axis must be in [-1, 0] for rank 1, got -2.");
});
