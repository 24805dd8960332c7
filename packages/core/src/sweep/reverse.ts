/**
 * The reverse sweep: cotangents from the outputs back to every node they depend on, each rule once a node.
 *
 * `sweepRecorded` is the sweep as the chain rule states it, in public operations, so that its result can be
 * differentiated again. `sweepNumeric` computes the same without nodes: numbers for scalars, generated loops for
 * elementwise tensors, in place where it may. A test holds the two equal.
 */

import { allocate, convert, roundTo, type TypedArray } from "../dtype.ts";
import type { AnyOperation, Elementwise } from "../op.ts";
import { add } from "../ops/elementwise.ts";
import { sumAxes } from "../ops/reduction.ts";
import { sameShape } from "../shape.ts";
import { constant, state, type Value } from "../value.ts";
import { currentOrdering, type Order, release, restoreMarks, topologicalOrder } from "./order.ts";
import { pullback, repeatedAxes } from "./rules.ts";

/** What to sweep, and how. */
export interface ReverseOptions {
  /** Nodes from before this time are outside: nothing flows to them. */
  readonly floor: number;
  /** "always" and "never" record the sweep or not; "needed" records it where something outside may want derivatives. */
  readonly record: "always" | "never" | "needed";
  /** Whose cotangents are wanted; null means every parameter's. */
  readonly targets: readonly Value[] | null;
}

/** Sweeps from `roots` with their cotangents, and gives each target's to `receive`. Returns whether it was recorded. */
export function reverseSweep(
  roots: readonly Value[],
  seeds: readonly Value[],
  { floor, record, targets }: ReverseOptions,
  receive: (target: Value, cotangent: Value | null) => void,
): boolean {
  let order = topologicalOrder(roots, floor);
  const outside = order.older || seeds.some((seed) => seed.tracked);
  const recorded = record === "always" || (record === "needed" && outside && state.recording);
  if (!recorded && order.older) {
    // The numeric rules expect every differentiable input of a node to have its place.
    release(order);
    order = topologicalOrder(roots, -1);
  }
  const { recording } = state;
  state.recording = recorded;
  try {
    const cotangentAt = recorded ? sweepRecorded(order, roots, seeds) : sweepNumeric(order, roots, seeds);
    const placed = (x: Value) => x.mark < order.count && order.nodes[x.mark] === x;
    if (targets !== null) for (const x of targets) receive(x, placed(x) ? cotangentAt(x.mark) : null);
    else {
      for (let i = 0; i < order.count; i++) {
        const x = order.nodes[i] as Value;
        if (x.isParameter) receive(x, cotangentAt(i));
      }
    }
    return recorded;
  } finally {
    state.recording = recording;
    release(order);
  }
}

/** The sweep over values. */
export function sweepRecorded(
  order: Order,
  roots: readonly Value[],
  seeds: readonly Value[],
): (place: number) => Value | null {
  const { nodes, count } = order;
  const ordering = currentOrdering();
  const cotangents = new Array<Value | null>(count).fill(null);
  const collect = (x: Value, dx: Value): void => {
    const sum = cotangents[x.mark] ?? null;
    cotangents[x.mark] = sum === null ? dx : add(sum, dx);
  };
  roots.forEach((root, i) => {
    if (nodes[root.mark] === root) collect(root, seeds[i] as Value);
  });
  for (let i = count - 1; i >= 0; i--) {
    const node = nodes[i] as Value;
    const dy = cotangents[i] ?? null;
    if (dy === null || node.a === null) continue;
    node.inputs.forEach((input, k) => {
      if (!input.tracked || nodes[input.mark] !== input) return;
      const dx = pullback(node, dy, k);
      if (currentOrdering() !== ordering) restoreMarks(order);
      if (dx !== null) collect(input, dx);
    });
  }
  return (place) => cotangents[place] ?? null;
}

