/**
 * Groups: which nodes share a pass over memory. Nodes that work element by element over spaces of one size join the
 * latest group that they can; the order of the groups is the order of the program.
 */

import { type Lowering, type Shape, sameShape, sizeOf } from "@adjoint/core/operations";
import { combined, counted, fixed, flattened, sameAffine, unflattened } from "../kernels/affine.ts";
import type { Affine, Counter } from "../kernels/language.ts";
import { type Flow, type FlowNode, isInPlace } from "./flow.ts";

/** One node's part of a group; a join has a member for each of its inputs. */
export interface Member {
  readonly node: FlowNode;
  /** Which input of a join this is; otherwise 0. */
  readonly part: number;
  /** The indices of the element at work along the axes of the member's space. */
  readonly indices: readonly Affine[];
}

/** Members that share loops. */
export class Group {
  readonly kind = "group";
  /** Its place among the steps. */
  readonly at: number;
  readonly shape: Shape;
  readonly size: number;
  readonly counters: readonly Counter[];
  /** The place of the element at work in the group's space, row-major. */
  readonly flat: Affine;
  readonly members = new Set<Member>();
  /** The members whose elements others of the group can take as they are computed, and at which index. */
  readonly #atHand = new Map<FlowNode, { readonly member: Member; readonly at: Affine }>();

  constructor(at: number, shape: Shape) {
    this.at = at;
    this.shape = shape;
    this.size = sizeOf(shape);
    this.counters = shape.map((extent, id): Counter => ({ id, extent }));
    this.flat = flattened(this.counters.map(counted), shape);
  }

  /** Whether a node's element at an index has just been computed. */
  has(node: FlowNode, at: Affine): boolean {
    const own = this.#atHand.get(node);
    return own !== undefined && sameAffine(own.at, at);
  }

  /** The member that computes a node element by element; null where there is none. */
  memberOf(node: FlowNode): Member | null {
    return this.#atHand.get(node)?.member ?? null;
  }

  add(member: Member): void {
    const { node, indices } = member;
    this.members.add(member);
    if (isAtHand(node)) this.#atHand.set(node, { member, at: flattened(indices, node.type.shape) });
  }

  remove(member: Member): void {
    this.members.delete(member);
    this.#atHand.delete(member.node);
  }
}

/** A node that is computed by itself: a matrix product, or an operation that can only be evaluated. */
interface Routine {
  readonly kind: "routine";
  readonly node: FlowNode;
}

export type Step = Group | Routine;

/** Where an operand's element comes from. */
export type Source =
  /** Another member of the group has just computed it. */
  | { readonly kind: "member"; readonly node: FlowNode }
  | { readonly kind: "memory"; readonly node: FlowNode; readonly at: Affine }
  /** No index reaches through the view: it must be copied first. */
  | { readonly kind: "blocked"; readonly node: FlowNode };

/** An operand of a member, and the index that it is read at. */
export interface Operand {
  readonly node: FlowNode;
  readonly at: Affine;
}

/** How many of the latest groups a node tries to join. */
const REACH = 24;
/** How many members a group takes: engines bound the size of functions, and compile large ones slowly. */
const MEMBERS = 1024;

/** The space that a member works over. */
function spaceOf({ lowering, inputs, type }: FlowNode, part: number): Shape {
  const kind = lowering?.kind;
  if (kind === "fold" || kind === "unview" || kind === "untake") return (inputs[0] as FlowNode).type.shape;
  if (kind === "join") return (inputs[part] as FlowNode).type.shape;
  return type.shape;
}

const LOOPED = new Set<Lowering["kind"]>(["view", "unview", "fold", "cast", "join", "take", "untake"]);

/** Whether a node is computed in loops, not by a routine. */
function isLooped({ op, lowering, type }: FlowNode): boolean {
  if (op?.elementwise) return true;
  if (lowering === null) return false;
  // Masks have no extremes.
  return LOOPED.has(lowering.kind) && (lowering.kind !== "fold" || type.dtype !== "bool");
}

/** Whether a node's elements are at hand where they are computed, and not only in memory afterwards. */
function isAtHand({ op, lowering }: FlowNode): boolean {
  if (op?.elementwise) return true;
  return lowering?.kind === "cast" || lowering?.kind === "view" || lowering?.kind === "take";
}

/** The place of a scalar's only element. */
const SCALAR = flattened([], []);

