import { grad, random, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { threefry } from "../src/random.ts";

function bits(counter: [number, number], words: [number, number]): number[] {
  const [low, high] = [new Uint32Array(1), new Uint32Array(1)];
  threefry({ words }, ...counter, low, high);
  return [low[0] as number, high[0] as number];
}

// Random123 1.14, examples/kat_vectors, threefry2x32 with 20 rounds.
test("threefry gives the published known answers", () => {
  expect(bits([0, 0], [0, 0])).toEqual([0x6b200159, 0x99ba4efe]);
  expect(bits([0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff])).toEqual([0x1cb996fc, 0xbb002be7]);
  expect(bits([0x243f6a88, 0x85a308d3], [0x13198a2e, 0x03707344])).toEqual([0xc4923a9c, 0x483df7a0]);
});

test("an element is what its own counter gives, wherever blocks of counters end", () => {
  const { words } = random.key(11);
  const known = words as [number, number];
  for (const n of [0, 1, 1023, 1024, 1025, 3001]) {
    const wanted = Array.from({ length: n }, (_, i) => (bits([i, 0], known)[0] as number) | 0);
    expect(Array.from(random.bits(random.key(11), [n]).data)).toEqual(wanted);
    const unit = (i: number) => {
      const [low, high] = bits([i, 0], known) as [number, number];
      return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
    };
    const normal = Array.from({ length: n }, (_, i) => {
      const even = i - (i % 2);
      const angle = 2 * Math.PI * unit(even + 1);
      return Math.sqrt(-2 * Math.log(1 - unit(even))) * (i === even ? Math.cos(angle) : Math.sin(angle));
    });
    expect(Array.from(random.normal(random.key(11), [n], { dtype: "float64" }).data)).toEqual(normal);
  }
});

describe("keys", () => {
  test("the same seed gives the same numbers, another seed others", () => {
    const draw = (seed: number) => random.uniform(random.key(seed), [4]).toArray();
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(2 ** 40)).not.toEqual(draw(0));
  });

  test("split and fold give keys of their own, apart from the numbers drawn", () => {
    const from = random.key(1);
    const keys = [from, ...random.split(from, 100), random.fold(from, 2 ** 40)];
    const names = new Set(keys.map((k) => k.words.join()));
    expect(names.size).toBe(102);
    const drawn = random.uniform(from, [100], { dtype: "float64" }).data;
    const again = random.uniform(random.fold(from, 0), [100], { dtype: "float64" }).data;
    expect(drawn).not.toEqual(again);
  });

  test("a Generator gives a new key each time and goes on from a count", () => {
    const a = new random.Generator(3);
    const first = [a.next(), a.next(), a.next()];
    const b = new random.Generator(3);
    b.count = 2;
    expect(b.next()).toEqual(first[2]);
    expect(new Set(first.map((k) => k.words.join())).size).toBe(3);
  });

  test("drawing without a key says so", () => {
    const message =
      "random: the first argument must be a key, got an array of 2. Make one with random.key(seed).";
    for (const draw of [random.normal, random.uniform, random.bits, random.split, random.gumbel]) {
      expect(() => draw([2, 3] as never)).toThrow(message);
    }
  });

  test("key refuses what is not a seed", () => {
    expect(() => random.key(-1)).toThrow("random.key: seed must be a whole number in [0, 2^53), got -1.");
    expect(() => random.key(0.5)).toThrow("random.key: seed must be a whole number in [0, 2^53), got 0.5.");
  });
});

/** Mean, variance, skewness and excess kurtosis. */
function moments(xs: ArrayLike<number>): number[] {
  const n = xs.length;
  const all = Array.from(xs);
  const mean = all.reduce((a, b) => a + b, 0) / n;
  const central = (p: number) => all.reduce((a, b) => a + (b - mean) ** p, 0) / n;
  const variance = central(2);
  return [mean, variance, central(3) / variance ** 1.5, central(4) / variance ** 2 - 3];
}

