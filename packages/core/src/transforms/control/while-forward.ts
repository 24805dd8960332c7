/** Tangents through a loop: carried, and left behind, beside what they are the tangents of. */

import { captureTypes } from "../../graph/capture.ts";
import { zerosLike } from "../../op.ts";
import type { TensorType } from "../../tensor-type.ts";
import type { Value } from "../../value.ts";
import { chosen, count, type Flags, present, pushed, settle, spread } from "./derivatives.ts";
import { pack } from "./packing.ts";
import {
  type DerivedLoop,
  flat,
  outsideOf,
  type PassParts,
  parted,
  type Saved,
  savedTypes,
  type WhileAttributes,
  whileOf,
} from "./passes.ts";

/** The loop with the tangents of what moves carried and emitted beside it; it leaves the packed tangent of the outputs. */
export function pushedLoop(
  attributes: WhileAttributes,
  given: Flags,
): DerivedLoop<readonly (Value | null)[], Value | null> {
  const { test, passes, outputs } = attributes;
  const types = savedTypes(attributes);
  const starts = parted(attributes, given);
  const moving: Saved<boolean>[] = [];
  const steps = passes.map(({ step, carries }, p) => {
    const of = (carry: Flags): Flags => [...flat(moving), ...carry, ...starts.outside];
    const carry = settle(starts.carries[p] as Flags, (flags) => pushed(step, of(flags)).present);
    const along = pushed(step, of(carry));
    moving.push({ carry, emitted: along.present.slice(carries) });
    return { along, carry, carries };
  });
  const outsideTypes = outsideOf(attributes);
  /** What was saved, apart from its tangents. */
  const split = (saved: Saved<Value>, flags: Saved<boolean>): [Saved<Value>, Saved<Value>] => {
    const [c, e] = [flags.carry.length, flags.emitted.length];
    return [
      { carry: saved.carry.slice(0, c), emitted: saved.emitted.slice(0, e) },
      { carry: saved.carry.slice(c), emitted: saved.emitted.slice(e) },
    ];
  };
  const beside = (xs: readonly TensorType[], flags: Flags) => [...xs, ...chosen(xs, flags)];
  const carry0 = (types[0] as Saved<TensorType>).carry;
  const width = carry0.length + count((moving[0] as Saved<boolean>).carry);
  const tested = captureTypes(
    [...beside(carry0, (moving[0] as Saved<boolean>).carry), ...beside(outsideTypes, starts.outside)],
    (xs) => test.run([...xs.slice(0, carry0.length), ...xs.slice(width, width + outsideTypes.length)]),
  );
  const loop = whileOf(
    tested,
    steps.map(({ along, carry, carries }, p): PassParts => {
      const own = (types[p] as Saved<TensorType>).carry;
      return {
        carry: beside(own, carry),
        step(saved, all, outside) {
          const pairs = saved.map((from, q) => split(from, moving[q] as Saved<boolean>));
          const results = along.graph.run([
            ...flat(pairs.map(([primal]) => primal)),
            ...all.slice(0, carries),
            ...outside.slice(0, starts.outside.length),
            ...flat(pairs.map(([, tangent]) => tangent)),
            ...all.slice(carries),
            ...outside.slice(starts.outside.length),
          ]);
          const total = carries + (types[p] as Saved<TensorType>).emitted.length;
          const tangents = spread(results.splice(total), along.present);
          const next = results.slice(0, carries);
          const tNext = next.map((y, i) => tangents[i] ?? zerosLike(y));
          return {
            next: [...next, ...chosen(tNext, carry)],
            emitted: [...results.slice(carries), ...present(tangents.slice(carries))],
          };
        },
      };
    }),
    beside(outsideTypes, starts.outside),
  );
  return {
    loop,
    enter(inputs, tangents) {
      const xs = parted(attributes, inputs);
      const ts = parted(attributes, tangents);
      const carries = xs.carries.flatMap((carry, p) => [
        ...carry,
        ...chosen(
          carry.map((x, i) => ts.carries[p]?.[i] ?? zerosLike(x)),
          (moving[p] as Saved<boolean>).carry,
        ),
      ]);
      return [...carries, ...xs.outside, ...present(ts.outside)];
    },
    leave(ends) {
      const rest = [...ends];
      const found = moving.flatMap(({ carry }) => {
        rest.splice(0, carry.length);
        return spread(rest.splice(0, count(carry)), carry);
      });
      return found.every((t) => t === null) ? null : pack(found, outputs);
    },
  };
}
