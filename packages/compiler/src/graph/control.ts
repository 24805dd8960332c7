/** Branches and loops of a flow as steps with steps inside. */

import type { Graph } from "@adjoint/core";
import type { CondAttributes, ScanAttributes, TensorType, WhileAttributes } from "@adjoint/core/operations";
import { combined, counted } from "../kernels/affine.ts";
import type { Buffer, Counter, Kernel, Register, Statement } from "../kernels/language.ts";
import type { Block, BlockParts } from "./block.ts";
import type { Located, Pass, Step } from "./steps.ts";

/** What blocks of one program share. */
interface Context extends Pick<BlockParts, "constants" | "buffer"> {
  /** Plans a graph. */
  planBlock(parts: BlockParts): Block;
}

/** A choice: the condition's buffer, then those of the inputs of both graphs. */
export function planChoice(
  { whenTrue, whenFalse, outputs }: CondAttributes,
  [condition, ...inputs]: readonly Buffer[],
  output: Located,
  context: Context,
): readonly Step[] {
  const branch = (graph: Graph): readonly Step[] => {
    const block = innerBlock(graph, inputs, context);
    return [...block.steps, ...packed(block.outputs, outputs, output)];
  };
  return [
    {
      kind: "choice",
      condition: condition as Buffer,
      whenTrue: branch(whenTrue),
      whenFalse: branch(whenFalse),
    },
  ];
}

/** A scan: the buffers of its initial carries, of its streams, and of what it reads from outside. */
export function planScan(
  { body, length, reverse, carries, streams, outputs }: ScanAttributes,
  inputs: readonly Buffer[],
  output: Located,
  context: Context,
): readonly Step[] {
  const carried = ownBuffers(inputs.slice(0, carries), context);
  const block = context.planBlock({
    ...context,
    graph: body,
    inputs: [...carried, ...new Array<null>(streams).fill(null), ...inputs.slice(carries + streams)],
    held: body.inputs.map(() => false),
    replaces: body.outputs.map((_, i) => (i < carries ? i : null)),
  });
  const taken = inputs.slice(carries, carries + streams).flatMap((stream, i) => {
    const entry = block.inputs[carries + i];
    return entry ? [{ stream, entry }] : [];
  });
  // A single result is the node's own.
  const own = outputs.length === 1 ? output.buffer : null;
  const given = block.outputs.slice(carries).map((entry) => ({
    stream: own ?? context.buffer(entry.dtype, entry.size * length),
    entry,
  }));
  const results = [...carried, ...given.map(({ stream }) => stream)];
  return [
    ...copies(inputs.slice(0, carries), carried),
    { kind: "scan", length, reverse, taken, body: block.steps, given, carried },
    ...packed(results, outputs, output),
  ];
}