describe("uniform", () => {
  test("has the moments of its distribution and stays in [low, high)", () => {
    for (const dtype of ["float32", "float64"] as const) {
      const x = random.uniform(random.key(5), [200_000], { low: -1, high: 3, dtype }).data;
      const [mean, variance, skew] = moments(x) as [number, number, number];
      // Five standard errors: σ/√n of the mean, and as much for the others.
      expect(Math.abs(mean - 1)).toBeLessThan(5 * Math.sqrt(16 / 12 / 200_000));
      expect(Math.abs(variance - 16 / 12)).toBeLessThan(0.02);
      expect(Math.abs(skew)).toBeLessThan(0.02);
      expect(x.every((u) => u >= -1 && u < 3)).toBe(true);
    }
  });

  test("never rounds up to high", () => {
    let largest = 0;
    for (let seed = 0; seed < 2; seed++) {
      const { data } = random.uniform(random.key(seed), [4_000_000], { low: 1, high: 2 });
      for (const u of data) largest = Math.max(largest, u);
    }
    expect(largest).toBeLessThan(2);
  });

  test("fills each of 64 cells evenly (χ²)", () => {
    const counts = new Array<number>(64).fill(0);
    for (const u of random.uniform(random.key(9), [64_000]).data) counts[Math.floor(u * 64)]!++;
    const chi2 = counts.reduce((sum, c) => sum + (c - 1000) ** 2 / 1000, 0);
    // The 0.1% quantiles of χ² with 63 degrees of freedom.
    expect(chi2).toBeGreaterThan(32);
    expect(chi2).toBeLessThan(104);
  });

  test("refuses integers", () => {
    expect(() => random.uniform(random.key(0), [2], { dtype: "int32" })).toThrow(
      "random.uniform: dtype must be float32 or float64, got int32.",
    );
  });
});

describe("normal", () => {
  test("has the moments of its distribution, for odd sizes too", () => {
    const [mean, variance, skew, kurtosis] = moments(
      random.normal(random.key(6), [200_001], { mean: 2, std: 3, dtype: "float64" }).data,
    ) as [number, number, number, number];
    expect(Math.abs(mean - 2)).toBeLessThan(0.034);
    expect(Math.abs(variance - 9)).toBeLessThan(0.15);
    expect(Math.abs(skew)).toBeLessThan(0.03);
    expect(Math.abs(kurtosis)).toBeLessThan(0.06);
  });

  test("neighbours are uncorrelated", () => {
    const x = random.normal(random.key(11), [100_000], { dtype: "float64" }).data;
    let sum = 0;
    for (let i = 1; i < x.length; i++) sum += (x[i] as number) * (x[i - 1] as number);
    expect(Math.abs(sum / x.length)).toBeLessThan(5 / Math.sqrt(100_000));
  });
});

