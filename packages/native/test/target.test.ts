import { compile, explain } from "@adjoint/compiler";
import { add, grad, lt, matmul, mul, random, sort, sum, type Value, value, whileLoop } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { distance } from "../../compiler/test/agreement.ts";
import { c, cTarget, MemoryError } from "../src/index.ts";

const draw = (seed: number, shape: number[], dtype: "float32" | "float64") =>
  random.uniform(random.key(seed), shape, { low: -1, high: 1, dtype });

/** The derivative of n doublings and halvings, whose reverse keeps each of them. */
const doublings = (n: number) => (x: Value) =>
  grad((x: Value) =>
    sum(
      whileLoop(
        (s) => lt(s.k, n),
        (s) => ({ y: mul(s.y, mul(s.y, 1e-3)), k: add(s.k, 1) }),
        { y: x, k: value(0) },
      ).y,
    ),
  )(x);

describe("programs in C", () => {
  test("say so where a loop needs more memory than it may take, and go on", () => {
    const limited = compile(doublings(10_000), { target: cTarget({ stackLimit: 1_000_000 }) });
    const x = value(new Float64Array(100).fill(0.5));
    for (let i = 0; i < 3; i++) {
      expect(() => limited(x)).toThrow(MemoryError);
    }
    expect(() => limited(x)).toThrow(
      "c: what a loop keeps for its derivative must find room. Let it take fewer steps or end sooner, or raise stackLimit of cTarget.",
    );
    const free = compile(doublings(1000), { target: cTarget({ stackLimit: 1_000_000 }) });
    // What a call has taken is given back, so that many calls need no more than one.
    for (let i = 0; i < 20; i++) expect(free(x).shape).toEqual([100]);
  });

  test("say so where their own memory cannot be had", () => {
    const f = compile((x: Value) => sum(add(x.reshape([-1, 1]), x.reshape([1, -1])).sin(), 0).cos(), {
      target: c,
    });
    const g = compile((x: Value) => sort(add(x.reshape([-1, 1]), x.reshape([1, -1])), 0), { target: c });
    expect(f(value([1, 2])).shape).toEqual([2]);
    expect(() => g(value(new Float64Array(3_000_000)))).toThrow(MemoryError);
  });

  test("leave to core what C cannot do, and go on after it", () => {
    const f = (x: Value) => sum(mul(sort(mul(x, 2)), x));
    const compiled = compile(f, { target: c });
    const x = draw(1, [9], "float64");
    expect(compiled(x).item()).toBeCloseTo(f(x).item(), 12);
    expect(explain(compiled as never)).toContain("evaluations by core");
  });

  test("may be disposed, and compiled again", () => {
    const f = compile((x: Value) => x.mul(2), { target: c });
    expect(f(value([1, 2])).toArray()).toEqual([2, 4]);
    f.dispose();
    expect(f(value([1, 3])).toArray()).toEqual([2, 6]);
  });
});

describe.each(["float32", "float64"] as const)("products in %s", (dtype) => {
  const bound = dtype === "float32" ? 1e-5 : 1e-13;
  const shapes = [
    ...[1, 2, 3, 5, 8, 13, 31, 64, 100].flatMap((n) => [
      [n, 7, 33],
      [n, 40, 1],
      [n, 1, 17],
      [n, 300, 16],
    ]),
    ...[
      [1, 500, 600],
      [70, 600, 530],
      [257, 200, 129],
      [3, 5, 0],
      [4, 0, 5],
    ],
  ] as [number, number, number][];

  // A library that is not there is the same as none.
  test.each([
    ["our own", false],
    ["a library's, where there is one", true],
    ["our own where the library is missing", "/nowhere/libblas.so"],
  ] as const)("%s are those of core, in all layouts and shapes", (_, blas) => {
    const all = blas === true ? [...shapes, [650, 640, 650] as const] : shapes;
    for (const [transposeA, transposeB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]) {
      const operands = all.map(([n, k, m], i) => [
        draw(2 * i, transposeA ? [k, n] : [n, k], dtype),
        draw(2 * i + 1, transposeB ? [m, k] : [k, m], dtype),
      ]);
      const f = (...xs: Value[]): Value[] =>
        operands.map((_, i) =>
          matmul(xs[2 * i] as Value, xs[2 * i + 1] as Value, {
            transposeA: transposeA === true,
            transposeB: transposeB === true,
          }),
        );
      const found = compile(f, { target: cTarget({ blas, threads: 1 }) })(...operands.flat());
      for (const [i, y] of f(...operands.flat()).entries()) {
        expect(distance((found[i] as Value).data, y.data, 1), `${all[i]}`).toBeLessThan(bound);
      }
    }
  });

  test("of batches, with operands that are shared, are those of core", () => {
    const [a, b] = [draw(5, [3, 1, 9, 20], dtype), draw(6, [4, 20, 35], dtype)];
    const compiled = compile((a: Value, b: Value) => matmul(a, b), { target: c });
    expect(distance(compiled(a, b).data, matmul(a, b).data, 1)).toBeLessThan(bound);
  });
});
