import { cbrt, cholesky, grad, jvp, lu, matmul, qr, transpose, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { expectClose, SYMMETRIC, sized, TALL } from "./matrices.ts";

describe("cholesky", () => {
  test("gives NumPy's factor", () => {
    expectClose(cholesky(SYMMETRIC), [
      [2.0615528128088303, 0, 0, 0],
      [-0.9943960626489651, 1.923844190829454, 0, 0],
      [0.6548461875980991, 0.07338248661777949, 1.547834448914362, 0],
      [0.18432707502761306, 1.2024331953044989, 0.35601777707581, 1.372380881041257],
    ]);
  });

  test("is NaN where the matrix is not positive definite, and only there", () => {
    const y = cholesky([
      [
        [1, 2],
        [2, 1],
      ],
      [
        [4, 0],
        [0, 9],
      ],
    ]);
    expect(y.toArray()).toEqual([
      [
        [1, 0],
        [2, Number.NaN],
      ],
      [
        [2, 0],
        [0, 3],
      ],
    ]);
    expect(cholesky(value([], { shape: [0, 0] })).shape).toEqual([0, 0]);
  });
});

describe("qr", () => {
  test("gives NumPy's factors, signs included", () => {
    const { q, r } = qr(TALL);
    expectClose(q, [
      [-0.020268012637113086, 0.6249511247303341, -0.07416474764868299],
      [-0.9282749787797784, 0.22897773442503494, 0.22573134048024154],
      [-0.29996658702927337, -0.23355686308374327, -0.9203099399032976],
      [0.2188945364808211, 0.7088416470145856, -0.31076448742800217],
    ]);
    expectClose(r, [
      [2.4669414261388534, -1.7171871026667676, 0.7486598507896824],
      [0, -2.375872146062349, -0.43486727253940183],
      [0, 0, 1.6592163460771814],
    ]);
    expectClose(qr(transpose(TALL)).r, [
      [1.5076803374721048, -0.8196697730183569, -0.5558207394314477, 2.1427619102711635],
      [0, -2.4189132814551324, -1.2631748992809053, 0.5647341067778553],
      [0, 0, -1.5844407465868056, -0.24585927790687914],
    ]);
  });

  test("reconstructs batches and matrices of dependent columns", () => {
    const a = sized(3, 2, 7, 4);
    const { q, r } = qr(a);
    expectClose(matmul(q, r), a);
    const dependent = value([
      [1, 2],
      [1, 2],
      [0, 0],
    ]);
    const parts = qr(dependent);
    expectClose(matmul(parts.q, parts.r), dependent);
    expectClose(matmul(parts.q, parts.q, { transposeA: true }), [
      [1, 0],
      [0, 1],
    ]);
    expect(qr([[-2]]).r.toArray()).toEqual([[-2]]);
  });
});

test("nothing flows back to the zeros beside the triangles, however steep what follows is there", () => {
  const along = sized(4, 4, 4);
  const factors = [cholesky, (x: Value) => qr(x).r, (x: Value) => lu(x).l, (x: Value) => lu(x).u];
  for (const factor of factors) {
    // The cube root has an infinite slope at 0.
    const f = (x: Value) => cbrt(factor(x)).sum();
    const [, forward] = jvp(f, [SYMMETRIC], [along]);
    expect(grad(f)(SYMMETRIC).mul(along).sum().item()).toBeCloseTo(forward.item(), 12);
  }
});
