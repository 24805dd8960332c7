/**
 * Rolling: scalars that were computed again and again in one way become one vector.
 *
 * A program over scalars repeats itself: a network of neurons is written out for every example. Nodes of the same
 * operation on operands of the same form make a pack, an elementwise node over as many elements; a long sum of a pack's
 * members becomes a fold. Packs fuse into loops over vectors as all tensors do.
 */

import { type DType, slice, sum, type TypedArray } from "@adjoint/core";
import { type AnyOperation, type TensorType, tensorType } from "@adjoint/core/operations";
import { OperandTable } from "../operands.ts";
import { ARRAYS } from "../storage.ts";
import { isAddition } from "./expressions.ts";
import type { Flow, FlowNode } from "./flow.ts";

/** How many nodes of one form make a pack. */
const LEAST = 8;

/** The same flow with scalars rolled where they repeat. */
export function rolled(flow: Flow): Flow {
  let scalars = 0;
  for (const node of flow.nodes) if (isScalarOperation(node)) scalars++;
  return scalars < 2 * LEAST ? flow : new Roller(flow).roll();
}

function isScalarOperation({ op, type }: FlowNode): boolean {
  return op?.elementwise !== null && op?.elementwise !== undefined && type.shape.length === 0;
}

/** Nodes of one form as one vector. */
interface Pack {
  readonly id: number;
  /** The nodes, in the order of the pack's elements. */
  readonly members: readonly FlowNode[];
}

class Roller {
  readonly #flow: Flow;
  /** How often each node is read, by its id, as all that follows. */
  readonly #uses: Int32Array;
  /** The terms of long sums, by their last addition. */
  readonly #sums = new Map<FlowNode, readonly FlowNode[]>();
  /** Additions of which a sum is made, and that nobody else reads. */
  readonly #inner: Uint8Array;
  /** Additions within sums that are folded. */
  readonly #partial: Uint8Array;
  readonly #packs: Pack[] = [];
  /** One more than the id of the pack that a node is in, or 0, and its place there. */
  readonly #packOf: Int32Array;
  readonly #placeOf: Int32Array;
  /** What nodes and packs have become. */
  readonly #made: (FlowNode | undefined)[];
  readonly #vectors: (FlowNode | undefined)[] = [];
  readonly #nodes: FlowNode[] = [];

  constructor(flow: Flow) {
    const { count, nodes, outputs } = flow;
    this.#flow = flow;
    this.#uses = new Int32Array(count);
    this.#inner = new Uint8Array(count);
    this.#partial = new Uint8Array(count);
    this.#packOf = new Int32Array(count);
    this.#placeOf = new Int32Array(count);
    this.#made = new Array<FlowNode | undefined>(count);
    for (const node of nodes) for (const input of node.inputs) this.#use(input);
    for (const output of outputs) this.#use(output);
  }

