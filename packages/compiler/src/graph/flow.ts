/** Flow: a captured graph in the compiler's hands, simplified while it is built. */

import type { Graph, TypedArray, Value } from "@adjoint/core";
import {
  type AnyOperation,
  captureTypes,
  constant,
  filled,
  type Lowering,
  sameShape,
  sizeOf,
  storageOf,
  stridesOf,
  type TensorType,
  typeOf,
} from "@adjoint/core/operations";
import type { Storage } from "../program.ts";
import { OperandTable } from "./operands.ts";

/** A value of the program: an input, a constant, or what an operation makes of others. */
export interface FlowNode {
  readonly id: number;
  readonly type: TensorType;
  /** Null for inputs and constants. */
  readonly op: AnyOperation | null;
  readonly inputs: readonly FlowNode[];
  readonly attributes: unknown;
  /** A constant's data; one number where all its elements are the same. */
  readonly storage: Storage | null;
  /** The operation as loops; null where it is elementwise, or can only be evaluated. */
  readonly lowering: Lowering | null;
}

/** Everything a program computes: nodes in topological order, those only that outputs depend on. */
export interface Flow {
  readonly inputs: readonly FlowNode[];
  readonly nodes: readonly FlowNode[];
  readonly outputs: readonly FlowNode[];
}

/** Results of constants are computed at once unless they are larger than this and than their operands. */
const FOLDING_LIMIT = 4096;

/**
 * The flow of a graph: constants folded, operations on equal operands done once, operations rewritten that ask
 * for it, what no output depends on left out.
 */
export function flowOf(graph: Graph): Flow {
  const builder = new FlowBuilder();
  const nodes = new Map<Value, FlowNode>();
  const inputs = graph.inputs.map((x) => {
    const node = builder.input(typeOf(x));
    nodes.set(x, node);
    return node;
  });
  const outputs = builder.add(graph.nodes, graph.outputs, nodes);
  return { inputs, nodes: reachable(outputs), outputs };
}

class FlowBuilder {
  #count = 0;
  /** Nodes by what they compute. */
  readonly #known = new Map<string, FlowNode>();
  readonly #constants = new Map<Storage, FlowNode>();
  /** Nodes without attributes, and for others a table for each of their texts. */
  readonly #made = new Map<string, OperandTable<AnyOperation, FlowNode>>();

  input(type: TensorType): FlowNode {
    return { id: this.#count++, type, op: null, inputs: [], attributes: null, storage: null, lowering: null };
  }

  /** Adds captured operations whose inputs are in `nodes`, or known; returns the nodes of `outputs`. */
  add(values: readonly Value[], outputs: readonly Value[], nodes: Map<Value, FlowNode>): FlowNode[] {
    const nodeOf = (x: Value): FlowNode => {
      let node = nodes.get(x);
      if (node === undefined) {
        node = this.#constant(typeOf(x), storageOf(x) as Storage);
        nodes.set(x, node);
      }
      return node;
    };
    for (const x of values) {
      nodes.set(x, this.#apply(x.operation as AnyOperation, x.inputs.map(nodeOf), x.attributes, typeOf(x)));
    }
    return outputs.map(nodeOf);
  }

  #constant(type: TensorType, data: Storage): FlowNode {
    const storage = uniform(data);
    const key = typeof storage === "number" ? `${type.dtype} ${type.shape} ${plainText(storage)}` : null;
    const same = key === null ? this.#constants.get(storage) : this.#known.get(key);
    if (same !== undefined && sameShape(same.type.shape, type.shape)) return same;
    const node: FlowNode = {
      id: this.#count++,
      type,
      op: null,
      inputs: [],
      attributes: null,
      storage,
      lowering: null,
    };
    if (key === null) this.#constants.set(storage, node);
    else this.#known.set(key, node);
    return node;
  }

  #apply(op: AnyOperation, inputs: readonly FlowNode[], attributes: unknown, type: TensorType): FlowNode {
    const options = attributes === null ? "" : plainText(attributes);
    // Attributes that cannot be compared may be different.
    if (options === null) return this.#make(op, inputs, attributes, type);
    let table = this.#made.get(options);
    if (table === undefined) {
      table = new OperandTable();
      this.#made.set(options, table);
    }
    const ids = inputs.map((x) => x.id);
    const same = table.get(op, ids);
    if (same !== undefined) return same;
    const node = this.#make(op, inputs, attributes, type);
    table.set(op, ids, node);
    return node;
  }

