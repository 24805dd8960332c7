/** Groups: nodes that share a pass over memory, the spaces that they work over, and where they read in these. */

import { type Shape, sameShape, sizeOf } from "@adjoint/core/operations";
import { combined, counted, fixed, flattened } from "../kernels/affine.ts";
import type { Affine, Counter } from "../kernels/language.ts";
import { needsOf } from "./expressions.ts";
import type { FlowNode } from "./flow.ts";
import type { FlowLowering } from "./places.ts";

/** One node's part of a group; of places there is a member for each operand. */
export class Member {
  readonly node: FlowNode;
  /** Which operand of places this is; otherwise 0. */
  readonly part: number;
  #group: Group;
  #indices: readonly Affine[];
  #at: Affine;

  constructor(node: FlowNode, part: number, group: Group, indices: readonly Affine[]) {
    this.node = node;
    this.part = part;
    this.#group = group;
    this.#indices = indices;
    this.#at = flattened(indices, node.type.shape);
  }

  get group(): Group {
    return this.#group;
  }

  /** The indices of the element at work along the axes of the member's space. */
  get indices(): readonly Affine[] {
    return this.#indices;
  }

  /** The place of the element at work in the member's node, row-major, where it computes one. */
  get at(): Affine {
    return this.#at;
  }

  /** Makes it a member of another group; who lists the members of groups is told elsewhere. */
  move(group: Group, indices: readonly Affine[]): void {
    this.#group = group;
    this.#indices = indices;
    this.#at = flattened(indices, this.node.type.shape);
  }
}

/** Members that share loops. */
export class Group {
  readonly kind = "group";
  /** Its place among the steps. */
  readonly at: number;
  readonly shape: Shape;
  readonly size: number;
  readonly counters: readonly Counter[];
  /** The indices of the element at work in the group's space, and its place, row-major. */
  readonly indices: readonly Affine[];
  readonly flat: Affine;
  members: Member[] = [];
  /** Members that compute again what another group computes as well; null where there are none. */
  again: Map<FlowNode, Member> | null = null;
  /** The instructions of the members that have been counted. */
  #instructions = 0;
  #counted = 0;

  constructor(at: number, shape: Shape) {
    this.at = at;
    this.shape = shape;
    this.size = sizeOf(shape);
    this.counters = shape.map((extent, id): Counter => ({ id, extent }));
    this.indices = this.counters.map(counted);
    this.flat = flattened(this.indices, shape);
  }

  /** Whether it takes no more members. */
  get isFull(): boolean {
    const { members } = this;
    if (members.length < FEW_MEMBERS) return false;
    for (; this.#counted < members.length; this.#counted++) {
      const { node } = members[this.#counted] as Member;
      this.#instructions += node.op?.elementwise ? needsOf(node).instructions : 1;
    }
    return members.length >= MEMBERS || this.#instructions >= INSTRUCTIONS;
  }
}

/** An operand of a member, and the index that it is read at. */
interface Operand {
  readonly node: FlowNode;
  readonly at: Affine;
}

/** How many members a group takes: engines bound the size of functions, and compile large ones slowly. */
const MEMBERS = 1024;
/** How many instructions a group's members may have: each makes a variable or two, and engines allow 50 000. */
const INSTRUCTIONS = 16384;
/** So few members are never too many, whatever their instructions. */
const FEW_MEMBERS = 64;
/** What takes no more instructions than this, constants included, is sooner computed again than stored and loaded. */
const CHEAP = 6;
/** What is taken from tables of no more elements comes from a cache. */
const SMALL_TABLE = 4096;

/** The space that a member works over. */
export function spaceOf({ lowering, inputs, type }: FlowNode, part: number): Shape {
  const kind = lowering?.kind;
  if (kind === "fold" || kind === "unview" || kind === "untake") return (inputs[0] as FlowNode).type.shape;
  if (kind === "places") return (inputs[part] as FlowNode).type.shape;
  return type.shape;
}

const LOOPED = new Set<FlowLowering["kind"]>(["view", "unview", "fold", "cast", "places", "take", "untake"]);

/** Whether a node is computed in loops, not by a routine. */
export function isLooped({ op, lowering, type }: FlowNode): boolean {
  if (op?.elementwise) return true;
  if (lowering === null) return false;
  // Masks have no extremes.
  return LOOPED.has(lowering.kind) && (lowering.kind !== "fold" || type.dtype !== "bool");
}

/** Whether a node's elements are at hand where they are computed, and not only in memory afterwards. */
export function isAtHand({ op, lowering }: FlowNode): boolean {
  if (op?.elementwise) return true;
  return lowering?.kind === "cast" || lowering?.kind === "view" || lowering?.kind === "take";
}

/** Whether an element of a node that is at hand is computed in less time than it takes to and from memory. */
export function isCheap(node: FlowNode): boolean {
  const { op, inputs, lowering } = node;
  if (lowering?.kind === "take") return (inputs[0] as FlowNode).type.size <= SMALL_TABLE;
  if (!op?.elementwise) return lowering?.kind === "cast";
  const { calls, instructions } = needsOf(node);
  return calls.length === 0 && instructions <= CHEAP;
}

/** Whether a node is computed of scalars, one by one. */
export function isScalar({ op, type }: FlowNode): boolean {
  return type.shape.length === 0 && op !== null && op.elementwise !== null;
}

/** The operands that a node's part reads element by element; what a `take` picks from is not among them. */
export function operandsOf(node: FlowNode, part: number, indices: readonly Affine[]): Operand[] {
  const { op, inputs, lowering, type } = node;
  const operand = (input: FlowNode, along: readonly Affine[]): Operand => ({
    node: input,
    at: flattened(along, input.type.shape),
  });
  if (op?.elementwise) {
    // Most operands are of one shape.
    let own: Affine | null = null;
    return inputs.map((input) => {
      const { shape } = input.type;
      if (sameShape(shape, type.shape)) {
        own ??= flattened(indices, shape);
        return { node: input, at: own };
      }
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
    case "places":
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
