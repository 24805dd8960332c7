/** Compiled functions as operations: their results can be differentiated, and the derivatives are compiled as well. */

import { concat, type Graph, jvp, type Operation, reshape, slice, type Value, vmap } from "@adjoint/core";
import {
  bodyGraphOf,
  captureTypes,
  constant,
  cotangentsOf,
  dataCell,
  graphOf,
  isDerivable,
  isRecording,
  isWatched,
  makeNode,
  storageOf,
  type TensorType,
  tensorType,
  together,
  typeOf,
} from "@adjoint/core/operations";
import type { Storage, Target } from "./program.ts";
import { Resident } from "./resident.ts";

/** What a graph's inputs after the arguments stand for. */
interface Outside {
  /** Differentiable values, first. */
  readonly fixed: readonly Value[];
  /** Parameters and buffers, last. */
  readonly states: readonly Value[];
}

/** Results of one dtype that depend, differentiably, on the same inputs: one node of the recorded graph. */
interface Group {
  readonly results: readonly number[];
  /** The inputs that it reads. */
  readonly reads: readonly number[];
  /** For each of these, whether cotangents flow to it. */
  readonly flows: readonly boolean[];
  readonly operation: Operation<null>;
  readonly type: TensorType;
  readonly parts: readonly TensorType[];
}

/** The results of a graph as recorded values. */
export class Recorder {
  readonly #graph: Graph;
  readonly #outside: readonly Value[];
  readonly #groups: readonly Group[];

