/** Convolutions and their transposes over one, two and three axes, as windows and a matrix product. */

import { ArgumentError, ShapeError } from "../errors.ts";
import { type Draw, define, operand, operands } from "../op.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { formatShape, sizeOf } from "../shape.ts";
import type { Operand, Value } from "../value.ts";
import { add } from "./elementwise.ts";
import { reshape } from "./movement.ts";
import { matmul } from "./products.ts";
import {
  checkPlaces,
  type Padding,
  type PerAxis,
  paddingPairs,
  perAxis,
  placesOf,
  unwindows,
  windows,
} from "./windows.ts";

/** Options of a convolution. */
export interface ConvolutionOptions {
  /** How far apart neighbouring windows are. By default 1. */
  readonly stride?: PerAxis;
  /** Zeros around the input. By default "valid", none. */
  readonly padding?: Padding;
  /** How far apart neighbouring elements of a window are. By default 1. */
  readonly dilation?: PerAxis;
  /** Into how many groups of channels, convolved apart, the input falls. By default 1. */
  readonly groups?: number;
  /** One number an output channel, added. */
  readonly bias?: Operand;
}

const CONVOLUTION: OptionNames<ConvolutionOptions> = {
  stride: true,
  padding: true,
  dilation: true,
  groups: true,
  bias: true,
};

/** Options of a transposed convolution. */
export interface TransposedConvolutionOptions extends ConvolutionOptions {
  /** What the output has at its ends beyond the places that the windows reach. By default 0. */
  readonly outputPadding?: PerAxis;
}

const TRANSPOSED: OptionNames<TransposedConvolutionOptions> = {
  stride: true,
  padding: true,
  dilation: true,
  groups: true,
  bias: true,
  outputPadding: true,
};

/** The operands of a convolution over `axes` axes, checked; an input without a batch has one of size 1. */
function prepare(
  where: string,
  axes: number,
  x: Operand,
  weight: Operand,
  options: ConvolutionOptions,
  channelsAxis: 0 | 1,
) {
  const [first, filters] = operands(where, [x, weight]) as [Value, Value];
  if ((first.rank !== axes + 2 && first.rank !== axes + 1) || filters.rank !== axes + 2) {
    throw new ShapeError({
      where,
      expected: `x of rank ${axes + 2} (batch, channels, ${axes} axes) or ${axes + 1}, and a weight of rank ${axes + 2}`,
      received: `x ${formatShape(first.shape)}, weight ${formatShape(filters.shape)}`,
    });
  }
  const input = first.rank === axes + 1 ? reshape(first, [1, ...first.shape]) : first;
  const { groups = 1 } = options;
  const channels = input.shape[1] as number;
  if (
    !Number.isInteger(groups) ||
    groups < 1 ||
    channels % groups !== 0 ||
    (filters.shape[0] as number) % groups !== 0
  ) {
    throw new ArgumentError({
      where,
      expected: `groups must divide the ${channels} channels of x and the first ${filters.shape[0]} of the weight`,
      received: String(groups),
    });
  }
  const wanted = channelsAxis === 1 ? channels / groups : channels;
  if (filters.shape[channelsAxis] !== wanted) {
    throw new ShapeError({
      where,
      expected: `axis ${channelsAxis} of the weight must be ${wanted} for the ${channels} channels of x${groups === 1 ? "" : ` in ${groups} groups`}`,
      received: `weight ${formatShape(filters.shape)}`,
    });
  }
  const finish = (y: Value): Value => {
    const ones = new Array<number>(axes).fill(1);
    const shifted =
      options.bias === undefined ? y : add(y, reshape(operand(where, options.bias), [-1, ...ones]));
    return first.rank === axes + 1 ? reshape(shifted, shifted.shape.slice(1)) : shifted;
  };
  return {
    input,
    filters,
    groups,
    finish,
    window: filters.shape.slice(2),
    strides: perAxis(where, "stride", options.stride ?? 1, axes, 1),
    dilations: perAxis(where, "dilation", options.dilation ?? 1, axes, 1),
  };
}

