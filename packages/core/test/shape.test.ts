import {
  broadcastTo,
  einsum,
  expandDims,
  flip,
  indexUpdate,
  maxPool,
  meshgrid,
  moveAxis,
  pad,
  quantile,
  repeat,
  reshape,
  roll,
  slice,
  split,
  squeeze,
  sum,
  takeAt,
  tile,
  transpose,
  zeros,
} from "@adjoint/core";
import { expect, test } from "vitest";

const x = [
  [1, 2, 3],
  [4, 5, 6],
];

/** What is not a list, or is not there, as a caller without types passes it. */
const wrong = (given: unknown = {}) => given as never;

test.each([
  [() => sum(x, wrong({ axis: 1 })), "sum: axes must be a number or a list of them, got an object."],
  [() => squeeze(x, wrong("0")), 'squeeze: axes must be a number or a list of them, got "0".'],
  [() => flip(x, wrong(true)), "flip: axes must be a number or a list of them, got true."],
  [() => expandDims(x, wrong(null)), "expandDims: axes must be a number or a list of them, got null."],
  [() => moveAxis(x, wrong(), 0), "moveAxis: axes must be a number or a list of them, got an object."],
  [() => roll(x, 1, wrong()), "roll: axes must be a number or a list of them, got an object."],
  [() => roll(x, wrong(), 0), "roll: shift must be a number or a list of them, got an object."],
  [() => tile(x, wrong()), "tile: counts must be a number or a list of them, got an object."],
  [() => repeat(x, wrong(), 0), "repeat: counts must be a number or a list of them, got an object."],
  [() => split(x, wrong(null)), "split: parts must be a number or a list of them, got null."],
  [() => quantile(x, wrong()), "quantile: quantiles must be a number or a list of them, got an object."],
  [() => maxPool([x], wrong(null)), "maxPool: window must be a number or a list of them, got null."],
  [
    () => maxPool([x], [1], { stride: wrong(true) }),
    "maxPool: stride must be a number or a list of them, got true.",
  ],
  [
    () => maxPool([x], [1], { padding: wrong(true) }),
    'maxPool: padding must be "same", "valid", a number or a list, got true.',
  ],
  [() => zeros(wrong(3)), "zeros: shape must be a list of sizes, got 3."],
  [() => broadcastTo(x, wrong(3)), "broadcastTo: shape must be a list of sizes, got 3."],
  [() => reshape(x, wrong(6)), "reshape: shape must be a list of sizes, got 6."],
  [() => transpose(x, wrong(1)), "transpose: axes must be a list, got 1."],
  [() => takeAt(x, wrong(0)), "takeAt: indices must be a list, one an axis, got 0."],
  [() => indexUpdate(x, wrong(0), 1), "indexUpdate: ranges must be a list, one an axis, got 0."],
  [
    () => slice(x, wrong()),
    "slice: range along axis 0 must be a whole number, [start, end, step] or null, got an object.",
  ],
  [() => pad(x, wrong(null)), "pad: widths must be a number, a pair, or a pair an axis, got null."],
  [() => meshgrid(wrong(3)), "meshgrid: an array of vectors, got 3."],
  [() => einsum(wrong(3), x), 'einsum: an expression first, as in "ij,jk->ik", got 3.'],
])("%s is refused in one sentence", (call, message) => {
  expect(call).toThrow(message);
});