/** The operands that a member reads element by element; what a `take` picks from is not among them. */
export function operandsOf({ node, part, indices }: Member): Operand[] {
  const { op, inputs, lowering } = node;
  const operand = (input: FlowNode, along: readonly Affine[]): Operand => ({
    node: input,
    at: flattened(along, input.type.shape),
  });
  if (op?.elementwise) {
    if (indices.length === 0) return inputs.map((input) => ({ node: input, at: SCALAR }));
    return inputs.map((input) => {
      const { shape } = input.type;
      const offset = indices.length - shape.length;
      return operand(
        input,
        shape.map((n, axis) => (n === 1 ? fixed(0) : (indices[axis + offset] as Affine))),
      );
    });
  }
  const first = inputs[0] as FlowNode;
  switch (lowering?.kind) {
    case "view":
      return [{ node: first, at: combined(lowering.box.start, lowering.box.strides, indices) }];
    case "join":
      return [operand(inputs[part] as FlowNode, indices)];
    case "take":
    case "untake": {
      const picks = inputs[1] as FlowNode;
      const { axis } = lowering;
      const which = operand(picks, indices.slice(axis, axis + picks.type.shape.length));
      return lowering.kind === "take" ? [which] : [which, operand(first, indices)];
    }
    default:
      return [operand(first, indices)];
  }
}

/** The order of a flow's work. */
export class Schedule {
  readonly steps: Step[] = [];
  /** The step after which a node's elements are in memory, if it keeps them there; −1 for what is there from the start. */
  readonly #homes = new Map<FlowNode, number>();

  constructor(flow: Flow) {
    for (const node of flow.nodes) {
      if (node.op === null || node.type.size === 0) this.#homes.set(node, -1);
      else if (node.lowering?.kind === "view") continue;
      else if (isLooped(node)) this.#placeAll(node);
      else {
        for (const input of node.inputs) this.#keep(input);
        this.#homes.set(node, this.steps.push({ kind: "routine", node }) - 1);
      }
    }
    for (const output of flow.outputs) this.#keep(output);
    this.#sink(flow);
  }

  /** The node whose memory holds a node's elements, in the same order. */
  memoryOf(node: FlowNode): FlowNode {
    return this.#homes.has(node) ? node : this.memoryOf(node.inputs[0] as FlowNode);
  }

  /** The step after which a node is in memory; −1 for what is there from the start. */
  homeOf(node: FlowNode): number {
    return this.#homes.get(node) as number;
  }

  /** Where a group's member finds an operand. */
  source(group: Group, { node, at }: Operand): Source {
    if (group.has(node, at)) return { kind: "member", node };
    const { lowering, inputs, type } = node;
    const home = this.#homes.get(node);
    // A view that is copied by a later step is looked through.
    if (home !== undefined && (home < group.at || lowering?.kind !== "view"))
      return { kind: "memory", node, at };
    if (isInPlace(node)) return this.source(group, { node: inputs[0] as FlowNode, at });
    const indices = unflattened(at, type.shape);
    if (lowering?.kind !== "view" || indices === null) return { kind: "blocked", node };
    return this.source(group, {
      node: inputs[0] as FlowNode,
      at: combined(lowering.box.start, lowering.box.strides, indices),
    });
  }

  /** The nodes whose elements are read from memory: by other steps than their own, or at other places. */
  read(): Set<FlowNode> {
    const read = new Set<FlowNode>();
    for (const step of this.steps) {
      if (step.kind === "routine") for (const input of step.node.inputs) read.add(this.memoryOf(input));
      else {
        for (const member of step.members) {
          for (const operand of operandsOf(member)) {
            const source = this.source(step, operand);
            if (source.kind === "memory") read.add(source.node);
          }
          if (member.node.lowering?.kind === "take")
            read.add(this.memoryOf(member.node.inputs[0] as FlowNode));
        }
      }
    }
    return read;
  }

  /** Makes sure that a node's elements lie in memory in their order: copies views that move them. */
  #keep(node: FlowNode): void {
    if (this.#homes.has(node)) return;
    if (isInPlace(node)) this.#keep(node.inputs[0] as FlowNode);
    else this.#placeAll(node);
  }

  #placeAll(node: FlowNode): void {
    if (node.lowering?.kind === "take") this.#keep(node.inputs[0] as FlowNode);
    const parts = node.lowering?.kind === "join" ? node.inputs.length : 1;
    let home = -1;
    for (let part = 0; part < parts; part++) {
      const empty = parts > 1 && (node.inputs[part] as FlowNode).type.size === 0;
      if (!empty) home = Math.max(home, this.#place(node, part));
    }
    this.#homes.set(node, home);
  }

