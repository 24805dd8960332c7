/** Topological order of the nodes that cotangents or tangents pass through. */

import { GraphError } from "../errors.ts";
import { shortName, type Value } from "../value.ts";

/** Nodes in topological order, inputs before outputs; each node's `mark` is its place. */
export interface Order {
  /** The nodes, in the first `count` places. */
  readonly nodes: Value[];
  readonly count: number;
  /** How many of the first places are given ends, whose own inputs are not in the order. */
  readonly ends: number;
  /** Nodes from before this time, but for the ends, are outside: placed so that a rule may write to them, no more. */
  readonly floor: number;
  /** Whether a differentiable node from before `floor` was met: something outside may want derivatives too. */
  readonly older: boolean;
}

/** A buffer that orders take turns to use, so that a sweep over a large graph does not grow an array again. */
let spare: Value[] | null = [];
let spareStack: Value[] | null = [];
const spareCursors: number[] = [];
const SPARE_LIMIT = 1 << 18;

const NO_ENDS: readonly Value[] = [];

/** Counts orderings: marks are valid until the next one. */
let orderings = 0;

/** Which ordering wrote the marks last. */
export function currentOrdering(): number {
  return orderings;
}

/**
 * Orders the differentiable nodes that `roots` were computed from, down to those made at or after `floor`, and to
 * `ends`, which are in the order whenever they were made.
 *
 * Depth-first with an explicit stack. `nodes[x.mark] === x` tells a node already placed, so marks need no clearing.
 * Throws: GraphError where a rule would read data that `assign` has replaced since.
 */
export function topologicalOrder(
  roots: readonly Value[],
  floor: number,
  ends: readonly Value[] = NO_ENDS,
): Order {
  orderings++;
  const nodes = spare ?? [];
  spare = null;
  let count = 0;
  let older = false;
  let newestAssignment = 0;
  let oldestNode = Infinity;
  let deepest = 0;
  const stack = spareStack ?? [];
  const cursors = spareCursors;
  spareStack = null;
  for (const end of ends) {
    if (end.epoch < floor || end.a?.tracked) older = true;
    end.mark = count;
    nodes[count++] = end;
  }
  for (const root of roots) {
    if (!root.tracked || (root.mark < count && nodes[root.mark] === root)) continue;
    if (root.epoch < floor) {
      older = true;
      continue;
    }
    let node = root;
    let cursor = 0;
    let top = 0;
    for (;;) {
      const { extra } = node;
      const more = extra === null ? null : extra.inputs;
      let next: Value | null = null;
      while (next === null) {
        let input: Value | null;
        if (more !== null) {
          if (cursor === more.length) break;
          input = more[cursor++] as Value;
        } else {
          if (cursor === 2) break;
          input = cursor++ === 0 ? node.a : node.b;
          if (input === null) break;
        }
        if (!input.tracked || (input.mark < count && nodes[input.mark] === input)) continue;
        if (input.epoch < floor) {
          older = true;
          input.mark = count;
          nodes[count++] = input;
          if (input.extra !== null && input.extra.assignedAt > newestAssignment)
            newestAssignment = input.extra.assignedAt;
        } else next = input;
      }
      if (next !== null) {
        stack[top] = node;
        cursors[top++] = cursor;
        if (top > deepest) deepest = top;
        node = next;
        cursor = 0;
        continue;
      }
      node.mark = count;
      nodes[count++] = node;
      if (node.a !== null) {
        if (node.epoch < oldestNode) oldestNode = node.epoch;
      } else if (extra !== null && extra.assignedAt > newestAssignment) newestAssignment = extra.assignedAt;
      if (top === 0) break;
      node = stack[--top] as Value;
      cursor = cursors[top] as number;
    }
  }
  if (stack.length <= SPARE_LIMIT) spareStack = stack.fill(null as never, 0, deepest);
  if (newestAssignment > oldestNode) checkVersions(nodes, ends.length, count, floor);
  return { nodes, count, ends: ends.length, floor, older };
}

/** Writes the place of each value in a list into its mark: until the next ordering, `list[x.mark] === x` tells who is in it. */
export function markPlaces(values: readonly Value[]): void {
  orderings++;
  for (let i = 0; i < values.length; i++) (values[i] as Value).mark = i;
}

/** Whether a node is in an order. */
export function isPlaced({ nodes, count }: Order, x: Value): boolean {
  return x.mark < count && nodes[x.mark] === x;
}

/** Whether a sweep carries anything on to a differentiable input of a node in an order, all of which are in it. */
export function isInside({ ends, floor }: Order, x: Value): boolean {
  return x.mark < ends || x.epoch >= floor;
}

/** Ends the use of an order: drops its references. */
export function release({ nodes, count }: Order): void {
  if (nodes.length > SPARE_LIMIT) return;
  nodes.fill(null as never, 0, count);
  spare = nodes;
}

/** Writes the marks again after another ordering has used the same nodes. */
export function restoreMarks({ nodes, count }: Order): void {
  for (let i = 0; i < count; i++) (nodes[i] as Value).mark = i;
}

/** Refuses to read the data of a parameter that was replaced after the node that used it was made. */
function checkVersions(nodes: readonly Value[], start: number, count: number, floor: number): void {
  for (let i = start; i < count; i++) {
    const node = nodes[i] as Value;
    const { inputs, op } = node;
    if (node.epoch < floor) continue;
    inputs.forEach((input, k) => {
      if (input.extra === null || input.extra.assignedAt <= node.epoch || op === null || op.linear) return;
      const read = op.elementwise === null || inputs.some((x, j) => x.tracked && op.elementwise?.reads(j, k));
      if (!read) return;
      throw new GraphError({
        where: "backward",
        expected: `the data that ${op.name} used must still be there`,
        received: `${shortName(input)}, replaced by assign() since (version ${input.extra.version})`,
        advice: "Call backward() before assign(), or compute the output again.",
      });
    });
  }
}

/** The differentiable values from before `floor` that a result was computed from but for `leaves`, each once. */
export function olderInputs(result: Value, floor: number, leaves: readonly Value[]): Value[] {
  if (result.epoch < floor) return result.tracked ? [result] : [];
  const order = topologicalOrder([result], floor, leaves);
  const found = order.nodes.slice(0, order.count).filter((x) => x.epoch < floor);
  release(order);
  return found;
}
