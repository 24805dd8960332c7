/** Operations that move elements without changing them: reshape, transpose, broadcast, cast. */

import { allocate, checkDType, convert, type DType, roundTo, type TypedArray } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { broadcastStrides, readBox } from "../loops.ts";
import { apply, type Defined, define, type Lowering, type Operation, operand, operation } from "../op.ts";
import {
  type Axes,
  broadcastShapes,
  checkList,
  checkShape,
  formatShape,
  listOf,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
} from "../shape.ts";
import { broadcastEdges, movement } from "../spread.ts";
import { type TensorType, tensorType } from "../tensor-type.ts";
import type { Operand, Value } from "../value.ts";

/** Storage of a type: a scalar's number or the array. */
export function pack(type: TensorType, data: TypedArray): number | TypedArray {
  return type.shape.length === 0 ? (data[0] as number) : data;
}

/** The lowering of operations that leave every element where it is. */
function inPlace({ shape }: TensorType): Lowering {
  return { kind: "view", box: { shape, start: 0, strides: stridesOf(shape) } };
}

const reshapeOperation: Operation<{ readonly shape: Shape }> = /* @__PURE__ */ operation({
  name: "reshape",
  lowering: (_attributes, _inputs, output) => inPlace(output),
  spread: movement((xs, attributes, type) => reshapeOperation.evaluate(xs, attributes, type)),
  linear: true,
  infer: ([x], { shape }) => tensorType(shape, (x as TensorType).dtype),
  evaluate: ([x], _, type) => pack(type, (x as Value).data),
  vjp: [(dy, { inputs: [x] }) => reshape(dy, (x as Value).shape)],
  batch: ([x], _, { shape }, size) => reshape(x as Value, [size, ...shape]),
});

/**
 * The same elements in another shape. One size may be −1: it is what the others leave.
 *
 * Shape: x of any shape → `shape`. Derivative: dy reshaped. Throws: ShapeError when the number of elements differs.
 *
 * @example
 * reshape([1, 2, 3, 4], [2, -1]) // [[1, 2], [3, 4]]
 */
export const reshape = /* @__PURE__ */ define(
  {
    name: "reshape",
    operation: reshapeOperation,
    samples: (draw) => [
      [draw([2, 3]), [3, 2]],
      [draw([2, 3]), [-1]],
      [draw([1]), []],
      [draw([]), [1, 1]],
      [draw([0, 2]), [2, 0]],
    ],
  },
  (x: Operand, shape: Shape): Value => {
    const input = operand("reshape", x);
    const to = fillSize(input, shape);
    return sameShape(to, input.shape) ? input : apply(reshapeOperation, [input], { shape: to });
  },
);

function fillSize(x: Value, shape: Shape): Shape {
  const free = checkList("reshape", "shape must be a list of sizes", shape).indexOf(-1);
  const known = sizeOf(shape.filter((_, i) => i !== free));
  const to = free < 0 ? shape : shape.map((n, i) => (i === free ? (known === 0 ? 0 : x.size / known) : n));
  if (to.some((n) => !Number.isInteger(n) || n < 0) || sizeOf(to) !== x.size) {
    throw new ShapeError({
      where: "reshape",
      expected: `the new shape must hold the ${x.size} elements of ${formatShape(x.shape)}`,
      received: formatShape(shape),
    });
  }
  return [...to];
}

const transposeOperation: Operation<{ readonly axes: readonly number[] }> = /* @__PURE__ */ operation({
  name: "transpose",
  lowering: ({ axes }, [x], { shape }) => {
    const strides = stridesOf((x as TensorType).shape);
    return { kind: "view", box: { shape, start: 0, strides: axes.map((axis) => strides[axis] as number) } };
  },
  spread: movement((xs, attributes, type) => transposeOperation.evaluate(xs, attributes, type)),
  linear: true,
  infer: ([x], { axes }) => {
    const { shape, dtype } = x as TensorType;
    return tensorType(
      axes.map((axis) => shape[axis] as number),
      dtype,
    );
  },
  evaluate: ([x], { axes }, type) => {
    const strides = stridesOf((x as Value).shape);
    const out = allocate(type.dtype, type.size);
    readBox(
      (x as Value).data,
      { shape: type.shape, start: 0, strides: axes.map((axis) => strides[axis] as number) },
      out,
    );
    return out;
  },
  vjp: [(dy, { attributes: { axes } }) => transpose(dy, inversePermutation(axes))],
  batch: ([x], _, { axes }) => transpose(x as Value, [0, ...axes.map((axis) => axis + 1)]),
});

