/**
 * The reverse sweep: cotangents from the outputs back to every node they depend on, each rule once a node.
 *
 * `RecordedSweep` is the sweep as the chain rule states it, in public operations, so that its result can be
 * differentiated again. `NumericSweep` computes the same without nodes: numbers for scalars, generated loops for
 * elementwise tensors, in place where it may. A test holds the two equal. Where a sweep without numbers need not be
 * differentiated again, elementwise rules are one operation each, which rounds as the numeric sweep does: to the bit.
 */

import { allocate, convert, type DType, roundTo, type TypedArray } from "../dtype.ts";
import type { AnyOperation, Elementwise } from "../op.ts";
import { add } from "../ops/elementwise.ts";
import { sumAxes } from "../ops/reduction.ts";
import { sameShape } from "../shape.ts";
import { state } from "../state.ts";
import { SCALAR } from "../tensor-type.ts";
import { constant, type Value } from "../value.ts";
import {
  currentOrdering,
  isInside,
  isPlaced,
  type Order,
  release,
  restoreMarks,
  topologicalOrder,
} from "./order.ts";
import { fusedPullback, pullback, repeatedAxes, viewOf } from "./rules.ts";

/** What to sweep, and how. */
export interface ReverseOptions {
  /** Nodes from before this time are outside: nothing flows to them. */
  readonly floor: number;
  /** "always" and "never" record the sweep or not; "needed" records it where something outside may want derivatives. */
  readonly record: "always" | "never" | "needed";
  /** Whose cotangents are wanted: the sweep ends there, whenever they were made. Null means every parameter's. */
  readonly targets: readonly Value[] | null;
}

/** Sweeps from `roots` with their cotangents, and gives each target's to `receive`. Returns whether it was recorded. */
export function reverseSweep(
  roots: readonly Value[],
  seeds: readonly Value[],
  { floor, record, targets }: ReverseOptions,
  receive: (target: Value, cotangent: Value | null) => void,
): boolean {
  const order = topologicalOrder(roots, floor, targets ?? undefined);
  const outside = order.older || seeds.some((seed) => seed.tracked);
  const recorded = record === "always" || (record === "needed" && outside && state.recording);
  const { recording, sweeping } = state;
  state.recording = recorded;
  // Numbers can be swept only where they are known.
  const symbolic = roots.some((root) => root.storage === null) || seeds.some((seed) => seed.storage === null);
  const watched = state.inspector !== null;
  const sweep =
    recorded || symbolic || watched
      ? new RecordedSweep(order, record === "never" && !watched)
      : new NumericSweep(order);
  try {
    for (let i = 0; i < roots.length; i++) {
      const root = roots[i] as Value;
      if (isPlaced(order, root)) sweep.collect(root, seeds[i] as Value, false);
    }
    sweep.run();
    if (targets !== null)
      for (const x of targets) receive(x, isPlaced(order, x) ? sweep.cotangentAt(x.mark) : null);
    else {
      for (let i = 0; i < order.count; i++) {
        const x = order.nodes[i] as Value;
        if (x.isParameter) receive(x, sweep.cotangentAt(i));
      }
    }
    return recorded;
  } finally {
    state.recording = recording;
    state.sweeping = sweeping;
    sweep.release();
    release(order);
  }
}

/** The sweep over values. */
class RecordedSweep {
  readonly #order: Order;
  readonly #cotangents: (Value | null)[];
  /** Whether the rule of an elementwise operation is one operation, which has no derivative. */
  readonly #fused: boolean;

  constructor(order: Order, fused: boolean) {
    this.#order = order;
    this.#fused = fused;
    this.#cotangents = new Array<Value | null>(order.count).fill(null);
  }

  /** Applies the rules of all nodes, last first. */
  run(): void {
    const order = this.#order;
    for (let i = order.count - 1; i >= order.ends; i--) {
      const node = order.nodes[i] as Value;
      const dy = this.cotangentAt(i);
      if (dy === null || node.a === null || node.epoch < order.floor) continue;
      const view = viewOf(node);
      view.inputs.forEach((input, k) => {
        if (!input.tracked || !isInside(order, input)) return;
        state.sweeping = node;
        const ordering = currentOrdering();
        const dx = this.#fused ? fusedPullback(view, dy, k) : pullback(view, dy, k);
        if (currentOrdering() !== ordering) restoreMarks(order);
        if (dx !== null) this.collect(input, dx);
      });
    }
  }

  cotangentAt(place: number): Value | null {
    return this.#cotangents[place] ?? null;
  }

  collect(x: Value, dx: Value): void {
    const sum = this.cotangentAt(x.mark);
    this.#cotangents[x.mark] = sum === null ? dx : add(sum, dx);
  }

  release(): void {}
}

/** Arrays that small sweeps take turns to use: allocating them would cost more than the sweep. */
const SPARE_SIZE = 1024;
let spare: { scalars: Float64Array; present: Uint8Array } | null = {
  scalars: new Float64Array(SPARE_SIZE),
  present: new Uint8Array(SPARE_SIZE),
};