function convolve(
  where: string,
  axes: number,
  x: Operand,
  weight: Operand,
  options: ConvolutionOptions,
): Value {
  checkOptions(where, options, CONVOLUTION);
  const { input, filters, groups, finish, window, strides, dilations } = prepare(
    where,
    axes,
    x,
    weight,
    options,
    1,
  );
  const from = input.shape.slice(2);
  const padding = paddingPairs(where, options.padding ?? "valid", axes, (i) => {
    const [n, stride] = [from[i] as number, strides[i] as number];
    return Math.max(
      0,
      (Math.ceil(n / stride) - 1) * stride + (dilations[i] as number) * ((window[i] as number) - 1) + 1 - n,
    );
  });
  const windowing = checkPlaces(where, { from, window, strides, dilations, padding });
  const places = placesOf(windowing);
  const [batch, channels] = input.shape as [number, number];
  const [out, depth] = filters.shape as [number, number];
  const inner = depth * sizeOf(window);
  const columns = reshape(windows(input, windowing), [
    batch,
    groups,
    (channels / groups) * sizeOf(window),
    sizeOf(places),
  ]);
  const rows = reshape(filters, [groups, out / groups, inner]);
  return finish(reshape(matmul(rows, columns), [batch, out, ...places]));
}

function convolveTransposed(
  where: string,
  axes: number,
  x: Operand,
  weight: Operand,
  options: TransposedConvolutionOptions,
): Value {
  checkOptions(where, options, TRANSPOSED);
  const { input, filters, groups, finish, window, strides, dilations } = prepare(
    where,
    axes,
    x,
    weight,
    options,
    0,
  );
  const places = input.shape.slice(2);
  const reach = (i: number) => (dilations[i] as number) * ((window[i] as number) - 1) + 1;
  const extra = perAxis(where, "outputPadding", options.outputPadding ?? 0, axes, 0);
  const padding = paddingPairs(
    where,
    options.padding ?? "valid",
    axes,
    (i) => reach(i) - (strides[i] as number),
  ).map(([before, after], i): [number, number] => [before, after - (extra[i] as number)]);
  const from = places.map((n, i) => {
    const [before, after] = padding[i] as [number, number];
    return n === 0 ? 0 : (n - 1) * (strides[i] as number) + reach(i) - before - after;
  });
  if (from.some((n) => n < 0)) {
    throw new ShapeError({
      where,
      expected: "padding must leave an output",
      received: `axes of ${formatShape(from)}`,
    });
  }
  const [batch, channels] = input.shape as [number, number];
  const depth = filters.shape[1] as number;
  const inner = channels / groups;
  const rows = reshape(filters, [groups, inner, depth * sizeOf(window)]);
  const columns = reshape(input, [batch, groups, inner, sizeOf(places)]);
  const spread = matmul(rows, columns, { transposeA: true });
  const parts = reshape(spread, [batch, groups * depth, ...window, ...places]);
  return finish(unwindows(parts, { from, window, strides, dilations, padding }));
}

type Convolution = (x: Operand, weight: Operand, options?: ConvolutionOptions) => Value;
type TransposedConvolution = (x: Operand, weight: Operand, options?: TransposedConvolutionOptions) => Value;

/** Argument lists over `axes` axes: the first axis varies, the others are small. */
function convolutionSamples(axes: number, transposed: boolean) {
  return (draw: Draw) => {
    const rest = new Array<number>(axes - 1).fill(2);
    const list = [
      [draw([2, 2, 5, ...rest]), draw(transposed ? [2, 3, 3, ...rest] : [3, 2, 3, ...rest])],
      [
        draw([2, 5, ...rest]),
        draw([2, 2, 2, ...rest]),
        { stride: 2, padding: 1, dilation: [2, ...rest.map(() => 1)] },
      ],
      [draw([1, 4, 4, ...rest]), draw([4, transposed ? 1 : 2, 3, ...rest]), { groups: 2, padding: "same" }],
      [draw([1, 1, 1, ...rest]), draw([1, 1, 1, ...rest])],
    ];
    return list;
  };
}

