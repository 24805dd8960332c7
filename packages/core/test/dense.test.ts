import {
  cholesky,
  det,
  eig,
  eigh,
  inverse,
  lu,
  matmul,
  qr,
  solve,
  svd,
  triangularSolve,
  value,
} from "@adjoint/core";
import { type DenseRoutines, useDense } from "@adjoint/core/operations";
import { afterEach, expect, test } from "vitest";

afterEach(() => {
  useDense({});
});

const A = value([
  [4, 1],
  [1, 3],
]);

test("useDense gives back what stood in before", () => {
  const first: DenseRoutines = { product: () => false };
  expect(useDense(first)).toEqual({});
  expect(useDense({})).toBe(first);
});

test("useDense asks routines first, and goes on where they decline", () => {
  const asked = new Set<string>();
  const decline = (name: string) => () => {
    asked.add(name);
    return null;
  };
  const all = () => [
    ...[matmul(A, A), cholesky(A), lu(A).l, lu(A).u, triangularSolve(A, [1, 2]), solve(A, [1, 2])],
    ...[inverse(A), det(A), qr(A).q, qr(A).r, eigh(A).eigenvectors, eig(A).eigenvectors, svd(A).u, svd(A).vh],
  ];
  const own = all().map((y) => y.toArray());
  const names = ["cholesky", "lu", "triangular", "qr", "symmetricEigen", "realEigen", "singularValues"];
  useDense({
    ...Object.fromEntries(names.map((name) => [name, decline(name)])),
    product: () => {
      asked.add("product");
      return false;
    },
  });
  expect(all().map((y) => y.toArray())).toEqual(own);
  expect([...asked].sort()).toEqual([...names, "product"].sort());
});

test("useDense lets a product be written where it belongs in a batch", () => {
  useDense({
    product: (n, m, k, a, b, out, start) => {
      out.fill(
        100 * n + 10 * m + k + (a.data[a.start] as number) + (b.data[b.start] as number),
        start,
        start + n * m,
      );
      return true;
    },
  });
  const a = value([[[1, 0, 0]], [[2, 0, 0]]]);
  expect(
    matmul(
      a,
      value([
        [4, 0],
        [0, 0],
        [0, 0],
      ]),
    ).toArray(),
  ).toEqual([[[128, 128]], [[129, 129]]]);
});

test("useDense takes factors as they are, and what is made of them", () => {
  useDense({
    cholesky: (a) => a.fill(7),
    lu: (a) => {
      a.set([2, 0, 0, 5]);
      return { order: [1, 0], sign: -1 };
    },
    triangular: (_, b) => {
      b.forEach((x, i) => {
        b[i] = x + 1;
      });
      return b;
    },
    qr: () => Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  });
  expect(cholesky(A).toArray()).toEqual([
    [7, 7],
    [7, 7],
  ]);
  expect(det(A).item()).toBe(-10);
  expect(lu(A).permutation.toArray()).toEqual([1, 0]);
  // Rows in order, then both triangles.
  expect(solve(A, [10, 20]).toArray()).toEqual([22, 12]);
  expect(qr(A).r.toArray()).toEqual([
    [5, 6],
    [7, 8],
  ]);
});

test("useDense takes eigenvalues in any order and vectors of any sign", () => {
  const pairs = () => ({ values: Float64Array.of(5, 2), vectors: Float64Array.of(-0.8, 0.6, 0.6, 0.8) });
  useDense({
    symmetricEigen: pairs,
    realEigen: pairs,
    singularValues: () => Float64Array.of(0, 1, 1, 0, 5, 2, -0.8, 0.6, 0.6, 0.8),
  });
  for (const f of [eigh, eig]) {
    const { eigenvalues, eigenvectors } = f(A);
    expect(eigenvalues.toArray()).toEqual([2, 5]);
    expect(eigenvectors.toArray()).toEqual([
      [0.6, 0.8],
      [0.8, -0.6],
    ]);
  }
  const { u, s, vh } = svd(A);
  expect(s.toArray()).toEqual([5, 2]);
  expect(vh.toArray()).toEqual([
    [0.8, -0.6],
    [0.6, 0.8],
  ]);
  expect(u.toArray()).toEqual([
    [-0, 1],
    [-1, 0],
  ]);
});