  constructor(graph: Graph, { fixed, states }: Outside, target: Target) {
    this.#graph = graph;
    this.#outside = [...fixed, ...states];
    const count = graph.inputs.length - this.#outside.length;
    const first = count + fixed.length;
    const dependencies = dependenciesOf(graph);
    const keyed = new Map<string, number[]>();
    graph.outputs.forEach((y, k) => {
      const inputs = dependencies.get(y);
      if (inputs === undefined || inputs === 0n) return;
      const key = `${y.dtype} ${inputs}`;
      keyed.set(key, [...(keyed.get(key) ?? []), k]);
    });
    this.#groups = Array.from(keyed.values(), (results) => {
      const outputs = results.map((k) => graph.outputs[k] as Value);
      const flowing = dependencies.get(outputs[0] as Value) as bigint;
      const read = new Set([...graphOf([], outputs, 0).outside, ...outputs]);
      const reads = [...graph.inputs.keys()].filter((i) => read.has(graph.inputs[i] as Value));
      const own = graphOf(
        reads.map((i) => graph.inputs[i] as Value),
        outputs,
        0,
      );
      const used = reads.filter((i) => i >= first).map((i) => states[i - first] as Value);
      return {
        results,
        reads,
        flows: reads.map((i) => ((flowing >> BigInt(i)) & 1n) === 1n),
        operation: compiledOperation(own, used, target),
        type: packedType(outputs.map(typeOf)),
        parts: outputs.map(typeOf),
      };
    });
  }

  /** Makes values of a call's results: nodes where an input is differentiable, constants elsewhere. */
  record(args: readonly Value[], results: readonly Storage[]): Value[] {
    const inputs = [...args, ...this.#outside];
    const values = results.map((data, k) => constant(typeOf(this.#graph.outputs[k] as Value), data));
    for (const group of this.#groups) {
      const read = group.reads.map((i, at) => {
        const x = inputs[i] as Value;
        return group.flows[at] || !x.isDifferentiable ? x : constant(typeOf(x), storageOf(x) as Storage);
      });
      if (!read.some((x) => x.isDifferentiable)) continue;
      const packed = pack(group.results.map((k) => values[k] as Value));
      const node = makeNode(group.operation, read, null, group.type, storageOf(packed));
      unpack(node, group.parts).forEach((y, at) => {
        values[group.results[at] as number] = y;
      });
    }
    return values;
  }
}

/** A graph as a function of values that runs compiled, and whose results are recorded. */
class Derived {
  readonly #graph: Graph;
  readonly #states: readonly Value[];
  readonly #target: Target;
  #resident: Resident | null = null;
  #recorder: Recorder | null = null;

  /** The graph's last inputs stand for `states`. */
  constructor(graph: Graph, states: readonly Value[], target: Target) {
    this.#graph = graph;
    this.#states = states;
    this.#target = target;
  }

  call(inputs: readonly Value[]): Value[] {
    const states = this.#states;
    const count = inputs.length - states.length;
    const args = inputs.slice(0, count);
    const apart = states.some((x, i) => inputs[count + i] !== x);
    if (apart || isWatched() || args.some((x) => storageOf(x) === null)) {
      return this.#graph.evaluate(...inputs);
    }
    this.#resident ??= this.#prepare(count);
    const results = this.#resident.run(args.map((x) => storageOf(x) as Storage));
    if (!isRecording() || !inputs.some((x) => x.isDifferentiable)) {
      return results.map((data, k) => constant(typeOf(this.#graph.outputs[k] as Value), data));
    }
    this.#recorder ??= new Recorder(this.#graph, { fixed: [], states }, this.#target);
    return this.#recorder.record(args, results);
  }

  #prepare(count: number): Resident {
    const { inputs, outputs } = this.#graph;
    const program = {
      graph: bodyGraphOf(inputs, outputs, 0),
      arguments: count,
      results: outputs.length,
      updates: [],
    };
    return new Resident(this.#target, program, this.#states.map(dataCell), []);
  }
}

/** The operation that a graph is. Its last inputs stand for `states`; its results are packed in one value. */
function compiledOperation(graph: Graph, states: readonly Value[], target: Target): Operation<null> {
  const types = graph.inputs.map(typeOf);
  const type = packedType(graph.outputs.map(typeOf));
  const evaluate = (inputs: readonly Value[]) => pack(graph.evaluate(...inputs));

  /** The cotangents of the wanted inputs, and which of them there are. */
  const pulls = new Map<string, { readonly derived: Derived; readonly present: readonly boolean[] }>();
  const pullOf = (wanted: readonly boolean[]) => {
    const key = wanted.map(Number).join("");
    let pull = pulls.get(key);
    if (pull === undefined) {
      let present: readonly boolean[] = [];
      const captured = captureTypes([type, ...types], ([dy, ...xs]) => {
        const chosen = xs.filter((_, i) => wanted[i]);
        const cotangents = cotangentsOf(
          (leaves) => {
            const rest = leaves[Symbol.iterator]();
            return [evaluate(xs.map((x, i) => (wanted[i] ? (rest.next().value as Value) : x)))];
          },
          chosen,
          [dy as Value],
        );
        present = cotangents.map((dx) => dx !== null);
        return cotangents.filter((dx) => dx !== null);
      });
      pull = { derived: new Derived(captured, states, target), present };
      pulls.set(key, pull);
    }
    return pull;
  };

  const pushes = new Map<string, Derived>();
  const pushOf = (given: readonly number[]) => {
    const key = given.join(" ");
    let push = pushes.get(key);
    if (push === undefined) {
      const captured = captureTypes([...given.map((i) => types[i] as TensorType), ...types], (all) => {
        const [tangents, xs] = [all.slice(0, given.length), all.slice(given.length)];
        const along = (...leaves: Value[]) => evaluate(xs.map((x, i) => leaves[given.indexOf(i)] ?? x));
        const [, tangent] = jvp(along, given.map((i) => xs[i]) as never, tangents as never);
        return [tangent as Value];
      });
      push = new Derived(captured, states, target);
      pushes.set(key, push);
    }
    return push;
  };

  return {
    name: "compiled",
    infer: () => type,
    evaluate: (inputs) => storageOf(evaluate(inputs)) as Storage,
    linear: false,
    differentiable: true,
    elementwise: null,
    spread: null,
    lowering: () => ({ kind: "rewrite", rewrite: evaluate }),
    batch: (inputs, batched) =>
      vmap((...xs: Value[]) => evaluate(xs), { inAxes: batched.map((is) => (is ? 0 : null)) })(...inputs),
    vjp: together((dy, { inputs }) => {
      const wanted = inputs.map((x) => x.isDifferentiable);
      const { derived, present } = pullOf(wanted);
      const cotangents = derived.call([dy, ...inputs])[Symbol.iterator]();
      const there = present[Symbol.iterator]();
      return wanted.map((is) => (is && there.next().value ? (cotangents.next().value as Value) : null));
    }),
    jvp: (tangents, { inputs }) => {
      const given = tangents.flatMap((t, i) => (t === null ? [] : [i]));
      const along = given.map((i) => tangents[i] as Value);
      return pushOf(given).call([...along, ...inputs])[0] as Value;
    },
  };
}

/** For each value of a graph that has a derivative, the inputs that it has one by, as bits. */
function dependenciesOf(graph: Graph): Map<Value, bigint> {
  const found = new Map<Value, bigint>();
  graph.inputs.forEach((x, i) => {
    if (x.dtype === "float64" || x.dtype === "float32") found.set(x, 1n << BigInt(i));
  });
  for (const node of graph.nodes) {
    if (!isDerivable(node)) continue;
    const inputs = node.inputs.reduce((bits, x) => bits | (found.get(x) ?? 0n), 0n);
    if (inputs !== 0n) found.set(node, inputs);
  }
  return found;
}

function packedType(types: readonly TensorType[]): TensorType {
  const [first] = types as [TensorType];
  if (types.length === 1) return first;
  return tensorType([types.reduce((sum, { size }) => sum + size, 0)], first.dtype);
}

/** Several values of one dtype as a vector; one is itself. */
function pack(xs: readonly Value[]): Value {
  return xs.length === 1 ? (xs[0] as Value) : concat(xs.map((x) => reshape(x, [x.size])));
}

/** The values that a vector packs. */
function unpack(packed: Value, types: readonly TensorType[]): Value[] {
  if (types.length === 1) return [packed];
  let at = 0;
  return types.map(({ shape, size }) => {
    const part = slice(packed, [at, at + size]);
    at += size;
    return reshape(part, shape);
  });
}
