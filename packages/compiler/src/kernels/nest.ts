/** Nests: the instructions and results of one space of iterations as the fewest loops around them. */

import { isEmpty, isInjective } from "./affine.ts";
import type { Body, Instruction } from "./body.ts";
import {
  type Affine,
  type Counter,
  type Fold,
  neutral,
  type Place,
  type Register,
  type Statement,
} from "./language.ts";

/** Where a register goes in each iteration: stored, where no other iteration writes, or folded with what others bring. */
export interface Sink {
  readonly to: Place;
  readonly from: Register;
  readonly fold: Fold | "store";
  /** Whether it must wait until the iteration has read everything, because it replaces what is read. */
  readonly last: boolean;
}

/** The loops over all counters, outermost first, of a body with its sinks. */
export function nestOf(body: Body, counters: readonly Counter[], sinks: readonly Sink[]): Statement[] {
  if (isEmpty(counters)) return [];
  const instructions = usedInstructions(body, sinks);
  const moving = counters.filter(({ extent }) => extent > 1);
  const loops = moving.length === 0 ? NO_LOOPS : mergedLoops(moving, indicesOf(instructions, sinks));
  const nest = new Nest(body, instructions, loops);
  nest.add(sinks);
  return nest.statements();
}

/** The instructions that sinks depend on, in their order. */
function usedInstructions(body: Body, sinks: readonly Sink[]): Instruction[] {
  const used = new Uint8Array(body.count);
  for (const { to, from } of sinks) {
    used[from.id] = 1;
    if (to.picked !== null) used[to.picked.index.id] = 1;
  }
  const { instructions } = body;
  for (let i = instructions.length - 1; i >= 0; i--) {
    const s = instructions[i] as Instruction;
    if (used[s.to.id] === 0) continue;
    if (s.kind === "compute" || s.kind === "call") for (const r of s.from) used[r.id] = 1;
    else if (s.kind === "load" && s.from.picked !== null) used[s.from.picked.index.id] = 1;
  }
  return instructions.filter(({ to }) => used[to.id] === 1);
}

/** Where instructions and sinks read and write. */
function indicesOf(instructions: readonly Instruction[], sinks: readonly Sink[]): Affine[] {
  return [
    ...instructions.flatMap((s) => (s.kind === "load" ? [s.from.at] : [])),
    ...sinks.map(({ to }) => to.at),
  ];
}

/** How counters became fewer: each old one is a part of a new one, or gone. */
interface Loops {
  readonly counters: readonly Counter[];
  at(affine: Affine): Affine;
}

const NO_LOOPS: Loops = { counters: [], at: (affine) => affine };

/** Joins neighbouring counters that every index crosses with one step. */
function mergedLoops(counters: readonly Counter[], indices: readonly Affine[]): Loops {
  const stepOf = (index: Affine, counter: Counter) =>
    index.terms.find((term) => term.counter === counter)?.step ?? 0;
  // Groups of old counters, innermost last; a group steps as its last counter does.
  const groups: Counter[][] = [];
  for (const counter of counters) {
    const last = groups.at(-1);
    const before = last?.at(-1);
    if (
      last !== undefined &&
      before !== undefined &&
      indices.every((index) => stepOf(index, before) === stepOf(index, counter) * counter.extent)
    ) {
      last.push(counter);
    } else groups.push([counter]);
  }
  const merged = groups.map((group, id): [Counter, Counter] => [
    group.at(-1) as Counter,
    { id, extent: group.reduce((n, { extent }) => n * extent, 1) },
  ]);
  const byLast = new Map(merged);
  return {
    counters: merged.map(([, counter]) => counter),
    at: ({ offset, terms }) => ({
      offset,
      terms: terms.flatMap(({ counter, step }) => {
        const loop = byLast.get(counter);
        return loop === undefined ? [] : [{ counter: loop, step }];
      }),
    }),
  };
}

/** A perfect nest with statements before and after each loop. */
class Nest {
  readonly #body: Body;
  readonly #instructions: readonly Instruction[];
  readonly #loops: Loops;
  /** What stands within k loops before the next loop, and after it. */
  readonly #before: Statement[][];
  readonly #after: Statement[][];
  /** Within how many loops each register is made, by its id. */
  readonly #levels: number[];
  #next = 0;