function inversePermutation(axes: readonly number[]): number[] {
  const inverse = new Array<number>(axes.length);
  axes.forEach((axis, i) => {
    inverse[axis] = i;
  });
  return inverse;
}

/**
 * Axes in another order; by default reversed. Products take transposed operands and need no transpose before them.
 *
 * Shape: [n0, n1, …] → sizes in the order of `axes`. Derivative: dy transposed back.
 * Throws: ShapeError unless `axes` names each axis once.
 *
 * @example
 * transpose([[1, 2, 3], [4, 5, 6]]) // [[1, 4], [2, 5], [3, 6]]
 */
export const transpose = /* @__PURE__ */ define(
  {
    name: "transpose",
    operation: transposeOperation,
    samples: (draw) => [
      [draw([2, 3])],
      [draw([2, 3, 4]), [1, -1, 0]],
      [draw([])],
      [draw([0, 3])],
      [draw([1, 4, 1])],
    ],
  },
  (x: Operand, axes?: readonly number[]): Value => {
    const input = operand("transpose", x);
    const { rank } = input;
    const given = axes ?? input.shape.map((_, i) => rank - 1 - i);
    const order = checkList("transpose", "axes must be a list", given).map((axis) =>
      normalizeAxis("transpose", axis, rank),
    );
    if (order.length !== rank || new Set(order).size !== rank) {
      throw new ShapeError({
        where: "transpose",
        expected: `axes must name each of the ${rank} axes once`,
        received: formatShape(axes ?? []),
      });
    }
    return order.every((axis, i) => axis === i) ? input : apply(transposeOperation, [input], { axes: order });
  },
);

/** A batched value with axes of size 1 after the batch's, so that its examples have the given rank. */
export function alignBatch(x: Value, rank: number): Value {
  const [size, ...shape] = x.shape;
  return reshape(x, [size as number, ...new Array<number>(rank - shape.length).fill(1), ...shape]);
}

const broadcastToOperation: Operation<{ readonly shape: Shape }> = /* @__PURE__ */ operation({
  name: "broadcastTo",
  lowering: ({ shape }, [x]) => ({
    kind: "view",
    box: { shape, start: 0, strides: broadcastStrides((x as TensorType).shape, shape) },
  }),
  spread: movement((xs, attributes, type) => broadcastToOperation.evaluate(xs, attributes, type)),
  linear: true,
  infer: ([x], { shape }) => tensorType(shape, (x as TensorType).dtype),
  evaluate: ([x], { shape }, type) => {
    const out = allocate(type.dtype, type.size);
    readBox(
      (x as Value).data,
      { shape, start: 0, strides: broadcastStrides((x as Value).shape, shape) },
      out,
    );
    return out;
  },
  vjp: [(dy) => dy],
});

/**
 * A value repeated along new axes and axes of size 1.
 *
 * Shape: x → `shape`, to which x must broadcast. Derivative: dy summed over what was repeated.
 *
 * @example
 * broadcastTo([1, 2], [2, 2]) // [[1, 2], [1, 2]]
 */
export const broadcastTo = /* @__PURE__ */ define(
  {
    name: "broadcastTo",
    operation: broadcastToOperation,
    samples: (draw) => [
      [draw([3]), [2, 3]],
      [draw([2, 1]), [4, 2, 3]],
      [draw([]), [2]],
      [draw([1]), [0]],
    ],
  },
  (x: Operand, shape: Shape): Value => {
    const input = operand("broadcastTo", x);
    const to = [...checkShape("broadcastTo", shape)];
    if (!sameShape(broadcastShapes("broadcastTo", [input.shape, to]), to)) {
      throw new ShapeError({
        where: "broadcastTo",
        expected: `shape ${formatShape(input.shape)} must broadcast to the new one`,
        received: formatShape(shape),
      });
    }
    return sameShape(input.shape, to) ? input : apply(broadcastToOperation, [input], { shape: to });
  },
);

/**
 * A new axis of size 1 at each given place of the result.
 *
 * Shape: axes count in the result's rank. Derivative: dy reshaped.
 *
 * @example
 * expandDims([1, 2], 1) // [[1], [2]]
 */
export const expandDims = /* @__PURE__ */ define(
  {
    name: "expandDims",
    operation: null,
    samples: (draw) => [
      [draw([2, 3]), 1],
      [draw([2]), [0, -1]],
      [draw([]), 0],
    ],
  },
  (x: Operand, axes: Axes): Value => {
    const input = operand("expandDims", x);
    const list = listOf("expandDims", "axes", axes);
    const rank = input.rank + list.length;
    const places = new Set(normalizeAxes("expandDims", list, rank));
    const sizes = [...input.shape];
    return reshape(
      input,
      Array.from({ length: rank }, (_, i) => (places.has(i) ? 1 : (sizes.shift() as number))),
    );
  },
);

