/**
 * Schedule: the order of a flow's work. Nodes that work element by element over spaces of one size join the latest group
 * that they can; the order of the groups is the order of the program.
 */

import { sameShape, sizeOf } from "@adjoint/core/operations";
import { combined, flattened, sameAffine, unflattened } from "../kernels/affine.ts";
import type { Affine } from "../kernels/language.ts";
import { type Flow, type FlowNode, isInPlace } from "./flow.ts";
import { Group, isAtHand, isCheap, isLooped, isScalar, Member, operandsOf, spaceOf } from "./groups.ts";
import { Readers } from "./readers.ts";

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

/** How many of the latest groups a node tries to join. */
const REACH = 24;
/** Nodes of fewer elements are in the fastest cache when they are read again. */
const LEAST_AGAIN = 4096;
/** The place of a scalar's only element. */
const SCALAR = flattened([], []);

/** A node without elements in memory. */
const NOWHERE = -2;

/** The order of a flow's work. */
export class Schedule {
  readonly steps: Step[] = [];
  /**
   * By a node's id, the step after which its elements are in memory, if it keeps them there; −1 for what is there from
   * the start.
   */
  readonly #homes: Int32Array;
  /** Of nodes of several members, the first step that puts elements in memory. */
  readonly #begins = new Map<FlowNode, number>();
  /** By a node's id, the member that computes it, where others of the group can take elements as they are computed. */
  readonly #atHand: (Member | undefined)[];
  /** The groups by their sizes, in the order of the steps. */
  readonly #groups = new Map<number, Group[]>();

  constructor(flow: Flow) {
    this.#homes = new Int32Array(flow.count).fill(NOWHERE);
    this.#atHand = new Array<Member | undefined>(flow.count);
    for (const node of flow.nodes) {
      if (node.op === null || node.type.size === 0) this.#homes[node.id] = -1;
      else if (node.lowering?.kind === "view") continue;
      else if (isLooped(node)) this.#placeAll(node);
      else {
        for (const input of node.inputs) this.#keep(input);
        this.#homes[node.id] = this.steps.push({ kind: "routine", node }) - 1;
      }
    }
    for (const output of flow.outputs) this.#keep(output);
  }

  /** The node whose memory holds a node's elements, in the same order. */
  memoryOf(node: FlowNode): FlowNode {
    let holder = node;
    while (this.homeOf(holder) === NOWHERE) holder = holder.inputs[0] as FlowNode;
    return holder;
  }

  /** The step after which a node is in memory; −1 for what is there from the start. */
  homeOf({ id }: FlowNode): number {
    return this.#homes[id] as number;
  }

  /** The first step that puts elements of a node in memory. */
  beginOf(node: FlowNode): number {
    return this.#begins.get(node) ?? this.homeOf(node);
  }

  /** The member that computes a node element by element; null where there is none. */
  memberOf({ id }: FlowNode): Member | null {
    return this.#atHand[id] ?? null;
  }

  /** Where a member finds its operands. */
  sourcesOf({ node, part, group, indices }: Member): Source[] {
    return this.#sources(group, node, part, indices);
  }

  #sources(group: Group, node: FlowNode, part: number, indices: readonly Affine[]): Source[] {
    if (isScalar(node)) return node.inputs.map((input) => this.#source(group, input, SCALAR));
    return operandsOf(node, part, indices).map((operand) => this.#source(group, operand.node, operand.at));
  }

  #source(group: Group, node: FlowNode, at: Affine): Source {
    const own = group.again?.get(node) ?? this.#atHand[node.id];
    if (own?.group === group && sameAffine(own.at, at)) return { kind: "member", node };
    const { lowering, inputs, type } = node;
    const home = this.homeOf(node);
    // A view that is copied by a later step is looked through.
    if (home !== NOWHERE && (home < group.at || lowering?.kind !== "view"))
      return { kind: "memory", node, at };
    if (isInPlace(node)) return this.#source(group, inputs[0] as FlowNode, at);
    const indices = unflattened(at, type.shape);
    if (lowering?.kind !== "view" || indices === null) return { kind: "blocked", node };
    const { start, strides } = lowering.box;
    return this.#source(group, inputs[0] as FlowNode, combined(start, strides, indices));
  }

