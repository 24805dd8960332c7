import { random } from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModuleBuilder } from "../../../src/targets/wasm/assembler.ts";
import { engine, hasRelaxedSimd } from "../../../src/targets/wasm/engine.ts";
import { planOf } from "../../../src/targets/wasm/products/plan.ts";
import { orient } from "../../../src/targets/wasm/products/shape.ts";
import {
  defineProduct,
  type Layout,
  type Product,
  productUnits,
  productWorkspace,
} from "../../../src/targets/wasm/products.ts";

type Numbers = Float32Array | Float64Array;
type Operand = "a" | "b" | "c" | "workspace";

const byRows = (columns: number): Layout => ({ row: columns, column: 1 });
const byColumns = (rows: number): Layout => ({ row: 1, column: rows });

/** Numbers from an operand's first element to its last. */
const extent = (rows: number, columns: number, { row, column }: Layout) =>
  rows * columns === 0 ? 0 : (rows - 1) * row + (columns - 1) * column + 1;

/** A product's operands in memory, in the given order, the last of them at the memory's very end. */
function prepare(product: Product, order: readonly Operand[] = ["a", "b", "c", "workspace"]) {
  const { dtype, n, m, k, a, b, c } = product;
  const Numbers = dtype === "float32" ? Float32Array : Float64Array;
  const length: Record<Operand, number> = {
    a: extent(n, k, a),
    b: extent(k, m, b),
    c: extent(n, m, byRows(c)),
    workspace: Math.ceil(productWorkspace(product) / Numbers.BYTES_PER_ELEMENT),
  };
  const module = new ModuleBuilder();
  module.importMemory("host", "memory", { minimum: 1 });
  const callee = defineProduct(module, product);
  const types = Array<"i32">(6).fill("i32");
  module.define(
    "run",
    types,
    [],
    (f, parameters) => {
      for (const parameter of parameters) f.get(parameter);
      f.call(callee);
    },
    { exported: true },
  );

  const total = order.reduce((sum, name) => sum + length[name], 0) * Numbers.BYTES_PER_ELEMENT;
  const memory = new engine.Memory({ initial: Math.max(1, Math.ceil(total / 65536)) });
  let end = memory.buffer.byteLength;
  const array = {} as Record<Operand, Numbers>;
  for (const name of [...order].reverse()) {
    end -= length[name] * Numbers.BYTES_PER_ELEMENT;
    array[name] = new Numbers(memory.buffer as ArrayBuffer, end, length[name]);
  }
  const { exports } = new engine.Instance(new engine.Module(module.toBytes()), { host: { memory } });
  const call = exports["run"] as (...args: number[]) => void;
  const addresses = (["a", "b", "c", "workspace"] as const).map((name) => array[name].byteOffset);
  const run = (from = 0, to = productUnits(product)) => call(...addresses, from, to);
  return { ...array, run };
}

/** The product by its definition, in float64; what lies between c's rows stays. */
function expected(
  { n, m, k, a, b, c, accumulate }: Product,
  x: Numbers,
  y: Numbers,
  before: Numbers,
): number[] {
  const out = Array.from(before);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let sum = accumulate ? (before[i * c + j] as number) : 0;
      for (let l = 0; l < k; l++) {
        sum += (x[i * a.row + l * a.column] as number) * (y[l * b.row + j * b.column] as number);
      }
      out[i * c + j] = sum;
    }
  }
  return out;
}

/** Small whole numbers, whose products and sums are exact in float32 too. */
function fillWhole(numbers: Numbers, seed: number): void {
  for (let i = 0; i < numbers.length; i++) numbers[i] = ((i * 7 + seed * 13 + ((i * i) % 11)) % 9) - 4;
}

function fillUniform(numbers: Numbers, seed: number): void {
  numbers.set(random.uniform(random.key(seed), [numbers.length], { low: -1, dtype: "float64" }).data);
}

const size = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 5 }) },
  { weight: 5, arbitrary: fc.integer({ min: 6, max: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 41, max: 130 }) },
);
const depth = fc.oneof(
  { weight: 5, arbitrary: size },
  { weight: 1, arbitrary: fc.integer({ min: 200, max: 700 }) },
);

/** How a matrix may lie in memory: whole, by columns, with gaps, or with one number for a whole row, column or both. */
const layouts = (rows: number, columns: number) =>
  fc.oneof(
    fc.nat(3).map((gap) => byRows(columns + gap)),
    fc.nat(3).map((gap) => byColumns(rows + gap)),
    fc.constant({ row: 2 * columns + 1, column: 2 }),
    fc.constantFrom({ row: 0, column: 1 }, { row: 1, column: 0 }, { row: 0, column: 0 }),
  );

const products: fc.Arbitrary<Product> = fc
  .record({
    dtype: fc.constantFrom("float32" as const, "float64" as const),
    n: size,
    m: size,
    k: depth,
    gap: fc.nat(3),
    accumulate: fc.boolean(),
    fused: fc.boolean(),
  })
  .chain(({ gap, fused, ...rest }) =>
    fc.record({ a: layouts(rest.n, rest.k), b: layouts(rest.k, rest.m) }).map((operands) => ({
      ...rest,
      ...operands,
      c: rest.m + gap,
      fused: fused && hasRelaxedSimd(),
    })),
  );

const plain = (n: number, k: number, m: number, more: Partial<Product> = {}): Product => ({
  dtype: "float32",
  n,
  m,
  k,
  a: byRows(k),
  b: byRows(m),
  c: m,
  accumulate: false,
  fused: false,
  ...more,
});