/**
 * Axes of size 1 removed: all of them, or those given.
 *
 * Derivative: dy reshaped. Throws: ShapeError for an axis of another size.
 *
 * @example
 * squeeze([[1], [2]]) // [1, 2]
 */
export const squeeze = /* @__PURE__ */ define(
  {
    name: "squeeze",
    operation: null,
    samples: (draw) => [[draw([2, 1])], [draw([1, 2, 1]), -1], [draw([1, 1])], [draw([])]],
  },
  (x: Operand, axes?: Axes): Value => {
    const input = operand("squeeze", x);
    const { shape, rank } = input;
    const gone =
      axes === undefined
        ? shape.flatMap((n, i) => (n === 1 ? [i] : []))
        : normalizeAxes("squeeze", axes, rank);
    const wrong = gone.find((axis) => shape[axis] !== 1);
    if (wrong !== undefined) {
      throw new ShapeError({
        where: "squeeze",
        expected: `axis ${wrong} must have size 1`,
        received: `${shape[wrong]} (shape ${formatShape(shape)})`,
      });
    }
    return reshape(
      input,
      shape.filter((_, i) => !gone.includes(i)),
    );
  },
);

const castOperation: Operation<{ readonly dtype: DType }> = /* @__PURE__ */ operation({
  name: "cast",
  lowering: () => ({ kind: "cast" }),
  spread: (xs, _, { shape }) => xs.map((x) => broadcastEdges(x.shape, shape)),
  linear: true,
  infer: ([x], { dtype }) => tensorType((x as TensorType).shape, dtype),
  evaluate: ([x], { dtype }) => {
    const storage = (x as Value).storage as number | TypedArray;
    return typeof storage === "number" ? roundTo(dtype, storage) : convert(storage, dtype);
  },
  vjp: [(dy) => dy],
  batch: ([x], _, { dtype }) => cast(x as Value, dtype),
});

/**
 * The same numbers in another dtype: rounded to nearest (float32), towards 0 (int32), or to whether they are not 0
 * (bool).
 *
 * Derivative: dy between floating dtypes; none to or from integers.
 *
 * @example
 * cast([0.5, 2.75], "int32") // [0, 2]
 */
export const cast: Defined<(x: Operand, dtype: DType) => Value> = define(
  { name: "cast", operation: castOperation, samples: (draw) => [[draw([2, 3]), "float64"]] },
  (x: Operand, dtype: DType): Value => {
    const input = operand("cast", x);
    checkDType("cast", dtype);
    return input.dtype === dtype ? input : apply(castOperation, [input], { dtype });
  },
);

const identityOperation: Operation<null> = /* @__PURE__ */ operation({
  name: "identity",
  lowering: (_attributes, _inputs, output) => inPlace(output),
  spread: (xs, _, { shape }) => xs.map((x) => broadcastEdges(x.shape, shape)),
  linear: true,
  infer: ([x]) => x as TensorType,
  evaluate: ([x]) => (x as Value).storage as number | TypedArray,
  vjp: [(dy) => dy],
  batch: ([x]) => x as Value,
});

/**
 * The value itself as a new node.
 *
 * Derivative: dy.
 *
 * @example
 * identity([1, 2]) // [1, 2]
 */
export const identity = /* @__PURE__ */ define(
  { name: "identity", operation: identityOperation, samples: (draw) => [[draw([2])], [draw([])]] },
  (x: Operand): Value => apply(identityOperation, [operand("identity", x)], null),
);

const stopGradientOperation: Operation<null> = /* @__PURE__ */ operation({
  name: "stopGradient",
  lowering: (_attributes, _inputs, output) => inPlace(output),
  spread: (xs, _, { shape }) => xs.map((x) => broadcastEdges(x.shape, shape)),
  infer: ([x]) => x as TensorType,
  evaluate: ([x]) => (x as Value).storage as number | TypedArray,
  batch: ([x]) => stopGradient(x as Value),
});

/**
 * A constant with the same numbers: no derivative flows through it.
 *
 * @example
 * stopGradient([1, 2]).isDifferentiable // false
 */
export function stopGradient(x: Operand): Value {
  const input = operand("stopGradient", x);
  // What is captured may be given a differentiable value later.
  return input.tracked || input.storage === null ? apply(stopGradientOperation, [input], null) : input;
}
