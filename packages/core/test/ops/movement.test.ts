import { broadcastTo, cast, expandDims, grad, reshape, squeeze, transpose, value, vmap } from "@adjoint/core";
import { expect, test } from "vitest";

const x = value([
  [1, 2, 3],
  [4, 5, 6],
]);

test("reshape fills in one size and refuses what does not fit", () => {
  expect(reshape(x, [3, -1]).shape).toEqual([3, 2]);
  expect(reshape(value([], { shape: [0, 4] }), [2, 0]).shape).toEqual([2, 0]);
  expect(() => reshape(x, [4, -1])).toThrow(
    "reshape: the new shape must hold the 6 elements of [2, 3], got [4, -1].",
  );
  expect(() => reshape(x, [-1, -1])).toThrow(
    "reshape: the new shape must hold the 6 elements of [2, 3], got [-1, -1].",
  );
});

test("transpose reverses by default, undoes itself and refuses axes twice", () => {
  expect(transpose(x).toArray()).toEqual([
    [1, 4],
    [2, 5],
    [3, 6],
  ]);
  const y = value(
    Float64Array.from({ length: 24 }, (_, i) => i),
    { shape: [2, 3, 4] },
  );
  const z = transpose(y, [2, 0, 1]);
  expect(z.shape).toEqual([4, 2, 3]);
  expect(transpose(z, [1, 2, 0]).toArray()).toEqual(y.toArray());
  expect(() => transpose(x, [0, 0])).toThrow(
    "transpose: axes must name each of the 2 axes once, got [0, 0].",
  );
});

test("broadcastTo, expandDims and squeeze refuse what cannot be", () => {
  expect(() => broadcastTo(x, [3])).toThrow(
    "broadcastTo: shape [2, 3] must broadcast to the new one, got [3].",
  );
  expect(() => broadcastTo(x, [2, 4])).toThrow("broadcastTo: shapes must broadcast");
  expect(() => squeeze(x, 0)).toThrow("squeeze: axis 0 must have size 1, got 2 (shape [2, 3]).");
  expect(expandDims(x, [0, -1]).shape).toEqual([1, 2, 3, 1]);
  expect(squeeze(expandDims(x, [0, -1])).shape).toEqual([2, 3]);
});

test("cast rounds towards zero and keeps derivatives between floats only", () => {
  expect(cast([1.9, -1.9], "int32").toArray()).toEqual([1, -1]);
  expect(grad((x) => cast(x, "float32").square().sum())(value([1, 2])).dtype).toBe("float64");
  expect(grad((x) => cast(cast(x, "int32"), "float64").sum())(value([1.5])).toArray()).toEqual([0]);
  const mapped = vmap((x) => cast(x, "int32"))(value([1.9, -1.9]));
  expect([mapped.dtype, mapped.toArray()]).toEqual(["int32", [1, -1]]);
});
