/** The way back through a loop: one more pass for each of its passes. */

import { filled, zerosLike } from "../../op.ts";
import { add } from "../../ops/elementwise.ts";
import type { TensorType } from "../../tensor-type.ts";
import type { Value } from "../../value.ts";
import {
  activeOutputs,
  chosen,
  count,
  type Flags,
  halves,
  present,
  reversal,
  settle,
  spread,
} from "./derivatives.ts";
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

/** What a pass reads of those before it: their first emissions, whatever has been added since. */
function known<T>(passes: readonly Pass[], saved: readonly Saved<T>[], p: number): T[] {
  return flat(
    saved
      .slice(0, p)
      .map(({ carry, emitted }, q) => ({ carry, emitted: emitted.slice(0, passes[q]?.emissions) })),
  );
}

/** Where a cotangent of something saved is emitted: by which pass, at which place. */
interface Emitted {
  readonly pass: number;
  readonly place: number;
}

/**
 * The loop with an adjoint pass for each of its passes, the last one's first: of n passes, pass q's is pass 2n − 1 − q,
 * so that it goes the other way. It carries the cotangents of pass q's carries, and sums of those of the outside; it
 * emits the cotangents of what pass q reads of earlier passes, for their adjoint passes to add.
 */
export function reversed(
  attributes: WhileAttributes,
  active: Flags,
  given: Flags,
): DerivedLoop<readonly (Value | null)[], (Value | null)[]> {
  const { test, passes } = attributes;
  const n = passes.length;
  const types = savedTypes(attributes);
  const outsideTypes = outsideOf(attributes);
  const inputsActive = parted(attributes, active);
  const wanted = parted(attributes, given);

  // Forward: what moves. A carry does where its start does, or what a step makes of it.
  const moving: Saved<boolean>[] = [];
  passes.forEach(({ step, carries }, p) => {
    const of = (carry: Flags): Flags => [...flat(moving), ...carry, ...inputsActive.outside];
    const carry = settle(inputsActive.carries[p] as Flags, (flags) => activeOutputs(step, of(flags)));
    moving.push({ carry, emitted: activeOutputs(step, of(carry)).slice(carries) });
  });

  // Backward: which cotangents arrive, and where those of what was saved come from.
  const arriving: Saved<Emitted[]>[] = types.map(({ carry, emitted }) => ({
    carry: carry.map(() => []),
    emitted: emitted.map(() => []),
  }));
  const adjoints = passes
    .map((pass, q) => ({ pass, q }))
    .reverse()
    .map(({ pass: { step, carries }, q }) => {
      const own = moving[q] as Saved<boolean>;
      const arrived = arriving[q] as Saved<Emitted[]>;
      const inputs: Flags = [...flat(moving.slice(0, q)), ...own.carry, ...inputsActive.outside];
      const before = inputs.length - own.carry.length - inputsActive.outside.length;
      const outputs = activeOutputs(step, inputs);
      const emissions = arrived.emitted.map((from, i) => from.length > 0 && (own.emitted[i] as boolean));
      const seedsOf = (pulled: Flags): Flags =>
        [...pulled, ...emissions].map((is, i) => is && (outputs[i] as boolean));
      const start = own.carry.map(
        (is, i) => is && ((wanted.carries[q]?.[i] as boolean) || (arrived.carry[i] as Emitted[]).length > 0),
      );
      const pulled = settle(start, (flags) =>
        reversal(step, inputs, seedsOf(flags)).present.slice(before, before + carries),
      );
      const seeds = seedsOf(pulled);
      const back = reversal(step, inputs, seeds);
      const varying = inputs.map((_, i) => i < before + carries);
      const parts = halves(back, inputs.length, varying);
      const found = {
        saved: back.present.slice(0, before),
        outside: back.present.slice(before + carries),
      };
      let place = 0;
      const shelves = flat(arriving.slice(0, q));
      found.saved.forEach((is, i) => {
        if (is) (shelves[i] as Emitted[]).push({ pass: 2 * n - 1 - q, place: place++ });
      });
      return { q, before, carries, pulled, emissions, seeds, back, parts, found, arrived };
    });

  const again = passes.map((_, p): PassParts => {
    const { parts } = adjoints[n - 1 - p] as (typeof adjoints)[number];
    const { carries } = passes[p] as Pass;
    return {
      carry: (types[p] as Saved<TensorType>).carry,
      step(saved, carry, outside) {
        const results = parts.forward.run([...known(passes, saved, p), ...carry, ...outside]);
        return { next: results.slice(0, carries), emitted: results.slice(carries) };
      },
    };
  });
  const back = adjoints.map(
    ({ q, before, carries, pulled, emissions, seeds, back, parts, found, arrived }): PassParts => {
      const dcarry = chosen((types[q] as Saved<TensorType>).carry, pulled);
      return {
        carry: [...dcarry, ...chosen(outsideTypes, found.outside)],
        step(saved, carry, outside) {
          const { carry: own, emitted } = saved[q] as Saved<Value>;
          const kept = emitted.slice((passes[q] as Pass).emissions);
          const primal = [...known(passes, saved, q), ...own, ...outside];
          const emittedFor = (from: readonly Emitted[]): Value | null =>
            from
              .map(({ pass, place }) => saved[pass]?.emitted[place] as Value)
              .reduce<Value | null>(sumOf, null);
          const dNext = spread(carry.slice(0, dcarry.length), pulled);
          const dEmitted = arrived.emitted.map((from, i) => (emissions[i] ? emittedFor(from) : null));
          const cotangents = parts.backward.run([
            ...chosen(primal, parts.read),
            ...kept,
            ...present(chosen([...dNext, ...dEmitted], seeds)),
          ]);
          const all = spread(cotangents, back.present);
          const dOwn = all
            .slice(before, before + carries)
            .map((d, i) => sumOf(d, emittedFor(arrived.carry[i] as Emitted[])));
          const sums = carry.slice(dcarry.length);
          return {
            next: [
              ...chosen(dOwn, pulled).map((d, i) => d ?? filled(dcarry[i] as TensorType, 0)),
              ...present(all.slice(before + carries)).map((d, i) => add(sums[i] as Value, d)),
            ],
            emitted: present(all.slice(0, before)),
          };
        },
      };
    },
  );
  return {
    loop: whileOf(test, [...again, ...back], outsideTypes),
    enter(inputs, cotangents) {
      const xs = parted(attributes, inputs);
      const ds = parted(attributes, cotangents);
      const starts = adjoints.flatMap(({ q, pulled, found }) => [
        ...chosen(
          (xs.carries[q] as Value[]).map((x, i) => ds.carries[q]?.[i] ?? zerosLike(x)),
          pulled,
        ),
        ...chosen(outsideTypes, found.outside).map((type) => filled(type, 0)),
      ]);
      return [...xs.carries.flat(), ...starts, ...xs.outside];
    },
    leave(ends) {
      const rest = ends.slice(attributes.outputs.length);
      const dCarries: (Value | null)[][] = [];
      let dOutside = outsideTypes.map((): Value | null => null);
      for (const { q, pulled, found } of adjoints) {
        dCarries[q] = spread(rest.splice(0, count(pulled)), pulled);
        const more = spread(rest.splice(0, count(found.outside)), found.outside);
        dOutside = dOutside.map((sum, i) => sumOf(sum, more[i] ?? null));
      }
      return [...dCarries.flat(), ...dOutside];
    },
  };
}

/** A sum in which null is absent. */
function sumOf(a: Value | null, b: Value | null): Value | null {
  return a === null || b === null ? (a ?? b) : add(a, b);
}
