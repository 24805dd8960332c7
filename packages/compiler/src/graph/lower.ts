/** Lowering: the members of a group as one kernel. */

import { type Extremes, extremes, isFloat, stridesOf } from "@adjoint/core/operations";
import { combined, flattened } from "../kernels/affine.ts";
import { Body } from "../kernels/body.ts";
import type { Affine, Buffer, Call, Kernel, Register, Statement } from "../kernels/language.ts";
import { fillOf, needsFill, nestOf, type Sink } from "../kernels/nest.ts";
import { computed, needsOf } from "./expressions.ts";
import type { FlowNode } from "./flow.ts";
import { type Group, isScalar, type Member } from "./groups.ts";
import type { Schedule, Source } from "./schedule.ts";

/** Where nodes are in memory. */
export interface Homes {
  /** The buffer of a node that is read from memory. */
  of(node: FlowNode): Buffer;
  /** Whether anybody reads a node from memory. */
  isKept(node: FlowNode): boolean;
  /** Whether a node is written over what its own group reads. */
  isInPlace(node: FlowNode): boolean;
}

/** The kernel of a group; null where nothing of it is left in memory. */
export function kernelOf(group: Group, schedule: Schedule, homes: Homes): Kernel | null {
  const members = [...group.members].sort((a, b) => a.node.id - b.node.id || a.part - b.part);
  if (members.every(({ node }) => isScalar(node))) return straightLineOf(members, schedule, homes);
  const body = bodyOf(members, schedule, homes);
  return body === null ? null : { name: nameOf(members), body };
}

/** The kernel of scalars: lowered each time that it is asked for, since there may be millions of them. */
function straightLineOf(members: readonly Member[], schedule: Schedule, homes: Homes): Kernel | null {
  const buffers: Buffer[] = [];
  const calls = new Set<Call>();
  let isKept = false;
  for (const member of members) {
    const { node } = member;
    for (const { kind, node: from } of schedule.sourcesOf(member))
      if (kind === "memory" && typeof from.storage !== "number") buffers.push(homes.of(from));
    if (homes.isKept(node)) {
      buffers.push(homes.of(node));
      isKept = true;
    }
    for (const call of needsOf(node).calls) calls.add(call);
  }
  if (!isKept) return null;
  return {
    name: nameOf(members),
    straight: { buffers, calls: [...calls] },
    get body() {
      return bodyOf(members, schedule, homes) ?? [];
    },
  };
}

