/** Writing at places: at indices along an axis, at ranges, by segments. */

import { allocate, commonDType } from "../dtype.ts";
import { ArgumentError, describe, ShapeError } from "../errors.ts";
import { writeBox } from "../loops.ts";
import { apply, define, filled, type Operation, operand, operands, operation } from "../op.ts";
import { broadcastShapes, checkList, formatShape, sameShape, stridesOf } from "../shape.ts";
import { movement } from "../spread.ts";
import { type TensorType, tensorType } from "../tensor-type.ts";
import { constant, type Operand, type Value } from "../value.ts";
import { add, lt, maximum, where } from "./elementwise.ts";
import { checkReach, gatherOperation, type Into, indexed, leading, ungatherOperation } from "./indexing.ts";
import { batchAll, forEachLine, resized } from "./lines.ts";
import { broadcastTo, cast, pack, reshape } from "./movement.ts";
import { pad } from "./padding.ts";
import { indicesWithin, untakeOperation, wrap } from "./selection.ts";
import { type Range, resolveRange, slice } from "./slicing.ts";

/** For each place along the axis, which index named it last; −1 where none did. */
const writersOperation: Operation<Into> = /* @__PURE__ */ operation({
  name: "writers",
  infer: ([indices], { axis, size }) =>
    tensorType(resized((indices as TensorType).shape, axis, size), "int32"),
  evaluate: ([indices], { axis, size }, type) => {
    const { data, shape } = indices as Value;
    const out = allocate("int32", type.size).fill(-1);
    const n = shape[axis] as number;
    forEachLine(shape, axis, size, (from, to, stride) => {
      for (let k = 0; k < n; k++) out[to + wrap(data[from + k * stride] as number, size) * stride] = k;
    });
    return out;
  },
  batch: ([indices], _, { axis, size }) =>
    apply(writersOperation, [indices as Value], { axis: axis + 1, size }),
});

/** What scatters share: x, and the part of the source that the indices reach, of one dtype. */
function scattered(call: string, x: Operand, axis: number, indices: Operand, source: Operand) {
  const [into, from] = operands(call, [x, source]) as [Value, Value];
  const { input, picks, along } = indexed(call, into, axis, indices);
  checkReach(call, "x", picks.shape, input.shape, along);
  const dtype = commonDType([into, from]);
  let part = cast(from, dtype);
  if (from.rank === 0) part = broadcastTo(part, picks.shape);
  else {
    checkReach(call, "the source", picks.shape, from.shape, -1);
    part = leading(part, picks.shape, -1);
  }
  const size = input.shape[along] as number;
  // What lies behind the indices along the other axes stays as it is.
  const rest = input.shape.map((n, i): [number, number] => [
    0,
    i === along ? 0 : n - (picks.shape[i] as number),
  ]);
  const restore = (y: Value): Value => (into.rank === 0 ? reshape(y, []) : y);
  return { input: cast(input, dtype), part, picks, attributes: { axis: along, size }, rest, restore };
}

/**
 * x with the source's elements added at indices along an axis, PyTorch's scatter_add: y[indices[i][j]][j] +=
 * source[i][j] along axis 0, and so on.
 *
 * Shape: that of x; indices have its rank and are nowhere larger than the source, nor than x but along the axis. The
 * source may be a scalar. Indices may repeat. Derivative: dy to x, and to the source dy gathered at the indices.
 * Throws: ShapeError for other shapes or an index outside.
 *
 * @example
 * scatterAdd([10, 20], 0, [1, 1, 0], [1, 2, 3]) // [13, 23]
 */
export const scatterAdd = /* @__PURE__ */ define(
  {
    name: "scatterAdd",
    operation: null,
    samples: (draw) => [
      [draw([2]), 0, [1, 1, 0], draw([3])],
      [draw([2, 3]), 1, [[0, 2]], draw([3, 2])],
      [draw([3, 2]), 0, [[2, -1]], draw([])],
      [draw([]), 0, 0, draw([])],
    ],
  },
  (x: Operand, axis: number, indices: Operand, source: Operand): Value => {
    const { input, part, picks, attributes, rest, restore } = scattered(
      "scatterAdd",
      x,
      axis,
      indices,
      source,
    );
    return restore(add(input, pad(apply(ungatherOperation, [part, picks], attributes), rest)));
  },
);

