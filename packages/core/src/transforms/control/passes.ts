/** The passes of a loop: what they carry and leave behind, and how a loop is built of them. */

import { captureTypes } from "../../graph/capture.ts";
import type { Graph } from "../../graph/graph.ts";
import type { TensorType } from "../../tensor-type.ts";
import type { Value } from "../../value.ts";
import { typesOf } from "./derivatives.ts";

/** One pass over the steps of a loop. */
export interface Pass {
  /**
   * One step, k. Inputs: for each earlier pass, the carries with which it came to k and what it emitted there; the
   * pass's own carries; what is read from outside. Outputs: the next carries, and what is emitted for later passes.
   */
  readonly step: Graph;
  readonly carries: number;
  readonly emissions: number;
}

/**
 * What a `whileLoop` node repeats. Its inputs are the initial carries of all passes, and what is read from outside; its
 * value packs the last carries of all passes.
 *
 * The first pass goes up, from step 0 on, as long as the test holds of its carries; the second goes down over the same
 * steps, the third up again. Where a later pass reads what a step of an earlier one had, that is kept on a stack that
 * grows. A loop that is only run has one pass, its derivatives have more.
 */
export interface WhileAttributes {
  /** From the first pass's carries, and what is read from outside, to whether there is another step: a bool scalar. */
  readonly test: Graph;
  readonly passes: readonly Pass[];
  /** The types of what is packed. */
  readonly outputs: readonly TensorType[];
}

/** What one step of an earlier pass left behind, or the types of it. */
export interface Saved<T> {
  readonly carry: readonly T[];
  readonly emitted: readonly T[];
}

/** What a step makes of what earlier passes had there, of its carries and of the outside. */
type Step = (
  saved: readonly Saved<Value>[],
  carry: readonly Value[],
  outside: readonly Value[],
) => { readonly next: readonly Value[]; readonly emitted: readonly Value[] };

/** What a pass is built of. */
export interface PassParts {
  readonly carry: readonly TensorType[];
  readonly step: Step;
}

/** Builds a loop of its passes, each of which may read what the earlier ones emit. */
export function whileOf(
  test: Graph,
  parts: readonly PassParts[],
  outside: readonly TensorType[],
): WhileAttributes {
  const passes: Pass[] = [];
  const saved: Saved<TensorType>[] = [];
  for (const { carry, step } of parts) {
    const shelves = saved.map((from) => [...from.carry, ...from.emitted]);
    const graph = captureTypes([...shelves.flat(), ...carry, ...outside], (xs) => {
      const rest = [...xs];
      const had = saved.map((from) => ({
        carry: rest.splice(0, from.carry.length),
        emitted: rest.splice(0, from.emitted.length),
      }));
      const { next, emitted } = step(had, rest.splice(0, carry.length), rest);
      return [...next, ...emitted];
    });
    const emitted = typesOf(graph.outputs).slice(carry.length);
    passes.push({ step: graph, carries: carry.length, emissions: emitted.length });
    saved.push({ carry, emitted });
  }
  return { test, passes, outputs: parts.flatMap(({ carry }) => carry) };
}

/** The inputs of a loop by pass, and the outside. */
export function parted<T>({ passes }: WhileAttributes, xs: readonly T[]): { carries: T[][]; outside: T[] } {
  const rest = [...xs];
  return { carries: passes.map((pass) => rest.splice(0, pass.carries)), outside: rest };
}

/** The types of what each pass has and leaves at a step. */
export function savedTypes({ passes }: WhileAttributes): Saved<TensorType>[] {
  return passes.map(({ step, carries }) => {
    const types = typesOf(step.outputs);
    return { carry: types.slice(0, carries), emitted: types.slice(carries) };
  });
}

/** The types of what is read from outside. */
export function outsideOf({ test, passes }: WhileAttributes): TensorType[] {
  return typesOf(test.inputs.slice(passes[0]?.carries));
}

/** Carries and emissions in the order in which later passes get them. */
export const flat = <T>(saved: readonly Saved<T>[]): T[] =>
  saved.flatMap(({ carry, emitted }) => [...carry, ...emitted]);

/** A loop made of another one. */
export interface DerivedLoop<Given, Result> {
  readonly loop: WhileAttributes;
  /** Its inputs from those of the other, and what else is given. */
  enter(inputs: readonly Value[], given: Given): Value[];
  /** From its last carries to what was asked for. */
  leave(ends: readonly Value[]): Result;
}