  #make(op: AnyOperation, inputs: readonly FlowNode[], attributes: unknown, type: TensorType): FlowNode {
    if (inputs.length > 0 && inputs.every((x) => x.storage !== null)) {
      const largest = inputs.reduce((size, x) => Math.max(size, x.type.size), FOLDING_LIMIT);
      if (type.size <= largest) {
        const known = inputs.map(valueOf);
        return this.#constant(type, op.evaluate(known, attributes as never, type));
      }
    }
    const lowering =
      op.lowering?.(
        attributes as never,
        inputs.map((x) => x.type),
        type,
      ) ?? null;
    if (lowering?.kind === "rewrite") return this.#rewrite(lowering.rewrite, inputs);
    if (lowering?.kind === "cast" && inputs[0]?.type.dtype === type.dtype) return inputs[0];
    const node: FlowNode = { id: this.#count++, type, op, inputs, attributes, storage: null, lowering };
    if (!isInPlace(node)) return node;
    // Views in place of views in place are views of what all of them show.
    let base = inputs[0] as FlowNode;
    while (isInPlace(base)) base = base.inputs[0] as FlowNode;
    return sameShape(base.type.shape, type.shape) ? base : { ...node, inputs: [base] };
  }

  /** The nodes of an operation in terms of others, which are captured on values that have a type only. */
  #rewrite(rewrite: (inputs: readonly Value[]) => Value, inputs: readonly FlowNode[]): FlowNode {
    const types = inputs.map((x) => x.type);
    const graph = captureTypes(types, (xs) => [rewrite(xs)]);
    const nodes = new Map(graph.inputs.map((x, i) => [x, inputs[i] as FlowNode] as const));
    return this.add(graph.nodes, graph.outputs, nodes)[0] as FlowNode;
  }
}

/** The data of elements that are all the same as one number. */
function uniform(data: Storage): Storage {
  if (typeof data === "number" || data.length === 0) return data;
  const first = data[0] as number;
  // A loop: there may be millions of elements.
  for (let i = 1; i < data.length; i++) if (!Object.is(data[i], first)) return data;
  return first;
}

/** A constant as a value of core. */
function valueOf({ type, storage }: FlowNode): Value {
  return typeof storage === "number" ? filled(type, storage) : constant(type, storage as TypedArray);
}

/** Whether a view leaves all elements where they are, so that it is its input under another shape. */
export function isInPlace({ lowering, inputs }: FlowNode): boolean {
  if (lowering?.kind !== "view") return false;
  const { shape, start, strides } = lowering.box;
  if (start !== 0 || sizeOf(shape) !== (inputs[0] as FlowNode).type.size) return false;
  const own = stridesOf(shape);
  return shape.every((n, axis) => n === 1 || strides[axis] === own[axis]);
}

/** Attributes of numbers, strings, lists and plain objects as text; null for all others. */
function plainText(x: unknown): string | null {
  if (typeof x === "number") return Object.is(x, -0) ? "-0" : String(x);
  if (typeof x === "string" || typeof x === "boolean" || x === null || x === undefined)
    return JSON.stringify(x) ?? "?";
  if (Array.isArray(x)) {
    const parts = x.map(plainText);
    return parts.includes(null) ? null : `[${parts.join(",")}]`;
  }
  if (typeof x !== "object" || Object.getPrototypeOf(x) !== Object.prototype) return null;
  const parts = Object.entries(x).map(([key, entry]) => [key, plainText(entry)] as const);
  return parts.some(([, text]) => text === null)
    ? null
    : `{${parts.map((part) => part.join(":")).join(",")}}`;
}

/** The nodes that outputs depend on, inputs of operations before operations. */
function reachable(outputs: readonly FlowNode[]): FlowNode[] {
  const wanted = new Set<FlowNode>();
  const stack = [...outputs];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (wanted.has(node)) continue;
    wanted.add(node);
    stack.push(...node.inputs);
  }
  // Nodes are made after their inputs.
  return [...wanted].sort((a, b) => a.id - b.id);
}
