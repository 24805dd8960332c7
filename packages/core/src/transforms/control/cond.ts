/** cond as an operation of a graph: two graphs, of which a condition chooses the one that is run. */

import { captureTypes } from "../../graph/capture.ts";
import type { Graph } from "../../graph/graph.ts";
import { apply, type Operation, operation, together, zerosLike } from "../../op.ts";
import { where } from "../../ops/elementwise.ts";
import { logicalAnd, logicalNot } from "../../ops/logical.ts";
import { reshape } from "../../ops/movement.ts";
import { withRecording } from "../../sweep/backward.ts";
import type { TensorType } from "../../tensor-type.ts";
import type { Value } from "../../value.ts";
import { type BatchOutput, batchOutputs } from "../vmap.ts";
import {
  activeOutputs,
  batchGraph,
  chosen,
  either,
  type Flags,
  halves,
  once,
  present,
  pushed,
  repeated,
  reversal,
  spread,
  typesOf,
} from "./derivatives.ts";
import { pack, packBatch, packData, packedType, unpack, unpackCotangent } from "./packing.ts";

/**
 * What a `cond` node chooses from. Its inputs are the condition, a bool scalar, and then the inputs of both graphs,
 * which have the same; its value packs the outputs.
 */
export interface CondAttributes {
  readonly whenTrue: Graph;
  readonly whenFalse: Graph;
  /** The types of the outputs, the same for both graphs. */
  readonly outputs: readonly TensorType[];
}

/** A choice between two graphs of the same inputs and the same types of outputs. */
function choice(whenTrue: Graph, whenFalse: Graph): CondAttributes {
  return { whenTrue, whenFalse, outputs: typesOf(whenTrue.outputs) };
}

/** The graphs of a choice, the true one first. */
const branches = ({ whenTrue, whenFalse }: CondAttributes) => [whenTrue, whenFalse] as const;

/** The outputs of the graph that the condition chooses. */
export function applyCond(
  whenTrue: Graph,
  whenFalse: Graph,
  condition: Value,
  inputs: readonly Value[],
): Value[] {
  const attributes = choice(whenTrue, whenFalse);
  return unpack(apply(condOperation, [condition, ...inputs], attributes), attributes.outputs);
}

/** A choice between two graphs. */
const condOperation: Operation<CondAttributes> = /* @__PURE__ */ operation({
  name: "cond",
  lowering: (attributes) => ({ kind: "choice", attributes }),
  infer: (_, { outputs }) => packedType(outputs),
  evaluate: ([condition, ...inputs], { whenTrue, whenFalse, outputs }) => {
    const graph = (condition as Value).data[0] === 0 ? whenFalse : whenTrue;
    return packData(
      withRecording(false, () => graph.run(inputs)),
      outputs,
    );
  },
  vjp: together((dy, { inputs: [condition, ...inputs], output, attributes }) => {
    const cotangents = unpackCotangent(dy, attributes.outputs, output);
    const active = inputs.map((x) => x.tracked);
    const given = cotangents.map((d) => d !== null);
    const back = once(attributes, ["vjp", active, given], () => reversed(attributes, active, given));
    const seeds = present(cotangents);
    return [null, ...spread(applyDerived(back, condition as Value, [...inputs, ...seeds]), back.present)];
  }),
  jvp: ([, ...tangents], { inputs: [condition, ...inputs], attributes }) => {
    const moving = tangents.map((t) => t !== null);
    const push = once(attributes, ["jvp", moving], () => pushedChoice(attributes, moving));
    const found = applyDerived(push, condition as Value, [...inputs, ...present(tangents)]);
    return found.length === 0 ? null : pack(spread(found, push.present), attributes.outputs);
  },
  batch: ([condition, ...inputs], [chooses, ...mapped], attributes, size, lanes) => {
    const { whenTrue, whenFalse, outputs } = attributes;
    if (chooses) {
      const is = condition as Value;
      const isNot = logicalNot(is);
      const a = batchOutputs(whenTrue, inputs, mapped, size, lanes ? logicalAnd(lanes, is) : is);
      const b = batchOutputs(whenFalse, inputs, mapped, size, lanes ? logicalAnd(lanes, isNot) : isNot);
      const selected = outputs.map(({ shape }, i) => {
        const lane = reshape(is, [size, ...shape.map(() => 1)]);
        return where(lane, (a[i] as BatchOutput).value, (b[i] as BatchOutput).value);
      });
      const all = selected.map(() => true);
      return packBatch(selected, all, outputs, size);
    }
    const both = once(attributes, ["batch", mapped, size, lanes !== null], () =>
      batchedChoice(attributes, mapped, size, lanes !== null),
    );
    const found = applyDerived(both, condition as Value, [...inputs, ...present([lanes])]);
    return packBatch(found, both.present, outputs, size);
  },
});

/** A choice derived of another, and which of what it may give out it does. */
interface Derived {
  readonly choice: CondAttributes;
  readonly present: Flags;
}

function applyDerived({ choice }: Derived, condition: Value, inputs: readonly Value[]): Value[] {
  if (choice.outputs.length === 0) return [];
  return unpack(apply(condOperation, [condition, ...inputs], choice), choice.outputs);
}

/** The choice between the graphs' cotangents. What only one carries is zero in the other. */
function reversed(attributes: CondAttributes, active: Flags, given: Flags): Derived {
  const n = active.length;
  const { inputs } = attributes.whenTrue;
  const parts = branches(attributes).map((graph) => {
    const outputs = activeOutputs(graph, active);
    const back = reversal(
      graph,
      active,
      given.map((is, i) => is && (outputs[i] as boolean)),
    );
    return { outputs, back, ...halves(back, n, active, () => false) };
  });
  const carried = parts.map(({ back }) => back.present).reduce(either);
  const types = [...typesOf(inputs), ...chosen(attributes.outputs, given)];
  const graphs = parts.map(({ outputs, back, read, backward }) =>
    captureTypes(types, (all) => {
      const primal = all.slice(0, n);
      const seeds = chosen(all.slice(n), chosen(outputs, given));
      const found = spread(backward.run([...chosen(primal, read), ...seeds]), back.present);
      return chosen(
        primal.map((x, i) => found[i] ?? zerosLike(x)),
        carried,
      );
    }),
  );
  return { choice: choice(...(graphs as [Graph, Graph])), present: carried };
}

/** The choice between the graphs' tangents. */
function pushedChoice(attributes: CondAttributes, moving: Flags): Derived {
  const parts = branches(attributes).map((graph) => pushed(graph, moving));
  const carried = parts.map((part) => part.present).reduce(either);
  const graphs = parts.map((part) =>
    captureTypes(typesOf(part.graph.inputs), (all) => {
      const outputs = part.graph.run(all);
      const tangents = spread(outputs.splice(attributes.outputs.length), part.present);
      return chosen(
        outputs.map((y, i) => tangents[i] ?? zerosLike(y)),
        carried,
      );
    }),
  );
  return { choice: choice(...(graphs as [Graph, Graph])), present: carried };
}

/** The choice between the graphs over a batch. */
function batchedChoice(attributes: CondAttributes, mapped: Flags, size: number, lanes: boolean): Derived {
  const parts = branches(attributes).map((graph) => batchGraph(graph, mapped, size, lanes));
  const carried = parts.map((part) => part.batched).reduce(either);
  const graphs = parts.map(({ graph, batched }) =>
    captureTypes(typesOf(graph.inputs), (all) =>
      graph.run(all).map((y, i) => (carried[i] && !batched[i] ? repeated(y, size) : y)),
    ),
  );
  return { choice: choice(...(graphs as [Graph, Graph])), present: carried };
}
