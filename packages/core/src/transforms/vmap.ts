/** vmap: a function of one example as a function of a batch. */

import { ArgumentError, ShapeError } from "../errors.ts";
import { captureTypes } from "../graph/capture.ts";
import { asCaptured, type Graph } from "../graph/graph.ts";
import { type AnyOperation, apply, filled } from "../op.ts";
import { stack } from "../ops/joining.ts";
import { alignBatch, broadcastTo, transpose } from "../ops/movement.ts";
import { slice } from "../ops/slicing.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { normalizeAxis } from "../shape.ts";
import { tensorType } from "../tensor-type.ts";
import type { Value } from "../value.ts";
import { flatten, type TreeInput, type ValueTree } from "./tree.ts";

/** Options of `vmap`. */
export interface VmapOptions {
  /** The axis that each argument is mapped over, null where it is the same for all; one number means all alike. By default 0. */
  readonly inAxes?: number | readonly (number | null)[];
  /** Where the results carry the mapped axis. By default 0. */
  readonly outAxes?: number;
}

const VMAP: OptionNames<VmapOptions> = { inAxes: true, outAxes: true };

/**
 * Maps `f` over an axis of its arguments, as one computation and not as a loop.
 *
 * f is run once, on values without data, and every operation it does is replaced by the same over a batch. Nests, and
 * mixes with all other transforms. Arguments and results may be arrays and plain objects of values.
 * Throws: ShapeError where mapped sizes differ; ArgumentError where f reads data, for example with item().
 *
 * @example
 * vmap((x, y) => sum(mul(x, y)))(value([[1, 2], [3, 4]]), value([[1, 1], [2, 2]])) // [3, 14]
 */
export function vmap<A extends readonly Value[], R>(
  f: (...args: A) => R,
  options?: VmapOptions,
): (...args: TreeInput<A>) => ValueTree<R>;
export function vmap<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options?: VmapOptions,
): (...args: TreeInput<A>) => ValueTree<R>;
export function vmap<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: VmapOptions = {},
): (...args: TreeInput<A>) => ValueTree<R> {
  const { inAxes = 0, outAxes = 0 } = checkOptions("vmap", options, VMAP);
  return (...args) => {
    const mapped: boolean[] = [];
    let size = -1;
    const leaves = (args as unknown as unknown[]).flatMap((arg, i) => {
      const axis = typeof inAxes === "number" ? inAxes : inAxes[i];
      if (axis === undefined) {
        throw new ArgumentError({
          where: "vmap",
          expected: `inAxes must name an axis or null for each of the ${args.length} arguments`,
          received: JSON.stringify(inAxes),
        });
      }
      return flatten("vmap", arg).leaves.map((x) => {
        mapped.push(axis !== null);
        if (axis === null) return x;
        const from = normalizeAxis("vmap", axis, x.rank);
        const n = x.shape[from] as number;
        if (size >= 0 && n !== size) {
          throw new ShapeError({
            where: "vmap",
            expected: "mapped axes must have one size",
            received: `${size} and ${n}`,
          });
        }
        size = n;
        return moveAxis(x, from, 0);
      });
    });
    if (size < 0)
      throw new ArgumentError({ where: "vmap", expected: "at least one argument must be mapped" });
    let rebuild: (outputs: readonly Value[]) => unknown = () => undefined;
    const graph = captureTypes(
      leaves.map((x, i) => (mapped[i] ? tensorType(x.shape.slice(1), x.dtype) : x.type)),
      (inputs) => {
        const result = flatten("vmap", f(...(flatten("vmap", args).rebuild(inputs) as unknown as A)));
        rebuild = result.rebuild;
        return result.leaves;
      },
    );

    const outputs = batchOutputs(graph, leaves, mapped, size);
    return rebuild(
      outputs.map(({ value: y, batched }) => {
        const result = batched ? y : broadcastTo(y, [size, ...y.shape]);
        return moveAxis(result, 0, normalizeAxis("vmap", outAxes, result.rank));
      }),
    ) as ValueTree<R>;
  };
}

/** A result over a batch: one for each example along its first axis, or one for all of them. */
export interface BatchOutput {
  readonly value: Value;
  readonly batched: boolean;
}

/**
 * The outputs of a graph over a batch of `size`, of which `mapped` arguments have one for each example; `lanes` as batch
 * rules have it.
 */
export function batchOutputs(
  graph: Graph,
  args: readonly Value[],
  mapped: readonly boolean[],
  size: number,
  lanes: Value | null = null,
): BatchOutput[] {
  // For each value of the graph, the batch of its values, or one value where all examples agree.
  const batches = new Map<Value, Value>();
  const single = new Map<Value, Value>();
  graph.inputs.forEach((input, i) => {
    (mapped[i] ? batches : single).set(input, args[i] as Value);
  });
  for (const node of graph.nodes) {
    const batched = node.inputs.map((x) => batches.has(x));
    const inputs = node.inputs.map((x) => batches.get(x) ?? single.get(x) ?? x);
    const op = node.op as AnyOperation;
    if (batched.includes(true))
      batches.set(
        node,
        asCaptured(node, () => applyBatched(op, inputs, batched, node, size, lanes)),
      );
    else
      single.set(
        node,
        asCaptured(node, () => apply(op, inputs, node.attributes as never)),
      );
  }
  return graph.outputs.map((y) => {
    const batch = batches.get(y);
    return { value: batch ?? single.get(y) ?? y, batched: batch !== undefined };
  });
}

/** An operation over a batch: by its rule, by broadcasting, or one example after another. */
function applyBatched(
  op: AnyOperation,
  inputs: readonly Value[],
  batched: readonly boolean[],
  node: Value,
  size: number,
  lanes: Value | null,
): Value {
  const attributes = node.attributes as never;
  if (op.elementwise !== null) {
    const rank = node.rank;
    return apply(
      op,
      inputs.map((x, i) => (batched[i] ? alignBatch(x, rank) : x)),
      attributes,
    );
  }
  if (op.batch !== null) return op.batch(inputs, batched, attributes, size, lanes);
  return loopOverBatch(op, inputs, batched, node, size);
}

/** The operation on one example after another. */
function loopOverBatch(
  op: AnyOperation,
  inputs: readonly Value[],
  batched: readonly boolean[],
  node: Value,
  size: number,
): Value {
  if (size === 0) return filled(tensorType([0, ...node.shape], node.dtype), 0);
  const examples = Array.from({ length: size }, (_, i) =>
    apply(
      op,
      inputs.map((x, k) => (batched[k] ? slice(x, i) : x)),
      node.attributes as never,
    ),
  );
  return stack(examples);
}

function moveAxis(x: Value, from: number, to: number): Value {
  if (from === to) return x;
  const axes = x.shape.map((_, i) => i).filter((i) => i !== from);
  axes.splice(to, 0, from);
  return transpose(x, axes);
}
