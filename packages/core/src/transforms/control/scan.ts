/** scan as an operation of a graph: a graph that is run a fixed number of times, carrying values from one to the next. */

import { allocate, type TypedArray } from "../../dtype.ts";
import { captureTypes } from "../../graph/capture.ts";
import type { Graph } from "../../graph/graph.ts";
import { apply, filled, type Operation, operation, together, zerosLike } from "../../op.ts";
import { add } from "../../ops/elementwise.ts";
import { transpose } from "../../ops/movement.ts";
import { withRecording } from "../../sweep/backward.ts";
import type { TensorType } from "../../tensor-type.ts";
import { constant, type Value } from "../../value.ts";
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
  repeated,
  reversal,
  settle,
  spread,
  typesOf,
} from "./derivatives.ts";
import { pack, packBatch, packData, packedType, unpack, unpackCotangent } from "./packing.ts";

/**
 * What a `scan` node repeats. Its inputs are the initial carries, the streams with one entry a step along their first
 * axis, and what the body reads from outside, the same in each step. Its value packs the last carries and then, for
 * each further output of the body, a stream of what the steps gave out.
 */
export interface ScanAttributes {
  /** From the carries, the step's entries of the streams, and the outside, to the next carries and what the step gives. */
  readonly body: Graph;
  /** The number of steps. */
  readonly length: number;
  /** Whether the last entries are taken first. What the steps give stands where their entries do. */
  readonly reverse: boolean;
  /** How many of the body's inputs, and of its outputs, are carries. */
  readonly carries: number;
  /** How many of the body's inputs are entries of streams. */
  readonly streams: number;
  /** The types of what is packed: the carries, then the streams given. */
  readonly outputs: readonly TensorType[];
  /** Whether the way back keeps carries only, and computes the rest of each step again. */
  readonly recompute: boolean;
}

/** The attributes of a scan but for what follows from its body. */
type ScanParts = Omit<ScanAttributes, "outputs">;

/** Makes the attributes of a scan; `extended` is the one that it does as well. */
export function scanOf(parts: ScanParts, extended: ScanAttributes | null = null): ScanAttributes {
  const { body, length, carries } = parts;
  const outputs = body.outputs.map(({ type }, i) => (i < carries ? type : batchType(type, length)));
  const attributes = { ...parts, outputs };
  if (extended !== null) extensions.set(attributes, extended);
  return attributes;
}

const extensions = new WeakMap<ScanAttributes, ScanAttributes>();

/**
 * The scan that another, run on the same inputs, does as well: its outputs are the first of the other's. Derivatives
 * make such scans, which also give what the way back reads; whoever runs the other need not run the one. Null where
 * there is none.
 */
export function extendedScan(attributes: ScanAttributes): ScanAttributes | null {
  return extensions.get(attributes) ?? null;
}

/** Runs a scan: the last carries, then the streams that the steps gave. */
export function applyScan(attributes: ScanAttributes, inputs: readonly Value[]): Value[] {
  if (attributes.outputs.length === 0) return [];
  return unpack(apply(scanOperation, inputs, attributes), attributes.outputs);
}

/** A graph that is run for each entry of streams. */
const scanOperation: Operation<ScanAttributes> = /* @__PURE__ */ operation({
  name: "scan",
  lowering: (attributes) => ({ kind: "scan", attributes }),
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
    return pushedOnce(attributes, moving).push(inputs, tangents);
  },
  batch: (inputs, mapped, attributes, size, lanes) =>
    batchedOnce(attributes, mapped, size, lanes !== null).over(inputs, lanes),
});

/** Carries, entries of streams and the outside, apart. */
interface Parts<T> {
  readonly carry: readonly T[];
  readonly entries: readonly T[];
  readonly outside: readonly T[];
}

function parted<T>({ carries, streams }: ScanAttributes, xs: readonly T[]): Parts<T> {
  const end = carries + streams;
  return { carry: xs.slice(0, carries), entries: xs.slice(carries, end), outside: xs.slice(end) };
}