/** The cotangents of a numeric sweep by place: float64 sums for scalars, arrays for tensors. */
class NumericSweep {
  readonly #order: Order;
  readonly #scalars: Float64Array;
  /** For scalars, whether anything has arrived. */
  readonly #present: Uint8Array;
  readonly #tensors: (TypedArray | undefined)[] = [];
  /** For tensors, whether the array may be added to: no one else holds it. */
  readonly #owned: boolean[] = [];

  constructor(order: Order) {
    this.#order = order;
    if (spare !== null && order.count <= SPARE_SIZE) {
      this.#scalars = spare.scalars;
      this.#present = spare.present;
      spare = null;
    } else {
      this.#scalars = new Float64Array(order.count);
      this.#present = new Uint8Array(order.count);
    }
  }

  /** Ends the use of the sweep: clears its arrays for the next one. */
  release(): void {
    if (this.#scalars.length !== SPARE_SIZE) return;
    const { count } = this.#order;
    for (let i = 0; i < count; i++) {
      this.#scalars[i] = 0;
      this.#present[i] = 0;
    }
    spare = { scalars: this.#scalars, present: this.#present };
  }

  /** Applies the rules of all nodes, last first. */
  run(): void {
    const { nodes, count, ends, floor } = this.#order;
    const scalars = this.#scalars;
    const present = this.#present;
    for (let i = count - 1; i >= ends; i--) {
      const node = nodes[i] as Value;
      if (node.a === null || node.epoch < floor) continue;
      const { elementwise } = node.op as AnyOperation;
      if (elementwise === null || node.type !== SCALAR) this.#pullNode(node, i);
      else if (present[i] === 1) elementwise.pullScalar(node, scalars[i] as number, scalars, present);
    }
  }

  /** The cotangent at a place, in the node's shape and dtype; null where none has arrived. */
  cotangentAt(place: number): Value | null {
    const { type } = this.#order.nodes[place] as Value;
    if (type.shape.length === 0) {
      return this.#present[place] === 0
        ? null
        : constant(type, roundTo(type.dtype, this.#scalars[place] as number));
    }
    const array = this.#tensors[place];
    return array === undefined ? null : constant(type, array);
  }

  /** Adds a cotangent of any shape that the input broadcast to; `own` says that no one else holds its array. */
  collect(input: Value, dx: Value, own: boolean): void {
    const { type, mark } = input;
    const { storage } = dx;
    if (typeof storage === "number") {
      if (type.shape.length === 0) this.#collectNumber(mark, type.dtype, storage);
      else this.#collectArray(mark, allocate(type.dtype, type.size).fill(storage), true);
    } else if (sameShape(type.shape, dx.shape)) {
      const same = dx.dtype === type.dtype;
      this.#collectArray(
        mark,
        same ? (storage as TypedArray) : convert(storage as TypedArray, type.dtype),
        own || !same,
      );
    } else {
      const axes = repeatedAxes(dx.shape, type.shape);
      const sums = sumAxes(storage as TypedArray, dx.shape, axes, allocate(type.dtype, type.size));
      if (type.shape.length === 0) this.#collectNumber(mark, type.dtype, sums[0] as number);
      else this.#collectArray(mark, sums, true);
    }
  }

  #collectNumber(place: number, dtype: DType, dx: number): void {
    this.#scalars[place] = roundTo(dtype, (this.#scalars[place] as number) + roundTo(dtype, dx));
    this.#present[place] = 1;
  }

  #collectArray(place: number, dx: TypedArray, own: boolean): void {
    const sum = this.#tensors[place];
    if (sum === undefined) {
      this.#tensors[place] = dx;
      this.#owned[place] = own;
      return;
    }
    const into = this.#owned[place] ? sum : own ? dx : sum.slice();
    const from = into === dx ? sum : dx;
    for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + (from[i] as number);
    this.#tensors[place] = into;
    this.#owned[place] = true;
  }

  #pullNode(node: Value, place: number): void {
    const dy = this.cotangentAt(place);
    if (dy === null) return;
    const { elementwise } = node.op as AnyOperation;
    const view = viewOf(node);
    const { inputs } = view;
    for (let k = 0; k < inputs.length; k++) {
      const input = inputs[k] as Value;
      if (!input.tracked || !isInside(this.#order, input)) continue;
      if (elementwise !== null) this.#pullElementwise(elementwise, node, dy, k, input);
      else {
        const ordering = currentOrdering();
        const dx = pullback(view, dy, k);
        if (currentOrdering() !== ordering) restoreMarks(this.#order);
        if (dx !== null) this.collect(input, dx, false);
      }
    }
    // Nothing asks for it again, and it may be large.
    this.#tensors[place] = undefined;
  }

  #pullElementwise(part: Elementwise, node: Value, dy: Value, k: number, input: Value): void {
    if (part.pulls[k] === null) return;
    const { mark } = input;
    if (part.passes(k)) this.collect(input, dy, false);
    else if (typeof node.storage === "number") {
      const pull = part.pullOperation(k);
      this.collect(
        input,
        constant(node.type, pull.evaluate([...node.inputs, node, dy], null, node.type)),
        true,
      );
    } else if (this.#owned[mark] && input.dtype === node.dtype && sameShape(input.shape, node.shape)) {
      part.pullTensor(node, dy, k, this.#tensors[mark] as TypedArray);
    } else this.collect(input, constant(node.type, part.pullTensor(node, dy, k, null)), true);
  }
}
