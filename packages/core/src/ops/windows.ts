/** Sliding windows over the last axes of a tensor, and their transpose: what convolutions and pools are made with. */

import { allocate, type TypedArray } from "../dtype.ts";
import { ArgumentError, describe, ShapeError } from "../errors.ts";
import { type Box, readBox, stridedLoops, writeBox } from "../loops.ts";
import { apply, type Operation, operation } from "../op.ts";
import { checkList, formatShape, listOf, type Shape, sizeOf, stridesOf } from "../shape.ts";
import { type TensorType, tensorType } from "../tensor-type.ts";
import type { Value } from "../value.ts";
import { pad } from "./padding.ts";

/** Windows over the last axes, one entry an axis. Padding is what stands before and after, zeros; negative it crops. */
export interface Windowing {
  /** Sizes of the axes that the windows slide over. */
  readonly from: Shape;
  readonly window: Shape;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: readonly (readonly [before: number, after: number])[];
}

/** Along how many places each axis has a window. */
export function placesOf({ from, window, strides, dilations, padding }: Windowing): number[] {
  return from.map((n, i) => {
    const [before, after] = padding[i] as readonly [number, number];
    const reach = (dilations[i] as number) * ((window[i] as number) - 1) + 1;
    return Math.max(0, Math.floor((n + before + after - reach) / (strides[i] as number)) + 1);
  });
}

/** The windows as a strided box of the padded tensor; all axes before those of the windows count as one. */
function boxOf(leading: number, windowing: Windowing) {
  const { from, window, strides, dilations, padding } = windowing;
  const padded = [leading, ...from.map((n, i) => n + (padding[i]?.[0] ?? 0) + (padding[i]?.[1] ?? 0))];
  const [outer = 1, ...steps] = stridesOf(padded);
  return {
    padded,
    shape: [leading, ...window, ...placesOf(windowing)],
    start: 0,
    strides: [
      outer,
      ...steps.map((step, i) => step * (dilations[i] as number)),
      ...steps.map((step, i) => step * (strides[i] as number)),
    ],
  };
}

/** Moves what lies inside of both a tensor and its padded form from one to the other. */
function copyInside(
  data: TypedArray,
  out: TypedArray,
  leading: number,
  { from, padding }: Windowing,
  into: "padded" | "plain",
): void {
  const ends = (i: number) => padding[i] as readonly [number, number];
  const plain = [leading, ...from];
  const padded = [leading, ...from.map((n, i) => n + ends(i)[0] + ends(i)[1])];
  const shape = [
    leading,
    ...from.map((n, i) => Math.max(0, n + Math.min(0, ends(i)[0]) + Math.min(0, ends(i)[1]))),
  ];
  const boxIn = (whole: Shape, sign: 1 | -1) => {
    const strides = stridesOf(whole);
    const start = from.reduce(
      (sum, _, i) => sum + Math.max(0, sign * ends(i)[0]) * (strides[i + 1] as number),
      0,
    );
    return { shape, start, strides };
  };
  const [source, target] =
    into === "padded" ? [boxIn(plain, -1), boxIn(padded, 1)] : [boxIn(padded, 1), boxIn(plain, -1)];
  const inside = new Float64Array(sizeOf(shape));
  readBox(data, source, inside);
  writeBox(inside, out, target);
}

function isPadded({ padding }: Windowing): boolean {
  return padding.some(([before, after]) => before !== 0 || after !== 0);
}

/** Unpadded windows as a box of the tensor that they slide over. */
function boxInside(whole: Shape, shape: Shape, windowing: Windowing): Box {
  const before = whole.length - windowing.from.length;
  const { strides } = boxOf(1, windowing);
  return { shape, start: 0, strides: [...stridesOf(whole).slice(0, before), ...strides.slice(1)] };
}

/** The padding of windows over the last axes, as widths for all axes. */
function borders(x: Value, { from, padding }: Windowing): (readonly [number, number])[] {
  return [...new Array<readonly [number, number]>(x.rank - from.length).fill([0, 0]), ...padding];
}

/** The same windows over what is padded already. */
function unpadded(windowing: Windowing): Windowing {
  const from = windowing.from.map(
    (n, i) => n + (windowing.padding[i]?.[0] ?? 0) + (windowing.padding[i]?.[1] ?? 0),
  );
  return { ...windowing, from, padding: from.map(() => [0, 0]) };
}

const windowsOperation: Operation<Windowing> = /* @__PURE__ */ operation({
  name: "windows",
  lowering: (windowing, [x], { shape }) => {
    if (isPadded(windowing)) {
      return {
        kind: "rewrite",
        rewrite: ([x]) => windows(pad(x as Value, borders(x as Value, windowing)), unpadded(windowing)),
      };
    }
    return { kind: "view", box: boxInside((x as TensorType).shape, shape, windowing) };
  },
  linear: true,
  infer: ([x], windowing) => {
    const { shape, dtype } = x as TensorType;
    const leading = shape.slice(0, shape.length - windowing.from.length);
    return tensorType([...leading, ...windowing.window, ...placesOf(windowing)], dtype);
  },
  evaluate: ([x], windowing, type) => {
    const input = x as Value;
    const leading = sizeOf(input.shape.slice(0, input.rank - windowing.from.length));
    const { padded, ...box } = boxOf(leading, windowing);
    let { data } = input;
    if (isPadded(windowing)) {
      const source = data;
      data = allocate(input.dtype, sizeOf(padded));
      copyInside(source, data, leading, windowing, "padded");
    }
    const out = allocate(type.dtype, type.size);
    if (type.size > 0) readBox(data, box, out);
    return out;
  },
  vjp: [(dy, { attributes }) => unwindows(dy, attributes)],
  batch: ([x], _, windowing) => windows(x as Value, windowing),
});