/** Runs the steps on data that is known. */
function run(inputs: readonly Value[], attributes: ScanAttributes): number | TypedArray {
  const { body, length, reverse, carries, outputs } = attributes;
  const { carry: start, entries, outside } = parted(attributes, inputs);
  const { entries: entryTypes } = parted(attributes, typesOf(body.inputs));
  const given = outputs.slice(carries).map((type) => ({ type, data: allocate(type.dtype, type.size) }));
  let carry = start;
  for (let k = 0; k < length; k++) {
    const i = reverse ? length - 1 - k : k;
    const now = entries.map((x, j) => entryOf(x, entryTypes[j] as TensorType, i));
    const results = body.run([...carry, ...now, ...outside]);
    given.forEach(({ data }, j) => {
      const { storage, size } = results[carries + j] as Value;
      if (typeof storage === "number") data[i] = storage;
      else data.set(storage as TypedArray, i * size);
    });
    carry = results.slice(0, carries);
  }
  return packData([...carry, ...given.map(({ type, data }) => constant(type, data))], outputs);
}

/** One entry of a stream: a part of its array, not a copy. */
function entryOf({ data }: Value, type: TensorType, i: number): Value {
  if (type.shape.length === 0) return constant(type, data[i] as number);
  return constant(type, data.subarray(i * type.size, (i + 1) * type.size));
}

/** From a scan's inputs and its outputs' cotangents to its inputs' cotangents. */
type WayBack = (inputs: readonly Value[], cotangents: readonly (Value | null)[]) => (Value | null)[];

/**
 * The way back from the outputs whose cotangents are `given` to the inputs that are `active`: the scan again, which now
 * also gives what each step's way back will read, and a scan in the other direction, which carries the carries'
 * cotangents, and sums of the outside's.
 */
function reversed(attributes: ScanAttributes, active: Flags, given: Flags): WayBack {
  const { body, length, reverse, carries, streams, recompute } = attributes;
  // A carry moves where its start does or what a step makes of it; it is pulled where a cotangent arrives so.
  const inputsMoving = (flags: Flags): Flags => [...flags, ...active.slice(carries)];
  const moving = settle(active.slice(0, carries), (flags) => activeOutputs(body, inputsMoving(flags)));
  const inputs = inputsMoving(moving);
  const outputs = activeOutputs(body, inputs);
  const seedsOf = (pulled: Flags): Flags =>
    outputs.map((is, i) => is && ((pulled[i] ?? given[i]) as boolean));
  const wanted = moving.map((is, i) => is && (given[i] as boolean));
  const pulled = settle(wanted, (flags) => reversal(body, inputs, seedsOf(flags)).present);
  const seeds = seedsOf(pulled);
  if (!seeds.includes(true) && !pulled.includes(true)) return (all) => all.map(() => null);

  const back = reversal(body, inputs, seeds);
  const varying = body.inputs.map((_, i) => i < carries + streams);
  const parts = halves(back, body.inputs.length, varying, recompute ? () => false : undefined);
  const types = parted(attributes, typesOf(body.inputs));
  const read = parted(attributes, parts.read);
  const found = parted(attributes, back.present);
  const dys = seeds.slice(carries);

  const more = captureTypes(typesOf(body.inputs), (xs) => {
    const results = parts.forward.run(xs);
    const kept = results.splice(body.outputs.length);
    return [...results, ...chosen(xs.slice(0, carries), read.carry), ...kept];
  });
  const forward = scanOf({ ...attributes, body: more }, attributes);
  const saved = [...chosen(types.carry, read.carry), ...parts.kept];

  const dcarry = chosen(types.carry, pulled);
  const sums = chosen(types.outside, found.outside);
  const streamTypes = [
    ...saved,
    ...chosen(types.entries, read.entries),
    ...chosen(typesOf(body.outputs.slice(carries)), dys),
  ];
  const outside = chosen(types.outside, read.outside);
  const step = captureTypes([...dcarry, ...sums, ...streamTypes, ...outside], (xs) => {
    const rest = [...xs];
    const take = (n: number): Value[] => rest.splice(0, n);
    const dCarry = take(dcarry.length);
    const sum = take(sums.length);
    const carry = take(count(read.carry));
    const kept = take(parts.kept.length);
    const entries = take(count(read.entries));
    const dOut = take(count(dys));
    const carrySeeds = chosen(dCarry, chosen(seeds.slice(0, carries), pulled));
    const cotangents = parts.backward.run([...carry, ...entries, ...rest, ...kept, ...carrySeeds, ...dOut]);
    const d = parted(attributes, spread(cotangents, back.present));
    return [
      ...chosen(d.carry, pulled).map((dx, i) => dx ?? filled(dcarry[i] as TensorType, 0)),
      ...present(d.outside).map((dx, i) => add(sum[i] as Value, dx)),
      ...present(d.entries),
    ];
  });
  const backward = scanOf({
    body: step,
    length,
    reverse: !reverse,
    carries: dcarry.length + sums.length,
    streams: streamTypes.length,
    recompute,
  });

  return (all, cotangents) => {
    const xs = parted(attributes, all);
    const memory = saved.length === 0 ? [] : applyScan(forward, all).slice(attributes.outputs.length);
    const results = applyScan(backward, [
      ...chosen(
        xs.carry.map((x, i) => cotangents[i] ?? zerosLike(x)),
        pulled,
      ),
      ...sums.map((type) => filled(type, 0)),
      ...memory,
      ...chosen(xs.entries, read.entries),
      ...(chosen(cotangents.slice(carries), dys) as Value[]),
      ...chosen(xs.outside, read.outside),
    ]);
    const dCarry = results.splice(0, dcarry.length);
    const dOutside = results.splice(0, sums.length);
    return [...spread(dCarry, pulled), ...spread(results, found.entries), ...spread(dOutside, found.outside)];
  };
}

