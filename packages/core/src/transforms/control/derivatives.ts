/** Derivatives and batches of graphs, as graphs: what the rules of branches and loops are made of. */

import { isFloat } from "../../dtype.ts";
import { captureTypes } from "../../graph/capture.ts";
import { Graph } from "../../graph/graph.ts";
import type { AnyOperation } from "../../op.ts";
import { broadcastTo } from "../../ops/movement.ts";
import { state } from "../../state.ts";
import { withRecording } from "../../sweep/backward.ts";
import { forwardSweep } from "../../sweep/forward.ts";
import { reverseSweep } from "../../sweep/reverse.ts";
import { type TensorType, tensorType } from "../../tensor-type.ts";
import type { Value } from "../../value.ts";
import { batchOutputs } from "../vmap.ts";

/** Yes or no for each of a list of values. */
export type Flags = readonly boolean[];

/** Those entries that are flagged. */
export const chosen = <T>(xs: readonly T[], flags: Flags): T[] => xs.filter((_, i) => flags[i]);

/** How many are flagged. */
export const count = (flags: Flags): number => flags.filter(Boolean).length;

/** Values at the places that are flagged, null elsewhere. */
export function spread(xs: readonly Value[], flags: Flags): (Value | null)[] {
  let next = 0;
  return flags.map((is) => (is ? (xs[next++] as Value) : null));
}

/** Those that are there. */
export const present = (xs: readonly (Value | null)[]): Value[] => xs.filter((x) => x !== null);

/** Whether either is, for each of the first. */
export const either = (a: Flags, b: Flags): boolean[] => a.map((flag, i) => flag || (b[i] ?? false));

/** Whether two lists of flags are the same. */
const sameFlags = (a: Flags, b: Flags): boolean => a.every((flag, i) => flag === b[i]);

export const typesOf = (xs: readonly Value[]): TensorType[] => xs.map((x) => x.type);

/** The flags that `next` makes of themselves, from `start` on, when it adds no more. */
export function settle(start: Flags, next: (flags: Flags) => Flags): Flags {
  let flags = start;
  for (;;) {
    const more = either(flags, next(flags));
    if (sameFlags(more, flags)) return flags;
    flags = more;
  }
}

/** What was derived of attributes before: the same graph is derived once, whoever runs it. */
const derived = new WeakMap<object, Map<string, unknown>>();

/** `make()`, or what it made before for these attributes and this key. */
export function once<T>(attributes: object, key: unknown, make: () => T): T {
  let known = derived.get(attributes);
  if (known === undefined) {
    known = new Map();
    derived.set(attributes, known);
  }
  const name = JSON.stringify(key);
  if (!known.has(name)) known.set(name, make());
  return known.get(name) as T;
}

/** Whether derivatives reach each output from those inputs that are flagged. */
export function activeOutputs(graph: Graph, active: Flags): boolean[] {
  let flags: boolean[] = [];
  captureTypes(
    typesOf(graph.inputs),
    (inputs) => {
      const outputs = withRecording(true, () => graph.run(inputs));
      flags = outputs.map((y) => y.tracked && isFloat(y.dtype));
      return outputs;
    },
    active,
  );
  return flags;
}

/** A graph in reverse: the cotangents of its inputs from its inputs and the cotangents of its outputs. */
export interface Reversal {
  /** Inputs: the graph's, then the cotangents given. Outputs: the cotangents that are present, then the graph's own. */
  readonly graph: Graph;
  /** For each input of the graph, whether a path carries a cotangent to it. */
  readonly present: Flags;
}

/** Differentiates a graph in reverse by its inputs that are `active`, with cotangents of those outputs that are `given`. */
export function reversal(graph: Graph, active: Flags, given: Flags): Reversal {
  const n = graph.inputs.length;
  const present = new Array<boolean>(n).fill(false);
  const types = [...typesOf(graph.inputs), ...chosen(typesOf(graph.outputs), given)];
  const body = (all: readonly Value[]): Value[] => {
    const floor = state.clock;
    const inputs = all.slice(0, n);
    const outputs = withRecording(true, () => graph.run(inputs));
    const cotangents = new Map<Value, Value>();
    const targets = chosen(inputs, active);
    // Not recorded, but in operations that have derivatives: the graph may be differentiated again.
    withRecording(false, () =>
      reverseSweep(
        chosen(outputs, given),
        all.slice(n),
        { floor, record: "needed", targets },
        (input, dx) => void (dx !== null && cotangents.set(input, dx)),
      ),
    );
    inputs.forEach((input, i) => {
      present[i] = cotangents.has(input);
    });
    return [...chosen(inputs, present).map((input) => cotangents.get(input) as Value), ...outputs];
  };
  return { graph: captureTypes(types, body, active), present };
}

/** A graph with the tangents of its inputs that are `moving`: what its outputs are, and how they move. */
export interface Pushed {
  /** Inputs: the graph's, then the tangents given. Outputs: the graph's, then the tangents that are present. */
  readonly graph: Graph;
  /** For each output of the graph, whether a path carries a tangent to it. */
  readonly present: Flags;
}