/** The sweep over numbers and arrays. */
export function sweepNumeric(
  order: Order,
  roots: readonly Value[],
  seeds: readonly Value[],
): (place: number) => Value | null {
  const { nodes, count } = order;
  const ordering = currentOrdering();
  // Scalars: float64 sums, and whether anything has arrived. Tensors: arrays, and whether they may be added to.
  const scalars = new Float64Array(count);
  const present = new Uint8Array(count);
  const tensors: (TypedArray | undefined)[] = [];
  const owned = new Uint8Array(count);

  const collectNumber = (place: number, dx: number): void => {
    scalars[place] = (scalars[place] as number) + dx;
    present[place] = 1;
  };
  const collectArray = (place: number, dx: TypedArray, own: boolean): void => {
    const sum = tensors[place];
    if (sum === undefined) {
      tensors[place] = dx;
      owned[place] = own ? 1 : 0;
      return;
    }
    const into = owned[place] === 1 ? sum : own ? dx : sum.slice();
    const from = into === sum ? dx : into === dx ? sum : dx;
    for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + (from[i] as number);
    tensors[place] = into;
    owned[place] = 1;
  };
  /** Takes a cotangent of any shape that the input broadcast to. */
  const collect = (input: Value, dx: Value, own: boolean): void => {
    const { type, mark } = input;
    const { storage } = dx;
    if (typeof storage === "number") {
      if (type.shape.length === 0) collectNumber(mark, storage);
      else collectArray(mark, allocate(type.dtype, type.size).fill(storage), true);
    } else if (sameShape(type.shape, dx.shape)) {
      const same = dx.dtype === type.dtype;
      collectArray(
        mark,
        same ? (storage as TypedArray) : convert(storage as TypedArray, type.dtype),
        own || !same,
      );
    } else {
      const axes = repeatedAxes(dx.shape, type.shape);
      const sums = sumAxes(storage as TypedArray, dx.shape, axes, allocate(type.dtype, type.size));
      if (type.shape.length === 0) collectNumber(mark, sums[0] as number);
      else collectArray(mark, sums, true);
    }
  };
  const cotangentAt = (place: number): Value | null => {
    const { type } = nodes[place] as Value;
    if (type.shape.length === 0) {
      return present[place] === 0 ? null : constant(type, roundTo(type.dtype, scalars[place] as number));
    }
    const array = tensors[place];
    return array === undefined ? null : constant(type, array);
  };

  roots.forEach((root, i) => {
    if (nodes[root.mark] === root) collect(root, seeds[i] as Value, false);
  });
  for (let i = count - 1; i >= 0; i--) {
    const node = nodes[i] as Value;
    if (node.a === null) continue;
    const op = node.op as AnyOperation;
    if (op.elementwise !== null && typeof node.storage === "number") {
      if (present[i] === 1) op.elementwise.pullScalar(node, scalars[i] as number, scalars, present);
      continue;
    }
    const dy = cotangentAt(i);
    if (dy === null) continue;
    const { inputs } = node;
    for (let k = 0; k < inputs.length; k++) {
      const input = inputs[k] as Value;
      if (!input.tracked) continue;
      if (op.elementwise !== null) pullElementwise(op.elementwise, node, dy, k, input);
      else {
        const dx = pullback(node, dy, k);
        if (currentOrdering() !== ordering) restoreMarks(order);
        if (dx !== null) collect(input, dx, false);
      }
    }
  }
  return cotangentAt;

  function pullElementwise(part: Elementwise, node: Value, dy: Value, k: number, input: Value): void {
    if (part.pulls[k] === null) return;
    const fits = input.type.dtype === node.type.dtype && sameShape(input.shape, node.shape);
    if (part.passes(k)) collect(input, dy, false);
    else if (fits && owned[input.mark] === 1) part.pullTensor(node, dy, k, tensors[input.mark] as TypedArray);
    else {
      collect(input, constant(node.type, part.pullTensor(node, dy, k, null)), true);
    }
  }
}