  /** Makes sure that a node's elements lie in memory in their order: copies views that move them. */
  #keep(node: FlowNode): void {
    if (this.homeOf(node) !== NOWHERE) return;
    if (isInPlace(node)) this.#keep(node.inputs[0] as FlowNode);
    else this.#placeAll(node);
  }

  #placeAll(node: FlowNode): void {
    if (node.lowering?.kind === "take") this.#keep(node.inputs[0] as FlowNode);
    const parts = node.lowering?.kind === "places" ? node.inputs.length : 1;
    let home = -1;
    for (let part = 0; part < parts; part++) {
      const empty = parts > 1 && (node.inputs[part] as FlowNode).type.size === 0;
      if (empty) continue;
      const at = this.#place(node, part);
      home = Math.max(home, at);
      if (parts > 1) this.#begins.set(node, Math.min(at, this.#begins.get(node) ?? at));
    }
    this.#homes[node.id] = home;
  }

  /** Puts a part of a node into the latest group that can take it, or into a new one. Returns the group's place. */
  #place(node: FlowNode, part: number): number {
    const space = spaceOf(node, part);
    const size = sizeOf(space);
    const groups = this.#groups.get(size) ?? [];
    if (groups.length === 0) this.#groups.set(size, groups);
    for (let i = groups.length - 1; i >= 0 && i >= groups.length - REACH; i--) {
      const group = groups[i] as Group;
      // Members of a later part of the same straight line need not look at the full parts before.
      if (group.isFull) {
        if (size === 1) break;
        continue;
      }
      const indices = this.#fit(group, node, part);
      if (indices !== null) return this.#add(group, node, part, indices);
    }
    const group = new Group(this.steps.length, space);
    const { indices } = group;
    const blocked = this.#sources(group, node, part, indices).filter(({ kind }) => kind === "blocked");
    if (blocked.length > 0) {
      for (const source of blocked) if (this.homeOf(source.node) === NOWHERE) this.#placeAll(source.node);
      return this.#place(node, part);
    }
    this.steps.push(group);
    groups.push(group);
    return this.#add(group, node, part, indices);
  }

  #add(group: Group, node: FlowNode, part: number, indices: readonly Affine[]): number {
    const member = new Member(node, part, group, indices);
    group.members.push(member);
    if (isAtHand(node)) this.#atHand[node.id] = member;
    return group.at;
  }

  /** The indices of a part of a node as a member of a group, or null where it cannot be. */
  #fit(group: Group, node: FlowNode, part: number): readonly Affine[] | null {
    const space = spaceOf(node, part);
    const indices = sameShape(space, group.shape) ? group.indices : unflattened(group.flat, space);
    return indices !== null && this.#isWithin(group, node, part, indices) ? indices : null;
  }

  /** Whether all that a part of a node reads is there before a group, or at hand in it. */
  #isWithin(group: Group, node: FlowNode, part: number, indices: readonly Affine[]): boolean {
    if (node.lowering?.kind === "take" && this.homeOf(this.memoryOf(node.inputs[0] as FlowNode)) >= group.at)
      return false;
    if (isScalar(node)) {
      for (const input of node.inputs) if (!this.#isThere(group, input, SCALAR)) return false;
      return true;
    }
    return operandsOf(node, part, indices).every((operand) => this.#isThere(group, operand.node, operand.at));
  }

  #isThere(group: Group, node: FlowNode, at: Affine): boolean {
    const own = this.#atHand[node.id];
    if (own?.group === group && sameAffine(own.at, at)) return true;
    const home = this.homeOf(node);
    if (home !== NOWHERE && home < group.at) return true;
    const source = this.#source(group, node, at);
    return source.kind === "member" || (source.kind === "memory" && this.homeOf(source.node) < group.at);
  }

  /**
   * Moves members into the only later group that uses them, where what they read is in memory anyway: a comparison with
   * what is stored belongs to the derivative that selects by it, not to the value. Returns who reads what then.
   */
  sink(flow: Flow): Readers {
    const outputs = new Set(flow.outputs.map((output) => this.memoryOf(output)));
    const readers = this.#findReaders(flow.count);
    for (let at = this.steps.length - 1; at >= 0; at--) {
      const from = this.steps[at] as Step;
      if (from.kind !== "group") continue;
      let moved = false;
      for (let i = from.members.length - 1; i >= 0; i--) {
        const member = from.members[i] as Member;
        const { node, part, indices } = member;
        const to = readers.onlyGroup(node);
        if (to === null || to === from || !isAtHand(node) || outputs.has(node)) continue;
        if (this.sourcesOf(member).some(({ kind }) => kind !== "memory")) continue;
        const there = this.#fit(to, node, part);
        if (there === null) continue;
        member.move(to, there);
        const isMissed = readers.some(node, (reader) =>
          this.sourcesOf(reader as Member).some((source) => source.kind !== "member" && source.node === node),
        );
        if (isMissed) {
          member.move(from, indices);
          continue;
        }
        to.members.push(member);
        this.#homes[node.id] = to.at;
        if (node.lowering?.kind === "take") readers.enter(this.memoryOf(node.inputs[0] as FlowNode), to.at);
        moved = true;
      }
      if (moved) from.members = from.members.filter(({ group }) => group === from);
    }
    return readers;
  }

  /**
   * Computes nodes again in the groups that read them, instead of keeping them in memory, where that is cheap and all
   * that it takes is loaded there anyway. That is much of what a derivative reads of the value before it. Given who reads
   * what; returns the same for afterwards.
   */
  repeat(flow: Flow, readers: Readers): Readers {
    const outputs = new Set(flow.outputs.map((output) => this.memoryOf(output)));
    const loads = new Map<Group, Map<FlowNode, Affine[]>>();
    const loadsOf = (group: Group) => {
      const known = loads.get(group) ?? this.#loadsOf(group);
      loads.set(group, known);
      return known;
    };
    const repeated: FlowNode[] = [];
    for (const node of flow.nodes) {
      if (node.type.size < LEAST_AGAIN || outputs.has(node)) continue;
      const own = this.#atHand[node.id];
      if (own === undefined || !isCheap(node)) continue;
      const groups = readers.groupsOf(node);
      if (groups === null || !groups.some((group) => group !== own.group)) continue;
      const members = groups.flatMap((group) =>
        group === own.group ? [] : [this.#again(node, group, loadsOf(group))],
      );
      if (members.includes(null)) continue;
      for (const member of members as Member[]) {
        const { group } = member;
        group.members.push(member);
        group.again ??= new Map();
        group.again.set(node, member);
        loadsOf(group).delete(node);
      }
      repeated.push(node);
    }
    if (repeated.length === 0) return readers;
    for (const node of repeated.reverse()) this.#forget(node);
    return this.#findReaders(flow.count);
  }

  /** A node as a member of a group that reads it from memory; null where more would be loaded for it. */
  #again(node: FlowNode, group: Group, loads: ReadonlyMap<FlowNode, readonly Affine[]>): Member | null {
    const [at, ...others] = loads.get(node) ?? [];
    if (at === undefined || others.length > 0 || group.isFull) return null;
    const indices = unflattened(at, node.type.shape);
    if (indices === null || !this.#isWithin(group, node, 0, indices)) return null;
    const isHere = (source: Source) =>
      source.kind === "member" ||
      (source.kind === "memory" &&
        (typeof source.node.storage === "number" ||
          loads.get(source.node)?.some((other) => sameAffine(other, source.at)) === true));
    return this.#sources(group, node, 0, indices).every(isHere) ? new Member(node, 0, group, indices) : null;
  }

  /** What a group's members load, and the places where. */
  #loadsOf(group: Group): Map<FlowNode, Affine[]> {
    const loads = new Map<FlowNode, Affine[]>();
    for (const member of group.members) {
      for (const source of this.sourcesOf(member)) {
        if (source.kind !== "memory") continue;
        const places = loads.get(source.node) ?? [];
        if (places.length === 0) loads.set(source.node, places);
        if (!places.some((at) => sameAffine(at, source.at))) places.push(source.at);
      }
    }
    return loads;
  }

  /** Leaves a node that others compute again out of its own group, unless somebody reads it there. */
  #forget(node: FlowNode): void {
    const own = this.#atHand[node.id] as Member;
    const { group } = own;
    const isRead = group.members.some((member) =>
      this.sourcesOf(member).some((source) => source.kind === "member" && source.node === node),
    );
    if (isRead) return;
    group.members = group.members.filter((member) => member !== own);
    const next = this.steps.find((step) => step.kind === "group" && step.again?.has(node) === true) as Group;
    this.#atHand[node.id] = next.again?.get(node);
    next.again?.delete(node);
    this.#homes[node.id] = next.at;
  }

  #findReaders(count: number): Readers {
    const readers = new Readers(count);
    this.steps.forEach((step, at) => {
      if (step.kind === "routine") {
        for (const input of step.node.inputs) readers.enter(this.memoryOf(input), at);
        return;
      }
      for (const member of step.members) {
        for (const { kind, node } of this.sourcesOf(member)) {
          const isAgain = kind === "member" && step.again?.has(node) === true;
          if (!isAgain) readers.enter(node, member);
        }
        if (member.node.lowering?.kind === "take")
          readers.enter(this.memoryOf(member.node.inputs[0] as FlowNode), at);
      }
    });
    return readers;
  }
}
