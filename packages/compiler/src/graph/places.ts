/** Places: where the elements of operands go in a result, side by side or among others that are all the same number. */

import {
  type Box,
  type Lowering,
  type Shape,
  sizeOf,
  stridesOf,
  type TensorType,
} from "@adjoint/core/operations";
import { combined, counted, isInjective, rangeOf, unflattened } from "../kernels/affine.ts";

/** Each operand's elements go to places of their own. */
export interface Places {
  readonly kind: "places";
  /** One an operand. */
  readonly parts: readonly Part[];
  /** What is at all other places; null where there are none. */
  readonly fill: number | null;
}

interface Part {
  /** The places of an operand's elements, in their order. */
  readonly box: Box;
  /** The places along each axis of the result; null where these do not tell them. */
  readonly along: readonly Span[] | null;
}

/** Some of the numbers from `least` to `most`, multiples of `step` apart. */
interface Span {
  readonly least: number;
  readonly most: number;
  readonly step: number;
}

/** How an operation's elements come from those of its inputs, as the compiler has it. */
export type FlowLowering = Exclude<Lowering, { readonly kind: "join" }> | Places;

/** What joins values, and what puts one among numbers without adding, as places. */
export function withPlaces(
  lowering: Lowering,
  inputs: readonly TensorType[],
  type: TensorType,
): FlowLowering {
  if (lowering.kind === "join") {
    const strides = stridesOf(type.shape);
    let start = 0;
    const parts = inputs.map(({ shape }) => {
      const part = partOf({ shape, start, strides }, type.shape);
      start += (shape[lowering.axis] as number) * (strides[lowering.axis] as number);
      return part;
    });
    return { kind: "places", parts: parts as Part[], fill: null };
  }
  if (lowering.kind !== "unview") return lowering;
  const part = partOf(lowering.box, type.shape);
  return part === null ? lowering : placesOf([part], type, lowering.fill);
}

/** So many operands at most: each is compared with all others. */
const MOST_PARTS = 512;

/** The places of a sum of two results that are 0 elsewhere, and whose operands meet nowhere; null of others. */
export function sumOfPlaces(a: Places, b: Places, type: TensorType): Places | null {
  if (a.fill !== 0 || b.fill !== 0 || a.parts.length + b.parts.length > MOST_PARTS) return null;
  const isApart = a.parts.every((part) => b.parts.every((other) => areApart(part, other)));
  return isApart ? placesOf([...a.parts, ...b.parts], type, 0) : null;
}

function placesOf(parts: readonly Part[], { size }: TensorType, fill: number): Places {
  const placed = parts.reduce((sum, { box }) => sum + sizeOf(box.shape), 0);
  return { kind: "places", parts, fill: placed === size ? null : fill };
}

/** A box of places in a result; null where it has some of them twice. */
function partOf(box: Box, shape: Shape): Part | null {
  const counters = box.shape.map((extent, id) => ({ id, extent }));
  const at = combined(box.start, box.strides, counters.map(counted));
  if (!isInjective(at, counters)) return null;
  const along = unflattened(at, shape)?.map((index): Span => {
    return { ...rangeOf(index), step: index.terms.reduce((step, term) => divisor(step, term.step), 0) };
  });
  return { box, along: along ?? null };
}

function areApart(a: Part, b: Part): boolean {
  if (a.along === null || b.along === null) return false;
  for (let axis = 0; axis < a.along.length; axis++) {
    const [x, y] = [a.along[axis] as Span, b.along[axis] as Span];
    if (x.most < y.least || y.most < x.least) return true;
    const step = divisor(x.step, y.step);
    if (step > 1 && (x.least - y.least) % step !== 0) return true;
  }
  return false;
}

/** The largest number that divides two, of which one may be 0. */
function divisor(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}
