/** Branches and loops over values that are not known yet: captured, and made operations of the graph around. */

import { commonDType, promote } from "../../dtype.ts";
import { ArgumentError, ShapeError } from "../../errors.ts";
import { captureTypes } from "../../graph/capture.ts";
import type { Graph } from "../../graph/graph.ts";
import { concat } from "../../ops/joining.ts";
import { cast, reshape } from "../../ops/movement.ts";
import { slice } from "../../ops/slicing.ts";
import { formatShape, sameShape } from "../../shape.ts";
import { type TensorType, tensorType } from "../../tensor-type.ts";
import type { Value } from "../../value.ts";
import { type Flattened, flatten, leavesAt } from "../tree.ts";
import { applyCond } from "./cond.ts";
import { typesOf } from "./derivatives.ts";
import { whileOf } from "./passes.ts";
import type { Progress, Step } from "./revolve.ts";
import { applyScan, type ScanAttributes, scanOf } from "./scan.ts";
import { applyWhile } from "./while.ts";

/** What graphs read from outside, each once. */
function outsideOf(...graphs: readonly Graph[]): Value[] {
  return [...new Set(graphs.flatMap((graph) => graph.outside))];
}

/** A choice between two functions of a list of values; `condition` is a bool scalar. */
export function capturedCond<R>(
  condition: Value,
  branches: readonly ((xs: readonly Value[]) => R)[],
  args: readonly Value[],
): R {
  let results: Flattened[] = [];
  const captured = (outputs: readonly TensorType[] | null): Graph[] => {
    results = [];
    return branches.map((f) =>
      captureTypes(typesOf(args), (xs) => {
        const result = flatten("cond", f(xs), "result");
        results.push(result);
        const leaves = leavesAt(result, (results[0] as Flattened).paths) ?? [];
        return outputs === null ? leaves : leaves.map((x, i) => cast(x, (outputs[i] as TensorType).dtype));
      }),
    );
  };
  const first = captured(null);
  const outputs = commonTypes(...(results as [Flattened, Flattened]));
  const agree = first.every((graph) => graph.outputs.every((x, i) => x.dtype === outputs[i]?.dtype));
  const graphs = agree ? first : captured(outputs);
  const outside = outsideOf(...graphs);
  const [whenTrue, whenFalse] = graphs.map((graph) => graph.withInputs(outside)) as [Graph, Graph];
  return results[0]?.rebuild(applyCond(whenTrue, whenFalse, condition, [...args, ...outside])) as R;
}

/** The types in which the results of both branches of a choice agree. */
function commonTypes(a: Flattened, b: Flattened): TensorType[] {
  const other = leavesAt(b, a.paths);
  if (other === null) {
    throw new ArgumentError({
      where: "cond",
      expected: "while a function is captured, both branches must return one structure",
      received: `${listed(a.paths)} and ${listed(b.paths)}`,
    });
  }
  return a.leaves.map((x, i) => {
    const y = other[i] as Value;
    if (sameShape(x.shape, y.shape)) return tensorType(x.shape, commonDType([x, y]));
    throw new ShapeError({
      where: "cond",
      expected: "while a function is captured, both branches must return the same shapes",
      received: `${formatShape(x.shape)} and ${formatShape(y.shape)}`,
      advice: "Bring one to the shape of the other, for example with broadcastTo().",
    });
  });
}

const listed = (paths: readonly string[]): string => (paths.length === 0 ? "nothing" : paths.join(", "));

/** The leaves of a loop's next carry in the order of those that it started from. */
export function nextLeaves(where: string, next: Flattened, paths: readonly string[]): Value[] {
  const leaves = leavesAt(next, paths);
  if (leaves !== null) return leaves;
  throw new ArgumentError({
    where,
    expected: `while a function is captured, the carry must keep its structure, ${listed(paths)}`,
    received: listed(next.paths),
    advice: "For a carry that grows, write a JavaScript loop.",
  });
}

/** A loop that goes on while `test`, a bool scalar, holds of its carry. */
export function capturedWhile(
  test: (xs: readonly Value[]) => Value,
  next: (xs: readonly Value[]) => readonly Value[],
  carry: readonly Value[],
): readonly Value[] {
  const { graph, initial } = captureStep("whileLoop", carry, [], (xs) => ({ carry: next(xs), out: [] }));
  const types = typesOf(initial);
  const tested = captureTypes(types, (xs) => [test(xs)]);
  const outside = outsideOf(tested, graph);
  const body = graph.withInputs(outside);
  const loop = whileOf(
    tested.withInputs(outside),
    [{ carry: types, step: (_, xs, more) => ({ next: body.run([...xs, ...more]), emitted: [] }) }],
    typesOf(outside),
  );
  return applyWhile(loop, [...initial, ...outside]);
}