/** The transpose of `windows`: each window added up where it was read. */
const unwindowsOperation: Operation<Windowing> = /* @__PURE__ */ operation({
  name: "unwindows",
  lowering: (windowing, [dy], { shape }) => {
    if (isPadded(windowing)) {
      return {
        kind: "rewrite",
        rewrite: ([dy]) => {
          const sums = unwindows(dy as Value, unpadded(windowing));
          return pad(
            sums,
            borders(sums, windowing).map(([before, after]) => [-before, -after] as const),
          );
        },
      };
    }
    return { kind: "unview", box: boxInside(shape, (dy as TensorType).shape, windowing), fill: 0 };
  },
  linear: true,
  infer: ([x], { from }) => {
    const { shape, dtype } = x as TensorType;
    return tensorType([...shape.slice(0, shape.length - 2 * from.length), ...from], dtype);
  },
  evaluate: ([x], windowing, type) => {
    const { data, rank, shape } = x as Value;
    const leading = sizeOf(shape.slice(0, rank - 2 * windowing.from.length));
    const { padded, ...box } = boxOf(leading, windowing);
    const sums = new Float64Array(sizeOf(padded));
    if (data.length > 0) addToBox(data, sums, box);
    const out = allocate(type.dtype, type.size);
    if (isPadded(windowing)) copyInside(sums, out, leading, windowing, "plain");
    else out.set(sums);
    return out;
  },
  vjp: [(dy, { attributes }) => windows(dy, attributes)],
  batch: ([x], _, windowing) => unwindows(x as Value, windowing),
});

/** Adds a contiguous array into a box of `to`, whose elements may coincide. */
function addToBox(
  from: TypedArray,
  to: Float64Array,
  { shape, strides }: { shape: Shape; strides: number[] },
): void {
  const { outer, inner, outerStrides, innerStrides, runs, starts } = stridedLoops(shape, [strides]);
  const [p, q] = [outerStrides[0] as number, innerStrides[0] as number];
  let o = 0;
  for (let run = 0; run < runs; run++) {
    for (let j = 0; j < outer; j++) {
      let i = (starts[0]?.[run] as number) + j * p;
      for (const end = o + inner; o < end; o++, i += q) to[i] = (to[i] as number) + (from[o] as number);
    }
  }
}

/** Windows over the last axes: [..., ...from] → [..., ...window, ...places]. */
export function windows(x: Value, windowing: Windowing): Value {
  return apply(windowsOperation, [x], windowing);
}

/** [..., ...window, ...places] → [..., ...from]. */
export function unwindows(x: Value, windowing: Windowing): Value {
  return apply(unwindowsOperation, [x], windowing);
}

/** One whole number for all axes, or one an axis. */
export type PerAxis = number | readonly number[];

/** Padding: "valid" is none, "same" as much as keeps ⌈n/stride⌉ places; a number or [before, after] for all axes or each. */
export type Padding =
  | "same"
  | "valid"
  | number
  | readonly (number | readonly [before: number, after: number])[];

/** A whole number an axis, at least `least`. */
export function perAxis(where: string, name: string, x: PerAxis, axes: number, least: number): number[] {
  const given = listOf(where, name, x);
  const list = typeof x === "number" ? new Array<number>(axes).fill(x) : [...given];
  if (list.length !== axes || list.some((n) => !Number.isInteger(n) || n < least)) {
    throw new ArgumentError({
      where,
      expected: `${name} must be a whole number ≥ ${least}, or ${axes} of them`,
      received: typeof x === "number" ? String(x) : formatShape(list),
    });
  }
  return list;
}

/** Padding from a user as pairs; `total` is what "same" adds along an axis. */
export function paddingPairs(
  where: string,
  padding: Padding,
  axes: number,
  total: (axis: number) => number,
): [number, number][] {
  const all = Array.from({ length: axes }, (_, i) => i);
  if (padding === "valid") return all.map(() => [0, 0]);
  if (padding === "same")
    return all.map((axis) => {
      const sum = total(axis);
      return [Math.floor(Math.max(0, sum) / 2), sum - Math.floor(Math.max(0, sum) / 2)];
    });
  const list: unknown[] =
    typeof padding === "number"
      ? all.map(() => padding)
      : [...checkList(where, 'padding must be "same", "valid", a number or a list', padding)];
  const pairs = list.map((p) => (typeof p === "number" ? [p, p] : (p as number[])));
  if (
    pairs.length !== axes ||
    pairs.some((p) => p.length !== 2 || p.some((n) => !Number.isInteger(n) || n < 0))
  ) {
    throw new ArgumentError({
      where,
      expected: `padding must be "same", "valid", a whole number ≥ 0, or ${axes} numbers or pairs of them`,
      received: typeof padding === "number" ? String(padding) : describe(padding),
    });
  }
  return pairs as [number, number][];
}

/** Checks that every axis has a place for a window. */
export function checkPlaces(where: string, windowing: Windowing): Windowing {
  if (placesOf(windowing).every((n, i) => n > 0 || windowing.from[i] === 0)) return windowing;
  throw new ShapeError({
    where,
    expected: `a window of ${formatShape(windowing.window)} must fit the padded input`,
    received: `axes of ${formatShape(windowing.from)}`,
    advice: "Pad more, or take a smaller window or dilation.",
  });
}