/** A scan with tangents beside its primals. */
interface PushedScan {
  readonly scan: ScanAttributes;
  /** From inputs and their tangents to the packed tangent of the outputs. */
  push(inputs: readonly Value[], tangents: readonly (Value | null)[]): Value | null;
}

function pushedScan(attributes: ScanAttributes, given: Flags): PushedScan {
  const { body, carries, outputs } = attributes;
  const inputsMoving = (flags: Flags): Flags => [...flags, ...given.slice(carries)];
  const moves = settle(given.slice(0, carries), (flags) => pushed(body, inputsMoving(flags)).present);
  const moving = parted(attributes, inputsMoving(moves));
  const along = pushed(body, inputsMoving(moves));
  const types = parted(attributes, typesOf(body.inputs));
  const beside = <T>(xs: readonly T[], flags: Flags): T[] => [...xs, ...chosen(xs, flags)];
  const tangentOf = along.present.map((is, i) => (i < carries ? (moves[i] as boolean) : is));
  const step = captureTypes(
    [
      ...beside(types.carry, moving.carry),
      ...beside(types.entries, moving.entries),
      ...beside(types.outside, moving.outside),
    ],
    (xs) => {
      const rest = [...xs];
      const take = (n: number): Value[] => rest.splice(0, n);
      const [carry, tCarry] = [take(types.carry.length), take(count(moving.carry))];
      const [entries, tEntries] = [take(types.entries.length), take(count(moving.entries))];
      const [outside, tOutside] = [take(types.outside.length), rest];
      const results = along.graph.run([
        ...[...carry, ...entries, ...outside],
        ...[...tCarry, ...tEntries, ...tOutside],
      ]);
      const tangents = spread(results.splice(body.outputs.length), along.present);
      const all = results.map((y, i) => (tangentOf[i] ? [y, tangents[i] ?? zerosLike(y)] : [y]));
      return [...sidewards(all.slice(0, carries)), ...all.slice(carries).flat()];
    },
  );
  const extended = extendedScan(attributes);
  const scan = scanOf(
    {
      ...attributes,
      body: step,
      carries: carries + count(moving.carry),
      streams: attributes.streams + count(moving.entries),
    },
    extended && pushedOnce(extended, given).scan,
  );
  return {
    scan,
    push(inputs, tangents) {
      if (!tangentOf.includes(true)) return null;
      const xs = parted(attributes, inputs);
      const ts = parted(attributes, tangents);
      const starts = xs.carry.map((x, i) => ts.carry[i] ?? zerosLike(x));
      const results = applyScan(scan, [
        ...[...xs.carry, ...chosen(starts, moves)],
        ...[...xs.entries, ...present(ts.entries)],
        ...[...xs.outside, ...present(ts.outside)],
      ]);
      const tCarry = spread(results.splice(0, scan.carries).slice(carries), moves);
      const tOut = outputs.slice(carries).map((_, i) => {
        const [, t] = results.splice(0, tangentOf[carries + i] ? 2 : 1);
        return t ?? null;
      });
      return pack([...tCarry, ...tOut], outputs);
    },
  };
}

