/** Dividing: the largest loop of a kernel in parts that threads can do at the same time. */

import { combined, counted, isInjective, substituted } from "./affine.ts";
import {
  type Affine,
  allStatements,
  type Buffer,
  type Counter,
  type Kernel,
  type Place,
  type Register,
  type Statement,
  unusedCounterId,
  workOf,
} from "./language.ts";
import { rewritten } from "./rewrite.ts";

/** A kernel that is done as a whole; or, of several parts, one loop over them, whose iterations want no order. */
export interface Portion {
  readonly kernel: Kernel;
  readonly parts: number;
}

type Loop = Extract<Statement, { kind: "loop" }>;

/** Loops of less work are not worth the meeting of threads: about a tenth of a millisecond. */
const LEAST_WORK = 2 ** 21;
/** How much of a loop may be left over when the parts are equal. */
const LARGEST_REST = 1 / 8;
/** Parts of innermost loops begin at multiples of this, so that they share no cache line. */
const LINE = 16;

/**
 * A kernel as kernels to be done one after the other that do the same: what stands before its largest loop, the loop in
 * parts, what is left over of it, and what stands after. Where it cannot be divided, or is too little, itself.
 *
 * Folds over the loop become one a part, and then a fold of these: sums are added in an order that depends on the number of
 * parts, and on nothing else.
 */
export function divide(
  kernel: Kernel,
  parts: number,
  buffer: (dtype: Register["dtype"], size: number) => Buffer,
  leastWork = LEAST_WORK,
): Portion[] {
  const whole = [{ kernel, parts: 1 }];
  if (parts < 2 || kernel.straight !== undefined) return whole;
  const loops = kernel.body.filter((s): s is Loop => s.kind === "loop");
  const loop = loops.reduce<Loop | null>((a, b) => (a !== null && workOf(a) >= workOf(b) ? a : b), null);
  if (loop === null || workOf(loop) < leastWork) return whole;
  const at = kernel.body.indexOf(loop);
  const before = kernel.body.slice(0, at);
  const after = kernel.body.slice(at + 1);

  const gathered = gathersOf([loop]);
  const folds = before.flatMap((s) => (s.kind === "begin" && gathered.has(s.to) ? [s] : []));
  if (folds.some(({ to }) => gathersOf(before).has(to) || gathersOf(after).has(to))) return whole;
  const counters = nestCounters(loop);
  const counter = counters.find(
    (c) => c.extent % parts <= c.extent * LARGEST_REST && c.extent >= parts && isDivisible(loop, c),
  );
  if (counter === undefined) return whole;
  const { extent } = counter;
  const long = Math.floor(extent / parts);
  const inLines = isInnermost(loop, counter) && long >= 8 * LINE;
  const length = inLines ? Math.floor(long / LINE) * LINE : long;
  const rest = extent - parts * length;

  const crossing = crossingOf(before, folds, [loop, ...after]);
  const saved = crossing.map((register) => ({ register, place: scalarPlace(buffer(register.dtype, 1)) }));
  const slots = parts + (rest > 0 ? 1 : 0);
  const partial = folds.map(({ to, fold }) => ({ to, fold, buffer: buffer(to.dtype, slots) }));
  const recalled: Statement[] = [
    ...before.filter((s) => s.kind === "constant"),
    ...saved.map(({ register, place }): Statement => ({ kind: "load", to: register, from: place })),
  ];

  const first = before.filter(
    (s) => s.kind !== "constant" && !(s.kind === "begin" && folds.some(({ to }) => to === s.to)),
  );
  const portions: Portion[] = [];
  const add = (suffix: string, body: readonly Statement[], count = 1) => {
    portions.push({ kernel: { name: `${kernel.name}${suffix}`, body }, parts: count });
  };
  if (first.length > 0) {
    add(" first", [
      ...before.filter((s) => s.kind === "constant"),
      ...first,
      ...saved.map(({ register, place }): Statement => ({ kind: "store", to: place, from: register })),
    ]);
  }
  /** The loop from a counter's place on, with folds of its own that end in a slot. */
  const portion = (within: Counter, start: Affine, slot: Affine): Statement[] => [
    ...recalled,
    ...folds,
    ranged(loop, counter, within, start),
    ...partial.map(
      ({ to, buffer }): Statement => ({ kind: "store", to: { buffer, at: slot, picked: null }, from: to }),
    ),
  ];
  const part: Counter = { id: unusedCounterId(kernel.body), extent: parts };
  const one = (c: Counter): Affine => ({ offset: 0, terms: [{ counter: c, step: 1 }] });
  const within = { id: counter.id, extent: length };
  const starts = { offset: 0, terms: [{ counter: part, step: length }] };
  add(" in parts", [{ kind: "loop", counter: part, body: portion(within, starts, one(part)) }], parts);
  if (rest > 0) {
    const start = { offset: parts * length, terms: [] };
    add(" rest", portion({ id: counter.id, extent: rest }, start, { offset: parts, terms: [] }));
  }
  if (after.length > 0 || folds.length > 0) {
    const slot: Counter = { id: part.id, extent: slots };
    const gathers = partial.map(({ to, buffer }): { statement: Statement; from: Register } => {
      const from: Register = { id: -1 - to.id, dtype: to.dtype };
      return { statement: { kind: "load", to: from, from: { buffer, at: one(slot), picked: null } }, from };
    });
    const collect: Statement[] = partial.flatMap(({ to, fold }, i): Statement[] => {
      const { statement, from } = gathers[i] as (typeof gathers)[number];
      return [statement, { kind: "gather", into: to, fold, from }];
    });
    const collects: Statement[] = folds.length === 0 ? [] : [{ kind: "loop", counter: slot, body: collect }];
    add(" last", [...recalled, ...folds, ...collects, ...after]);
  }
  return portions;
}

