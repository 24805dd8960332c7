/** Operations where their own samples do not lie: on other pieces, in batches over several axes, with other options. */

import * as core from "@adjoint/core";
import { type Definition, define, type Interval } from "@adjoint/core/operations";
import { expect, test } from "vitest";
import { checkLaws, type LawfulOperation } from "../src/index.ts";

/** An operation, and intervals that its operands are drawn from together. */
type Piece = readonly [f: unknown, ...intervals: Interval[]];

const PIECES: readonly Piece[] = [
  [core.abs, [0.25, 2]],
  [core.relu, [-2, -0.25]],
  [core.maximum, [0.1, 2], [-2, -0.1]],
  [core.minimum, [0.1, 2], [-2, -0.1]],
  [core.clip, [2, 3], [-1, 0], [0.5, 1]],
  [core.clip, [-2, -1.5], [-1, 0], [0.5, 1]],
  [core.clip, [-2, -1.5], [1, 2], [-1, 0]],
  [core.clip, [0.2, 0.8], [1, 2], [-1, 0]],
  [core.clip, [2.5, 3], [1, 2], [-1, 0]],
  [core.leakyRelu, [0.1, 2], [0.1, 0.9]],
  [core.prelu, [0.1, 2], [0.1, 0.9]],
  [core.elu, [0.1, 2], [0.5, 2]],
  [core.celu, [0.1, 2], [0.5, 2]],
  [core.selu, [0.1, 2]],
  [core.softshrink, [0.7, 2], [0.1, 0.6]],
  [core.softshrink, [-0.3, 0.3], [0.4, 0.6]],
  [core.hardTanh, [1.1, 2]],
  [core.hardTanh, [-0.9, 0.9]],
  [core.hardSigmoid, [3.1, 4]],
  [core.hardSigmoid, [-2.9, 2.9]],
  [core.hardSwish, [3.1, 4]],
  [core.hardSwish, [-4, -3.1]],
  [core.gelu, [3, 6]],
  [core.gelu, [-6, -3]],
  [core.softplus, [3, 6]],
  [core.softplus, [-6, -3]],
  [core.logSigmoid, [3, 6]],
  [core.sigmoid, [-6, -3]],
  [core.erf, [2, 3]],
  [core.erfc, [-3, -2]],
  [core.erfinv, [0.9, 0.99]],
  [core.lgamma, [-0.8, -0.2]],
  [core.lgamma, [9, 12]],
  [core.digamma, [-1.8, -1.2]],
  [core.digamma, [9, 12]],
  [core.cbrt, [-3, -0.5]],
  [core.reciprocal, [-2, -0.5]],
  [core.div, [-2, 2], [-3, -0.5]],
  [core.atan2, [-2, -0.5], [-2, -0.5]],
  [core.atan2, [0.5, 2], [-2, -0.5]],
  [core.hypot, [-2, -0.5], [-2, -0.5]],
  [core.mod, [-0.9, -0.1], [1, 2]],
  [core.mod, [0.1, 0.9], [-2, -1]],
  [core.logAddExp, [2, 4], [-4, -2]],
  [core.logAddExp, [-4, -2], [2, 4]],
  [core.tan, [2, 4]],
  [core.sinc, [-0.2, 0.2]],
  [core.logit, [0.4, 0.6]],
];

const named = PIECES.map(([f, ...intervals]) => {
  const operation = f as LawfulOperation;
  return { name: operation.definition.name, operation, intervals, at: JSON.stringify(intervals) };
});

test.each(named)("$name obeys the laws at operands in $at", ({ operation, intervals }) => {
  const samples: Definition["samples"] = (draw) =>
    [[], [3]].map((shape) => intervals.map((interval) => draw(shape, interval)));
  const elsewhere = define({ ...operation.definition, samples }, (...args: never[]) => operation(...args));
  const violations = checkLaws(elsewhere as LawfulOperation);
  expect(violations.map(({ law, message }) => `${law}: ${message}`)).toEqual([]);
});

/** The operations on matrices. */
const MATRICES: readonly unknown[] = [
  core.det,
  core.slogdet,
  core.inverse,
  core.solve,
  core.triangularSolve,
  core.lu,
  core.cholesky,
  core.qr,
  core.eigh,
  core.svd,
  core.eig,
  core.expm,
  core.pinv,
  core.lstsq,
  core.matrixPower,
];
const batches = MATRICES.map((f) => {
  const operation = f as LawfulOperation;
  return { name: operation.definition.name, operation };
});

test.each(batches)("$name obeys the laws in batches over two axes", ({ operation }) => {
  const { definition } = operation;
  // Scaled, a matrix keeps its structure.
  const batched = (x: unknown) =>
    core.isValue(x) && x.rank >= 2
      ? core.stack([core.expandDims(x, 0), core.expandDims(core.mul(x, 0.9), 0)])
      : x;
  const samples: Definition["samples"] = (draw) =>
    definition
      .samples(draw)
      .filter((args) => args.every((x) => !core.isValue(x) || x.rank !== 1))
      .map((args) => args.map(batched));
  const elsewhere = define({ ...definition, samples }, (...args: never[]) => operation(...args));
  const violations = checkLaws(elsewhere as LawfulOperation, { points: 1 });
  expect(violations.map(({ law, message }) => `${law}: ${message}`)).toEqual([]);
});

test("triangularSolve obeys the laws where the diagonal below is not read", () => {
  const samples: Definition["samples"] = (draw) => [
    [draw([3, 3]), draw([3, 2]), { lower: true, unitDiagonal: true }],
    [draw([3, 3]), draw([3, 2]), { lower: true, unitDiagonal: true, transposeA: true }],
  ];
  const f = core.triangularSolve as unknown as LawfulOperation;
  const elsewhere = define({ ...f.definition, samples }, (...args: never[]) => f(...args));
  expect(checkLaws(elsewhere as LawfulOperation).map(({ law, message }) => `${law}: ${message}`)).toEqual([]);
});

test("lu obeys the laws where rows change places in a circle", () => {
  const large = core.value([
    [0, 0, 9],
    [9, 0, 0],
    [0, 9, 0],
  ]);
  const lu = core.lu as unknown as (a: core.Value) => { permutation: core.Value };
  const samples: Definition["samples"] = (draw) => [[core.add(draw([3, 3]), large)]];
  const f = core.lu as unknown as LawfulOperation;
  const elsewhere = define({ ...f.definition, samples }, (...args: never[]) => f(...args));
  expect(lu(large).permutation.toArray()).toEqual([1, 2, 0]);
  expect(checkLaws(elsewhere as LawfulOperation).map(({ law, message }) => `${law}: ${message}`)).toEqual([]);
});
