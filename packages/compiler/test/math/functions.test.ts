import * as core from "@adjoint/core";
import { expect, test } from "vitest";
import { laneFunctions } from "../../src/math/functions.ts";
import { numberLanes } from "../../src/math/number-lanes.ts";
import { generator } from "./generator.ts";
import * as exact from "./real.ts";
import { ulps, ulpsOfSingle } from "./ulps.ts";

const inf = Infinity;
const dtypes = ["float32", "float64"] as const;
const everyLanes = dtypes.flatMap((dtype) => [numberLanes(dtype, false), numberLanes(dtype, true)]);

test("each name is that of core's operation, and `scalar` computes it", () => {
  const operations = core as unknown as Record<string, (...xs: number[]) => core.Value>;
  for (const f of laneFunctions.values()) {
    for (const x of [-2, -0.7, 0, 0.3, 1, 2.5]) {
      const xs = f.arity === 1 ? [x] : [x, 1.7 - x];
      expect(f.scalar(...xs), `${f.name}(${xs})`).toBe(operations[f.name]!(...xs).item());
    }
  }
});

test("results that are whole numbers are exact", () => {
  for (const m of everyLanes) {
    const call = (name: string, ...xs: number[]) => laneFunctions.get(name)!.fast(xs, m);
    for (const name of ["exp", "cos", "cosh", "erfc", "exp2"]) expect(call(name, 0), name).toBe(1);
    for (const name of ["log", "log2", "log10", "acos", "acosh"]) expect(call(name, 1), name).toBe(0);
    for (let n = -126; n < 128; n++) {
      expect(call("exp2", n)).toBe(2 ** n);
      expect(call("log2", 2 ** n)).toBe(n);
      expect(call("pow", 2, n)).toBe(2 ** n);
    }
    for (let n = 1; n <= 40; n++) {
      expect(call("cbrt", n ** 3)).toBe(n);
      expect(call("pow", n, 3)).toBe(n ** 3);
      expect(call("pow", -n, 3)).toBe(-(n ** 3));
      expect(call("pow", n * n, 0.5)).toBe(n);
      expect(call("mod", -n, 7)).toBe((49 - n) % 7);
    }
    expect(call("hypot", 3, -4)).toBe(5);
  }
});

test("sin, cos and tan keep their digits next to multiples of π/2", () => {
  for (const m of everyLanes) {
    const last = m.dtype === "float32" ? 4074 : 254_000;
    for (let k = 1; k < last; k += Math.ceil(last / 500)) {
      const x = m.constant((k * Math.PI) / 2);
      for (const [name, f] of [
        ["sin", exact.sin],
        ["cos", exact.cos],
        ["tan", exact.tan],
      ] as const) {
        const y = laneFunctions.get(name)!.fast([x], m);
        const z = f(exact.real(x));
        const error = m.dtype === "float32" ? ulpsOfSingle(y, exact.toNumber(z)) : ulps(y, z);
        expect(error, `${name}(${x})`).toBeLessThan(2);
      }
    }
  }
});

test("what is bounded stays within its bounds", () => {
  const random = generator(3);
  for (const name of ["sin", "cos", "tanh", "erf"]) {
    const f = laneFunctions.get(name)!;
    for (const m of everyLanes) {
      let greatest = 0;
      for (let i = 0; i < 20_000; i++) {
        // Near the extremes of sin and cos, and where tanh and erf are nearly 1.
        const x = m.constant(((i % 9) * Math.PI) / 2 + (random() - 0.5) * 2 ** -(i % 30));
        greatest = Math.max(greatest, Math.abs(f.fast([x], m)));
      }
      expect(greatest, name).toBeLessThanOrEqual(1);
      expect(greatest, name).toBeGreaterThan(1 - 1e-9);
    }
  }
});

test("powers of negative numbers have the sign that IEEE 754 gives them", () => {
  const pow = laneFunctions.get("pow")!;
  for (const m of everyLanes) {
    const call = (a: number, b: number) => pow.fast([a, b], m);
    expect([call(-2, 2), call(-2, 3), call(-2, 0.5), call(-1, 2 ** 60)]).toEqual([4, -8, NaN, 1]);
    expect([call(-0, 3), call(-0, 2), call(-0, 0.5), call(-0, -1), call(0, -0.5)]).toEqual([
      -0,
      0,
      0,
      -inf,
      inf,
    ]);
    expect([call(-0, 0), call(1, 1e9), call(-5, -0)]).toEqual([1, 1, 1]);
    expect(pow.covers?.([1, inf], m)).toBe(false);
    expect([pow.scalar(1, NaN), pow.scalar(-1, inf), pow.scalar(2, 3)]).toEqual([1, 1, 8]);
  }
});

test("covers ends where it says", () => {
  const ends = {
    sin: { float32: [[6400], [6401]], float64: [[-400_000], [400_001]] },
    tan: { float32: [[-6400], [-6401]], float64: [[0], [inf]] },
    pow: {
      float32: [
        [2 ** -126, 2 ** 63],
        [2 ** -127, 1],
      ],
      float64: [
        [-1e300, 5],
        [inf, 1],
      ],
    },
    hypot: {
      float32: [
        [2 ** -50, 0],
        [2 ** -51, 0],
      ],
      float64: [
        [0, 0],
        [0, 2 ** 512],
      ],
    },
    atan2: {
      float32: [
        [0, -0],
        [inf, 1],
      ],
      float64: [
        [1e300, 1e-300],
        [1, NaN],
      ],
    },
    mod: {
      float32: [
        [2 ** 11, 1],
        [2 ** 12, 1],
      ],
      float64: [
        [-(2 ** 25), -1],
        [1, 0],
      ],
    },
  } as const;
  for (const dtype of dtypes) {
    const m = numberLanes(dtype, false);
    for (const [name, points] of Object.entries(ends)) {
      const [within, beyond] = points[dtype];
      expect(laneFunctions.get(name)!.covers!([...within], m), `${name}(${within})`).toBe(true);
      expect(laneFunctions.get(name)!.covers!([...beyond], m), `${name}(${beyond})`).toBe(false);
    }
  }
});
