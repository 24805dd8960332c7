/** Joining: values side by side along an axis they have, or along a new one. */

import { allocate, promote } from "../dtype.ts";
import { ArgumentError, describe, ShapeError } from "../errors.ts";
import { writeBox } from "../loops.ts";
import { apply, define, type Operation, operands, operation } from "../op.ts";
import { formatShape, normalizeAxis, sameShape, stridesOf } from "../shape.ts";
import { movement } from "../spread.ts";
import { type TensorType, tensorType } from "../tensor-type.ts";
import type { Operand, Value } from "../value.ts";

import { broadcastTo, cast, expandDims } from "./movement.ts";
import { type Range, slice } from "./slicing.ts";

/** Where each part of a joined value begins along its axis. */
interface Joining {
  readonly axis: number;
  readonly starts: readonly number[];
}

const concatOperation: Operation<Joining> = /* @__PURE__ */ operation({
  name: "concat",
  lowering: ({ axis }) => ({ kind: "join", axis }),
  spread: movement((xs, attributes, type) => concatOperation.evaluate(xs, attributes, type)),
  linear: true,
  infer: (types, { axis }) => {
    const first = types[0] as TensorType;
    const total = types.reduce((sum, { shape }) => sum + (shape[axis] as number), 0);
    return tensorType(
      first.shape.map((n, i) => (i === axis ? total : n)),
      first.dtype,
    );
  },
  evaluate: (xs, { axis, starts }, type) => {
    const out = allocate(type.dtype, type.size);
    const strides = stridesOf(type.shape);
    xs.forEach((x, i) => {
      const start = (starts[i] as number) * (strides[axis] as number);
      writeBox(x.data, out, { shape: x.shape, start, strides });
    });
    return out;
  },
  vjp: (dy, { inputs, attributes: { axis, starts } }, index) => {
    const start = starts[index] as number;
    const ranges: Range[] = dy.shape.map(() => null);
    ranges[axis] = [start, start + ((inputs[index] as Value).shape[axis] as number)];
    return slice(dy, ...ranges);
  },
  batch: (xs, batched, { axis }, size) =>
    concat(
      xs.map((x, i) => (batched[i] ? x : broadcastTo(x, [size, ...x.shape]))),
      axis + 1,
    ),
});

/**
 * Values joined along an axis that they have.
 *
 * Shape: equal but for `axis`. dtype: promoted. Derivative: to each its part of dy.
 * Throws: ShapeError when shapes differ elsewhere, ArgumentError for no values.
 *
 * @example
 * concat([[1, 2], [3]]) // [1, 2, 3]
 */
export const concat = /* @__PURE__ */ define(
  {
    name: "concat",
    operation: concatOperation,
    samples: (draw) => [
      [[draw([2, 3]), draw([1, 3])]],
      [[draw([2, 3]), draw([2, 0]), draw([2, 2])], -1],
      [[draw([2])]],
    ],
  },
  (xs: readonly Operand[], axis = 0): Value => {
    const inputs = sameDType("concat", xs);
    const first = inputs[0] as Value;
    const along = normalizeAxis("concat", axis, first.rank);
    for (const x of inputs) {
      if (x.rank !== first.rank || x.shape.some((n, i) => i !== along && n !== first.shape[i])) {
        throw new ShapeError({
          where: "concat",
          expected: `shapes must agree but along axis ${along}`,
          received: inputs.map(({ shape }) => formatShape(shape)).join(" and "),
        });
      }
    }
    if (inputs.length === 1) return first;
    let end = 0;
    const starts = inputs.map((x) => {
      end += x.shape[along] as number;
      return end - (x.shape[along] as number);
    });
    return apply(concatOperation, inputs, { axis: along, starts });
  },
);

/**
 * Values of one shape joined along a new axis.
 *
 * Shape: k values of shape s → s with k at `axis`. Derivative: to each its part of dy.
 * Throws: ShapeError when shapes differ, ArgumentError for no values.
 *
 * @example
 * stack([[1, 2], [3, 4]], 1) // [[1, 3], [2, 4]]
 */
export const stack = /* @__PURE__ */ define(
  {
    name: "stack",
    operation: null,
    samples: (draw) => [
      [[draw([2, 3]), draw([2, 3])]],
      [[draw([]), draw([]), draw([])]],
      [[draw([2]), draw([2])], -1],
    ],
  },
  (xs: readonly Operand[], axis = 0): Value => {
    const inputs = sameDType("stack", xs);
    const first = inputs[0] as Value;
    const different = inputs.find((x) => !sameShape(x.shape, first.shape));
    if (different !== undefined) {
      throw new ShapeError({
        where: "stack",
        expected: "all shapes must be equal",
        received: `${formatShape(first.shape)} and ${formatShape(different.shape)}`,
      });
    }
    const at = normalizeAxis("stack", axis, first.rank + 1);
    return concat(
      inputs.map((x) => expandDims(x, at)),
      at,
    );
  },
);

/** Operands brought to the dtype that they promote to. */
function sameDType(where: string, xs: readonly Operand[]): Value[] {
  if (!Array.isArray(xs) || xs.length === 0) {
    throw new ArgumentError({ where, expected: "an array of at least one value", received: describe(xs) });
  }
  const inputs = operands(where, xs);
  const dtype = inputs.map((x) => x.dtype).reduce(promote);
  return inputs.map((x) => cast(x, dtype));
}
