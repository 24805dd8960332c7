import {
  celu,
  clip,
  elu,
  gelu,
  glu,
  grad,
  hardSigmoid,
  hardSwish,
  hardTanh,
  leakyRelu,
  mish,
  prelu,
  selu,
  silu,
  softshrink,
  softsign,
  sum,
  type Value,
  value,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

const inf = Number.POSITIVE_INFINITY;

/** Slopes of a function of one operand at several places. */
function slopes(f: (x: Value) => Value, ...xs: number[]): unknown {
  return grad((x: Value) => sum(f(x)))(value(xs)).toArray();
}

/** The slope by the second operand. */
function slopeBySecond(f: (x: number, p: Value) => Value, x: number, p: number): number {
  return grad((p: Value) => f(x, p))(p).item();
}

test("clip gives a tie of its bounds to the one that acts", () => {
  const slopesAt = (x: number, low: number, high: number) =>
    grad((x: Value, low: Value, high: Value) => clip(x, low, high), { argnums: [0, 1, 2] })(x, low, high).map(
      (d) => d.item(),
    );
  expect(slopesAt(0, 1, 1)).toEqual([0, 1, 0]);
  expect(slopesAt(2, 1, 1)).toEqual([0, 0, 1]);
  expect(slopesAt(1, 1, 1)).toEqual([1, 0, 0]);
});

test("activations at infinities and NaN are as in PyTorch", () => {
  const x = [inf, -inf, NaN];
  expect(leakyRelu(x).toArray()).toEqual([inf, -inf, NaN]);
  expect(elu(x).toArray()).toEqual([inf, -1, NaN]);
  expect(celu(x, 2).toArray()).toEqual([inf, -2, NaN]);
  expect(selu(x).toArray()).toEqual([inf, -1.7580993408473766, NaN]);
  expect(gelu(x).toArray()).toEqual([inf, NaN, NaN]);
  expect(silu(x).toArray()).toEqual([inf, NaN, NaN]);
  expect(mish(x).toArray()).toEqual([inf, NaN, NaN]);
  expect(softsign(x).toArray()).toEqual([NaN, NaN, NaN]);
  expect(hardTanh(x).toArray()).toEqual([1, -1, NaN]);
  expect(hardSigmoid(x).toArray()).toEqual([1, 0, NaN]);
  expect(softshrink(x).toArray()).toEqual([inf, -inf, NaN]);
});

test("smooth activations neither overflow nor lose their slopes far out", () => {
  for (const f of [gelu, silu, mish, (x: Value) => gelu(x, { approximate: "tanh" })]) {
    expect(slopes(f as (x: Value) => Value, 800, -800)).toEqual([1, expect.closeTo(0, 300)]);
    expect(slopes(grad((x: Value) => sum(f(x))) as (x: Value) => Value, 800)).toEqual([
      expect.closeTo(0, 300),
    ]);
  }
  expect(slopes(elu, 800)).toEqual([1]);
  expect(slopes(selu, 800)).toEqual([1.0507009873554805]);
});

describe("piecewise activations at their kinks", () => {
  test("leakyRelu and prelu have the slope below", () => {
    expect(slopes((x) => leakyRelu(x, 0.25), -1, 0, 1)).toEqual([0.25, 0.25, 1]);
    expect(slopeBySecond(leakyRelu, -3, 0.25)).toBe(-3);
    expect(slopeBySecond(leakyRelu, 3, 0.25)).toBe(0);
    expect(leakyRelu(-1).item()).toBe(-0.01);
  });

  test("elu, selu and celu have the slope below", () => {
    expect(slopes((x) => elu(x, 2), 0, 1)).toEqual([2, 1]);
    expect(slopes((x) => celu(x, 2), 0, 1)).toEqual([1, 1]);
    expect(slopes(selu, 0)).toEqual([1.0507009873554805 * 1.6732632423543772]);
    expect(slopeBySecond(elu, -1, 2)).toBe(Math.expm1(-1));
    // celu(−1, α) = α(e^(−1/α) − 1)
    expect(slopeBySecond(celu, -1, 2)).toBeCloseTo(Math.exp(-0.5) * 1.5 - 1, 15);
  });

  test("second derivatives are those below, whichever operand comes first", () => {
    const table = [
      [leakyRelu, 0, 1],
      [elu, 2, 1],
      [celu, 0.5, 0],
    ] as const;
    for (const [f, twice, mixed] of table) {
      const by = (first: number, second: number) =>
        grad((x: Value, p: Value) => grad((x: Value, p: Value) => f(x, p), { argnums: first })(x, p), {
          argnums: second,
        })(0, 2).item();
      expect([by(0, 0), by(0, 1) + 0, by(1, 0) + 0, by(1, 1)]).toEqual([twice, mixed, mixed, 0]);
    }
    // ∂³celu/∂x²∂α = −1/α²
    const thirds = [0, 1, 2].map((place) => {
      const [first, second, third] = [0, 1, 2].map((i) => Number(i === place)) as [number, number, number];
      type F = (x: Value, p: Value) => Value;
      const by = (f: F, argnums: number): F => grad(f, { argnums }) as unknown as F;
      return by(
        by(
          by((x, p) => celu(x, p), first),
          second,
        ),
        third,
      )(value(0), value(2)).item();
    });
    expect(thirds).toEqual([-0.25, -0.25, -0.25]);
  });

  test("hardTanh, hardSigmoid, hardSwish and softshrink are flat there, unlike clip", () => {
    expect(slopes(hardTanh, -2, -1, 0, 1)).toEqual([0, 0, 1, 0]);
    expect(slopes((x) => clip(x, -1, 1), -1, 1)).toEqual([1, 1]);
    expect(slopes((x) => hardTanh(x, 0, 3), -1, 2)).toEqual([0, 1]);
    expect(slopes(hardSigmoid, -3, 0, 3)).toEqual([0, 1 / 6, 0]);
    expect(slopes(hardSwish, -3, 0, 3)).toEqual([0, 0.5, 1]);
    expect(slopes(softshrink, -0.5, 0.5, 1)).toEqual([0, 0, 1]);
    expect([slopeBySecond(softshrink, 2, 0.5), slopeBySecond(softshrink, -2, 0.5)]).toEqual([-1, 1]);
    expect([slopeBySecond(softshrink, 0.5, 0.5), slopeBySecond(softshrink, -0.5, 0.5) + 0]).toEqual([0, 0]);
  });

  test("softsign's second derivative is 0 at 0", () => {
    expect(slopes(grad((x: Value) => sum(softsign(x))) as (x: Value) => Value, -1, 0, 1)).toEqual([
      0.25, -0, -0.25,
    ]);
  });
});

describe("prelu", () => {
  test("has one weight a channel, along axis 1", () => {
    const x = value(new Float64Array(12).fill(-1), { shape: [2, 3, 2] });
    const row = [
      [-1, -1],
      [-2, -2],
      [-3, -3],
    ];
    expect(prelu(x, [1, 2, 3]).toArray()).toEqual([row, row]);
    expect(prelu(x, 0.5).toArray()).toEqual(x.mul(0.5).toArray());
    expect(grad((w: Value) => prelu(x, w).sum())(value([1, 2, 3])).toArray()).toEqual([-4, -4, -4]);
  });

  test("says which shapes do not broadcast", () => {
    const x = value(new Float64Array(12), { shape: [2, 3, 2] });
    expect(() => prelu(x, [1, 2])).toThrow(/^prelu: /);
  });
});

describe("gelu", () => {
  test("approximates by tanh when asked", () => {
    // mpmath 1.3
    expect(gelu(1, { approximate: "tanh" }).item()).toBeCloseTo(0.8411919906082767, 15);
    expect(gelu(1).item()).toBeCloseTo(0.8413447460685429, 15);
  });

  test("refuses another approximation", () => {
    const wrong = { approximate: "erf" } as unknown as { approximate: "tanh" };
    expect(() => gelu(1, wrong)).toThrow('gelu: approximate must be "none" or "tanh", got "erf".');
  });
});

describe("glu", () => {
  test("halves any axis", () => {
    const x = [
      [1, 2, 0, 0],
      [3, 4, 0, 0],
    ];
    expect(glu(x).toArray()).toEqual([
      [0.5, 1],
      [1.5, 2],
    ]);
    expect(glu(x, 0).shape).toEqual([1, 4]);
    expect(glu(x, -2).toArray()).toEqual(glu(x, 0).toArray());
    expect(glu(value([], { shape: [0, 2] })).shape).toEqual([0, 1]);
  });

  test("refuses an odd size and a scalar", () => {
    expect(() => glu([1, 2, 3])).toThrow("glu: axis -1 must have an even size, got 3 (x [3]).");
    expect(() => glu(1)).toThrow(/^glu: /);
  });
});
