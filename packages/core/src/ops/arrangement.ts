/** Elements in another arrangement: reversed, rotated, repeated, taken apart, in windows; axes in other places. */

import { ArgumentError, describe, ShapeError } from "../errors.ts";
import { define, operand } from "../op.ts";
import { type Axes, formatShape, listOf, normalizeAxes, normalizeAxis } from "../shape.ts";
import { tensorType } from "../tensor-type.ts";
import { constant, type Operand, type Value } from "../value.ts";
import { concat } from "./joining.ts";
import { resized } from "./lines.ts";
import { broadcastTo, expandDims, reshape, transpose } from "./movement.ts";
import { take } from "./selection.ts";
import { type Range, slice } from "./slicing.ts";

/** A slice along one axis. */
function part(x: Value, axis: number, range: Range): Value {
  const ranges: Range[] = new Array(axis).fill(null);
  return slice(x, ...ranges, range);
}

/**
 * Elements in reverse order along axes, by default all.
 *
 * Shape: unchanged. Derivative: dy flipped back.
 *
 * @example
 * flip([[1, 2], [3, 4]], 1) // [[2, 1], [4, 3]]
 */
export const flip = /* @__PURE__ */ define(
  {
    name: "flip",
    operation: null,
    samples: (draw) => [
      [draw([2, 3])],
      [draw([2, 3]), -1],
      [draw([2, 1, 3]), [0, 2]],
      [draw([0, 2])],
      [draw([])],
    ],
  },
  (x: Operand, axes?: Axes | null): Value => {
    const input = operand("flip", x);
    const turned = normalizeAxes("flip", axes, input.rank);
    return slice(input, ...input.shape.map((_, i): Range => (turned.includes(i) ? [null, null, -1] : null)));
  },
);

/**
 * Elements moved on along axes, those that leave the end entering at the start; without axes, in the flattened value.
 *
 * Shape: unchanged. One shift for all axes, or one an axis; negative ones move back. Derivative: dy rolled back.
 * Throws: ArgumentError for shifts that are not whole, ShapeError for another number of them than axes.
 *
 * @example
 * roll([1, 2, 3, 4], 1) // [4, 1, 2, 3]
 */
export const roll = /* @__PURE__ */ define(
  {
    name: "roll",
    operation: null,
    samples: (draw) => [
      [draw([5]), 2],
      [draw([2, 3]), -1],
      [draw([2, 3]), [1, -5], [0, 1]],
      [draw([2, 3]), 1, [0, -1]],
      [draw([0, 2]), 1, 0],
      [draw([]), 3],
    ],
  },
  (x: Operand, shift: number | readonly number[], axes?: Axes | null): Value => {
    const input = operand("roll", x);
    if (axes === undefined || axes === null)
      return reshape(roll(reshape(input, [input.size]), shift, 0), input.shape);
    const along = listOf("roll", "axes", axes).map((axis) => normalizeAxis("roll", axis, input.rank));
    const shifts = typeof shift === "number" ? along.map(() => shift) : listOf("roll", "shift", shift);
    if (shifts.length !== along.length) {
      throw new ShapeError({
        where: "roll",
        expected: `one shift an axis (${along.length})`,
        received: String(shifts.length),
      });
    }
    return along.reduce((y, axis, i) => {
      const n = y.shape[axis] as number;
      const by = wholeNumber("roll", "shift", shifts[i] as number);
      const first = n === 0 ? 0 : ((by % n) + n) % n;
      return first === 0 ? y : concat([part(y, axis, [n - first]), part(y, axis, [0, n - first])], axis);
    }, input);
  },
);

function wholeNumber(where: string, name: string, x: number, least = -Infinity): number {
  if (Number.isInteger(x) && x >= least) return x;
  throw new ArgumentError({
    where,
    expected: `${name} must be a whole number${least === -Infinity ? "" : ` ≥ ${least}`}`,
    received: describe(x),
  });
}

/**
 * The whole value repeated along its axes, NumPy's tile.
 *
 * Shape: [n, …] → [n·count, …]. Counts are aligned at the last axis; more of them than axes make new ones.
 * Derivative: dy summed over the repetitions. Throws: ArgumentError for counts that are not whole numbers ≥ 0.
 *
 * @example
 * tile([1, 2], 2) // [1, 2, 1, 2]
 * tile([1, 2], [2, 1]) // [[1, 2], [1, 2]]
 */