/** A loop of passes: the buffers of all passes' initial carries, and of what is read from outside. */
export function planPasses(
  { test, passes, outputs }: WhileAttributes,
  inputs: readonly Buffer[],
  output: Located,
  context: Context,
): readonly Step[] {
  const all = ownBuffers(inputs.slice(0, outputs.length), context);
  const outside = inputs.slice(outputs.length);
  let at = 0;
  const carried = passes.map(({ carries }) => {
    at += carries;
    return all.slice(at - carries, at);
  });
  const tested = innerBlock(test, [...(carried[0] as Buffer[]), ...outside], context);
  // What each pass has at a step: its carries on arrival, then what it emits.
  const counts = passes.map(({ carries, emissions }) => carries + emissions);
  const blocks = passes.map(({ step, carries }, p): Block => {
    const shelves = counts.slice(0, p).reduce((sum, n) => sum + n, 0);
    return context.planBlock({
      ...context,
      graph: step,
      inputs: [...new Array<null>(shelves).fill(null), ...(carried[p] as Buffer[]), ...outside],
      held: step.inputs.map(() => false),
      replaces: step.outputs.map((_, i) => (i < carries ? shelves + i : null)),
    });
  });
  // Of what a pass could save, only what a later one reads.
  const savedBy = passes.map(() => [] as number[]);
  const readings = blocks.map(({ inputs: read }, p) =>
    counts.slice(0, p).flatMap((n, pass) => {
      const start = counts.slice(0, pass).reduce((sum, m) => sum + m, 0);
      return Array.from({ length: n }, (_, place) => ({
        pass,
        place,
        to: read[start + place] ?? null,
      })).filter(({ to }) => to !== null);
    }),
  );
  for (const { pass, place } of readings.flat()) {
    const saved = savedBy[pass] as number[];
    if (!saved.includes(place)) saved.push(place);
  }
  for (const saved of savedBy) saved.sort((a, b) => a - b);
  const planned = passes.map(({ carries }, p): Pass => {
    const block = blocks[p] as Block;
    const saved = savedBy[p] as number[];
    return {
      taken: (readings[p] ?? []).map(({ pass, place, to }) => ({
        pass,
        place: (savedBy[pass] as number[]).indexOf(place),
        to: to as Buffer,
      })),
      before: saved
        .filter((place) => place < carries)
        .map((place) => (carried[p] as Buffer[])[place] as Buffer),
      body: block.steps,
      after: saved.filter((place) => place >= carries).map((place) => block.outputs[place] as Buffer),
    };
  });
  return [
    ...copies(inputs.slice(0, outputs.length), all),
    { kind: "passes", test: tested.steps, holds: tested.outputs[0] as Buffer, passes: planned, carried: all },
    ...packed(all, outputs, output),
  ];
}

/** A graph whose inputs are where they are, and stay. */
function innerBlock(graph: Graph, inputs: readonly Buffer[], context: Context): Block {
  return context.planBlock({
    ...context,
    graph,
    inputs,
    held: inputs.map(() => false),
    replaces: graph.outputs.map(() => null),
  });
}

function ownBuffers(like: readonly Buffer[], { buffer }: Context): Buffer[] {
  return like.map(({ dtype, size }) => buffer(dtype, size));
}

function copies(from: readonly Buffer[], to: readonly Buffer[]): Step[] {
  return from.map((buffer, i) => ({ kind: "copy", from: buffer, to: to[i] as Buffer }));
}

/** Puts results where core packs them: a single one as it is, several one after the other in a common dtype. */
function packed(results: readonly Buffer[], types: readonly TensorType[], { buffer }: Located): Step[] {
  const [only] = results;
  if (types.length === 1) return only === buffer ? [] : [{ kind: "copy", from: only as Buffer, to: buffer }];
  let at = 0;
  return results.flatMap((from) => {
    at += from.size;
    return from.size === 0
      ? []
      : [{ kind: "kernel", kernel: packKernel(from, buffer, at - from.size), parts: 1 }];
  });
}

/** Copies a buffer into a part of another, in the other's dtype. */
function packKernel(from: Buffer, to: Buffer, start: number): Kernel {
  const counter: Counter = { id: 0, extent: from.size };
  const index = counted(counter);
  const x: Register = { id: 0, dtype: from.dtype };
  const y: Register = { id: 1, dtype: to.dtype };
  const one: Register = { id: 2, dtype: to.dtype };
  const zero: Register = { id: 3, dtype: to.dtype };
  const converted: Statement[] =
    from.dtype === to.dtype
      ? []
      : from.dtype === "bool"
        ? [
            { kind: "constant", to: one, value: 1 },
            { kind: "constant", to: zero, value: 0 },
            { kind: "compute", to: y, operator: "select", from: [x, one, zero] },
          ]
        : [{ kind: "compute", to: y, operator: "convert", from: [x] }];
  const body: Statement[] = [
    { kind: "load", to: x, from: { buffer: from, at: index, picked: null } },
    ...converted,
    {
      kind: "store",
      to: { buffer: to, at: combined(start, [1], [index]), picked: null },
      from: converted.length === 0 ? x : y,
    },
  ];
  return { name: "pack", body: from.size === 1 ? body : [{ kind: "loop", counter, body }] };
}
