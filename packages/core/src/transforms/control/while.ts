/** whileLoop as an operation of a graph: passes up and down the same steps, as many as a test on the way up allows. */

import type { TypedArray } from "../../dtype.ts";
import { captureTypes } from "../../graph/capture.ts";
import type { Graph } from "../../graph/graph.ts";
import { apply, filled, type Operation, operation, together, zerosLike } from "../../op.ts";
import { add, where } from "../../ops/elementwise.ts";
import { logicalAnd } from "../../ops/logical.ts";
import { broadcastTo, reshape } from "../../ops/movement.ts";
import { any } from "../../ops/statistics.ts";
import { withRecording } from "../../sweep/backward.ts";
import { constant, SCALAR, type TensorType, tensorType, type Value } from "../../value.ts";
import {
  activeOutputs,
  batchGraph,
  batchType,
  chosen,
  count,
  type Flags,
  halves,
  once,
  present,
  pushed,
  reversal,
  settle,
  spread,
  typesOf,
} from "./derivatives.ts";
import { pack, packBatch, packData, packedType, unpack, unpackCotangent } from "./packing.ts";

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
interface Saved<T> {
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
interface PassParts {
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

/** Runs a loop: the last carries of all passes. */
export function applyWhile(attributes: WhileAttributes, inputs: readonly Value[]): Value[] {
  if (attributes.outputs.length === 0) return [];
  return unpack(apply(whileOperation, inputs, attributes), attributes.outputs);
}

export const whileOperation: Operation<WhileAttributes> = /* @__PURE__ */ operation({
  name: "whileLoop",
  infer: (_, { outputs }) => packedType(outputs),
  evaluate: (inputs, attributes) => withRecording(false, () => run(inputs, attributes)),
  vjp: together((dy, { inputs, output, attributes }) => {
    const cotangents = unpackCotangent(dy, attributes.outputs, output);
    const active = inputs.map((x) => x.tracked);
    const given = cotangents.map((d) => d !== null);
    return once(attributes, ["vjp", active, given], () => reversed(attributes, active, given))(
      inputs,
      cotangents,
    );
  }),
  jvp: (tangents, { inputs, attributes }) => {
    const moving = tangents.map((t) => t !== null);
    return once(attributes, ["jvp", moving], () => pushedLoop(attributes, moving))(inputs, tangents);
  },
  batch: (inputs, mapped, attributes, size, lanes) =>
    once(attributes, ["batch", mapped, size, lanes !== null], () =>
      batchedLoop(attributes, mapped, size, lanes !== null),
    )(inputs, lanes),
});

/** The inputs of a loop by pass, and the outside. */
function parted<T>({ passes }: WhileAttributes, xs: readonly T[]): { carries: T[][]; outside: T[] } {
  const rest = [...xs];
  return { carries: passes.map((pass) => rest.splice(0, pass.carries)), outside: rest };
}

/** The types of what each pass has and leaves at a step. */
function savedTypes({ passes }: WhileAttributes): Saved<TensorType>[] {
  return passes.map(({ step, carries }) => {
    const types = typesOf(step.outputs);
    return { carry: types.slice(0, carries), emitted: types.slice(carries) };
  });
}

/** The types of what is read from outside. */
function outsideOf({ test, passes }: WhileAttributes): TensorType[] {
  return typesOf(test.inputs.slice(passes[0]?.carries));
}

const flat = <T>(saved: readonly Saved<T>[]): T[] =>
  saved.flatMap(({ carry, emitted }) => [...carry, ...emitted]);

/** Stands where a step's graph reads nothing. */
const UNREAD = /* @__PURE__ */ constant(SCALAR, 0);

/** Runs the passes on data that is known. */
function run(inputs: readonly Value[], attributes: WhileAttributes): number | TypedArray {
  const { test, passes, outputs } = attributes;
  const { carries, outside } = parted(attributes, inputs);
  // For each step, what the passes before had and left there, as far as later ones read it.
  const stack: Value[][] = [];
  const kept = once(attributes, "kept", () => keptFlags(passes));
  const ends = passes.map(({ step, carries: n }, p) => {
    const keep = kept[p] as Flags;
    let carry = carries[p] as readonly Value[];
    const go = (shelf: Value[]): void => {
      const results = step.run([...shelf, ...carry, ...outside]);
      const left = [...carry, ...results.slice(n)];
      if (keep.length > 0) shelf.push(...left.map((x, i) => (keep[i] ? x : UNREAD)));
      carry = results.slice(0, n);
    };
    if (p === 0) {
      while ((test.run([...carry, ...outside])[0] as Value).data[0] !== 0) {
        const shelf: Value[] = [];
        go(shelf);
        if (passes.length > 1) stack.push(shelf);
      }
    } else if (p % 2 === 0) for (const shelf of stack) go(shelf);
    else for (let k = stack.length - 1; k >= 0; k--) go(stack[k] as Value[]);
    return carry;
  });
  return packData(ends.flat(), outputs);
}

/** For each pass, which of its carries and emissions a later pass reads; nothing of the last. */
function keptFlags(passes: readonly Pass[]): Flags[] {
  let start = 0;
  return passes.map(({ carries, emissions }, p) => {
    const places = Array.from({ length: carries + emissions }, (_, i) => start + i);
    start += places.length;
    const later = passes.slice(p + 1);
    return later.length === 0 ? [] : places.map((i) => later.some(({ step }) => reads(step, i)));
  });
}

/** Whether a graph reads its input i. */
function reads({ inputs, nodes, outputs }: Graph, i: number): boolean {
  const x = inputs[i] as Value;
  return outputs.includes(x) || nodes.some((node) => node.inputs.includes(x));
}

/** What a pass reads of those before it: their first emissions, whatever has been added since. */
function known<T>(passes: readonly Pass[], saved: readonly Saved<T>[], p: number): T[] {
  return flat(
    saved
      .slice(0, p)
      .map(({ carry, emitted }, q) => ({ carry, emitted: emitted.slice(0, passes[q]?.emissions) })),
  );
}

/** From inputs and the cotangents of outputs to the cotangents of inputs. */
type WayBack = (inputs: readonly Value[], cotangents: readonly (Value | null)[]) => (Value | null)[];

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
function reversed(attributes: WhileAttributes, active: Flags, given: Flags): WayBack {
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
          const sumOf = (from: readonly Emitted[]): Value | null =>
            from
              .map(({ pass, place }) => (saved[pass] as Saved<Value>).emitted[place] as Value)
              .reduce<Value | null>((sum, d) => (sum === null ? d : add(sum, d)), null);
          const dNext = spread(carry.slice(0, dcarry.length), pulled);
          const dEmitted = arrived.emitted.map((from, i) => (emissions[i] ? sumOf(from) : null));
          const cotangents = parts.backward.run([
            ...chosen(primal, parts.read),
            ...kept,
            ...present(chosen([...dNext, ...dEmitted], seeds)),
          ]);
          const all = spread(cotangents, back.present);
          const dOwn = all.slice(before, before + carries).map((d, i) => {
            const more = sumOf(arrived.carry[i] as Emitted[]);
            return d === null || more === null ? (d ?? more) : add(d, more);
          });
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
  const both = whileOf(test, [...again, ...back], outsideTypes);

  return (all, cotangents) => {
    const xs = parted(attributes, all);
    const ds = parted(attributes, cotangents);
    const starts = adjoints.flatMap(({ q, pulled, found }) => [
      ...chosen(
        (xs.carries[q] as Value[]).map((x, i) => ds.carries[q]?.[i] ?? zerosLike(x)),
        pulled,
      ),
      ...chosen(outsideTypes, found.outside).map((type) => filled(type, 0)),
    ]);
    if (starts.length === 0) return all.map(() => null);
    const ends = applyWhile(both, [...xs.carries.flat(), ...starts, ...xs.outside]).slice(
      attributes.outputs.length,
    );
    const dCarries: (Value | null)[][] = [];
    let dOutside: (Value | null)[] = xs.outside.map(() => null);
    for (const { q, pulled, found } of adjoints) {
      dCarries[q] = spread(ends.splice(0, count(pulled)), pulled);
      const more = spread(ends.splice(0, count(found.outside)), found.outside);
      dOutside = dOutside.map((sum, i) => {
        const d = more[i] ?? null;
        return sum === null || d === null ? (sum ?? d) : add(sum, d);
      });
    }
    return [...dCarries.flat(), ...dOutside];
  };
}

/** A loop with tangents beside its primals: from inputs and their tangents to the packed tangent of the outputs. */
function pushedLoop(
  attributes: WhileAttributes,
  given: Flags,
): (inputs: readonly Value[], tangents: readonly (Value | null)[]) => Value | null {
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
  const both = whileOf(
    tested,
    steps.map(({ along, carry, carries }, p): PassParts => {
      const own = (types[p] as Saved<TensorType>).carry;
      return {
        carry: beside(own, carry),
        step(saved, carries2, outside) {
          const pairs = saved.map((from, q) => split(from, moving[q] as Saved<boolean>));
          const results = along.graph.run([
            ...flat(pairs.map(([primal]) => primal)),
            ...carries2.slice(0, carries),
            ...outside.slice(0, starts.outside.length),
            ...flat(pairs.map(([, tangent]) => tangent)),
            ...carries2.slice(carries),
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
  const moves = moving.flatMap(({ carry }) => carry);
  return (inputs, tangents) => {
    if (!moves.includes(true)) return null;
    const xs = parted(attributes, inputs);
    const ts = parted(attributes, tangents);
    const results = applyWhile(both, [
      ...xs.carries.flatMap((carry, p) => [
        ...carry,
        ...chosen(
          carry.map((x, i) => ts.carries[p]?.[i] ?? zerosLike(x)),
          (moving[p] as Saved<boolean>).carry,
        ),
      ]),
      ...xs.outside,
      ...present(ts.outside),
    ]);
    const found = moving.flatMap(({ carry }) => {
      results.splice(0, carry.length);
      return spread(results.splice(0, count(carry)), carry);
    });
    return pack(found, outputs);
  };
}

/**
 * A loop over a batch: from inputs to the packed batch of outputs. Where the test differs from example to example the
 * loop goes on while it holds of any that counts, and the others keep their carries.
 */
function batchedLoop(
  attributes: WhileAttributes,
  mapped: Flags,
  size: number,
  lanes: boolean,
): (inputs: readonly Value[], lanes: Value | null) => Value {
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
  return (inputs, which) => {
    const xs = parted(attributes, inputs);
    const carries = xs.carries.flat().map((x, i) => (flags[i] && !mapped[i] ? repeated(x, size) : x));
    return packBatch(
      applyWhile(loop, [...carries, ...xs.outside, ...present([which])]),
      flags,
      outputs,
      size,
    );
  };
}

const repeated = (x: Value, size: number): Value => broadcastTo(x, [size, ...x.shape]);
