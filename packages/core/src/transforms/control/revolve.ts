/** The reverse of a long recurrence in little memory: some carries are kept, the others computed again. */

import { concat } from "../../ops/joining.ts";
import { expandDims } from "../../ops/movement.ts";
import { slice } from "../../ops/slicing.ts";
import type { TensorType } from "../../tensor-type.ts";
import type { Value } from "../../value.ts";
import { checkpoint } from "../checkpoint.ts";
import { pack, unpack } from "./packing.ts";

/** A carry, and what was given on the way to it. */
export interface Progress {
  readonly carry: readonly Value[];
  readonly out: readonly Value[];
}

/** One step of a recurrence: from a carry and the step's entries to the next carry and what the step gives. */
export type Step = (carry: readonly Value[], entries: readonly Value[]) => Progress;

/**
 * Runs a step for each entry of `streams`, so that a reverse sweep keeps at most `snapshots` carries at a time and
 * computes the others again: with s snapshots and r repetitions, C(s + r, s) steps can be reversed. What the steps give
 * comes stacked.
 *
 * A sweep adds to as much of a stream as is taken from at once. Streams are halved along with the steps, and what is
 * given is joined as it was, so that this is no more at any depth than all of them.
 *
 * Source: Griewank & Walther, Algorithm 799: revolve (2000): the binomial schedule.
 */
export function revolve(
  step: Step,
  carry: readonly Value[],
  streams: readonly Value[],
  length: number,
  snapshots: number,
): Progress {
  if (length === 1) {
    const next = step(
      carry,
      streams.map((x) => slice(x, 0)),
    );
    return { carry: next.carry, out: next.out.map((y) => expandDims(y, 0)) };
  }
  let repetitions = 1;
  while (binomial(snapshots + repetitions, snapshots) < length) repetitions++;
  // The right part is reversed first, while its beginning takes one of the snapshots.
  const right = Math.min(length - 1, binomial(snapshots + repetitions - 1, snapshots - 1));
  const left = length - right;
  const before = checkpointed(
    (from, entries) => revolve(step, from, entries, left, snapshots),
    carry,
    streams.map((x) => slice(x, [0, left])),
  );
  const after = revolve(
    step,
    before.carry,
    streams.map((x) => slice(x, [left, null])),
    right,
    Math.max(1, snapshots - 1),
  );
  return { carry: after.carry, out: before.out.map((y, i) => concat([y, after.out[i] as Value])) };
}

function binomial(n: number, k: number): number {
  let product = 1;
  for (let i = 1; i <= k; i++) product = (product * (n - k + i)) / i;
  return Math.round(product);
}

/** Part of a recurrence under `checkpoint`, its results packed in one value on the way. */
function checkpointed(part: Step, carry: readonly Value[], streams: readonly Value[]): Progress {
  let types: TensorType[] = [];
  let count = 0;
  const packed = checkpoint((...xs) => {
    const result = part(xs.slice(0, carry.length), xs.slice(carry.length));
    const all = [...result.carry, ...result.out];
    types = all.map((x) => x.type);
    count = result.carry.length;
    return pack(all, types);
  })(...carry, ...streams);
  const all = unpack(packed, types);
  return { carry: all.slice(0, count), out: all.slice(count) };
}
