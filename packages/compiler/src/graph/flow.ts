/** Flow: a captured graph in the compiler's hands, simplified while it is built. */

import { cast, type Graph, reshape, slice, type TypedArray, type Value } from "@adjoint/core";
import {
  type AnyOperation,
  captureTypes,
  constant,
  extendedScan,
  filled,
  placesOf,
  type ScanAttributes,
  sameShape,
  sizeOf,
  storageOf,
  stridesOf,
  type TensorType,
  typeOf,
} from "@adjoint/core/operations";
import { OperandTable } from "../operands.ts";
import type { Storage } from "../program.ts";
import { isAddition } from "./expressions.ts";
import { type FlowLowering, sumOfPlaces, withPlaces } from "./places.ts";

/** A value of the program: an input, a constant, or what an operation makes of others. */
export interface FlowNode {
  /** Larger than those of its inputs, and less than the flow's `count`. */
  readonly id: number;
  readonly type: TensorType;
  /** Null for inputs and constants. */
  readonly op: AnyOperation | null;
  readonly inputs: readonly FlowNode[];
  readonly attributes: unknown;
  /** A constant's data; one number where all its elements are the same. */
  readonly storage: Storage | null;
  /** The operation as loops; null where it is elementwise, or can only be evaluated. */
  readonly lowering: FlowLowering | null;
}

/** Everything a program computes: nodes in topological order, those only that outputs depend on. */
export interface Flow {
  readonly inputs: readonly FlowNode[];
  readonly nodes: readonly FlowNode[];
  readonly outputs: readonly FlowNode[];
  /** All ids are below this. */
  readonly count: number;
}

/** Results of constants are computed at once unless they are larger than this and than their operands. */
const FOLDING_LIMIT = 4096;

/**
 * The flow of a graph: constants folded, operations on equal operands done once, operations rewritten that ask
 * for it, what no output depends on left out.
 */
export function flowOf(graph: Graph): Flow {
  const builder = new FlowBuilder(graph.nodes.length);
  const inputs = graph.inputs.map((x) => builder.input(typeOf(x)));
  const outputs = builder.add(graph, inputs);
  return { inputs, nodes: builder.reaching(outputs), outputs, count: builder.count };
}

/** Operations on nodes, and what they gave. */
interface Asked {
  readonly table: OperandTable<AnyOperation>;
  readonly nodes: FlowNode[];
}

class FlowBuilder {
  /** All nodes by their ids. */
  readonly #nodes: FlowNode[] = [];
  /** Constants of one number by what they are, and others by their data. */
  readonly #known = new Map<string, FlowNode>();
  readonly #constants = new Map<Storage, FlowNode>();
  /** What has been asked for: by the texts of attributes, and then by the numbers of nodes. */
  readonly #asked = new Map<string, Asked>();
  /** Names of attributes that have no text. */
  readonly #names = new Map<unknown, string>();
  /** The numbers of the operands at hand. */
  readonly #ids: number[] = [];
  readonly #expected: number;

  /** A builder of about as many nodes. */
  constructor(expected: number) {
    this.#expected = expected;
  }

  get count(): number {
    return this.#nodes.length;
  }

  input(type: TensorType): FlowNode {
    return this.#leaf(type, null);
  }