/** The statements of a group's members; null where nothing of them is left in memory. */
function bodyOf(members: readonly Member[], schedule: Schedule, homes: Homes): readonly Statement[] | null {
  const { group } = members[0] as Member;
  const body = new Body(2 * members.length);
  const registers = new Map<FlowNode, Register>();
  const sinks: Sink[] = [];
  const fills: Statement[] = [];
  const filled = new Set<FlowNode>();
  const load = (node: FlowNode, at: Affine): Register =>
    typeof node.storage === "number"
      ? body.constant(node.type.dtype, node.storage)
      : body.load({ buffer: homes.of(node), at, picked: null });

  const operandOf = (source: Source): Register => {
    if (source.kind === "blocked") throw new Error("a member's operands must be within reach");
    if (source.kind === "memory") return load(source.node, source.at);
    return registers.get(source.node) as Register;
  };
  const keep = ({ node, at }: Member, from: Register) => {
    registers.set(node, from);
    if (!homes.isKept(node)) return;
    const to = { buffer: homes.of(node), at, picked: null };
    sinks.push({ to, from, fold: "store", last: homes.isInPlace(node) });
  };
  const sink = (to: Sink["to"], from: Register, fold: Sink["fold"]) => {
    // A mask that is told in numbers is only a mask until it is stored.
    const added: Sink = { to, from: body.convert(from, to.buffer.dtype), fold, last: false };
    if (needsFill(added, group.counters)) fills.push(fillOf(to, fold as never));
    sinks.push(added);
  };

  for (const member of members) {
    const { node, indices } = member;
    const operands = schedule.sourcesOf(member).map(operandOf);
    const [first] = operands as [Register];
    const { lowering, type } = node;
    if (node.op?.elementwise) keep(member, computed(body, node, operands));
    else if (lowering?.kind === "view") keep(member, first);
    else if (lowering?.kind === "cast") keep(member, body.convert(first, type.dtype));
    else if (lowering?.kind === "fold") {
      const kept = indices.filter((_, axis) => !lowering.axes.includes(axis));
      const shape = (node.inputs[0] as FlowNode).type.shape.filter(
        (_, axis) => !lowering.axes.includes(axis),
      );
      const to = { buffer: homes.of(node), at: flattened(kept, shape), picked: null };
      sink(to, first, lowering.fold);
    } else if (lowering?.kind === "unview") {
      const { box } = lowering;
      sink(
        { buffer: homes.of(node), at: combined(box.start, box.strides, indices), picked: null },
        first,
        "sum",
      );
    } else if (lowering?.kind === "places") {
      const { parts, fill } = lowering;
      const { start, strides } = (parts[member.part] as (typeof parts)[number]).box;
      const to = { buffer: homes.of(node), at: combined(start, strides, indices), picked: null };
      if (fill !== null && schedule.beginOf(node) === group.at && !filled.has(node)) {
        filled.add(node);
        fills.push({ kind: "fill", buffer: to.buffer, value: fill });
      }
      sinks.push({ to, from: first, fold: "store", last: false });
    } else if (lowering?.kind === "take") {
      const { axis } = lowering;
      const x = node.inputs[0] as FlowNode;
      const rank = (node.inputs[1] as FlowNode).type.shape.length;
      const strides = stridesOf(x.type.shape);
      const outside = [...indices.slice(0, axis), ...indices.slice(axis + rank)];
      const at = combined(
        0,
        strides.filter((_, i) => i !== axis),
        outside,
      );
      const checked = checkedIndex(
        body,
        first,
        x.type.shape[axis] as number,
        rangeOf(node.inputs[1] as FlowNode),
      );
      const picked = { index: checked.index, step: strides[axis] as number };
      const element = body.load({ buffer: homes.of(schedule.memoryOf(x)), at, picked });
      const taken = checked.orElse(element, isFloat(type.dtype) ? Number.NaN : 0);
      keep(member, body.convert(taken, type.dtype));
    } else if (lowering?.kind === "untake") {
      const { axis } = lowering;
      const rank = (node.inputs[1] as FlowNode).type.shape.length;
      const strides = stridesOf(type.shape);
      const outside = [...indices.slice(0, axis), ...indices.slice(axis + rank)];
      const at = combined(
        0,
        strides.filter((_, i) => i !== axis),
        outside,
      );
      const checked = checkedIndex(
        body,
        first,
        type.shape[axis] as number,
        rangeOf(node.inputs[1] as FlowNode),
      );
      const picked = { index: checked.index, step: strides[axis] as number };
      sink({ buffer: homes.of(node), at, picked }, checked.orElse(operands[1] as Register, 0), "sum");
    } else throw new Error(`an operation must be lowered to be in a group (${node.op?.name})`);
  }
  if (sinks.length === 0) return null;
  return [...fills, ...nestOf(body, group.counters, sinks)];
}

/** An index that is inside of its axis. */
interface CheckedIndex {
  readonly index: Register;
  /** What is read or added at the index, or another number where the index was outside. */
  orElse(element: Register, other: number): Register;
}

/**
 * An index that may count from the end, as one from the start; 0 where it is outside, which only data can tell. What is
 * taken there is NaN, or 0 of integers, and what is added there is dropped, as core evaluates them. What is known of the
 * index beforehand need not be checked.
 */
function checkedIndex(body: Body, index: Register, n: number, { least, most }: Extremes): CheckedIndex {
  const m = body.arithmetic("int32");
  const fromStart = least >= 0 ? index : m.select(m.lt(index, m.zero), m.add(index, m.constant(n)), index);
  if (least >= -n && most < n) return { index: fromStart, orElse: (element) => element };
  const isInside = m.and(m.le(m.zero, fromStart), m.lt(fromStart, m.constant(n)));
  return {
    index: m.select(isInside, fromStart, m.zero),
    orElse: (element, other) => {
      const { select, constant } = body.arithmetic(element.dtype);
      return select(isInside, element, constant(other));
    },
  };
}

const UNKNOWN: Extremes = { least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };
const ranges = new WeakMap<FlowNode, Extremes>();

/** The least and the largest number that a node of integers can have, if that is known before it is computed. */
function rangeOf(node: FlowNode): Extremes {
  const { lowering, inputs, storage } = node;
  if (lowering?.kind === "view") return rangeOf(inputs[0] as FlowNode);
  if (storage === null) return UNKNOWN;
  if (typeof storage === "number") return { least: storage, most: storage };
  const range = ranges.get(node) ?? extremes(storage);
  ranges.set(node, range);
  return range;
}

/** The operations of a kernel, the first few of them, as its name. */
function nameOf(members: readonly Member[]): string {
  const names = members.map(({ node }) => node.op?.name ?? "");
  const shown = names.filter((name, i) => i === 0 || name !== names[i - 1]).slice(0, 4);
  return shown.join("_") + (names.length > shown.length ? `_${names.length}` : "");
}
