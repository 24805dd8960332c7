/**
 * Rolling: scalars that were computed again and again in one way become one vector.
 *
 * A program over scalars repeats itself: a network of neurons is written out for every example. Nodes of the same
 * operation on operands of the same form make a pack, an elementwise node over as many elements; a long sum of a pack's
 * members becomes a fold. Packs fuse into loops over vectors as all tensors do.
 */

import { slice, sum, type TypedArray } from "@adjoint/core";
import { type AnyOperation, type TensorType, tensorType } from "@adjoint/core/operations";
import { Body } from "../kernels/body.ts";
import { ARRAYS } from "../storage.ts";
import type { Flow, FlowNode } from "./flow.ts";
import { OperandTable } from "./operands.ts";

/** How many nodes of one form make a pack. */
const LEAST = 8;

/** The same flow with scalars rolled where they repeat. */
export function rolled(flow: Flow): Flow {
  const scalars = flow.nodes.filter(isScalarOperation);
  return scalars.length < 2 * LEAST ? flow : new Roller(flow).roll();
}

function isScalarOperation({ op, type }: FlowNode): boolean {
  return op?.elementwise !== null && op?.elementwise !== undefined && type.shape.length === 0;
}

/** Nodes of one form, in the order of the pack's elements. */
interface Class {
  members: readonly FlowNode[];
  /** The place of each member. */
  places: ReadonlyMap<FlowNode, number>;
  isPack: boolean;
}

/** What nodes compute, but for the values of constants; nodes that are like no other have no members to compare. */
interface Form {
  readonly id: number;
  readonly members: FlowNode[] | null;
}

class Roller {
  readonly #flow: Flow;
  readonly #uses = new Map<FlowNode, number>();
  /** The terms of long sums, by their last addition. */
  readonly #sums = new Map<FlowNode, readonly FlowNode[]>();
  /** Additions within long sums. */
  readonly #partial = new Set<FlowNode>();
  readonly #classes = new Map<FlowNode, Class>();
  readonly #made = new Map<FlowNode, FlowNode>();
  readonly #packs = new Map<Class, FlowNode>();
  readonly #nodes: FlowNode[] = [];
  #count = 0;

  constructor(flow: Flow) {
    this.#flow = flow;
    const count = (node: FlowNode) => this.#uses.set(node, (this.#uses.get(node) ?? 0) + 1);
    for (const node of flow.nodes) node.inputs.forEach(count);
    flow.outputs.forEach(count);
  }

  roll(): Flow {
    const { inputs, nodes, outputs } = this.#flow;
    this.#findSums();
    this.#findClasses();
    for (const node of inputs) this.#keep(node);
    for (const node of nodes)
      if (!this.#partial.has(node) && !this.#classes.get(node)?.isPack) this.#node(node);
    const made = outputs.map((output) => this.#node(output));
    return { inputs: inputs.map((x) => this.#node(x)), nodes: this.#nodes, outputs: made };
  }

  /** Chains of additions that nobody else looks into, as lists of terms. */
  #findSums(): void {
    const isLink = (node: FlowNode) => isScalarOperation(node) && isAddition(node.op as AnyOperation);
    const inner = new Set<FlowNode>();
    for (const node of this.#flow.nodes) {
      if (!isLink(node)) continue;
      for (const input of node.inputs)
        if (isLink(input) && this.#uses.get(input) === 1 && input.type === node.type) inner.add(input);
    }
    for (const node of this.#flow.nodes) {
      if (!isLink(node) || inner.has(node)) continue;
      const terms: FlowNode[] = [];
      const stack: FlowNode[] = [node];
      for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
        if (next === node || inner.has(next))
          stack.push(next.inputs[1] as FlowNode, next.inputs[0] as FlowNode);
        else terms.push(next);
      }
      if (terms.length >= LEAST && terms.every((term) => term.type === node.type))
        this.#sums.set(node, terms);
    }
  }

  /** Nodes of one form: the same operation on operands of one form. Constants are of one form, whatever they are. */
  #findClasses(): void {
    const forms = new Map<FlowNode, Form>();
    const table = new OperandTable<AnyOperation, Form>();
    const constants = new Map<string, Form>();
    const all: Form[] = [];
    let count = 0;
    const form = (members: FlowNode[] | null): Form => ({ id: count++, members });
    for (const node of this.#flow.nodes) {
      const isConstant = typeof node.storage === "number" && node.type.shape.length === 0;
      if (isConstant) {
        const { dtype } = node.type;
        const own = constants.get(dtype) ?? form(null);
        constants.set(dtype, own);
        forms.set(node, own);
      } else if (!isScalarOperation(node) || this.#isRepetitive(node, forms)) forms.set(node, form(null));
      else {
        const operands = node.inputs.map((x) => (forms.get(x) as Form).id);
        let own = table.get(node.op as AnyOperation, operands);
        if (own === undefined) {
          own = form([]);
          table.set(node.op as AnyOperation, operands, own);
          all.push(own);
        }
        own.members?.push(node);
        forms.set(node, own);
      }
    }
    // Forms were met operands first.
    for (const { members } of all) {
      if (members === null) continue;
      const aligned = members.length < LEAST ? null : this.#aligned(members);
      const places = new Map((aligned ?? []).map((member, i) => [member, i] as const));
      const found: Class = { members: aligned ?? members, places, isPack: aligned !== null };
      for (const member of members) this.#classes.set(member, found);
    }
  }

  /** Whether a node ends a long sum in which terms of one form repeat; its inner additions are not looked at then. */
  #isRepetitive(node: FlowNode, forms: ReadonlyMap<FlowNode, Form>): boolean {
    const terms = this.#sums.get(node);
    if (terms === undefined) return false;
    const counts = new Map<Form, number>();
    for (const term of terms) {
      const form = forms.get(term) as Form;
      if (form.members !== null) counts.set(form, (counts.get(form) ?? 0) + 1);
    }
    if (Math.max(0, ...counts.values()) < LEAST) {
      this.#sums.delete(node);
      return false;
    }
    const mark = (x: FlowNode): void => {
      const stack = [...x.inputs];
      const ends = new Set(terms);
      for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
        if (ends.has(next)) continue;
        this.#partial.add(next);
        stack.push(...next.inputs);
      }
    };
    mark(node);
    return true;
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
      const pack = this.#classes.get(first);
      if (pack === undefined || !pack.isPack || pack.members.length !== members.length) return null;
      const placeOf = (node: FlowNode) => pack.places.get(operand(node));
      if (order === null) {
        const sorted = new Array<FlowNode | undefined>(members.length);
        for (const node of members) sorted[placeOf(node) ?? 0] = node;
        if (sorted.includes(undefined)) return null;
        order = sorted as FlowNode[];
      } else if (!order.every((node, i) => placeOf(node) === i)) return null;
    }
    return order ?? members;
  }

