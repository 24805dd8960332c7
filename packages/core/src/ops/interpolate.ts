/** Resizing of the last axes by nearest or linear interpolation. */

import { isFloat } from "../dtype.ts";
import { ArgumentError, describe, ShapeError } from "../errors.ts";
import { define, operand } from "../op.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { formatShape } from "../shape.ts";
import { tensorType } from "../tensor-type.ts";
import { constant, type Operand, type Value } from "../value.ts";
import { add, mul } from "./elementwise.ts";
import { cast } from "./movement.ts";
import { take } from "./selection.ts";
import { type PerAxis, perAxis } from "./windows.ts";

/** Options of `interpolate`: one of `size` and `scale`. */
export interface InterpolateOptions {
  /** Sizes of the axes of the result, one an axis, or one for all axes after batch and channels. */
  readonly size?: PerAxis;
  /** Factors of the sizes instead; the result has ⌊n · scale⌋. */
  readonly scale?: number | readonly number[];
  /** "nearest" (by default) repeats elements; "linear" blends neighbours, along two axes bilinear, along three trilinear. */
  readonly mode?: "nearest" | "linear";
  /** For "linear": whether first and last elements stay where they are; otherwise elements are areas. By default false. */
  readonly alignCorners?: boolean;
}

const INTERPOLATE: OptionNames<InterpolateOptions> = {
  size: true,
  scale: true,
  mode: true,
  alignCorners: true,
};

/**
 * The last axes in other sizes.
 *
 * Shape: x [..., n, m] → [..., k, l] for a size [k, l]. Place i reads at i·n/k, rounded down ("nearest"); at (i + ½)·n/k − ½, no less
 * than 0 ("linear"); or at i·(n − 1)/(k − 1) (`alignCorners`): PyTorch's. With `scale`, 1/scale stands for n/k. "linear" of integers
 * gives float64. Derivative: dy to the elements read, by their weights.
 * Throws: ArgumentError unless one of size and scale is given; ShapeError for an axis without elements.
 *
 * @example
 * interpolate([[[1, 3]]], { size: [4], mode: "linear" }) // [[[1, 1.5, 2.5, 3]]]
 */
export const interpolate = /* @__PURE__ */ define(
  {
    name: "interpolate",
    operation: null,
    samples: (draw) => [
      [draw([2, 1, 3]), { scale: 2 }],
      [draw([1, 2, 3, 4]), { size: [5, 2], mode: "linear" }],
      [draw([1, 1, 2, 3]), { size: 4, mode: "linear", alignCorners: true }],
      [draw([5]), { size: [3] }],
      [draw([2, 3, 2, 1]), { scale: [1.5, 2, 1], mode: "linear" }],
    ],
  },
  (x: Operand, options: InterpolateOptions): Value => {
    const {
      size,
      scale,
      mode = "nearest",
      alignCorners = false,
    } = checkOptions("interpolate", options, INTERPOLATE);
    let y = operand("interpolate", x);
    const given = size ?? scale;
    if (given === undefined || (size !== undefined && scale !== undefined)) {
      throw new ArgumentError({ where: "interpolate", expected: "one of size and scale" });
    }
    if (mode !== "nearest" && mode !== "linear") {
      throw new ArgumentError({
        where: "interpolate",
        expected: 'mode must be "nearest" or "linear"',
        received: describe(mode),
      });
    }
    const axes = typeof given === "number" ? y.rank - 2 : given.length;
    if (axes < 1 || axes > y.rank || y.shape.slice(y.rank - axes).includes(0)) {
      throw new ShapeError({
        where: "interpolate",
        expected: "x must have elements along the axes that are resized",
        received: formatShape(y.shape),
      });
    }
    const from = y.shape.slice(y.rank - axes);
    const scales = typeof scale === "number" ? from.map(() => scale) : scale;
    const to = perAxis(
      "interpolate",
      "size",
      scales === undefined ? (size as PerAxis) : from.map((n, i) => Math.floor(n * (scales[i] as number))),
      axes,
      1,
    );
    if (mode === "linear" && !isFloat(y.dtype)) y = cast(y, "float64");
    from.forEach((n, i) => {
      const count = to[i] as number;
      const axis = y.rank - axes + i;
      const ratio = scales === undefined ? n / count : 1 / (scales[i] as number);
      y = mode === "nearest" ? nearest(y, axis, count, ratio) : linear(y, axis, count, ratio, alignCorners);
    });
    return y;
  },
);

function picks(count: number, place: (i: number) => number): Value {
  return constant(
    tensorType([count], "int32"),
    Int32Array.from({ length: count }, (_, i) => place(i)),
  );
}

function nearest(x: Value, axis: number, count: number, ratio: number): Value {
  const last = (x.shape[axis] as number) - 1;
  return take(
    x,
    picks(count, (i) => Math.min(Math.floor(i * ratio), last)),
    axis,
  );
}

function linear(x: Value, axis: number, count: number, ratio: number, alignCorners: boolean): Value {
  const last = (x.shape[axis] as number) - 1;
  const step = count > 1 ? last / (count - 1) : 0;
  const places = Array.from({ length: count }, (_, i) =>
    Math.min(last, alignCorners ? i * step : Math.max(0, (i + 0.5) * ratio - 0.5)),
  );
  const low = (i: number) => Math.floor(places[i] as number);
  const shape = x.shape.map((_, i) => (i === axis ? count : 1)).slice(axis);
  const weight = (of: (fraction: number) => number) =>
    cast(
      constant(
        tensorType(shape, "float64"),
        Float64Array.from(places, (place, i) => of(place - low(i))),
      ),
      x.dtype,
    );
  return add(
    mul(
      take(x, picks(count, low), axis),
      weight((fraction) => 1 - fraction),
    ),
    mul(
      take(
        x,
        picks(count, (i) => Math.min(low(i) + 1, last)),
        axis,
      ),
      weight((fraction) => fraction),
    ),
  );
}
