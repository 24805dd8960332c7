/**
 * Stretches: a long loop as a loop over short ones. Engines that compile a function quickly first, and well while it runs,
 * take the better code when it is called again: a stretch can be a function, where a long loop would go on as it began.
 */

import { combined, counted, substituted } from "./affine.ts";
import {
  type Affine,
  allStatements,
  type Buffer,
  type Counter,
  type Statement,
  unusedCounterId,
} from "./language.ts";
import { rewritten } from "./rewrite.ts";

type Loop = Extract<Statement, { kind: "loop" }>;

/** Statements in stretches, which are done in the order of the fields. */
export interface Stretches {
  /** Once. */
  readonly fills: readonly Statement[];
  /** What the loops read and none of them changes: it may be done again for each stretch. */
  readonly setup: readonly Statement[];
  /** Which stretch; its loop is `stretch`. */
  readonly counter: Counter;
  readonly stretch: Loop;
  /** What is left of the loop, and what follows it. */
  readonly rest: readonly Statement[];
}

/** How many iterations of innermost loops a stretch takes, if one of the outermost loop is no more than that. */
const STRETCH = 32_768;
/** A loop of fewer stretches stays whole. */
const LEAST = 4;
/** Stretches are of whole vectors, whatever the target's. */
const LANES = 16;

/**
 * The statements of a kernel in stretches of their outermost loop, of so many iterations each; null where there are few of them, or where the
 * loop gathers into registers from outside of it.
 */
export function stretchesOf(body: readonly Statement[], iterations = STRETCH): Stretches | null {
  const at = body.findIndex(({ kind }) => kind === "loop");
  const loop = body[at];
  if (loop?.kind !== "loop") return null;
  const fills = body.slice(0, at).filter(({ kind }) => kind === "fill");
  const setup = body.slice(0, at).filter(({ kind }) => kind !== "fill");
  const after = body.slice(at + 1);
  if (!setup.every(isRepeatable) || after.some(({ kind }) => kind === "loop")) return null;
  const read = new Set(setup.flatMap((s) => (s.kind === "load" ? [s.from.buffer] : [])));
  if (writesAny(loop.body, read)) return null;

  const { extent } = loop.counter;
  const size = stretchSize(iterations, iterationsOf(loop.body));
  const count = Math.floor(extent / size);
  if (count < LEAST) return null;
  const counter: Counter = { id: loop.counter.id, extent: count };
  const part = (n: number, start: Affine): Loop => {
    const own: Counter = { id: unusedCounterId([loop]), extent: n };
    const index = combined(0, [1, 1], [start, counted(own)]);
    return {
      kind: "loop",
      counter: own,
      body: rewritten(loop.body, { affine: (at) => substituted(at, loop.counter, index) }),
    };
  };
  const left = extent - count * size;
  return {
    ...{ fills, setup, counter },
    stretch: part(size, combined(0, [size], [counted(counter)])),
    rest: [...(left === 0 ? [] : [part(left, { offset: count * size, terms: [] })]), ...after],
  };
}

/** Whether a statement may be done more than once. */
function isRepeatable({ kind }: Statement): boolean {
  return kind === "constant" || kind === "load" || kind === "compute" || kind === "call";
}

function writesAny(body: readonly Statement[], buffers: ReadonlySet<Buffer>): boolean {
  return allStatements(body).some(
    (s) => (s.kind === "store" || s.kind === "combine") && buffers.has(s.to.buffer),
  );
}

/** How many iterations the loops of a body do. */
function iterationsOf(body: readonly Statement[]): number {
  const loops = body.filter((s) => s.kind === "loop");
  return loops.reduce((sum, { counter, body }) => sum + counter.extent * iterationsOf(body), 0) || 1;
}

function stretchSize(iterations: number, inner: number): number {
  const size = Math.floor(iterations / inner);
  return size < LANES ? Math.max(1, size) : size - (size % LANES);
}