  /** What a node became: the same node on new inputs, a sum, or an element of a pack. */
  #node(node: FlowNode): FlowNode {
    const made = this.#made.get(node);
    if (made !== undefined) return made;
    const group = this.#classes.get(node);
    let next: FlowNode;
    if (group?.isPack) next = this.#element(this.#pack(group), group.places.get(node) as number);
    else if (this.#sums.has(node)) next = this.#sum(node, this.#sums.get(node) as readonly FlowNode[]);
    else if (node.inputs.length === 0) return this.#keep(node);
    else next = this.#make({ ...node, inputs: node.inputs.map((x) => this.#node(x)) });
    this.#made.set(node, next);
    return next;
  }

  #keep(node: FlowNode): FlowNode {
    const next = this.#make(node);
    this.#made.set(node, next);
    return next;
  }

  #make(node: FlowNode): FlowNode {
    const next = { ...node, id: this.#count++ };
    this.#nodes.push(next);
    return next;
  }

  #pack(group: Class): FlowNode {
    let pack = this.#packs.get(group);
    if (pack !== undefined) return pack;
    const { members } = group;
    const [first] = members as [FlowNode];
    const type = tensorType([members.length], first.type.dtype);
    const inputs = first.inputs.map((operand, k) => {
      const all = members.map((member) => member.inputs[k] as FlowNode);
      if (all.every((x) => x === operand)) return this.#node(operand);
      if (typeof operand.storage === "number") return this.#constants(all, operand.type);
      return this.#pack(this.#classes.get(operand) as Class);
    });
    pack = this.#make({ ...first, type, inputs });
    this.#packs.set(group, pack);
    return pack;
  }

  #constants(nodes: readonly FlowNode[], { dtype }: TensorType): FlowNode {
    const storage: TypedArray = ARRAYS[dtype].from(nodes.map(({ storage }) => storage as number));
    return this.#make({
      id: 0,
      type: tensorType([nodes.length], dtype),
      op: null,
      inputs: [],
      attributes: null,
      storage,
      lowering: null,
    });
  }

  #element(pack: FlowNode, place: number): FlowNode {
    return this.#make({
      id: 0,
      type: tensorType([], pack.type.dtype),
      op: slice.definition.operation,
      inputs: [pack],
      attributes: null,
      storage: null,
      lowering: { kind: "view", box: { shape: [], start: place, strides: [] } },
    });
  }

  /** A long sum: of whole packs by folding them, and of what else there is one after the other. */
  #sum(node: FlowNode, terms: readonly FlowNode[]): FlowNode {
    const held = new Map<Class, Set<FlowNode> | null>();
    for (const term of terms) {
      const group = this.#classes.get(term);
      if (!group?.isPack) continue;
      const own = held.get(group);
      // A term that is met twice is added by itself.
      if (own === undefined) held.set(group, new Set([term]));
      else if (own?.has(term)) held.set(group, null);
      else own?.add(term);
    }
    const isWhole = (group: Class) => held.get(group)?.size === group.members.length;
    const folded = new Set<Class>();
    const parts: FlowNode[] = [];
    for (const term of terms) {
      const group = this.#classes.get(term);
      if (group === undefined || !isWhole(group)) parts.push(this.#node(term));
      else if (!folded.has(group)) {
        folded.add(group);
        parts.push(this.#fold(this.#pack(group)));
      }
    }
    return parts.reduce((a, b) => this.#make({ ...node, inputs: [a, b] }));
  }

  #fold(pack: FlowNode): FlowNode {
    return this.#make({
      id: 0,
      type: tensorType([], pack.type.dtype),
      op: sum.definition.operation,
      inputs: [pack],
      attributes: null,
      storage: null,
      lowering: { kind: "fold", fold: "sum", axes: [0] },
    });
  }
}

const additions = new Map<AnyOperation, boolean>();

/** Whether an elementwise operation is the sum of its two operands. */
function isAddition(op: AnyOperation): boolean {
  let known = additions.get(op);
  if (known === undefined) {
    const body = new Body();
    const xs = [body.register("float64"), body.register("float64")];
    const part = op.elementwise;
    const made =
      part?.arity === 2 ? body.makerOf(part.expression(xs, body.arithmetic("float64"))) : undefined;
    known =
      made?.kind === "compute" && made.operator === "add" && made.from[0] === xs[0] && made.from[1] === xs[1];
    additions.set(op, known);
  }
  return known;
}
