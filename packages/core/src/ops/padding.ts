/** pad: a value with more elements around it. */

import { allocate } from "../dtype.ts";
import { ArgumentError, describe, ShapeError } from "../errors.ts";
import { type Box, writeBox } from "../loops.ts";
import { apply, define, type Operation, operand, operation } from "../op.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { checkList, formatShape, type Shape, stridesOf } from "../shape.ts";
import { movement } from "../spread.ts";
import { type TensorType, tensorType } from "../tensor-type.ts";
import type { Operand, Value } from "../value.ts";
import { pack } from "./movement.ts";
import { take } from "./selection.ts";
import { type Range, slice } from "./slicing.ts";

/** How many elements to add before and after. */
type Width = readonly [before: number, after: number];

/** How much to add: the same everywhere, one pair for every axis, or a pair an axis. */
export type PadWidths = number | Width | readonly Width[];

/** Options of `pad`. */
export interface PadOptions {
  /**
   * What is added: a constant; the edge's element; the value mirrored, at the edge's element ("reflect") or before it
   * ("symmetric"); or the value from its other end ("wrap").
   */
  readonly mode?: "constant" | "edge" | "reflect" | "symmetric" | "wrap";
  /** The constant. By default 0. */
  readonly value?: number;
}

const PAD: OptionNames<PadOptions> = { mode: true, value: true };

/** Where a value lies in its padded form. */
function insideOf(padded: Shape, shape: Shape, widths: readonly Width[]): Box {
  const strides = stridesOf(padded);
  const start = widths.reduce((sum, [before], i) => sum + before * (strides[i] as number), 0);
  return { shape, start, strides };
}

const padOperation: Operation<{ readonly widths: readonly Width[]; readonly value: number }> =
  /* @__PURE__ */ operation({
    name: "pad",
    lowering: ({ widths, value }, [x], { shape }) => ({
      kind: "unview",
      box: insideOf(shape, (x as TensorType).shape, widths),
      fill: value,
    }),
    spread: movement((xs, { widths }, type) => padOperation.evaluate(xs, { widths, value: 0 }, type)),
    infer: ([x], { widths }) => {
      const { shape, dtype } = x as TensorType;
      return tensorType(
        shape.map((n, i) => n + (widths[i]?.[0] as number) + (widths[i]?.[1] as number)),
        dtype,
      );
    },
    evaluate: ([x], { widths, value }, type) => {
      const out = allocate(type.dtype, type.size);
      if (value !== 0) out.fill(value);
      writeBox((x as Value).data, out, insideOf(type.shape, (x as Value).shape, widths));
      return pack(type, out);
    },
    vjp: [
      (dy, { inputs: [x], attributes: { widths } }) =>
        slice(
          dy,
          ...(x as Value).shape.map((n, i): Range => {
            const [before] = widths[i] as Width;
            return [before, before + n];
          }),
        ),
    ],
    jvp: ([tx], { attributes: { widths } }) => apply(padOperation, [tx as Value], { widths, value: 0 }),
    batch: ([x], _, { widths, value }) =>
      apply(padOperation, [x as Value], { widths: [[0, 0], ...widths], value }),
  });

/**
 * A value with elements added before and after it along its axes.
 *
 * Shape: [n, …] → [before + n + after, …]. Widths are one number, one pair `[before, after]` for every axis, or a pair an
 * axis, outermost first as in NumPy; negative ones take away, as in PyTorch. Reflections of reflections follow where a width exceeds the axis.
 * Derivative: dy without the border for a constant, otherwise dy added up at the places it came from.
 * Throws: ArgumentError for widths that are not whole, ShapeError for another number of pairs than axes or
 * where an empty axis has nothing to repeat.
 *
 * @example
 * pad([1, 2, 3], 1) // [0, 1, 2, 3, 0]
 * pad([1, 2, 3], [2, 0], { mode: "reflect" }) // [3, 2, 1, 2, 3]
 */
