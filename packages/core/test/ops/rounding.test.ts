import {
  ceil,
  floor,
  grad,
  heaviside,
  lerp,
  mod,
  nanToNum,
  round,
  trunc,
  type Value,
  value,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

const inf = Number.POSITIVE_INFINITY;

// numpy.floor, ceil, trunc and round of NumPy 2.4
describe("rounding", () => {
  test("keeps the sign of zero, NaN and infinities", () => {
    expect(floor([-0.5, -0, NaN, -inf]).toArray()).toEqual([-1, -0, NaN, -inf]);
    expect(ceil([-0.5, 0.5, inf]).toArray()).toEqual([-0, 1, inf]);
    expect(trunc([-0.5, 2.9, -2.9]).toArray()).toEqual([-0, 2, -2]);
    expect(round([-0.4, 0.4, NaN, inf, -inf]).toArray()).toEqual([-0, 0, NaN, inf, -inf]);
  });

  test("round takes halves to even, and large numbers as they are", () => {
    const x = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999999999999994, 4503599627370497, 2251799813685249.5];
    expect(round(x).toArray()).toEqual([-2, -2, -0, 0, 2, 2, 0, 4503599627370497, 2251799813685250]);
    expect(round(value(Float32Array.of(16777215, -0.5))).toArray()).toEqual([16777215, -0]);
  });

  // numpy.round(x, decimals)
  test("round takes decimals, negative ones too", () => {
    expect(round([1.2345, -0.125, 2.675], 2).toArray()).toEqual([1.23, -0.12, 2.68]);
    expect(round([1234, 1250, 1350], -2).toArray()).toEqual([1200, 1200, 1400]);
    const whole = round(value(Int32Array.of(1250, 7)), -2);
    expect(whole.dtype).toBe("int32");
    expect(whole.toArray()).toEqual([1200, 0]);
    expect(() => round(1, 0.5)).toThrow("round: decimals must be a whole number, got 0.5.");
  });

  test("leaves integers alone", () => {
    const x = value(Int32Array.of(-7, 2147483647, -2147483648));
    for (const f of [floor, ceil, trunc, round]) {
      expect(f(x).dtype).toBe("int32");
      expect(f(x).toArray()).toEqual([-7, 2147483647, -2147483648]);
    }
  });

  test("lets no derivative through", () => {
    expect(grad((x: Value) => floor(x).mul(x))(2.5).item()).toBe(2);
    expect(round(value(1.2)).isDifferentiable).toBe(false);
  });
});

describe("mod", () => {
  // numpy.remainder of NumPy 2.4
  test("has the sign of the divisor", () => {
    const a = [5, -5, 5, -5, 5.5, -1, 1, -0, 3];
    const b = [3, 3, -3, -3, 2, inf, -inf, 2, 0];
    expect(mod(a, b).toArray()).toEqual([2, 1, -1, -2, 1.5, inf, -inf, 0, NaN]);
  });

  test("keeps integers, and is 0 by 0", () => {
    const y = mod(value(Int32Array.of(7, -7, 7, -7, 3)), value(Int32Array.of(3, 3, -3, -3, 0)));
    expect(y.dtype).toBe("int32");
    expect(y.toArray()).toEqual([1, 2, -2, -1, 0]);
  });

  test("has slope 1 by a and −⌊a/b⌋ by b", () => {
    const [da, db] = grad((a, b) => mod(a, b), { argnums: [0, 1] })(-5, 3);
    expect([da.item(), db.item()]).toEqual([1, 2]);
  });
});

describe("lerp", () => {
  test("is exact at both ends", () => {
    expect(lerp(0.1, 0.7, [0, 1]).toArray()).toEqual([0.1, 0.7]);
    expect(lerp([0, 1], [[10], [20]], 0.5).toArray()).toEqual([
      [5, 5.5],
      [10, 10.5],
    ]);
  });

  test("has slopes 1 − weight, weight and b − a", () => {
    const slopes = grad((a, b, w) => lerp(a, b, w), { argnums: [0, 1, 2] })(2, 6, 0.25);
    expect(slopes.map((d) => d.item())).toEqual([0.75, 0.25, 4]);
  });
});

test("heaviside takes its second operand at 0, where that has slope 1", () => {
  expect(heaviside([-1, 0, 2, NaN, -0], 0.5).toArray()).toEqual([0, 0.5, 1, NaN, 0.5]);
  const d = grad((h: Value) => heaviside([-1, 0, 2], h).sum())(0.5);
  expect(d.item()).toBe(1);
  expect(grad((h: Value) => heaviside([-1, 0, 2], h).mul(3).sum())(0.5).item()).toBe(3);
  expect(heaviside(value(Int32Array.of(-1, 0)), 1).toArray()).toEqual([0, 1]);
});

describe("nanToNum", () => {
  // numpy.nan_to_num of NumPy 2.4
  test("takes the largest numbers of the dtype unless told otherwise", () => {
    const x = [NaN, inf, -inf, 1];
    expect(nanToNum(x).toArray()).toEqual([0, Number.MAX_VALUE, -Number.MAX_VALUE, 1]);
    const narrow = nanToNum(value(Float32Array.from(x)));
    expect(narrow.toArray()).toEqual([0, 3.4028234663852886e38, -3.4028234663852886e38, 1]);
    expect(narrow.dtype).toBe("float32");
    expect(nanToNum(x, { nan: 7, posInf: 8, negInf: 9 }).toArray()).toEqual([7, 8, 9, 1]);
    expect(nanToNum(value(Int32Array.of(3))).dtype).toBe("int32");
  });

  test("has slope 1 where x is finite and 0 where it is replaced", () => {
    const x = value([NaN, inf, -inf, 2]);
    expect(grad((x: Value) => nanToNum(x).mul(3).sum())(x).toArray()).toEqual([0, 0, 0, 3]);
  });
});
