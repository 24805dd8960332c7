import { matmul, random, transpose, value } from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gemm, small } from "../../src/gemm.ts";

describe("matmul", () => {
  test("follows NumPy for vectors, matrices and batches", () => {
    expect(matmul([1, 2, 3], [4, 5, 6]).item()).toBe(32);
    expect(
      matmul(
        [
          [1, 2],
          [3, 4],
        ],
        [5, 6],
      ).toArray(),
    ).toEqual([17, 39]);
    expect(
      matmul(
        [5, 6],
        [
          [1, 2],
          [3, 4],
        ],
      ).toArray(),
    ).toEqual([23, 34]);
    expect(matmul(value([[[1]], [[2]]]), [[3, 4]]).toArray()).toEqual([[[3, 4]], [[6, 8]]]);
    expect(matmul(value([], { shape: [2, 0] }), value([], { shape: [0, 3] })).toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  test("of transposed operands equals the product of transposes", () => {
    const a = random.normal(random.key(1), [3, 5], { dtype: "float64" });
    const b = random.normal(random.key(2), [4, 3], { dtype: "float64" });
    expect(matmul(a, b, { transposeA: true, transposeB: true }).toArray()).toEqual(
      matmul(transpose(a), transpose(b)).toArray(),
    );
  });

  test("refuses sizes that do not match and scalars", () => {
    expect(() =>
      matmul(
        value([[1, 2, 3]]),
        value([
          [1, 2],
          [3, 4],
        ]),
      ),
    ).toThrow(
      "matmul: inner sizes must match, got 3 and 2 (a [1, 3], b [2, 2]). Transpose or reshape one operand.",
    );
    expect(() => matmul(2, [1])).toThrow(
      "matmul: operands must be vectors or matrices, got a scalar a. Use mul for products with a scalar.",
    );
  });

  test("carries NaN and infinities by IEEE 754", () => {
    expect(matmul([[Infinity, 0]], [[0], [1]]).toArray()).toEqual([[Number.NaN]]);
  });
});

test("the blocked product equals the definition for all sizes, strides and starts", () => {
  const size = fc.oneof(
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 90, max: 110 }),
    fc.integer({ min: 250, max: 270 }),
  );
  fc.assert(
    fc.property(size, size, size, fc.boolean(), fc.boolean(), fc.nat(5), (n, m, k, ta, tb, start) => {
      const draw = (seed: number, count: number) =>
        random.uniform(random.key(seed), [count + start], { low: -1, dtype: "float64" }).data;
      const a = { data: draw(1, n * k), start, row: ta ? 1 : k, column: ta ? n : 1 };
      const b = { data: draw(2, k * m), start, row: tb ? 1 : m, column: tb ? k : 1 };
      const fast = new Float64Array(n * m + start);
      const slow = new Float64Array(n * m + start);
      gemm(n, m, k, a, b, fast, start);
      small(n, m, k, a, b, slow, start);
      // Sums of k products below 1 in another order differ by at most k·2^−53 each.
      const worst = fast.reduce((most, sum, i) => Math.max(most, Math.abs(sum - (slow[i] as number))), 0);
      expect(worst).toBeLessThan(k * k * 1.2e-16);
    }),
    { numRuns: 40 },
  );
});
