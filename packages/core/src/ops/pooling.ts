/** Pools: the largest element, or the mean, of each window of the last axes. */

import { allocate } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { readBox } from "../loops.ts";
import { apply, type Draw, define, type Operation, operand, operation } from "../op.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { formatShape, listOf, type Shape, sizeOf, stridesOf } from "../shape.ts";
import { type TensorType, tensorType } from "../tensor-type.ts";
import { constant, type Operand, type Value, value } from "../value.ts";
import { div, eq, ne, where } from "./elementwise.ts";
import { takeAlongAxis } from "./indexing.ts";
import { cast, reshape } from "./movement.ts";
import { max, min, sum } from "./reduction.ts";
import { take } from "./selection.ts";
import {
  checkPlaces,
  type Padding,
  type PerAxis,
  paddingPairs,
  perAxis,
  placesOf,
  type Windowing,
  windows,
} from "./windows.ts";

/** Options of a pool. */
export interface PoolOptions {
  /** How far apart neighbouring windows are. By default the window's size. */
  readonly stride?: PerAxis;
  /** What stands around the input: −Infinity for `maxPool`, 0 for `avgPool`. By default nothing. */
  readonly padding?: Padding;
  /** How far apart neighbouring elements of a window are. By default 1. */
  readonly dilation?: PerAxis;
  /** Whether a last window that begins inside may reach beyond the end. By default false. */
  readonly ceilMode?: boolean;
}

const POOL: OptionNames<PoolOptions> = { stride: true, padding: true, dilation: true, ceilMode: true };

/** For each axis, which places each element of the output looks at: [start, end, step]. */
type Bins = readonly (readonly (readonly [start: number, end: number, step: number])[])[];

/** Bins as windows, all of one size and inside of the axes; null where they are not. */
function evenWindows(bins: Bins, from: Shape): Windowing | null {
  const axes = bins.map((list) => {
    const [first, second] = list;
    if (first === undefined || first[0] !== 0) return null;
    const [, end, step] = first;
    const [size, stride] = [Math.ceil(end / step), second === undefined ? 1 : second[0]];
    const isEven = list.every(
      ([start, end], i) => start === i * stride && Math.ceil((end - start) / step) === size,
    );
    return isEven ? { size, stride, step } : null;
  });
  const even = axes.filter((axis) => axis !== null);
  if (even.length < axes.length) return null;
  const windowing = {
    from,
    window: even.map(({ size }) => size),
    strides: even.map(({ stride }) => stride),
    dilations: even.map(({ step }) => step),
    padding: from.map(() => [0, 0] as const),
  };
  return placesOf(windowing).every((count, i) => count === bins[i]?.length) ? windowing : null;
}

/** For each element of windows, where it is in the plane of the axes that they slide over. */
function placesInPlane(windowing: Windowing): Value {
  const { from, window, strides, dilations } = windowing;
  const shape = [...window, ...placesOf(windowing)];
  const steps = stridesOf(from);
  const places = allocate("int32", sizeOf(shape));
  readBox(
    Int32Array.from({ length: sizeOf(from) }, (_, i) => i),
    {
      shape,
      start: 0,
      strides: [
        ...steps.map((step, i) => step * (dilations[i] as number)),
        ...steps.map((step, i) => step * (strides[i] as number)),
      ],
    },
    places,
  );
  return constant(tensorType(shape, "int32"), places);
}