  constructor(body: Body, instructions: readonly Instruction[], loops: Loops) {
    this.#body = body;
    this.#instructions = instructions;
    this.#loops = loops;
    this.#levels = new Array<number>(body.count).fill(0);
    this.#before = Array.from({ length: loops.counters.length + 1 }, () => []);
    this.#after = Array.from({ length: loops.counters.length + 1 }, () => []);
  }

  get #depth(): number {
    return this.#loops.counters.length;
  }

  add(sinks: readonly Sink[]): void {
    for (const sink of sinks) if (!sink.last) this.#sink(sink);
    this.#place(Infinity);
    for (const sink of sinks) if (sink.last) this.#sink(sink);
  }

  statements(level = 0): Statement[] {
    const counter = this.#loops.counters[level];
    const before = this.#before[level] as Statement[];
    if (counter === undefined) return before;
    const loop: Statement = { kind: "loop", counter, body: this.statements(level + 1) };
    return [...before, loop, ...(this.#after[level] as Statement[])];
  }

  /** Places the instructions up to the one that makes a register, each within as few loops as its operands allow. */
  #place(upTo: number): void {
    const instructions = this.#instructions;
    while (this.#next < instructions.length && (instructions[this.#next] as Instruction).to.id <= upTo) {
      const s = instructions[this.#next++] as Instruction;
      let level = 0;
      let moved = s;
      if (s.kind === "load") {
        const from = this.#moved(s.from);
        level = this.#levelOf(from);
        moved = { kind: "load", to: s.to, from };
      } else if (s.kind !== "constant")
        for (const r of s.from) level = Math.max(level, this.#levels[r.id] as number);
      this.#levels[s.to.id] = level;
      (this.#before[level] as Statement[]).push(moved);
    }
  }

  #moved(place: Place): Place {
    const { buffer, at, picked } = place;
    return at.terms.length === 0 ? place : { buffer, at: this.#loops.at(at), picked };
  }

  /** Within how many loops a place is known. */
  #levelOf({ at, picked }: Place): number {
    const index = picked === null ? 0 : (this.#levels[picked.index.id] as number);
    return at.terms.reduce(
      (level, { counter }) => Math.max(level, this.#loops.counters.indexOf(counter) + 1),
      index,
    );
  }

  #sink({ to, from, fold }: Sink): void {
    this.#place(Math.max(from.id, to.picked?.index.id ?? 0));
    const place = this.#moved(to);
    const inside = this.#before[this.#depth] as Statement[];
    if (fold === "store") {
      inside.push({ kind: "store", to: place, from });
      return;
    }
    // The innermost loops that the place does not move with are gathered in a register.
    const level = this.#levelOf(place);
    const outer = this.#loops.counters.slice(0, level);
    if (level === this.#depth) {
      inside.push({ kind: "combine", to: place, fold, from });
      return;
    }
    const wide = fold === "sum" && from.dtype === "float32";
    const sum = this.#body.register(wide ? "float64" : from.dtype);
    (this.#before[level] as Statement[]).push({ kind: "begin", to: sum, fold });
    inside.push({ kind: "gather", into: sum, fold, from });
    const after = this.#after[level] as Statement[];
    let result = sum;
    if (wide) {
      result = this.#body.register("float32");
      after.push({ kind: "compute", to: result, operator: "convert", from: [sum] });
    }
    if (place.picked === null && isInjective(place.at, outer))
      after.push({ kind: "store", to: place, from: result });
    else after.push({ kind: "combine", to: place, fold, from: result });
  }
}

/** Whether a sink needs its buffer filled before: it adds to memory, or leaves part of it alone. */
export function needsFill({ to, fold }: Sink, counters: readonly Counter[]): boolean {
  if (fold === "store") return false;
  if (to.picked !== null || isEmpty(counters)) return true;
  // Folds into a register over the innermost counters are stored at once.
  const moving = counters.filter(({ extent }) => extent !== 1);
  const last = moving.reduce(
    (at, counter, i) => (to.at.terms.some((term) => term.counter === counter) ? i : at),
    -1,
  );
  return last === moving.length - 1 || !isInjective(to.at, moving.slice(0, last + 1));
}

/** What a buffer is filled with before a fold combines into it. */
export function fillOf(to: Place, fold: Fold): Statement {
  return { kind: "fill", buffer: to.buffer, value: neutral(fold, to.buffer.dtype) };
}