/** The counter of a loop, and those of loops within that have nothing around them but instructions that may be repeated. */
function nestCounters(loop: Loop): Counter[] {
  const last = loop.body.at(-1);
  const around = loop.body.slice(0, -1);
  const isPerfect = last?.kind === "loop" && around.every(isInstruction);
  return [loop.counter, ...(isPerfect ? nestCounters(last) : [])];
}

function isInnermost(loop: Loop, counter: Counter): boolean {
  return allStatements([loop]).every(
    (s) => s.kind !== "loop" || s.counter !== counter || s.body.every(({ kind }) => kind !== "loop"),
  );
}

function isInstruction({ kind }: Statement): boolean {
  return kind === "constant" || kind === "load" || kind === "compute" || kind === "call";
}

/** Whether iterations of a counter write to different places, but for folds into registers from outside. */
function isDivisible(loop: Loop, counter: Counter): boolean {
  const moves = ({ at, picked }: Place) =>
    picked === null && at.terms.some((term) => term.counter === counter);
  const meetsNone = ({ at }: Place) =>
    isInjective(
      at,
      at.terms.map((term) => term.counter),
    );
  return allStatements(loop.body).every((s) => {
    if (s.kind === "store") return moves(s.to);
    if (s.kind === "combine") return moves(s.to) && meetsNone(s.to);
    return s.kind !== "fill";
  });
}

/** The registers that statements gather into. */
function gathersOf(statements: readonly Statement[]): Set<Register> {
  return new Set(allStatements(statements).flatMap((s) => (s.kind === "gather" ? [s.into] : [])));
}

/** What is made before and used later, but for constants and folds, which are made again. */
function crossingOf(
  before: readonly Statement[],
  folds: readonly { readonly to: Register }[],
  later: readonly Statement[],
): Register[] {
  const used = new Set(allStatements(later).flatMap(usedBy));
  return before.flatMap((s) => {
    if (s.kind !== "load" && s.kind !== "compute" && s.kind !== "call" && s.kind !== "begin") return [];
    return used.has(s.to) && !folds.some(({ to }) => to === s.to) ? [s.to] : [];
  });
}

function usedBy(s: Statement): Register[] {
  const picked = ({ picked }: Place) => (picked === null ? [] : [picked.index]);
  switch (s.kind) {
    case "load":
      return picked(s.from);
    case "compute":
    case "call":
      return [...s.from];
    case "store":
    case "combine":
      return [s.from, ...picked(s.to)];
    case "gather":
      return [s.from];
    default:
      return [];
  }
}

/** A loop as it is where one counter, its own or one within, is `start` and another one in its stead. */
function ranged(loop: Loop, counter: Counter, within: Counter, start: Affine): Statement {
  const index = combined(0, [1, 1], [start, counted(within)]);
  const [moved] = rewritten([loop], {
    counter: (c) => (c === counter ? within : c),
    affine: (at) => substituted(at, counter, index),
  });
  return moved as Statement;
}

const scalarPlace = (buffer: Buffer): Place => ({ buffer, at: { offset: 0, terms: [] }, picked: null });