/** Differentiates a graph forward along its inputs that are `moving`. */
export function pushed(graph: Graph, moving: Flags): Pushed {
  const n = graph.inputs.length;
  let present: boolean[] = [];
  const types = [...typesOf(graph.inputs), ...chosen(typesOf(graph.inputs), moving)];
  const body = (all: readonly Value[]): Value[] => {
    const floor = state.clock;
    const inputs = all.slice(0, n);
    const outputs = withRecording(true, () => graph.run(inputs));
    const tangents = withRecording(false, () =>
      forwardSweep(outputs, chosen(inputs, moving), all.slice(n), floor),
    );
    present = tangents.map((t) => t !== null);
    return [...outputs, ...(chosen(tangents, present) as Value[])];
  };
  return { graph: captureTypes(types, body, moving), present };
}

/**
 * A graph over a batch of `size`, and which of its outputs then have one value an example. With `lanes`, it has which
 * examples count as one more input.
 */
export function batchGraph(
  graph: Graph,
  mapped: Flags,
  size: number,
  lanes: boolean,
): { graph: Graph; batched: Flags } {
  let batched: boolean[] = [];
  const types = graph.inputs.map(({ type }, i) => (mapped[i] ? batchType(type, size) : type));
  if (lanes) types.push(tensorType([size], "bool"));
  const body = (inputs: readonly Value[]): Value[] => {
    const outputs = batchOutputs(graph, inputs, mapped, size, inputs[mapped.length] ?? null);
    batched = outputs.map((y) => y.batched);
    return outputs.map((y) => y.value);
  };
  return { graph: captureTypes(types, body), batched };
}

/** A value as a batch of examples that are all alike. */
export const repeated = (x: Value, size: number): Value => broadcastTo(x, [size, ...x.shape]);

/** The type of a batch of values of a type. */
export function batchType({ shape, dtype }: TensorType, size: number): TensorType {
  return tensorType([size, ...shape], dtype);
}

/** A reversal in two: what can be computed on the way forward, and what needs the cotangents. */
export interface Halves {
  /** From the graph's inputs: its outputs, then `kept`. */
  readonly forward: Graph;
  /** Values worth keeping for the way back, by their types. */
  readonly kept: readonly TensorType[];
  /** Which of the graph's inputs the way back reads. */
  readonly read: Flags;
  /** From the inputs that it reads, what was kept, and the cotangents given: the cotangents that are present. */
  readonly backward: Graph;
}

/**
 * Takes a reversal apart. Kept are the results of those operations that are dear to repeat: neither elementwise nor
 * linear in all inputs (sums, movement), which are about as cheap to compute again as to store and load. `varying` are the inputs that
 * change from step to step: what depends on the others alone is the same each time, and not worth keeping each time.
 */
export function halves(
  { graph, present }: Reversal,
  arity: number,
  varying: Flags,
  keep: (node: Value) => boolean = isDear,
): Halves {
  const primal = graph.inputs.slice(0, arity);
  const seeds = graph.inputs.slice(arity);
  const cotangents = graph.outputs.slice(0, count(present));
  const outputs = graph.outputs.slice(cotangents.length);
  const fromSeeds = dependents(graph, seeds);
  const fromVarying = dependents(graph, chosen(primal, varying));
  const keeps = (x: Value) => !fromSeeds.has(x) && fromVarying.has(x) && x.op !== null && keep(x);
  const back = computing(graph, cotangents, keeps);
  const kept = [...back.ends].filter((x) => !primal.includes(x) && !seeds.includes(x));
  const read = primal.map((x) => back.ends.has(x));
  const results = [...outputs, ...kept];
  return {
    forward: new Graph(primal, computing(graph, results, () => false).nodes, results),
    kept: typesOf(kept),
    read,
    backward: new Graph([...chosen(primal, read), ...kept, ...seeds], back.nodes, cotangents),
  };
}

/** Whether repeating a node's operation costs more than keeping its result. */
function isDear({ op }: Value): boolean {
  const { elementwise, linear } = op as AnyOperation;
  return elementwise === null && !linear;
}

/** The nodes of a graph that depend on any of some inputs, and these. */
function dependents({ nodes }: Graph, inputs: readonly Value[]): ReadonlySet<Value> {
  const found = new Set(inputs);
  for (const node of nodes) if (node.inputs.some((x) => found.has(x))) found.add(node);
  return found;
}

/** The nodes that compute `outputs` from the graph's inputs and from nodes that `stop` holds of: those that they end at. */
function computing(
  { inputs, nodes }: Graph,
  outputs: readonly Value[],
  stop: (node: Value) => boolean,
): { nodes: Value[]; ends: ReadonlySet<Value> } {
  const own = new Set(inputs);
  const needed = new Set<Value>();
  const ends = new Set<Value>();
  const need = (x: Value) => void (own.has(x) || stop(x) ? ends.add(x) : needed.add(x));
  outputs.forEach(need);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i] as Value;
    if (needed.has(node)) node.inputs.forEach(need);
  }
  return { nodes: nodes.filter((node) => needed.has(node)), ends };
}