const maxIndicesOperation: Operation<{ readonly bins: Bins }> = /* @__PURE__ */ operation({
  name: "maxIndices",
  // As argmax: nothing equals a maximum that is NaN.
  lowering: ({ bins }, [type]) => {
    const { shape, dtype } = type as TensorType;
    const leading = shape.length - bins.length;
    const windowing = dtype === "bool" ? null : evenWindows(bins, shape.slice(leading));
    if (windowing === null) return null;
    return {
      kind: "rewrite",
      rewrite: ([x]) => {
        const seen = windows(x as Value, windowing);
        const within = bins.map((_, i) => leading + i);
        const places = placesInPlane(windowing);
        const isLargest = eq(seen, max(seen, within, { keepDims: true }));
        return min(where(ne(seen, seen), places, where(isLargest, places, sizeOf(windowing.from))), within);
      },
    };
  },
  infer: ([x], { bins }) => {
    const { shape } = x as TensorType;
    return tensorType(
      [...shape.slice(0, shape.length - bins.length), ...bins.map((list) => list.length)],
      "int32",
    );
  },
  evaluate: ([x], { bins }, type) => {
    const { data, shape } = x as Value;
    const inner = shape.slice(shape.length - bins.length);
    // The candidates of each output element, the same in every plane: flat places, one list after another.
    let lists: number[][] = [[0]];
    stridesOf(inner).forEach((stride, axis) => {
      lists = lists.flatMap((list) =>
        (bins[axis] as Bins[number]).map(([start, end, step]) => {
          const next: number[] = [];
          for (const place of list) for (let i = start; i < end; i += step) next.push(place + i * stride);
          return next;
        }),
      );
    });
    const out = allocate("int32", type.size);
    const plane = sizeOf(inner);
    for (let o = 0, start = 0; o < out.length; start += plane) {
      for (const list of lists) {
        let best = list[0] as number;
        let top = data[start + best] as number;
        for (let k = 1; k < list.length && !Number.isNaN(top); k++) {
          const candidate = data[start + (list[k] as number)] as number;
          if (!(candidate <= top)) {
            top = candidate;
            best = list[k] as number;
          }
        }
        out[o++] = best;
      }
    }
    return out;
  },
  batch: ([x], _, attributes) => apply(maxIndicesOperation, [x as Value], attributes),
});

/** The first largest element of each bin. */
function maxOfBins(x: Value, bins: Bins): Value {
  const leading = x.shape.slice(0, x.rank - bins.length);
  const places = bins.map((list) => list.length);
  const indices = apply(maxIndicesOperation, [x], { bins });
  const plane = sizeOf(x.shape.slice(leading.length));
  const flat = reshape(x, [...leading, plane]);
  return reshape(takeAlongAxis(flat, reshape(indices, [...leading, sizeOf(places)]), -1), [
    ...leading,
    ...places,
  ]);
}

/** The window of a pool: a list with one size an axis, or one size for all axes after batch and channels. */
function axesOf(where: string, x: Value, window: PerAxis): number {
  const axes = typeof window === "number" ? x.rank - 2 : listOf(where, "window", window).length;
  if (axes > 0 && axes <= x.rank) return axes;
  throw new ShapeError({
    where,
    expected: "x must have the axes that are pooled, after batch and channels",
    received: formatShape(x.shape),
  });
}

/** The windowing of a pool, and what of its padding was asked for: `ceilMode` may add more at the end. */
function windowingOf(
  where: string,
  x: Value,
  window: PerAxis,
  options: PoolOptions,
): Windowing & { readonly own: Windowing["padding"] } {
  const axes = axesOf(where, x, window);
  const from = x.shape.slice(x.rank - axes);
  const sizes = perAxis(where, "window", window, axes, 1);
  const strides = perAxis(where, "stride", options.stride ?? sizes, axes, 1);
  const dilations = perAxis(where, "dilation", options.dilation ?? 1, axes, 1);
  const padding = paddingPairs(where, options.padding ?? "valid", axes, (i) => {
    const [n, stride] = [from[i] as number, strides[i] as number];
    const reach = (dilations[i] as number) * ((sizes[i] as number) - 1) + 1;
    return Math.max(0, (Math.ceil(n / stride) - 1) * stride + reach - n);
  });
  const windowing = { from, window: sizes, strides, dilations, padding };
  if (!options.ceilMode) return { ...checkPlaces(where, windowing), own: padding };
  const wider = padding.map(([before, after], i): [number, number] => {
    const [n, stride] = [from[i] as number, strides[i] as number];
    const reach = (dilations[i] as number) * ((sizes[i] as number) - 1) + 1;
    const begin = Math.ceil((n + before + after - reach) / stride) * stride;
    // Beyond the input and what stands before it a window sees nothing.
    return [before, begin >= n + before ? after : Math.max(after, begin + reach - n - before)];
  });
  return { ...checkPlaces(where, { ...windowing, padding: wider }), own: padding };
}