describe("permutation", () => {
  test("holds each number once", () => {
    for (const n of [0, 1, 2, 17, 1000]) {
      const order = Array.from(random.permutation(random.key(4), n).data).sort((a, b) => a - b);
      expect(order).toEqual(Array.from({ length: n }, (_, i) => i));
    }
  });

  test("makes each of the six orders of three equally often", () => {
    const counts = new Map<string, number>();
    const base = random.key(8);
    for (let i = 0; i < 6000; i++) {
      const order = random.permutation(random.fold(base, i), 3).data.join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});

describe("bernoulli, categorical and gumbel", () => {
  test("have their probabilities", () => {
    const heads = random.bernoulli(random.key(1), 0.3, [100_000]).mean().item();
    expect(Math.abs(heads - 0.3)).toBeLessThan(5 * Math.sqrt(0.21 / 100_000));
    const each = random.bernoulli(random.key(1), [0, 1, 0.5], [1000, 3]).sum(0).toArray() as number[];
    expect(each.slice(0, 2)).toEqual([0, 1000]);
    const p = [0.1, 0.6, 0.3];
    const logits = value(p).log().broadcastTo([60_000, 3]);
    const counts = [0, 0, 0];
    for (const i of random.categorical(random.key(2), logits).data) counts[i]!++;
    const chi2 = counts.reduce((sum, c, i) => sum + (c - 60_000 * p[i]!) ** 2 / (60_000 * p[i]!), 0);
    // The 0.1% quantile of χ² with 2 degrees of freedom.
    expect(chi2).toBeLessThan(13.8);
    const [mean, variance] = moments(random.gumbel(random.key(3), [200_000], { dtype: "float64" }).data);
    // Euler's constant and π²/6.
    expect(Math.abs(mean! - 0.5772156649)).toBeLessThan(0.015);
    expect(Math.abs(variance! - Math.PI ** 2 / 6)).toBeLessThan(0.03);
  });

  test("categorical never picks what has no probability", () => {
    const picks = random.categorical(
      random.key(4),
      value([
        [-Infinity, 0],
        [0, -Infinity],
      ]).broadcastTo([500, 2, 2]),
    );
    expect([picks.shape, picks.slice(null, 0).min().item(), picks.slice(null, 1).max().item()]).toEqual([
      [500, 2],
      1,
      0,
    ]);
  });
});

test("bits uses all 32 of them", () => {
  const words = Array.from(random.bits(random.key(5), [1000]).data);
  expect([words.reduce((a, b) => a | b, 0), words.reduce((a, b) => a & b, -1)]).toEqual([-1, 0]);
});

test("truncatedNormal stays between its bounds with the moments of its distribution", () => {
  const x = random.truncatedNormal(random.key(6), [200_000], { low: -1, high: 2, dtype: "float64" });
  expect([x.min().item() >= -1, x.max().item() <= 2]).toEqual([true, true]);
  // Mean (φ(−1) − φ(2))/(Φ(2) − Φ(−1)) of the truncated standard normal.
  const phi = (z: number) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  expect(
    Math.abs(x.mean().item() - (phi(-1) - phi(2)) / (0.9772498680518208 - 0.15865525393145707)),
  ).toBeLessThan(0.01);
  expect(() => random.truncatedNormal(random.key(0), [], { low: 1, high: 1 })).toThrow(
    "random.truncatedNormal: low must be below high, got 1 and 1.",
  );
});

test("dropout keeps the mean, and its gradient is its mask", () => {
  const x = value(new Float64Array(100_000).fill(2));
  const y = random.dropout(random.key(7), x, 0.25);
  expect(Math.abs(y.mean().item() - 2)).toBeLessThan(0.02);
  const g = grad((x: Value) => random.dropout(random.key(7), x, 0.25).sum())(x);
  expect(g.mul(2).toArray()).toEqual(y.toArray());
  expect(() => random.dropout(random.key(7), x, 1)).toThrow("random.dropout: rate must be in [0, 1), got 1.");
});

test("draws are differentiable by parameters that are values", () => {
  const z = random.normal(random.key(8), [5], { dtype: "float64" });
  const f = (mean: Value, std: Value) =>
    random.normal(random.key(8), [5], { mean, std, dtype: "float64" }).sum();
  const [dMean, dStd] = grad(f, { argnums: [0, 1] })(2, 3);
  expect([dMean.item(), dStd.item()]).toEqual([5, z.sum().item()]);
  const u = random.uniform(random.key(9), [5], { dtype: "float64" });
  const g = (high: Value) => random.uniform(random.key(9), [5], { low: 1, high, dtype: "float64" }).sum();
  expect(grad(g)(4).item()).toBeCloseTo(u.sum().item(), 14);
  const t = (mean: Value) => random.truncatedNormal(random.key(9), [3], { mean, dtype: "float64" }).sum();
  expect(grad(t)(1).item()).toBe(3);
  expect(random.normal(random.key(8), [2], { mean: value(Float32Array.of(1, 2)) }).dtype).toBe("float32");
});
