/** whileLoop as an operation of a graph: passes up and down the same steps, as many as a test on the way up allows. */

import type { TypedArray } from "../../dtype.ts";
import type { Graph } from "../../graph/graph.ts";
import { apply, type Operation, operation, together } from "../../op.ts";
import { withRecording } from "../../sweep/backward.ts";
import { SCALAR } from "../../tensor-type.ts";
import { constant, type Value } from "../../value.ts";
import { type Flags, once } from "./derivatives.ts";
import { packData, packedType, unpack, unpackCotangent } from "./packing.ts";
import { type DerivedLoop, type Pass, parted, type WhileAttributes } from "./passes.ts";
import { batchedLoop } from "./while-batch.ts";
import { pushedLoop } from "./while-forward.ts";
import { reversed } from "./while-reverse.ts";

/** Runs a loop: the last carries of all passes. */
export function applyWhile(attributes: WhileAttributes, inputs: readonly Value[]): Value[] {
  if (attributes.outputs.length === 0) return [];
  return unpack(apply(whileOperation, inputs, attributes), attributes.outputs);
}

/** Graphs that are run as long as a test holds. */
const whileOperation: Operation<WhileAttributes> = /* @__PURE__ */ operation({
  name: "whileLoop",
  lowering: (attributes) => ({ kind: "passes", attributes }),
  infer: (_, { outputs }) => packedType(outputs),
  evaluate: (inputs, attributes) => withRecording(false, () => run(inputs, attributes)),
  vjp: together((dy, { inputs, output, attributes }) => {
    const cotangents = unpackCotangent(dy, attributes.outputs, output);
    const active = inputs.map((x) => x.tracked);
    const given = cotangents.map((d) => d !== null);
    const back = once(attributes, ["vjp", active, given], () => reversed(attributes, active, given));
    return derived(back, inputs, cotangents);
  }),
  jvp: (tangents, { inputs, attributes }) => {
    const moving = tangents.map((t) => t !== null);
    return derived(
      once(attributes, ["jvp", moving], () => pushedLoop(attributes, moving)),
      inputs,
      tangents,
    );
  },
  batch: (inputs, mapped, attributes, size, lanes) => {
    const some = lanes !== null;
    const over = once(attributes, ["batch", mapped, size, some], () =>
      batchedLoop(attributes, mapped, size, some),
    );
    return derived(over, inputs, lanes);
  },
});

/** What a loop that is made of another one gives, from the other's inputs. */
function derived<Given, Result>(
  { loop, enter, leave }: DerivedLoop<Given, Result>,
  inputs: readonly Value[],
  given: Given,
): Result {
  return leave(applyWhile(loop, enter(inputs, given)));
}

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
