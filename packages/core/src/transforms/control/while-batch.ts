/** A loop over a batch of examples. */

import { captureTypes } from "../../graph/capture.ts";
import { where } from "../../ops/elementwise.ts";
import { logicalAnd } from "../../ops/logical.ts";
import { reshape } from "../../ops/movement.ts";
import { any } from "../../ops/statistics.ts";
import { type TensorType, tensorType } from "../../tensor-type.ts";
import type { Value } from "../../value.ts";
import { batchGraph, batchType, type Flags, present, repeated, settle } from "./derivatives.ts";
import { packBatch } from "./packing.ts";
import {
  type DerivedLoop,
  flat,
  outsideOf,
  type Pass,
  type PassParts,
  parted,
  type Saved,
  savedTypes,
  type WhileAttributes,
  whileOf,
} from "./passes.ts";

/**
 * The loop over a batch of `size`; it leaves the packed batch of outputs. Where the test differs from example to example
 * it goes on while the test holds of any that counts, and the others keep their carries. With `lanes` it has which
 * examples count as one more input.
 */
export function batchedLoop(
  attributes: WhileAttributes,
  mapped: Flags,
  size: number,
  lanes: boolean,
): DerivedLoop<Value | null, Value> {
  const { test, passes, outputs } = attributes;
  const starts = parted(attributes, mapped);
  const types = savedTypes(attributes);
  const overBatch = (type: TensorType, is: boolean | undefined) => (is ? batchType(type, size) : type);
  const outsideTypes = outsideOf(attributes).map((type, i) => overBatch(type, starts.outside[i]));
  if (lanes) outsideTypes.push(tensorType([size], "bool"));
  const testOf = (carry: Flags) => batchGraph(test, [...carry, ...starts.outside], size, lanes);
  const stepOf = (p: number, before: Flags, carry: Flags, some: boolean) =>
    batchGraph((passes[p] as Pass).step, [...before, ...carry, ...starts.outside], size, some);
  const first = settle(starts.carries[0] as Flags, (flags) =>
    testOf(flags).batched[0] ? flags.map(() => true) : stepOf(0, [], flags, lanes).batched,
  );
  const tested = testOf(first);
  const differs = tested.batched[0] as boolean;
  /** Which examples go on: those of which the test holds, if they count. */
  const going = (carry: readonly Value[], outside: readonly Value[]): Value => {
    const holds = tested.graph.run([...carry, ...outside])[0] as Value;
    return lanes ? logicalAnd(holds, outside.at(-1) as Value) : holds;
  };

  const batched: Saved<boolean>[] = [];
  const steps = passes.map(({ carries }, p): PassParts => {
    const before = flat(batched);
    const start = starts.carries[p] as Flags;
    const carry = differs
      ? start.map(() => true)
      : settle(start, (flags) => stepOf(p, before, flags, lanes).batched);
    const over = stepOf(p, before, carry, differs || lanes);
    batched.push({ carry, emitted: over.batched.slice(carries) });
    return {
      carry: (types[p] as Saved<TensorType>).carry.map((type, i) => overBatch(type, carry[i])),
      step(saved, own, outside) {
        const at = p === 0 ? own : (saved[0] as Saved<Value>).carry;
        const goes = differs ? going(at, outside) : lanes ? (outside.at(-1) as Value) : null;
        const read = lanes ? outside.slice(0, -1) : outside;
        const results = over.graph.run([...flat(saved), ...own, ...read, ...present([goes])]);
        const next = own.map((x, i) => {
          const y = results[i] as Value;
          if (!differs || goes === null) return carry[i] && !over.batched[i] ? repeated(y, size) : y;
          return where(reshape(goes, [size, ...x.shape.slice(1).map(() => 1)]), y, x);
        });
        return { next, emitted: results.slice(carries) };
      },
    };
  });
  const anyGoing = captureTypes([...(steps[0] as PassParts).carry, ...outsideTypes], (xs) => {
    const carry = xs.slice(0, first.length);
    return differs ? [any(going(carry, xs.slice(first.length)))] : tested.graph.run(xs);
  });
  const loop = whileOf(anyGoing, steps, outsideTypes);
  const flags = batched.flatMap(({ carry }) => carry);
  return {
    loop,
    enter(inputs, which) {
      const xs = parted(attributes, inputs);
      const carries = xs.carries.flat().map((x, i) => (flags[i] && !mapped[i] ? repeated(x, size) : x));
      return [...carries, ...xs.outside, ...present([which])];
    },
    leave: (ends) => packBatch(ends, flags, outputs, size),
  };
}