  /** Puts a part of a node into the latest group that can take it, or into a new one. Returns the group's place. */
  #place(node: FlowNode, part: number): number {
    const space = spaceOf(node, part);
    const size = sizeOf(space);
    for (let at = this.steps.length - 1, tried = 0; at >= 0 && tried < REACH; at--) {
      const group = this.steps[at] as Step;
      if (group.kind !== "group" || group.size !== size) continue;
      tried++;
      // Members of a later part of the same straight line need not look at the full parts before.
      if (group.members.size >= MEMBERS) {
        if (size === 1) break;
        continue;
      }
      const member = this.#fit(group, node, part);
      if (member !== null) {
        group.add(member);
        return at;
      }
    }
    const group = new Group(this.steps.length, space);
    const member: Member = { node, part, indices: group.counters.map(counted) };
    const blocked = operandsOf(member).map((operand) => this.source(group, operand));
    for (const source of blocked) {
      if (source.kind !== "blocked") continue;
      if (!this.#homes.has(source.node)) this.#placeAll(source.node);
    }
    if (blocked.some(({ kind }) => kind === "blocked")) return this.#place(node, part);
    group.add(member);
    return this.steps.push(group) - 1;
  }

  /** A part of a node as a member of a group, or null where it cannot be. */
  #fit(group: Group, node: FlowNode, part: number): Member | null {
    const space = spaceOf(node, part);
    const indices = sameShape(space, group.shape)
      ? group.counters.map(counted)
      : unflattened(group.flat, space);
    if (indices === null) return null;
    const isEarlier = (x: FlowNode) => (this.#homes.get(x) as number) < group.at;
    if (node.lowering?.kind === "take" && !isEarlier(this.memoryOf(node.inputs[0] as FlowNode))) return null;
    const member: Member = { node, part, indices };
    for (const operand of operandsOf(member)) {
      const source = this.source(group, operand);
      if (source.kind === "blocked" || (source.kind === "memory" && !isEarlier(source.node))) return null;
    }
    return member;
  }

  /**
   * Moves members into the only later group that uses them, where what they read is in memory anyway: a comparison with
   * what is stored belongs to the derivative that selects by it, not to the value.
   */
  #sink(flow: Flow): void {
    const outputs = new Set(flow.outputs.map((output) => this.memoryOf(output)));
    const readers = this.#readers();
    for (let at = this.steps.length - 1; at >= 0; at--) {
      const from = this.steps[at] as Step;
      if (from.kind !== "group") continue;
      for (const member of [...from.members].reverse()) {
        const { node } = member;
        const users = readers.get(node) ?? [];
        const target = users[0]?.at ?? at;
        const to = this.steps[target] as Step;
        if (!isAtHand(node) || outputs.has(node) || target === at || to.kind !== "group") continue;
        if (users.some((user) => user.at !== target || user.member === null)) continue;
        const operands = operandsOf(member);
        const sources = operands.map((operand) => this.source(from, operand));
        if (sources.some(({ kind }) => kind !== "memory")) continue;
        const moved = this.#fit(to, node, member.part);
        if (moved === null) continue;
        to.add(moved);
        const isTaken = (user: Reader) =>
          operandsOf(user.member as Member).every((operand) => {
            const source = this.source(to, operand);
            return source.kind === "member" || source.node !== node;
          });
        if (!users.every(isTaken)) {
          to.remove(moved);
          continue;
        }
        from.remove(member);
        this.#homes.set(node, target);
        for (const source of sources) {
          const list = readers.get(source.node) as Reader[];
          const old = list.findIndex((reader) => reader.member === member);
          list.splice(old, 1, { at: target, member: moved });
        }
      }
    }
  }

  /** For each node, who reads it, in groups or as routines. */
  #readers(): Map<FlowNode, Reader[]> {
    const readers = new Map<FlowNode, Reader[]>();
    const enter = (node: FlowNode, reader: Reader) => {
      const list = readers.get(node);
      if (list === undefined) readers.set(node, [reader]);
      else list.push(reader);
    };
    this.steps.forEach((step, at) => {
      if (step.kind === "routine") {
        for (const input of step.node.inputs) enter(this.memoryOf(input), { at, member: null });
        return;
      }
      for (const member of step.members) {
        for (const operand of operandsOf(member)) enter(this.source(step, operand).node, { at, member });
        if (member.node.lowering?.kind === "take")
          enter(this.memoryOf(member.node.inputs[0] as FlowNode), { at, member: null });
      }
    });
    return readers;
  }
}

/** Who reads a node: a member of a group, or null a routine or what needs all of it. */
interface Reader {
  readonly at: number;
  readonly member: Member | null;
}