export const tile = /* @__PURE__ */ define(
  {
    name: "tile",
    operation: null,
    samples: (draw) => [
      [draw([3]), 2],
      [draw([2, 3]), [2, 1, 2]],
      [draw([2, 1, 2]), [3, 2]],
      [draw([2]), 0],
      [draw([]), [2]],
    ],
  },
  (x: Operand, counts: number | readonly number[]): Value => {
    const input = operand("tile", x);
    const given = listOf("tile", "counts", counts);
    for (const count of given) wholeNumber("tile", "counts", count, 0);
    const rank = Math.max(input.rank, given.length);
    const padded = <T>(list: readonly T[], fill: T): T[] => [
      ...new Array<T>(rank - list.length).fill(fill),
      ...list,
    ];
    const sizes = padded(input.shape, 1);
    const times = padded(given, 1);
    const apart = broadcastTo(
      reshape(
        input,
        sizes.flatMap((n) => [1, n]),
      ),
      sizes.flatMap((n, i) => [times[i] as number, n]),
    );
    return reshape(
      apart,
      sizes.map((n, i) => n * (times[i] as number)),
    );
  },
);

/**
 * Each element, or slice along an axis, repeated in place; without an axis, of the flattened value. PyTorch's
 * repeat_interleave.
 *
 * Shape: n along the axis → n·count, or the sum of the counts where there is one an element.
 * Derivative: dy summed over the repetitions.
 * Throws: ArgumentError for counts that are not whole numbers ≥ 0, ShapeError for another number of them than elements.
 *
 * @example
 * repeat([1, 2], 2) // [1, 1, 2, 2]
 * repeat([[1], [2]], [2, 1], 0) // [[1], [1], [2]]
 */
export const repeat = /* @__PURE__ */ define(
  {
    name: "repeat",
    operation: null,
    samples: (draw) => [
      [draw([2, 2]), 3],
      [draw([2, 3]), 2, -2],
      [draw([2, 3]), [2, 0, 1], 1],
      [draw([0]), 2],
      [draw([]), 2],
    ],
  },
  (x: Operand, counts: number | readonly number[], axis?: number): Value => {
    const input = operand("repeat", x);
    if (axis === undefined) return repeat(reshape(input, [input.size]), counts, 0);
    const along = normalizeAxis("repeat", axis, input.rank);
    const n = input.shape[along] as number;
    for (const count of listOf("repeat", "counts", counts)) wholeNumber("repeat", "counts", count, 0);
    if (typeof counts === "number") {
      const apart = expandDims(input, along + 1);
      return reshape(
        broadcastTo(apart, resized(apart.shape, along + 1, counts)),
        resized(input.shape, along, n * counts),
      );
    }
    if (counts.length !== n) {
      throw new ShapeError({
        where: "repeat",
        expected: `one count an element along axis ${along} (${n})`,
        received: String(counts.length),
      });
    }
    return take(
      input,
      Int32Array.from(counts.flatMap((count, i) => new Array<number>(count).fill(i))),
      along,
    );
  },
);

/**
 * Two axes exchanged.
 *
 * Derivative: dy with the same axes exchanged.
 *
 * @example
 * swapAxes([[1, 2, 3]], 0, 1) // [[1], [2], [3]]
 */
export const swapAxes = /* @__PURE__ */ define(
  {
    name: "swapAxes",
    operation: null,
    samples: (draw) => [
      [draw([2, 3, 4]), 0, -1],
      [draw([2, 3]), 1, 1],
    ],
  },
  (x: Operand, a: number, b: number): Value => {
    const input = operand("swapAxes", x);
    const [i, j] = [normalizeAxis("swapAxes", a, input.rank), normalizeAxis("swapAxes", b, input.rank)];
    return transpose(
      input,
      input.shape.map((_, axis) => (axis === i ? j : axis === j ? i : axis)),
    );
  },
);

/**
 * Axes moved to other places, the rest staying in order.
 *
 * Derivative: dy with the axes moved back. Throws: ShapeError unless as many places are given as axes.
 *
 * @example
 * moveAxis([[[1, 2, 3]]], -1, 0).shape // [3, 1, 1]
 */
export const moveAxis = /* @__PURE__ */ define(
  {
    name: "moveAxis",
    operation: null,
    samples: (draw) => [
      [draw([2, 3, 4]), 0, -1],
      [draw([2, 3, 4]), [0, 1], [-1, 0]],
      [draw([2]), 0, 0],
    ],
  },
  (x: Operand, from: Axes, to: Axes): Value => {
    const input = operand("moveAxis", x);
    const [source, target] = [from, to].map((axes) =>
      listOf("moveAxis", "axes", axes).map((axis) => normalizeAxis("moveAxis", axis, input.rank)),
    ) as [number[], number[]];
    if ([source, target].some((axes) => new Set(axes).size !== target.length)) {
      throw new ShapeError({
        where: "moveAxis",
        expected: "one place an axis, all distinct",
        received: `axes ${formatShape(source)} and places ${formatShape(target)}`,
      });
    }
    const rest = input.shape.flatMap((_, i) => (source.includes(i) ? [] : [i]));
    const order = input.shape.map((_, i) => {
      const moved = target.indexOf(i);
      return moved < 0 ? (rest.shift() as number) : (source[moved] as number);
    });
    return transpose(input, order);
  },
);