export const pad = /* @__PURE__ */ define(
  {
    name: "pad",
    operation: padOperation,
    samples: (draw) => [
      [draw([3]), 1],
      [
        draw([2, 3]),
        [
          [1, 0],
          [0, 2],
        ],
        { value: 5 },
      ],
      [draw([2, 3]), [1, 2], { mode: "edge" }],
      [draw([1, 3]), [1, 4], { mode: "reflect" }],
      [draw([2, 1]), 3, { mode: "symmetric" }],
      [
        draw([2, 3]),
        [
          [0, 0],
          [4, 1],
        ],
        { mode: "wrap" },
      ],
      [draw([0, 2]), 1],
      [
        draw([4, 2]),
        [
          [-1, 2],
          [1, -2],
        ],
      ],
      [
        draw([4, 2]),
        [
          [-1, 2],
          [1, -1],
        ],
        { mode: "reflect" },
      ],
      [draw([]), 1],
    ],
  },
  (x: Operand, widths: PadWidths, options: PadOptions = {}): Value => {
    const { mode = "constant", value = 0 } = checkOptions("pad", options, PAD);
    const input = operand("pad", x);
    const pairs = pairsOf(input, widths);
    if (pairs.every(([before, after]) => before === 0 && after === 0)) return input;
    if (mode === "constant") {
      const kept = slice(
        input,
        ...input.shape.map((n, i): Range => {
          const [before, after] = pairs[i] as Width;
          return [Math.max(0, -before), n + Math.min(0, after)];
        }),
      );
      const added = pairs.map(([before, after]): Width => [Math.max(0, before), Math.max(0, after)]);
      return apply(padOperation, [kept], { widths: added, value });
    }
    const place = PLACES[mode];
    if (place === undefined) {
      throw new ArgumentError({
        where: "pad",
        expected: `mode must be constant or one of ${Object.keys(PLACES).join(", ")}`,
        received: describe(mode),
      });
    }
    return pairs.reduce((y, [before, after], axis) => {
      if (before === 0 && after === 0) return y;
      const n = y.shape[axis] as number;
      if (n === 0) {
        throw new ShapeError({
          where: "pad",
          expected: `an empty axis has nothing to repeat (mode ${mode})`,
          received: formatShape(input.shape),
        });
      }
      return take(
        y,
        Int32Array.from({ length: before + n + after }, (_, i) => place(i - before, n)),
        axis,
      );
    }, input);
  },
);

/** For each mode, where along an axis of n elements the element at place i, perhaps outside, comes from. */
const PLACES: Record<string, (i: number, n: number) => number> = {
  edge: (i, n) => Math.min(Math.max(i, 0), n - 1),
  reflect: (i, n) => (n === 1 ? 0 : n - 1 - Math.abs(n - 1 - modulo(i, 2 * n - 2))),
  symmetric: (i, n) => n - 0.5 - Math.abs(n - 0.5 - modulo(i, 2 * n)),
  wrap: modulo,
};

function modulo(i: number, n: number): number {
  return ((i % n) + n) % n;
}

function pairsOf({ rank, shape }: Value, widths: PadWidths): readonly Width[] {
  const expected = "widths must be a number, a pair, or a pair an axis";
  const one =
    typeof widths === "number" ? [widths, widths] : checkList<number | Width>("pad", expected, widths);
  const pairs = (typeof one[0] === "number" ? new Array(rank).fill(one) : one) as readonly Width[];
  if (pairs.length !== rank) {
    throw new ShapeError({
      where: "pad",
      expected: `one pair of widths an axis (rank ${rank})`,
      received: String(pairs.length),
    });
  }
  const wrong = pairs.flat().find((n) => !Number.isInteger(n));
  if (wrong !== undefined) {
    throw new ArgumentError({
      where: "pad",
      expected: "widths must be whole numbers",
      received: describe(wrong),
    });
  }
  shape.forEach((n, axis) => {
    const [before, after] = pairs[axis] as Width;
    if (n + before >= 0 && n + after >= 0 && n + before + after >= 0) return;
    throw new ShapeError({
      where: "pad",
      expected: `widths must leave axis ${axis} of size ${n} at least 0 elements`,
      received: formatShape([before, after]),
    });
  });
  return pairs;
}