  roll(): Flow {
    const { inputs, nodes, outputs } = this.#flow;
    this.#findSums();
    this.#findPacks();
    if (this.#packs.length === 0) return this.#flow;
    for (const node of inputs) this.#keep(node);
    for (const node of nodes)
      if (this.#partial[node.id] === 0 && this.#packOf[node.id] === 0) this.#node(node);
    const made = outputs.map((output) => this.#node(output));
    return {
      inputs: inputs.map((x) => this.#node(x)),
      nodes: this.#nodes,
      outputs: made,
      count: this.#nodes.length,
    };
  }

  #use({ id }: FlowNode): void {
    this.#uses[id] = (this.#uses[id] as number) + 1;
  }

  /** Chains of additions that nobody else looks into, as lists of terms. */
  #findSums(): void {
    const { nodes, count } = this.#flow;
    const inner = this.#inner;
    const isLink = new Uint8Array(count);
    for (const node of nodes) {
      if (!isScalarOperation(node) || !isAddition(node.op as AnyOperation)) continue;
      isLink[node.id] = 1;
      for (const input of node.inputs)
        if (isLink[input.id] === 1 && this.#uses[input.id] === 1 && input.type === node.type)
          inner[input.id] = 1;
    }
    for (const node of nodes) {
      if (isLink[node.id] === 0 || inner[node.id] === 1) continue;
      if (!node.inputs.some((input) => inner[input.id] === 1)) continue;
      const terms: FlowNode[] = [];
      const stack: FlowNode[] = [node];
      for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
        if (next === node || inner[next.id] === 1)
          stack.push(next.inputs[1] as FlowNode, next.inputs[0] as FlowNode);
        else terms.push(next);
      }
      if (terms.length >= LEAST && terms.every((term) => term.type === node.type))
        this.#sums.set(node, terms);
    }
  }

  /**
   * Nodes of one form: the same operation on operands of one form. Constants are of one form, whatever they are, and
   * what is no scalar operation is of a form of its own.
   */
  #findPacks(): void {
    const { nodes, count } = this.#flow;
    const table = new OperandTable<AnyOperation | DType | null>(nodes.length);
    const forms = new Int32Array(count);
    /** How many nodes each form has; 0 where they are not compared. */
    const sizes: number[] = [];
    const operands: number[] = [];
    for (const node of nodes) {
      const { id, storage, type, inputs, op } = node;
      let form: number;
      if (typeof storage === "number" && type.shape.length === 0)
        form = table.numberOf(type.dtype, operands, 0);
      else if (!isScalarOperation(node) || this.#isRepetitive(node, forms, sizes)) {
        operands[0] = id;
        form = table.numberOf(null, operands, 1);
      } else {
        for (let k = 0; k < inputs.length; k++) operands[k] = forms[(inputs[k] as FlowNode).id] as number;
        form = table.numberOf(op, operands, inputs.length);
        sizes[form] = (sizes[form] ?? 0) + 1;
      }
      sizes[form] ??= 0;
      forms[id] = form;
    }
    // Forms were met operands first.
    const found = sizes.map((size): FlowNode[] | null => (size < LEAST ? null : []));
    for (const node of nodes) found[forms[node.id] as number]?.push(node);
    for (const same of found) {
      if (same === null) continue;
      const members = this.#aligned(same);
      if (members === null) continue;
      const id = this.#packs.push({ id: this.#packs.length, members }) - 1;
      members.forEach((member, place) => {
        this.#packOf[member.id] = id + 1;
        this.#placeOf[member.id] = place;
      });
    }
  }

  /** Whether a node ends a long sum in which terms of one form repeat; its inner additions are not looked at then. */
  #isRepetitive(node: FlowNode, forms: Int32Array, sizes: readonly number[]): boolean {
    const terms = this.#sums.get(node);
    if (terms === undefined) return false;
    const counts = new Map<number, number>();
    let most = 0;
    for (const term of terms) {
      const form = forms[term.id] as number;
      if (sizes[form] === 0) continue;
      const count = (counts.get(form) ?? 0) + 1;
      counts.set(form, count);
      most = Math.max(most, count);
    }
    if (most < LEAST) {
      this.#sums.delete(node);
      return false;
    }
    const stack: FlowNode[] = [node];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      for (const input of next.inputs) {
        if (this.#inner[input.id] === 0) continue;
        this.#partial[input.id] = 1;
        stack.push(input);
      }
    }
    return true;
  }