describe("defineProduct", () => {
  it("computes products of any sizes and layouts exactly where numbers are whole, however units are divided", () => {
    fc.assert(
      fc.property(products, fc.double({ min: 0, max: 1, noNaN: true }), (product, where) => {
        const { a, b, c, workspace, run } = prepare(product);
        [a, b, c].forEach(fillWhole);
        workspace.fill(NaN);
        const before = c.slice();
        const cut = Math.round(where * productUnits(product));
        run(cut);
        run(0, cut);
        expect(Array.from(c)).toEqual(expected(product, a, b, before));
      }),
      { numRuns: 400, seed: 1 },
    );
  });

  it("reads no number before or after its operands, and takes no more workspace than it says", () => {
    const shapes = [
      plain(7, 5, 11),
      plain(33, 70, 13, { a: byColumns(33), b: byColumns(70) }),
      plain(1, 50, 3, { b: byColumns(50) }),
      plain(5, 9, 1),
      plain(70, 500, 66, { a: byColumns(70) }),
    ];
    for (const dtype of ["float32", "float64"] as const) {
      for (const shape of shapes) {
        for (const last of ["a", "b", "c", "workspace"] as const) {
          const product = { ...shape, dtype };
          const others = (["a", "b", "c", "workspace"] as const).filter((name) => name !== last);
          const { a, b, c, run } = prepare(product, [...others, last]);
          [a, b, c].forEach(fillWhole);
          const before = [a.slice(), b.slice()] as const;
          const answer = expected(product, a, b, c);
          run();
          expect(answer.findIndex((x, i) => x !== c[i])).toBe(-1);
          expect(a.every((x, i) => x === before[0][i]) && b.every((x, i) => x === before[1][i])).toBe(true);
        }
      }
    }
  });

  it.each([
    ["b packed", plain(100, 300, 40), "outer", { a: false, b: true }],
    ["b packed from columns", plain(20, 10, 30, { b: byColumns(10) }), "outer", { a: false, b: true }],
    ["both packed", plain(70, 500, 66, { a: byColumns(70) }), "outer", { a: true, b: true }],
    ["neither packed", plain(20, 30, 40), "outer", { a: false, b: false }],
    ["dot products", plain(6, 70, 25, { b: byColumns(70) }), "dots", { a: false, b: false }],
    ["a column, taken as a row of dot products", plain(40, 30, 1), "dots", { a: false, b: false }],
  ] as const)("computes by each of its ways: %s", (_, product, method, packs) => {
    expect(planOf(orient(product).product)).toMatchObject({ method, packs });
    const { a, b, c, run } = prepare(product);
    [a, b, c].forEach(fillWhole);
    const answer = expected(product, a, b, c);
    run();
    expect(Array.from(c)).toEqual(answer);
  });

  it("rounds as blocked sums do: far less than one sum after the other", () => {
    for (const [n, k, m] of [
      [8, 4096, 16],
      [100, 4096, 40],
      [4, 4096, 4],
    ] as const) {
      for (const b of [byRows(m), byColumns(k)]) {
        const product = plain(n, k, m, { b });
        const x = prepare(product);
        fillUniform(x.a, 1);
        fillUniform(x.b, 2);
        const answer = expected(product, x.a, x.b, x.c);
        x.run();
        // Terms have variance 1/9; sums of them √k/3.
        const scale = Math.sqrt(k) / 3;
        const errors = answer.map((y, i) => Math.abs((x.c[i] as number) - y) / scale);
        expect(Math.max(...errors)).toBeLessThan(2e-6);
        expect(Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length)).toBeLessThan(4e-7);
      }
    }
  });

  it("gives the same bits however its units are divided", () => {
    for (const product of [
      plain(50, 784, 128),
      plain(784, 32, 10, { a: byColumns(784) }),
      plain(6, 576, 25, { b: byColumns(576) }),
      plain(100, 300, 70, { a: byColumns(100), dtype: "float64", accumulate: true }),
    ]) {
      const { a, b, c, run } = prepare(product);
      [a, b].forEach(fillUniform);
      fillUniform(c, 3);
      const before = c.slice();
      run();
      const whole = c.slice();
      const units = productUnits(product);
      expect(units).toBeGreaterThan(2);
      for (const parts of [2, 3, units]) {
        c.set(before);
        for (let part = parts - 1; part >= 0; part--) {
          run(Math.floor((part * units) / parts), Math.floor(((part + 1) * units) / parts));
        }
        expect(c).toEqual(whole);
      }
    }
  });

  it("carries NaN and infinities as IEEE 754 has them, to their rows and columns only", () => {
    for (const product of [plain(9, 12, 11), plain(70, 40, 30), plain(9, 40, 11, { b: byColumns(40) })]) {
      const { n, m, k } = product;
      const { a, b, c, run } = prepare(product);
      a.fill(1);
      b.fill(0);
      a[2 * k + 3] = NaN;
      a[5 * k + 1] = Infinity;
      run();
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < m; j++) expect(c[i * m + j]).toBe(i === 2 || i === 5 ? NaN : 0);
      }
    }
  });

  it("makes c zero where there are no terms, or leaves it when accumulating", () => {
    for (const accumulate of [false, true]) {
      const { c, run } = prepare(plain(3, 0, 2, { c: 4, accumulate }));
      c.fill(7);
      run();
      expect(Array.from(c)).toEqual(accumulate ? Array(10).fill(7) : [0, 0, 7, 7, 0, 0, 7, 7, 0, 0]);
    }
  });

  it("refuses strides below zero", () => {
    const product = plain(2, 2, 2, { a: { row: -2, column: 1 } });
    expect(() => defineProduct(new ModuleBuilder(), product)).toThrow(
      "defineProduct: strides must not be negative, got a [-2, 1]. Copy the operand first.",
    );
  });
});