/**
 * x with the source's elements put at indices along an axis, PyTorch's scatter: y[indices[i][j]][j] = source[i][j]
 * along axis 0, and so on.
 *
 * Shape: as `scatterAdd`. Of indices that repeat, the last one writes. Derivative: dy to x where nothing was written, and
 * to each element of the source dy where it was, 0 if it was overwritten.
 * Throws: ShapeError for other shapes or an index outside.
 *
 * @example
 * scatterSet([10, 20, 30], 0, [2, 0, 2], [1, 2, 3]) // [2, 20, 3]
 */
export const scatterSet = /* @__PURE__ */ define(
  {
    name: "scatterSet",
    operation: null,
    samples: (draw) => [
      [draw([3]), 0, [2, 0, 2], draw([3])],
      [draw([2, 3]), -1, [[0, 2]], draw([3, 2])],
      [draw([3, 2]), 0, [[2, -1]], draw([])],
      [draw([2, 0]), 1, constant(tensorType([2, 0], "int32"), new Int32Array(0)), draw([2, 0])],
    ],
  },
  (x: Operand, axis: number, indices: Operand, source: Operand): Value => {
    const { input, part, picks, attributes, rest, restore } = scattered(
      "scatterSet",
      x,
      axis,
      indices,
      source,
    );
    if (picks.size === 0) return restore(input);
    const writers = apply(writersOperation, [picks], attributes);
    const written = apply(gatherOperation, [part, maximum(writers, 0)], { axis: attributes.axis });
    return restore(where(lt(pad(writers, rest, { value: -1 }), 0), input, pad(written, rest)));
  },
);

const indexUpdateOperation: Operation<{ readonly ranges: readonly Range[] }> = /* @__PURE__ */ operation({
  name: "indexUpdate",
  spread: movement((xs, attributes, type) => indexUpdateOperation.evaluate(xs, attributes, type)),
  linear: true,
  infer: ([x]) => x as TensorType,
  evaluate: ([x, source], { ranges }, type) => {
    const { data, shape } = x as Value;
    const out = data.slice();
    const strides = stridesOf(shape);
    const parts = shape.map((n, axis) => resolveRange("indexUpdate", ranges[axis] ?? null, n, axis));
    const box = {
      shape: parts.map(({ count }) => count),
      start: parts.reduce((sum, { start }, i) => sum + start * (strides[i] as number), 0),
      strides: parts.map(({ step }, i) => step * (strides[i] as number)),
    };
    writeBox((source as Value).data, out, box);
    return pack(type, out);
  },
  vjp: [
    (dy, { inputs: [, source], attributes }) =>
      apply(indexUpdateOperation, [dy, filled(tensorType((source as Value).shape, dy.dtype), 0)], attributes),
    (dy, { attributes: { ranges } }) => slice(dy, ...ranges),
  ],
  batch: (inputs, batched, { ranges }, size) =>
    apply(indexUpdateOperation, batchAll(inputs, batched, size), { ranges: [null, ...ranges] }),
});

/**
 * x with a part of it replaced, NumPy's `x[1:3, :, 0] = source` as a function: `indexUpdate(x, [[1, 3], null, 0], source)`.
 *
 * Shape: that of x; the source broadcasts to `slice(x, ...ranges)`, whose ranges these are. dtype: promoted.
 * Derivative: dy to x but 0 where it was replaced, and to the source dy from there.
 * Throws: as `slice`, and ShapeError where the source does not broadcast to the part.
 *
 * @example
 * indexUpdate([1, 2, 3, 4], [[0, null, 2]], [10, 30]) // [10, 2, 30, 4]
 */