function poolSamples(draw: Draw) {
  return [
    [draw([1, 2, 6]), [2]],
    [draw([2, 1, 4, 5]), 2],
    [draw([2, 5, 4]), [3, 2], { stride: [2, 1], padding: 1 }],
    [draw([1, 2, 2, 3, 2]), [2, 2, 1], { padding: "same", stride: 1 }],
    [draw([1, 6]), [2], { dilation: 2, stride: 1 }],
  ];
}

/**
 * The largest element of each window over the last axes; NaN if any is.
 *
 * Shape: x [..., n, m], a window of as many sizes as it has axes (or one size for all axes after batch and channels) →
 * [..., places, places]; ⌊(n + padding − dilation·(k − 1) − 1)/stride⌋ + 1 places,
 * PyTorch's, one more with `ceilMode` where a last window begins inside, even one larger than x.
 * Derivative: dy to the first largest element of each window, in row-major order, as in PyTorch.
 * Throws: ShapeError where a window does not fit or sees nothing but padding.
 *
 * @example
 * maxPool([[[1, 5, 2, 3]]], [2]) // [[[5, 3]]]
 */
export const maxPool = /* @__PURE__ */ define(
  { name: "maxPool", operation: null, samples: poolSamples },
  (x: Operand, window: PerAxis, options: PoolOptions = {}): Value => {
    checkOptions("maxPool", options, POOL);
    const input = operand("maxPool", x);
    const windowing = windowingOf("maxPool", input, window, options);
    const { from, window: sizes, strides, dilations, padding } = windowing;
    const bins: Bins = placesOf(windowing).map((count, axis) => {
      const [n, step] = [from[axis] as number, dilations[axis] as number];
      return Array.from({ length: count }, (_, i) => {
        const first = i * (strides[axis] as number) - (padding[axis] as readonly [number, number])[0];
        const start = first >= 0 ? first : first + Math.ceil(-first / step) * step;
        const end = Math.min(n, first + step * ((sizes[axis] as number) - 1) + 1);
        if (start >= end) {
          throw new ShapeError({
            where: "maxPool",
            expected: "every window must see an element of x",
            received: `one of padding only along axis ${input.rank - from.length + axis}`,
            advice: "Pad less.",
          });
        }
        return [start, end, step] as const;
      });
    });
    return maxOfBins(input, bins);
  },
);

/** Options of `avgPool`. */
export interface AveragePoolOptions extends PoolOptions {
  /** Whether padding counts in the mean. By default true, as in PyTorch. */
  readonly countPadding?: boolean;
}

const AVERAGE_POOL: OptionNames<AveragePoolOptions> = {
  stride: true,
  padding: true,
  dilation: true,
  ceilMode: true,
  countPadding: true,
};

/**
 * The mean of each window over the last axes.
 *
 * Shape: as `maxPool`. Derivative: dy/count to each element of the window.
 * Throws: ShapeError where a window does not fit.
 *
 * @example
 * avgPool([[[1, 5, 2, 3]]], [2]) // [[[3, 2.5]]]
 */
export const avgPool = /* @__PURE__ */ define(
  {
    name: "avgPool",
    operation: null,
    samples: (draw) => [
      ...poolSamples(draw),
      [draw([1, 1, 3]), [2], { padding: 1, countPadding: false }],
      [draw([1, 1, 5]), [2], { padding: 1, ceilMode: true }],
    ],
  },
  (x: Operand, window: PerAxis, options: AveragePoolOptions = {}): Value => {
    checkOptions("avgPool", options, AVERAGE_POOL);
    const input = operand("avgPool", x);
    const windowing = windowingOf("avgPool", input, window, options);
    const axes = windowing.from.length;
    const windowAxes = (rank: number) => Array.from({ length: axes }, (_, i) => rank - axes + i);
    const total = sum(windows(input, windowing), windowAxes(input.rank));
    const { countPadding = true, ceilMode = false } = options;
    if (countPadding && !ceilMode) return div(total, sizeOf(windowing.window));
    // What counts: the input, with its own padding or without, but nothing that only a last window reaches.
    const ends = countPadding ? windowing.own : windowing.own.map(() => [0, 0] as const);
    const from = windowing.from.map((n, i) => n + (ends[i]?.[0] ?? 0) + (ends[i]?.[1] ?? 0));
    const type = tensorType(from, "float64");
    const counted = constant(type, new Float64Array(type.size).fill(1));
    const padding = windowing.padding.map(
      ([a, b], i) => [a - (ends[i]?.[0] ?? 0), b - (ends[i]?.[1] ?? 0)] as const,
    );
    const counts = sum(windows(counted, { ...windowing, from, padding }), windowAxes(axes));
    return div(total, cast(counts, total.dtype));
  },
);