/** All first entries, then the second ones that there are. */
function sidewards<T>(pairs: readonly (readonly T[])[]): T[] {
  return [...pairs.flatMap((pair) => pair.slice(0, 1)), ...pairs.flatMap((pair) => pair.slice(1))];
}

/** The same scan for the same flags, so that what extends what can be told. */
function pushedOnce(attributes: ScanAttributes, given: Flags): PushedScan {
  return once(attributes, ["jvp", given], () => pushedScan(attributes, given));
}

/** A scan over a batch. */
interface BatchedScan {
  readonly scan: ScanAttributes;
  /** From inputs to the packed batch of outputs. */
  over(inputs: readonly Value[], lanes: Value | null): Value;
}

function batchedScan(attributes: ScanAttributes, mapped: Flags, size: number, lanes: boolean): BatchedScan {
  const { body, carries, outputs } = attributes;
  const inputsMapped = (flags: Flags): Flags => [...flags, ...mapped.slice(carries)];
  const carried = settle(
    mapped.slice(0, carries),
    (flags) => batchGraph(body, inputsMapped(flags), size, lanes).batched,
  );
  const over = batchGraph(body, inputsMapped(carried), size, lanes);
  const batched = over.batched.map((is, i) => carried[i] ?? is);
  const step = captureTypes(typesOf(over.graph.inputs), (xs) =>
    over.graph.run(xs).map((y, i) => (batched[i] && !over.batched[i] ? repeated(y, size) : y)),
  );
  const extended = extendedScan(attributes);
  const scan = scanOf(
    { ...attributes, body: step },
    extended && batchedOnce(extended, mapped, size, lanes).scan,
  );
  return {
    scan,
    over(inputs, which) {
      const xs = parted(attributes, inputs);
      const is = parted(attributes, mapped);
      const results = applyScan(scan, [
        ...xs.carry.map((x, i) => (carried[i] && !is.carry[i] ? repeated(x, size) : x)),
        ...xs.entries.map((x, i) => (is.entries[i] ? exchanged(x) : x)),
        ...xs.outside,
        ...present([which]),
      ]);
      const rows = results.map((y, i) => (batched[i] && i >= carries ? exchanged(y) : y));
      return packBatch(rows, batched, outputs, size);
    },
  };
}

/** The same scan for the same flags and size. */
function batchedOnce(attributes: ScanAttributes, mapped: Flags, size: number, lanes: boolean): BatchedScan {
  return once(attributes, ["batch", mapped, size, lanes], () => batchedScan(attributes, mapped, size, lanes));
}

/** The first two axes exchanged: the batch's and the steps'. */
function exchanged(x: Value): Value {
  return transpose(x, [1, 0, ...x.shape.slice(2).map((_, i) => i + 2)]);
}
