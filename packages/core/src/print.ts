/** Values as text: what console.log and toString show. */

import { type Shape, stridesOf } from "./shape.ts";
import type { Value } from "./value.ts";

/** Entries shown at each end of a long axis, and the size from which tensors are shortened. */
const EDGE = 3;
const LONG = 200;

/** One line of what a value is, then its data: `Value [2, 3] float32 from tanh "h"`. */
export function format(x: Value): string {
  const kind = x.isParameter ? "Parameter" : "Value";
  const origin = x.operation === null ? "" : ` from ${x.operation.name}`;
  const label = x.label === null ? "" : ` ${JSON.stringify(x.label)}`;
  const grad = x.grad === null ? "" : ` grad ${formatData(x.grad).replaceAll(/\n\s*/g, " ")}`;
  if (x.storage === null) return `${kind} [${x.shape.join(", ")}] ${x.dtype}${origin}${label}`;
  if (x.rank === 0) return `${kind} ${formatData(x)} ${x.dtype}${origin}${label}${grad}`;
  return `${kind} [${x.shape.join(", ")}] ${x.dtype}${origin}${label}\n${formatData(x)}${grad === "" ? "" : `\n${grad.trim()}`}`;
}

/** The elements of a value, in columns, shortened in the middle where there are many. */
function formatData(x: Value): string {
  const { data, shape } = x;
  const wanted = visibleIndices(shape, data.length > LONG);
  const digits =
    x.dtype === "float64" || x.dtype === "float32"
      ? significantDigits(wanted.map((i) => data[i] as number))
      : 0;
  const text = (i: number) =>
    formatNumber(data[i] as number, digits, x.dtype === "int32" || x.dtype === "bool");
  if (shape.length === 0) return x.dtype === "float64" || x.dtype === "float32" ? scalarText(x) : text(0);
  const width = Math.max(0, ...wanted.map((i) => text(i).length));
  const strides = stridesOf(shape);
  const short = data.length > LONG;
  const nest = (axis: number, start: number): string => {
    const n = shape[axis] as number;
    const last = axis === shape.length - 1;
    const entries = shown(n, short).map((i) => {
      if (i === null) return "…";
      const at = start + i * (strides[axis] as number);
      return last ? text(at).padStart(width) : nest(axis + 1, at);
    });
    if (last) return `[${entries.join(", ")}]`;
    const gap = `,${"\n".repeat(shape.length - 1 - axis)}${" ".repeat(axis + 1)}`;
    return `[${entries.join(gap)}]`;
  };
  return nest(0, 0);
}

/** A scalar in full: float32 with the digits that tell it from its neighbours. */
function scalarText(x: Value): string {
  const n = x.data[0] as number;
  if (x.dtype === "float64" || !Number.isFinite(n)) return String(n);
  for (let digits = 6; digits <= 9; digits++) {
    const text = n.toPrecision(digits);
    if (Math.fround(Number(text)) === n) return String(Number(text));
  }
  return String(n);
}

function shown(n: number, short: boolean): (number | null)[] {
  if (!short || n <= 2 * EDGE + 1) return Array.from({ length: n }, (_, i) => i);
  return [
    ...Array.from({ length: EDGE }, (_, i) => i),
    null,
    ...Array.from({ length: EDGE }, (_, i) => n - EDGE + i),
  ];
}

function visibleIndices(shape: Shape, short: boolean): number[] {
  const strides = stridesOf(shape);
  let indices = [0];
  shape.forEach((n, axis) => {
    const stride = strides[axis] as number;
    indices = indices.flatMap((start) =>
      shown(n, short).flatMap((i) => (i === null ? [] : [start + i * stride])),
    );
  });
  return indices;
}

/** Decimals that show four significant digits of the largest entry; −1 for exponential notation. */
function significantDigits(xs: readonly number[]): number {
  const sizes = xs.filter((x) => Number.isFinite(x) && x !== 0).map(Math.abs);
  if (sizes.length === 0) return 0;
  const largest = Math.max(...sizes);
  const smallest = Math.min(...sizes);
  if (largest >= 1e7 || largest < 1e-4 || largest / smallest > 1e6) return -1;
  if (xs.every((x) => Number.isInteger(x) || !Number.isFinite(x))) return 0;
  return Math.max(0, Math.min(4, 6 - Math.ceil(Math.log10(largest))));
}

function formatNumber(x: number, digits: number, whole: boolean): string {
  if (whole || !Number.isFinite(x)) return String(x);
  return digits < 0 ? x.toExponential(4) : x.toFixed(digits);
}