/**
 * Parts of a value along an axis, NumPy's split: a number of equal parts, or the places to cut at.
 *
 * Shape: [n, …] → parts of n/count, or from each place to the next; places are as a slice's ends.
 * Derivative: each part's dy at its place. Throws: ShapeError where n is not a multiple of the count.
 *
 * @example
 * split([1, 2, 3, 4], 2)[1] // [3, 4]
 * split([1, 2, 3, 4], [1, 3])[1] // [2, 3]
 */
export const split = /* @__PURE__ */ define(
  {
    name: "split",
    operation: null,
    samples: (draw) => [
      [draw([4, 2]), 2],
      [draw([2, 5]), [1, 3], -1],
      [draw([3]), [2, 5]],
    ],
  },
  (x: Operand, parts: number | readonly number[], axis = 0): Value[] => {
    const input = operand("split", x);
    const along = normalizeAxis("split", axis, input.rank);
    const n = input.shape[along] as number;
    let cuts: readonly number[];
    if (typeof parts === "number") {
      if (n % wholeNumber("split", "parts", parts, 1) !== 0) {
        throw new ShapeError({
          where: "split",
          expected: `axis ${along} must divide into ${parts} equal parts`,
          received: `size ${n}`,
          advice: "Give the places to cut at.",
        });
      }
      cuts = Array.from({ length: parts - 1 }, (_, i) => ((i + 1) * n) / parts);
    } else cuts = listOf("split", "parts", parts);
    return [...cuts, null].map((end, i) => part(input, along, [i === 0 ? null : (cuts[i - 1] ?? null), end]));
  },
);

/**
 * The slices of a value along an axis, each without it.
 *
 * Shape: [n, …s] → n values of shape s. Derivative: each slice's dy at its place.
 *
 * @example
 * unstack([[1, 2], [3, 4]], 1)[0] // [1, 3]
 */
export const unstack = /* @__PURE__ */ define(
  {
    name: "unstack",
    operation: null,
    samples: (draw) => [[draw([2, 3])], [draw([2, 3]), -1], [draw([2])], [draw([0, 2])]],
  },
  (x: Operand, axis = 0): Value[] => {
    const input = operand("unstack", x);
    const along = normalizeAxis("unstack", axis, input.rank);
    return Array.from({ length: input.shape[along] as number }, (_, i) => part(input, along, i));
  },
);

/**
 * Windows that slide along an axis, PyTorch's Tensor.unfold: each window's elements along a new last axis.
 *
 * Shape: [..., n, ...] → [..., ⌊(n − size)/step⌋ + 1, ..., size]. Derivative: dy added up at the places it came from.
 * Throws: ShapeError where the window is larger than the axis, ArgumentError for a step below 1.
 *
 * @example
 * unfold([1, 2, 3, 4, 5], 0, 3, 2) // [[1, 2, 3], [3, 4, 5]]
 */
export const unfold = /* @__PURE__ */ define(
  {
    name: "unfold",
    operation: null,
    samples: (draw) => [
      [draw([5]), 0, 3, 2],
      [draw([4, 2]), -2, 2],
      [draw([2, 3]), 1, 3],
      [draw([2, 3]), 0, 0],
    ],
  },
  (x: Operand, axis: number, size: number, step = 1): Value => {
    const input = operand("unfold", x);
    const along = normalizeAxis("unfold", axis, input.rank);
    const n = input.shape[along] as number;
    wholeNumber("unfold", "step", step, 1);
    if (wholeNumber("unfold", "size", size, 0) > n) {
      throw new ShapeError({
        where: "unfold",
        expected: `a window must fit axis ${along} of size ${n}`,
        received: String(size),
      });
    }
    const count = Math.floor((n - size) / step) + 1;
    const places = Int32Array.from(
      { length: count * size },
      (_, i) => Math.floor(i / size) * step + (i % size),
    );
    const windows = take(input, constant(tensorType([count, size], "int32"), places), along);
    return moveAxis(windows, along + 1, -1);
  },
);