/**
 * Convolution over one axis, as networks mean it: correlation, without turning the weight around.
 *
 * Shape: x [batch, channels, n] or [channels, n], weight [out, channels/groups, k] → [batch, out, places], PyTorch's order;
 * ⌊(n + padding − dilation·(k − 1) − 1)/stride⌋ + 1 places. "same" padding keeps ⌈n/stride⌉, the odd zero at the end.
 * Derivative: linear in x and in the weight. Sums are as those of `matmul`.
 * Throws: ShapeError for ranks, channels or windows that do not fit, ArgumentError for options out of range.
 * Source of the method: Chellapilla, Puri & Simard, High Performance Convolutional Neural Networks (2006).
 *
 * @example
 * conv1d([[1, 2, 3, 4]], [[[1, -1]]]) // [[-1, -1, -1]]
 */
export const conv1d = /* @__PURE__ */ define<Convolution>(
  { name: "conv1d", operation: null, samples: /* @__PURE__ */ convolutionSamples(1, false) },
  (x, weight, options = {}) => convolve("conv1d", 1, x, weight, options),
);

/**
 * Convolution over two axes; all else as `conv1d`.
 *
 * Shape: x [batch, channels, n, m] or without batch, weight [out, channels/groups, k, l] → [batch, out, places, places].
 * Derivative: linear in x and in the weight.
 *
 * @example
 * conv2d([[[1, 2], [3, 4]]], [[[[1, 0], [0, 1]]]]) // [[[5]]]
 */
export const conv2d = /* @__PURE__ */ define<Convolution>(
  { name: "conv2d", operation: null, samples: /* @__PURE__ */ convolutionSamples(2, false) },
  (x, weight, options = {}) => convolve("conv2d", 2, x, weight, options),
);

/**
 * Convolution over three axes; all else as `conv1d`.
 *
 * Shape: x [batch, channels, n, m, l] or without batch, weight of rank 5. Derivative: linear in x and in the weight.
 *
 * @example
 * conv3d([[[[1, 2]]]], [[[[[1, 1]]]]]) // [[[[3]]]]
 */
export const conv3d = /* @__PURE__ */ define<Convolution>(
  { name: "conv3d", operation: null, samples: /* @__PURE__ */ convolutionSamples(3, false) },
  (x, weight, options = {}) => convolve("conv3d", 3, x, weight, options),
);

/**
 * The transpose of `conv1d` as a map of its input: what its derivative does to a cotangent.
 *
 * Shape: x [batch, channels, n] or [channels, n], weight [channels, out/groups, k] → [batch, out, m], m = (n − 1)·stride −
 * padding + dilation·(k − 1) + 1 + outputPadding; "same" padding gives n·stride.
 * Derivative: linear in x and in the weight. Throws: as `conv1d`.
 *
 * @example
 * convTranspose1d([[1, 2]], [[[1, 10]]], { stride: 2 }) // [[1, 10, 2, 20]]
 */
export const convTranspose1d = /* @__PURE__ */ define<TransposedConvolution>(
  { name: "convTranspose1d", operation: null, samples: /* @__PURE__ */ convolutionSamples(1, true) },
  (x, weight, options = {}) => convolveTransposed("convTranspose1d", 1, x, weight, options),
);

/**
 * The transpose of `conv2d`; shapes as in `convTranspose1d`. Derivative: linear in x and in the weight.
 *
 * @example
 * convTranspose2d([[[2]]], [[[[1, 2], [3, 4]]]]) // [[[2, 4], [6, 8]]]
 */
export const convTranspose2d = /* @__PURE__ */ define<TransposedConvolution>(
  { name: "convTranspose2d", operation: null, samples: /* @__PURE__ */ convolutionSamples(2, true) },
  (x, weight, options = {}) => convolveTransposed("convTranspose2d", 2, x, weight, options),
);

/**
 * The transpose of `conv3d`; shapes as in `convTranspose1d`. Derivative: linear in x and in the weight.
 *
 * @example
 * convTranspose3d([[[[2]]]], [[[[[1, 2]]]]]) // [[[[2, 4]]]]
 */
export const convTranspose3d = /* @__PURE__ */ define<TransposedConvolution>(
  { name: "convTranspose3d", operation: null, samples: /* @__PURE__ */ convolutionSamples(3, true) },
  (x, weight, options = {}) => convolveTransposed("convTranspose3d", 3, x, weight, options),
);