  /** The pack that a node is in. */
  #packAt(node: FlowNode): Pack | undefined {
    return this.#packs[(this.#packOf[node.id] as number) - 1];
  }

  /** Members in the order of a pack that they read, so that all their operands line up; null where they do not. */
  #aligned(members: readonly FlowNode[]): readonly FlowNode[] | null {
    const arity = (members[0] as FlowNode).inputs.length;
    let order: readonly FlowNode[] | null = null;
    for (let k = 0; k < arity; k++) {
      const operand = (node: FlowNode) => node.inputs[k] as FlowNode;
      const first = operand(members[0] as FlowNode);
      if (members.every((node) => operand(node) === first)) continue;
      if (members.every((node) => typeof operand(node).storage === "number")) continue;
      const pack = this.#packAt(first);
      if (pack === undefined || pack.members.length !== members.length) return null;
      const placeOf = (node: FlowNode) => this.#placeOf[operand(node).id] as number;
      if (order === null) {
        const sorted = new Array<FlowNode | undefined>(members.length).fill(undefined);
        for (const node of members) sorted[placeOf(node)] = node;
        if (sorted.includes(undefined)) return null;
        order = sorted as FlowNode[];
      } else if (!order.every((node, i) => placeOf(node) === i)) return null;
    }
    return order ?? members;
  }

  /** What a node became: the same node on new inputs, a sum, or an element of a pack. */
  #node(node: FlowNode): FlowNode {
    const made = this.#made[node.id];
    if (made !== undefined) return made;
    const pack = this.#packAt(node);
    const terms = this.#sums.get(node);
    let next: FlowNode;
    if (pack !== undefined) next = this.#element(this.#vector(pack), this.#placeOf[node.id] as number);
    else if (terms !== undefined) next = this.#sum(node, terms);
    else if (node.inputs.length === 0) return this.#keep(node);
    else
      next = this.#make(
        node,
        node.inputs.map((x) => this.#node(x)),
      );
    this.#made[node.id] = next;
    return next;
  }

  #keep(node: FlowNode): FlowNode {
    const next = this.#make(node, node.inputs);
    this.#made[node.id] = next;
    return next;
  }

  #make(
    { op, attributes, storage, lowering, type }: Omit<FlowNode, "id" | "inputs">,
    inputs: readonly FlowNode[],
  ): FlowNode {
    const next = { id: this.#nodes.length, type, op, inputs, attributes, storage, lowering };
    this.#nodes.push(next);
    return next;
  }

  /** The vector of a pack, made after those that it reads; there may be more of them, one in another, than calls. */
  #vector(pack: Pack): FlowNode {
    const stack = this.#vectors[pack.id] === undefined ? [pack] : [];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { id, members } = top;
      const [first] = members as [FlowNode];
      const missing = first.inputs
        .map((operand) => this.#packAt(operand))
        .find((below) => below !== undefined && this.#vectors[below.id] === undefined);
      if (missing !== undefined) {
        stack.push(missing);
        continue;
      }
      stack.pop();
      const type = tensorType([members.length], first.type.dtype);
      const inputs = first.inputs.map((operand, k) => this.#operand(operand, members, k));
      this.#vectors[id] = this.#make({ ...first, type }, inputs);
    }
    return this.#vectors[pack.id] as FlowNode;
  }

  /** An operand of a pack's members: the same for all, constants, or a pack that is there. */
  #operand(first: FlowNode, members: readonly FlowNode[], k: number): FlowNode {
    const operands = members.map((member) => member.inputs[k] as FlowNode);
    if (operands.every((x) => x === first)) return this.#node(first);
    if (typeof first.storage === "number") return this.#constants(operands, first.type);
    return this.#vectors[(this.#packAt(first) as Pack).id] as FlowNode;
  }

  #constants(nodes: readonly FlowNode[], { dtype }: TensorType): FlowNode {
    const storage: TypedArray = ARRAYS[dtype].from(nodes.map(({ storage }) => storage as number));
    const type = tensorType([nodes.length], dtype);
    return this.#make({ type, op: null, attributes: null, storage, lowering: null }, []);
  }

  #element(pack: FlowNode, place: number): FlowNode {
    return this.#make(
      {
        type: tensorType([], pack.type.dtype),
        op: slice.definition.operation,
        attributes: null,
        storage: null,
        lowering: { kind: "view", box: { shape: [], start: place, strides: [] } },
      },
      [pack],
    );
  }

  /** A long sum: of whole packs by folding them, and of what else there is one after the other. */
  #sum(node: FlowNode, terms: readonly FlowNode[]): FlowNode {
    const held = new Map<Pack, Set<FlowNode> | null>();
    for (const term of terms) {
      const pack = this.#packAt(term);
      if (pack === undefined) continue;
      const own = held.get(pack);
      // A term that is met twice is added by itself.
      if (own === undefined) held.set(pack, new Set([term]));
      else if (own?.has(term)) held.set(pack, null);
      else own?.add(term);
    }
    const folded = new Set<Pack>();
    const parts: FlowNode[] = [];
    for (const term of terms) {
      const pack = this.#packAt(term);
      if (pack === undefined || held.get(pack)?.size !== pack.members.length) parts.push(this.#node(term));
      else if (!folded.has(pack)) {
        folded.add(pack);
        parts.push(this.#fold(this.#vector(pack)));
      }
    }
    return parts.reduce((a, b) => this.#make(node, [a, b]));
  }

  #fold(pack: FlowNode): FlowNode {
    return this.#make(
      {
        type: tensorType([], pack.type.dtype),
        op: sum.definition.operation,
        attributes: null,
        storage: null,
        lowering: { kind: "fold", fold: "sum", axes: [0] },
      },
      [pack],
    );
  }
}