  /** Adds a captured graph whose inputs are given; returns the nodes of its outputs. */
  add(graph: Graph, inputs: readonly FlowNode[]): FlowNode[] {
    const { constants, operands, outputs } = placesOf(graph);
    const all = [...inputs, ...constants.map((x) => this.#constant(typeOf(x), storageOf(x) as Storage))];
    const longer = longerScans(graph);
    let next = 0;
    for (const x of graph.nodes) {
      const read = x.inputs.map(() => all[operands[next++] as number] as FlowNode);
      const same = longer.get(x);
      const node =
        same === undefined
          ? this.#apply(x.operation as AnyOperation, read, x.attributes, typeOf(x))
          : this.#beginning(
              typeOf(x),
              this.#apply(same.operation as AnyOperation, read, same.attributes, typeOf(same)),
            );
      all.push(node);
    }
    return Array.from(outputs, (place) => all[place] as FlowNode);
  }

  /** The nodes that outputs depend on, inputs of operations before operations. */
  reaching(outputs: readonly FlowNode[]): FlowNode[] {
    const wanted = new Uint8Array(this.count);
    for (const { id } of outputs) wanted[id] = 1;
    for (let id = this.count - 1; id >= 0; id--)
      if (wanted[id] === 1) for (const input of (this.#nodes[id] as FlowNode).inputs) wanted[input.id] = 1;
    return this.#nodes.filter(({ id }) => wanted[id] === 1);
  }

  #leaf(type: TensorType, storage: Storage | null): FlowNode {
    return this.#add({ type, op: null, inputs: [], attributes: null, storage, lowering: null });
  }

  #add({ type, op, inputs, attributes, storage, lowering }: Omit<FlowNode, "id">): FlowNode {
    const node = { id: this.#nodes.length, type, op, inputs, attributes, storage, lowering };
    this.#nodes.push(node);
    return node;
  }

  #constant(type: TensorType, data: Storage): FlowNode {
    const storage = uniform(data);
    const key = typeof storage === "number" ? `${type.dtype} ${type.shape} ${plainText(storage)}` : null;
    const same = key === null ? this.#constants.get(storage) : this.#known.get(key);
    if (same !== undefined && sameShape(same.type.shape, type.shape)) return same;
    const node = this.#leaf(type, storage);
    if (key === null) this.#constants.set(storage, node);
    else this.#known.set(key, node);
    return node;
  }

  #apply(op: AnyOperation, inputs: readonly FlowNode[], attributes: unknown, type: TensorType): FlowNode {
    const options = attributes === null ? "" : (plainText(attributes) ?? this.#nameOf(attributes));
    let asked = this.#asked.get(options);
    if (asked === undefined) {
      asked = { table: new OperandTable(options === "" ? this.#expected : 16), nodes: [] };
      this.#asked.set(options, asked);
    }
    const ids = this.#ids;
    for (let k = 0; k < inputs.length; k++) ids[k] = (inputs[k] as FlowNode).id;
    const number = asked.table.numberOf(op, ids, inputs.length);
    const same = asked.nodes[number];
    if (same !== undefined) return same;
    const node = this.#make(op, inputs, attributes, type);
    asked.nodes[number] = node;
    return node;
  }

  /** A text for attributes that only they themselves are known to equal. */
  #nameOf(attributes: unknown): string {
    let name = this.#names.get(attributes);
    if (name === undefined) {
      name = `@${this.#names.size}`;
      this.#names.set(attributes, name);
    }
    return name;
  }

  #make(op: AnyOperation, inputs: readonly FlowNode[], attributes: unknown, type: TensorType): FlowNode {
    if (inputs.length > 0 && inputs.every((x) => x.storage !== null)) {
      const largest = inputs.reduce((size, x) => Math.max(size, x.type.size), FOLDING_LIMIT);
      if (type.size <= largest) {
        const known = inputs.map(valueOf);
        return this.#constant(type, op.evaluate(known, attributes as never, type));
      }
    }
    const types = inputs.map((x) => x.type);
    const stated = op.lowering?.(attributes as never, types, type) ?? null;
    if (stated?.kind === "rewrite") return this.#rewrite(stated.rewrite, inputs);
    const joint = this.#joint(op, inputs, type);
    if (joint !== null) return joint;
    const lowering = stated === null ? null : withPlaces(stated, types, type);
    if (lowering?.kind === "cast" && inputs[0]?.type.dtype === type.dtype) return inputs[0];
    if (lowering?.kind !== "view" || !isInPlace({ lowering, inputs }))
      return this.#add({ type, op, inputs, attributes, storage: null, lowering });
    // Views in place of views in place are views of what all of them show.
    let base = inputs[0] as FlowNode;
    while (isInPlace(base)) base = base.inputs[0] as FlowNode;
    if (sameShape(base.type.shape, type.shape)) return base;
    return this.#add({ type, op, inputs: [base], attributes, storage: null, lowering });
  }

  /** The first elements of a value, as a value of a type. */
  #beginning({ shape, dtype, size }: TensorType, node: FlowNode): FlowNode {
    return this.#rewrite(([all]) => cast(reshape(slice(all as Value, [0, size]), shape), dtype), [node]);
  }

  /** A sum of values among zeros, where these meet nowhere, as both put into the same zeros; null of all else. */
  #joint(op: AnyOperation, inputs: readonly FlowNode[], type: TensorType): FlowNode | null {
    const [a, b] = inputs;
    if (a?.lowering?.kind !== "places" || b?.lowering?.kind !== "places" || !isAddition(op)) return null;
    if (inputs.some((x) => x.type.dtype !== type.dtype || !sameShape(x.type.shape, type.shape))) return null;
    const joined = [...a.inputs, ...b.inputs];
    const lowering = sumOfPlaces(a.lowering, b.lowering, type);
    if (lowering === null || joined.some((x) => x.type.size === 0)) return null;
    return this.#add({ type, op: a.op, inputs: joined, attributes: null, storage: null, lowering });
  }

  /** The nodes of an operation in terms of others, which are captured on values that have a type only. */
  #rewrite(rewrite: (inputs: readonly Value[]) => Value, inputs: readonly FlowNode[]): FlowNode {
    const types = inputs.map((x) => x.type);
    const graph = captureTypes(types, (xs) => [rewrite(xs)]);
    return this.add(graph, inputs)[0] as FlowNode;
  }
}

/**
 * Scans of a graph that another of its scans does as well, by the longest such one: a derivative runs a scan again to
 * keep what its way back reads. The values of the one are the first elements of the other's.
 */
function longerScans({ nodes }: Graph): ReadonlyMap<Value, Value> {
  const longer = new Map<Value, Value>();
  const long = nodes.filter((x) => shorterScan(x) !== null);
  const wanted = new Set<unknown>(long.map(shorterScan));
  const short = long.length === 0 ? [] : nodes.filter((x) => wanted.has(x.attributes));
  // The longest of a chain come last.
  for (const y of long.reverse()) {
    const x = short.find((x) => x.attributes === shorterScan(y) && sameInputs(x, y));
    if (x !== undefined) longer.set(x, longer.get(y) ?? y);
  }
  return longer;
}

function shorterScan({ attributes }: Value): ScanAttributes | null {
  return extendedScan(attributes as ScanAttributes);
}

function sameInputs(x: Value, y: Value): boolean {
  return x.inputs.length === y.inputs.length && x.inputs.every((input, i) => input === y.inputs[i]);
}

/** The data of elements that are all the same as one number. */
function uniform(data: Storage): Storage {
  if (typeof data === "number" || data.length === 0) return data;
  const first = data[0] as number;
  // A loop: there may be millions of elements. Only of zeros and NaN are there several.
  const isOne = first !== 0 && !Number.isNaN(first);
  for (let i = 1; i < data.length; i++)
    if (isOne ? data[i] !== first : !Object.is(data[i], first)) return data;
  return first;
}

/** A constant as a value of core. */
function valueOf({ type, storage }: FlowNode): Value {
  return typeof storage === "number" ? filled(type, storage) : constant(type, storage as TypedArray);
}

/** Whether a view leaves all elements where they are, so that it is its input under another shape. */
export function isInPlace({ lowering, inputs }: Pick<FlowNode, "lowering" | "inputs">): boolean {
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