export const indexUpdate = /* @__PURE__ */ define(
  {
    name: "indexUpdate",
    operation: indexUpdateOperation,
    samples: (draw) => [
      [draw([4]), [[0, null, 2]], draw([2])],
      [draw([3, 4]), [1], draw([4])],
      [draw([3, 4]), [null, [null, null, -3]], draw([1, 2])],
      [draw([2, 3]), [-1, 0], draw([])],
      [draw([2, 3]), [[1, 1]], draw([0, 3])],
    ],
  },
  (x: Operand, ranges: readonly Range[], source: Operand): Value => {
    const [into, from] = operands("indexUpdate", [x, source]) as [Value, Value];
    const count = checkList("indexUpdate", "ranges must be a list, one an axis", ranges).length;
    if (count > into.rank) {
      throw new ShapeError({
        where: "indexUpdate",
        expected: `x must have an axis a range (${count})`,
        received: formatShape(into.shape),
      });
    }
    const part = into.shape.flatMap((n, axis) => {
      const range = ranges[axis] ?? null;
      const { count } = resolveRange("indexUpdate", range, n, axis);
      return typeof range === "number" ? [] : [count];
    });
    if (!sameShape(broadcastShapes("indexUpdate", [from.shape, part]), part)) {
      throw new ShapeError({
        where: "indexUpdate",
        expected: `the source must broadcast to the part ${formatShape(part)}`,
        received: formatShape(from.shape),
      });
    }
    const dtype = commonDType([into, from]);
    const inputs = [cast(into, dtype), broadcastTo(cast(from, dtype), part)];
    return apply(indexUpdateOperation, inputs, { ranges: [...ranges] });
  },
);

/**
 * Sums of slices by the segment that each belongs to.
 *
 * Shape: x [...i, ...s], segments i (whole numbers) → [count, ...s]; an empty segment is 0. By default count is one more
 * than the largest segment. Derivative: to each slice dy of its segment.
 * Throws: ShapeError unless the segments have x's leading sizes, or for one outside [0, count); ArgumentError for a
 * count that is not whole, or left out while captured.
 *
 * @example
 * segmentSum([1, 2, 3, 4], [0, 0, 2, 0]) // [7, 0, 3]
 */
export const segmentSum = /* @__PURE__ */ define(
  {
    name: "segmentSum",
    operation: untakeOperation,
    samples: (draw) => [
      [draw([4]), [0, 0, 2, 0]],
      [draw([3, 2]), [1, 0, 1], 4],
      [
        draw([2, 2]),
        [
          [1, 0],
          [1, 1],
        ],
        2,
      ],
      [draw([0, 2]), [], 2],
    ],
  },
  (x: Operand, segments: Operand, count?: number): Value => {
    const input = operand("segmentSum", x);
    const ids = indicesWithin("segmentSum", segments, 2 ** 31);
    if (!sameShape(input.shape.slice(0, ids.rank), ids.shape)) {
      throw new ShapeError({
        where: "segmentSum",
        expected: `segments must have the leading sizes of ${formatShape(input.shape)}`,
        received: formatShape(ids.shape),
      });
    }
    let size = count;
    if (size === undefined && ids.storage !== null) {
      size = 0;
      for (const id of ids.data) size = Math.max(size, id + 1);
    }
    if (size === undefined || !Number.isInteger(size) || size < 0) {
      throw new ArgumentError({
        where: "segmentSum",
        expected: "count must be a whole number ≥ 0",
        received: size === undefined ? "none while captured" : describe(size),
      });
    }
    const outside =
      ids.storage === null ? undefined : ids.data.find((id) => id < 0 || id >= (size as number));
    if (outside !== undefined) {
      const expected = `segments must be in [0, ${size - 1}]`;
      throw new ShapeError({ where: "segmentSum", expected, received: String(outside) });
    }
    return apply(untakeOperation, [input.dtype === "bool" ? cast(input, "int32") : input, ids], {
      axis: 0,
      size,
    });
  },
);
