/** The forward sweep: tangents pushed from given nodes through the recorded graph. */

import { state } from "../state.ts";
import type { Value } from "../value.ts";
import { currentOrdering, isPlaced, release, restoreMarks, topologicalOrder } from "./order.ts";
import { pushforward } from "./rules.ts";

/**
 * Pushes tangents of `leaves` to `roots`; null where none arrives. Recorded, so that the result can be differentiated
 * again, where something outside may want derivatives. `ends` are leaves from before `floor`.
 */
export function forwardSweep(
  roots: readonly Value[],
  leaves: readonly Value[],
  leafTangents: readonly Value[],
  floor: number,
  ends: readonly Value[] = [],
): (Value | null)[] {
  const order = topologicalOrder(roots, floor, [...leaves, ...ends]);
  const { nodes, count } = order;
  const { recording } = state;
  const recorded = recording && (order.older || leafTangents.some((t) => t.tracked));
  state.recording = recorded;
  try {
    const tangents = new Array<Value | null>(count).fill(null);
    leaves.forEach((leaf, i) => {
      tangents[leaf.mark] = leafTangents[i] as Value;
    });
    for (let i = order.ends; i < count; i++) {
      const node = nodes[i] as Value;
      if (node.epoch < floor) continue;
      const inputs = node.inputs.map((x) => (x.tracked ? (tangents[x.mark] as Value | null) : null));
      if (inputs.every((t) => t === null)) continue;
      const ordering = currentOrdering();
      tangents[i] = pushforward(node, inputs);
      if (currentOrdering() !== ordering) restoreMarks(order);
    }
    return roots.map((root) => (isPlaced(order, root) ? (tangents[root.mark] as Value | null) : null));
  } finally {
    state.recording = recording;
    release(order);
  }
}
