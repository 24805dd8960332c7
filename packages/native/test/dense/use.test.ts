import { compile } from "@adjoint/compiler";
import { cholesky, det, matmul, random, type Value } from "@adjoint/core";
import { useDense } from "@adjoint/core/operations";
import { afterEach, describe, expect, test } from "vitest";
import { cTarget, LibraryError, useBlas } from "../../src/index.ts";
import { findLibrary } from "../../src/system/blas.ts";
import { library } from "./library.ts";

afterEach(() => {
  useDense({});
});

const draw = (seed: number, ...shape: number[]): Value => random.normal(random.key(seed), shape);

describe("useBlas", () => {
  test("says so where there is no library, and changes nothing", () => {
    const routines = { product: () => false };
    useDense(routines);
    expect(() => useBlas({ library: "/nowhere/libblas.so" })).toThrow(LibraryError);
    expect(() => useBlas({ library: "/nowhere/libblas.so" })).toThrow(
      "useBlas: a BLAS library must be there, got none of /nowhere/libblas.so. Install one, for example OpenBLAS, or name another's path as library.",
    );
    expect(useDense({})).toBe(routines);
  });

  test("refuses numbers of threads that are none, and options it does not know", () => {
    for (const threads of [0, -1, 1.5, Number.NaN])
      expect(() => useBlas({ threads })).toThrow(
        `useBlas: threads must be a whole number ≥ 1, got ${threads}.`,
      );
    expect(() => useBlas({ thread: 1 } as never)).toThrow(
      "useBlas: options must be among library, threads, got thread. Did you mean threads?",
    );
  });
});

describe.skipIf(library === null)("useBlas with a library", () => {
  test("says what it uses, and uses it for what is large enough", () => {
    const found = useBlas({ threads: 1 });
    expect(found).toEqual({
      path: library?.path,
      description: library?.description,
      threads: 1,
      routines: expect.arrayContaining(["product", "triangular"]),
    });
    const routines = useDense({});
    const [a, b] = [draw(1, 40, 50), draw(2, 50, 30)];
    const own = matmul(a, b);
    const calls: [number, boolean][] = [];
    useDense({
      product: (...args) => {
        const done = routines.product?.(...args) ?? false;
        calls.push([args[0] * args[1] * args[2], done]);
        return done;
      },
    });
    const theirs = matmul(a, b);
    theirs.data.forEach((x, i) => {
      expect(x).toBeCloseTo(own.data[i] as number, 4);
    });
    matmul(draw(3, 4, 4), draw(4, 4, 4));
    expect(calls).toEqual([
      [60_000, true],
      [64, false],
    ]);
  });

  test("takes as many threads as the library does, and gives the same numbers on every run", () => {
    expect(useBlas().threads).toBe(library?.ownThreads);
    const a = draw(1, 340, 340);
    for (const f of [
      (x: Value) => matmul(x, x),
      det,
      (x: Value) => cholesky(matmul(x, x, { transposeB: true })),
    ])
      for (let i = 0; i < 3; i++) expect(f(a).data).toEqual(f(a).data);
  });

  test("leaves the threads of programs in C as they were", () => {
    useBlas({ threads: 2 });
    const a = draw(1, 400, 400);
    compile((x: Value) => matmul(x, x), { target: cTarget({ threads: 1 }) })(a);
    const before = findLibrary(library?.path ?? null)?.useThreads(null);
    matmul(a, a);
    expect(findLibrary(library?.path ?? null)?.useThreads(null)).toBe(before);
  });

  test("has room for what threads share in large eliminations", () => {
    useBlas({ threads: 2 });
    for (const n of [330, 512, 600]) {
      const [a, x] = [draw(n, n, n), draw(1, n, 1)];
      const y = a.cast("float64").solve(a.cast("float64").matmul(x));
      y.data.forEach((e, i) => {
        expect(e).toBeCloseTo(x.data[i] as number, 5);
      });
    }
  });
});