/** How a scan runs. */
interface Course {
  readonly reverse?: boolean;
  readonly snapshots?: number;
}

/** A loop over the entries of streams, of which there is at least one. */
export function capturedScan(
  where: string,
  carry: readonly Value[],
  streams: readonly Value[],
  step: Step,
  { reverse = false, snapshots = Infinity }: Course = {},
): Progress {
  const entries = streams.map((x) => tensorType(x.shape.slice(1), x.dtype));
  const { graph, initial } = captureStep(where, carry, entries, (xs) =>
    step(xs.slice(0, carry.length), xs.slice(carry.length)),
  );
  const outside = outsideOf(graph);
  const base: Segment = {
    body: graph.withInputs(outside),
    reverse,
    carries: carry.length,
    streams: streams.length,
    recompute: snapshots !== Infinity,
  };
  const length = streams[0]?.shape[0] as number;
  return inSegments(base, initial, streams, outside, length, snapshots);
}

type Segment = Pick<ScanAttributes, "body" | "reverse" | "carries" | "streams" | "recompute">;

/**
 * A scan whose way back keeps at most `snapshots` carries at each of log n/log s depths: a scan over segments, of which
 * each is scanned so in turn. The way back through the outer scan keeps what segments start from, and computes the
 * inside of a segment again when it comes to it. Steps that fill no segment follow by themselves.
 */
function inSegments(
  base: Segment,
  carry: readonly Value[],
  streams: readonly Value[],
  outside: readonly Value[],
  length: number,
  snapshots: number,
): Progress {
  const { reverse, carries } = base;
  if (length <= snapshots) {
    const results = applyScan(scanOf({ ...base, length }), [...carry, ...streams, ...outside]);
    return { carry: results.slice(0, carries), out: results.slice(carries) };
  }
  let size = snapshots;
  while (size * snapshots < length) size *= snapshots;
  const segments = Math.floor(length / size);
  const whole = segments * size;
  const first = reverse ? ([length - whole, length] as const) : ([0, whole] as const);
  const last = reverse ? ([0, length - whole] as const) : ([whole, length] as const);
  const cut = streams.map((x) => reshape(slice(x, first), [segments, size, ...x.shape.slice(1)]));
  const types = [
    ...typesOf(carry),
    ...cut.map((x) => tensorType(x.shape.slice(1), x.dtype)),
    ...typesOf(outside),
  ];
  const body = captureTypes(types, (xs) => {
    const ended = inSegments(
      base,
      xs.slice(0, carries),
      xs.slice(carries, carries + streams.length),
      xs.slice(carries + streams.length),
      size,
      snapshots,
    );
    return [...ended.carry, ...ended.out];
  });
  const results = applyScan(scanOf({ ...base, body, length: segments }), [...carry, ...cut, ...outside]);
  const ended = {
    carry: results.slice(0, carries),
    out: results.slice(carries).map((y) => reshape(y, [whole, ...y.shape.slice(2)])),
  };
  if (whole === length) return ended;
  const rest = inSegments(
    base,
    ended.carry,
    streams.map((x) => slice(x, last)),
    outside,
    length - whole,
    snapshots,
  );
  const joined = ended.out.map((y, i) => {
    const z = rest.out[i] as Value;
    return concat(reverse ? [z, y] : [y, z]);
  });
  return { carry: rest.carry, out: joined };
}

/**
 * Captures a step that keeps its carries' types. A carry that the first step gives another dtype, as where a loop starts
 * from a plain number, starts in that dtype.
 */
function captureStep(
  where: string,
  carry: readonly Value[],
  more: readonly TensorType[],
  step: (inputs: readonly Value[]) => Progress,
): { graph: Graph; initial: readonly Value[] } {
  let initial = carry;
  for (let attempt = 0; ; attempt++) {
    const before = initial;
    let next: readonly Value[] = [];
    const graph = captureTypes([...typesOf(before), ...more], (xs) => {
      const { carry, out } = step(xs);
      next = carry;
      return [...carry, ...out];
    });
    next.forEach((y, i) => {
      const { shape, dtype } = before[i] as Value;
      if (sameShape(y.shape, shape) && (y.dtype === dtype || attempt < 2)) return;
      throw new ShapeError({
        where,
        expected: `while a function is captured, body must keep the carry's ${dtype} ${formatShape(shape)}`,
        received: `${y.dtype} ${formatShape(y.shape)}`,
        advice: "Start from a carry of that type; for one that grows, write a JavaScript loop.",
      });
    });
    if (next.every((y, i) => y.dtype === before[i]?.dtype)) return { graph, initial };
    initial = before.map((x, i) => {
      const { dtype } = next[i] as Value;
      return cast(x, attempt === 0 ? dtype : promote(x.dtype, dtype));
    });
  }
}
