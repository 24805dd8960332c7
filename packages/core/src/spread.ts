/** Which elements of an operation's output depend on which of its inputs': what sparse derivatives are found from. */

import type { TypedArray } from "./dtype.ts";
import { broadcastStrides, readBox } from "./loops.ts";
import { type Shape, sizeOf } from "./shape.ts";
import { type TensorType, tensorType } from "./tensor-type.ts";
import { constant, type Value } from "./value.ts";

/** For one input: pairs of an output element and an input element that it depends on, one after the other. */
export type Edges = Int32Array;

/** The edges of each input, or null where every output element may depend on all of it. */
export type Spread<A> = (inputs: readonly Value[], attributes: A, output: TensorType) => (Edges | null)[];

/**
 * The spread of an operation that only moves elements: `evaluate` is run on the elements' places. Inputs after the
 * first `count` are not moved but say where to; unless they are known, anything may depend on anything.
 */
export function movement<A>(
  evaluate: (inputs: readonly Value[], attributes: A, type: TensorType) => number | TypedArray,
  count = Infinity,
): Spread<A> {
  return (all, attributes, output) => {
    const inputs = all.slice(0, count);
    const rest = all.slice(inputs.length);
    if (rest.some((x) => x.storage === null)) return all.map(() => null);
    // Places count from 1 through all inputs: 0 is where no element came to.
    let before = 1;
    const starts: number[] = [];
    const places = inputs.map(({ shape, size }) => {
      const first = before;
      starts.push(first);
      before += size;
      const type = tensorType(shape, "float64");
      const data = Float64Array.from({ length: size }, (_, i) => first + i);
      return constant(type, shape.length === 0 ? (data[0] as number) : data);
    });
    const moved = evaluate([...places, ...rest], attributes, tensorType(output.shape, "float64"));
    const from = typeof moved === "number" ? [moved] : moved;
    return all.map(({ size }, k) => {
      const first = starts[k];
      if (first === undefined) return new Int32Array(0);
      const edges: number[] = [];
      for (let o = 0; o < from.length; o++) {
        const place = (from[o] as number) - first;
        if (place >= 0 && place < size) edges.push(o, place);
      }
      return Int32Array.from(edges);
    });
  };
}

/** The edges of an operand that broadcasts to a shape. */
export function broadcastEdges(from: Shape, to: Shape): Edges {
  const places = Float64Array.from({ length: sizeOf(from) }, (_, i) => i);
  const moved = new Float64Array(sizeOf(to));
  readBox(places, { shape: to, start: 0, strides: broadcastStrides(from, to) }, moved);
  const edges = new Int32Array(2 * moved.length);
  for (let o = 0; o < moved.length; o++) {
    edges[2 * o] = o;
    edges[2 * o + 1] = moved[o] as number;
  }
  return edges;
}

/** The spread of a reduction: each output element depends on those that it was reduced from. */
export function reduction<A extends { readonly axes: readonly number[] }>(
  inputs: readonly Value[],
  { axes }: A,
): Edges[] {
  const { shape } = inputs[0] as Value;
  const kept = shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  // Read the other way: what the reduction gives, broadcast back to what it was given.
  return [swapped(broadcastEdges(kept, shape))];
}

function swapped(edges: Edges): Edges {
  const out = new Int32Array(edges.length);
  for (let e = 0; e < edges.length; e += 2) {
    out[e] = edges[e + 1] as number;
    out[e + 1] = edges[e] as number;
  }
  return out;
}