/** The bin of output i of `count` along an axis of n: [⌊i·n/count⌋, ⌈(i + 1)·n/count⌉). */
function adaptiveBins(n: number, count: number): Bins[number] {
  return Array.from({ length: count }, (_, i) => [
    Math.floor((i * n) / count),
    Math.ceil(((i + 1) * n) / count),
    1,
  ]);
}

function adaptive(where: string, x: Operand, size: PerAxis): { input: Value; bins: Bins } {
  const input = operand(where, x);
  const axes = axesOf(where, input, size);
  const counts = perAxis(where, "size", size, axes, 0);
  const from = input.shape.slice(input.rank - axes);
  if (from.includes(0)) {
    throw new ShapeError({
      where,
      expected: "the pooled axes must not be empty",
      received: formatShape(input.shape),
    });
  }
  return { input, bins: from.map((n, i) => adaptiveBins(n, counts[i] as number)) };
}

function adaptiveSamples(draw: Draw) {
  return [
    [draw([2, 1, 5]), [3]],
    [draw([1, 2, 4, 3]), 2],
    [draw([2, 3]), [1, 5]],
    [draw([1, 2, 3, 2]), [2, 1, 2]],
  ];
}

/**
 * The largest element of as many windows as the output has places, evenly spread over the last axes.
 *
 * Shape: x [..., n, m], size [k, l] (or one number for all axes after batch and channels) → [..., k, l]; place i sees
 * [⌊i·n/k⌋, ⌈(i + 1)·n/k⌉), as in PyTorch. Derivative: as `maxPool`. Throws: ShapeError for empty axes.
 *
 * @example
 * adaptiveMaxPool([[[1, 5, 2, 3]]], [2]) // [[[5, 3]]]
 */
export const adaptiveMaxPool = /* @__PURE__ */ define(
  { name: "adaptiveMaxPool", operation: null, samples: adaptiveSamples },
  (x: Operand, size: PerAxis): Value => {
    const { input, bins } = adaptive("adaptiveMaxPool", x, size);
    return maxOfBins(input, bins);
  },
);

/**
 * The mean of as many windows as the output has places, evenly spread over the last axes.
 *
 * Shape: as `adaptiveMaxPool`. Derivative: dy/count to each element of the window. Throws: ShapeError for empty axes.
 *
 * @example
 * adaptiveAvgPool([[[1, 5, 2, 4]]], [2]) // [[[3, 3]]]
 */
export const adaptiveAvgPool = /* @__PURE__ */ define(
  { name: "adaptiveAvgPool", operation: null, samples: adaptiveSamples },
  (x: Operand, size: PerAxis): Value => {
    const { input, bins } = adaptive("adaptiveAvgPool", x, size);
    // Axis by axis, and each bin on its own, so that NaN and infinities stay in the bins that hold them.
    return bins.reduce((y, list, i) => {
      const axis = y.rank - bins.length + i;
      const counts = list.map(([start, end]) => end - start);
      const widest = Math.max(0, ...counts);
      const places = Int32Array.from({ length: list.length * widest }, (_, k) => {
        const [start, end] = list[Math.floor(k / widest)] as Bins[number][number];
        return Math.min(start + (k % widest), end - 1);
      });
      const inside = counts.flatMap((n) => Array.from({ length: widest }, (_, k) => k < n));
      const rest = new Array<number>(y.rank - axis - 1).fill(1);
      const shape = [list.length, widest];
      const parts = take(y, value(places, { shape }), axis);
      const held = where(value(inside, { shape: [...shape, ...rest] }), parts, 0);
      const dtype = y.dtype === "float32" ? "float32" : "float64";
      const sizes = value(counts, { shape: [list.length, ...rest], dtype });
      return div(sum(held, axis + 1), sizes);
    }, input);
  },
);
