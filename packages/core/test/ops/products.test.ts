import { matmul, random, transpose, value } from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { gemm, small } from "../../src/gemm.ts";
import { plainWorkspace, type Workspace, wasmWorkspace, workspaceOf } from "../../src/tiles.ts";

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
    const expected = matmul(transpose(a), transpose(b));
    matmul(a, b, { transposeA: true, transposeB: true }).data.forEach((x, i) => {
      expect(x).toBeCloseTo(expected.data[i] as number, 14);
    });
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
    fc.integer({ min: 185, max: 200 }),
    fc.integer({ min: 250, max: 270 }),
    fc.integer({ min: 380, max: 400 }),
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

test("tiles in WebAssembly give the numbers of those in JavaScript, to the last bit", () => {
  const random53 = random.uniform(random.key(3), [4096], { low: -1, dtype: "float64" }).data;
  for (const [rows, columns, depth] of [
    [1, 1, 1],
    [2, 3, 7],
    [5, 2, 20],
  ] as const) {
    const results = [wasmWorkspace(40_000), plainWorkspace(40_000)].map((workspace) => {
      const { floats, tiles } = workspace as Workspace;
      floats.set(random53);
      floats[3] = Number.NEGATIVE_INFINITY;
      const [right, sums, width] = [4 * rows * depth, 4 * (rows + columns) * depth, 4 * columns];
      tiles(0, 8 * right, 8 * sums, rows, columns, 32 * depth, 8 * width);
      return floats.slice(0, 4096);
    });
    expect(results[0]).toEqual(results[1]);
    expect(results[0]).not.toEqual(random53);
  }
});

test("without WebAssembly products are JavaScript's", () => {
  vi.stubGlobal("WebAssembly", undefined);
  try {
    expect(wasmWorkspace(8)).toBeNull();
    expect(workspaceOf(8).floats).toHaveLength(1);
  } finally {
    vi.unstubAllGlobals();
  }
});
