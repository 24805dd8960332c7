import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModuleBuilder } from "../../../../src/targets/wasm/assembler.ts";
import { engine } from "../../../../src/targets/wasm/engine.ts";
import {
  type BatchAxis,
  batchUnits,
  batchWorkspace,
  defineProducts,
  type ProductBatch,
  simplify,
} from "../../../../src/targets/wasm/products/batch.ts";
import type { Product } from "../../../../src/targets/wasm/products/shape.ts";

/** a [n, k] times b [k, m], all three row-major. */
const whole = (n: number, k: number, m: number, accumulate = false): Product => ({
  dtype: "float64",
  n,
  m,
  k,
  a: { row: k, column: 1 },
  b: { row: m, column: 1 },
  c: m,
  accumulate,
  fused: false,
});

/** Runs a batch on whole numbers, in the given ranges of units, and by its definition. */
function compare(batch: ProductBatch, cuts: (units: number) => number[]): void {
  const { product, axes } = batch;
  const { n, m, k } = product;
  const extent = (own: number, of: "a" | "b" | "c") =>
    axes.reduce((sum, axis) => sum + Math.max(0, axis.extent - 1) * axis[of], own);
  const sizes = { a: extent(n * k, "a"), b: extent(k * m, "b"), c: extent(n * m, "c") };
  const module = new ModuleBuilder();
  module.importMemory("host", "memory", { minimum: 1 });
  const callee = defineProducts(module, batch);
  module.define(
    "run",
    Array<"i32">(6).fill("i32"),
    [],
    (f, parameters) => {
      for (const parameter of parameters) f.get(parameter);
      f.call(callee);
    },
    { exported: true },
  );
  const at = { a: 64, b: 64 + 8 * sizes.a, c: 64 + 8 * (sizes.a + sizes.b) };
  const end = at.c + 8 * sizes.c;
  const memory = new engine.Memory({ initial: Math.ceil((end + batchWorkspace(batch)) / 65536) });
  const view = (of: "a" | "b" | "c") => new Float64Array(memory.buffer as ArrayBuffer, at[of], sizes[of]);
  const [a, b, c] = [view("a"), view("b"), view("c")];
  for (const [seed, x] of [a, b, c].entries()) x.set(x.map((_, i) => ((i * i + 5 * i + seed) % 9) - 4));

  const answer = Array.from(c);
  const visit = (depth: number, x: number, y: number, z: number): void => {
    const axis = axes[depth];
    if (axis !== undefined) {
      for (let i = 0; i < axis.extent; i++) visit(depth + 1, x + i * axis.a, y + i * axis.b, z + i * axis.c);
      return;
    }
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < m; j++) {
        let sum = product.accumulate ? (answer[z + i * m + j] as number) : 0;
        for (let l = 0; l < k; l++) sum += (a[x + i * k + l] as number) * (b[y + l * m + j] as number);
        answer[z + i * m + j] = sum;
      }
    }
  };
  visit(0, 0, 0, 0);

  const { exports } = new engine.Instance(new engine.Module(module.toBytes()), { host: { memory } });
  const run = exports["run"] as (...args: number[]) => void;
  const units = batchUnits(batch);
  const ends = [0, ...cuts(units), units];
  for (let i = 1; i < ends.length; i++) run(at.a, at.b, at.c, end, ends[i - 1] as number, ends[i] as number);
  expect(Array.from(c)).toEqual(answer);
}

describe("defineProducts", () => {
  it("computes every place of a batch, whatever operands stay along which axes, however units are divided", () => {
    const size = fc.integer({ min: 1, max: 9 });
    const stays = fc.record({ extent: fc.integer({ min: 0, max: 4 }), a: fc.boolean(), b: fc.boolean() });
    fc.assert(
      fc.property(
        size,
        size,
        size,
        fc.array(stays, { maxLength: 3 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, k, m, kinds, where) => {
          let [a, b, c] = [n * k, k * m, n * m];
          const axes: BatchAxis[] = [];
          for (const kind of [...kinds].reverse()) {
            axes.unshift({ extent: kind.extent, a: kind.a ? 0 : a, b: kind.b ? 0 : b, c });
            if (!kind.a) a *= Math.max(1, kind.extent);
            if (!kind.b) b *= Math.max(1, kind.extent);
            c *= Math.max(1, kind.extent);
          }
          compare({ product: whole(n, k, m), axes }, (units) => [Math.round(where * units)]);
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });

  it("adds up places that have the same c", () => {
    const axes = [{ extent: 5, a: 12, b: 20, c: 0 }];
    compare({ product: whole(3, 4, 5, true), axes }, () => []);
    compare({ product: whole(30, 4, 5, true), axes: [{ extent: 5, a: 120, b: 20, c: 0 }] }, (units) => [
      units >> 1,
    ]);
  });
});

describe("simplify", () => {
  it("makes rows of an axis along which b stays", () => {
    const axes = [
      { extent: 2, a: 60, b: 0, c: 75 },
      { extent: 5, a: 12, b: 0, c: 15 },
    ];
    expect(simplify({ product: whole(3, 4, 5), axes })).toEqual({ product: whole(30, 4, 5), axes: [] });
  });

  it("makes terms of an axis along which c stays", () => {
    const product = { ...whole(3, 4, 5, true), a: { row: 1, column: 3 } };
    const axes = [{ extent: 7, a: 12, b: 20, c: 0 }];
    expect(simplify({ product, axes })).toEqual({ product: { ...product, k: 28 }, axes: [] });
  });

  it("makes one axis of two that step as one", () => {
    const axes = [
      { extent: 2, a: 36, b: 60, c: 45 },
      { extent: 3, a: 12, b: 20, c: 15 },
      { extent: 1, a: 1, b: 2, c: 3 },
    ];
    const one = { extent: 6, a: 12, b: 20, c: 15 };
    expect(simplify({ product: whole(3, 4, 5), axes })).toEqual({ product: whole(3, 4, 5), axes: [one] });
  });
});
