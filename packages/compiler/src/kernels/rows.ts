/** Rows: kernels that go through the same rows one after the other as one that does each row in all of them. */

import {
  allStatements,
  type Buffer,
  buffersOf,
  type Counter,
  type Kernel,
  type Place,
  type Register,
  type Statement,
  workOf,
} from "./language.ts";
import { rewritten } from "./rewrite.ts";

type Loop = Extract<Statement, { kind: "loop" }>;

/** When it is worth it. */
const LEAST = {
  /** Fewer rows are left alone, for threads to have something to divide. */
  rows: 16,
  /** What stands alone in a row is computed one number at a time: the loops of the row must be so many times the work. */
  share: 16,
};

/** How many statements a kernel may grow to. */
const MOST_STATEMENTS = 256;

/**
 * Two kernels as one whose rows stay in a cache from the first to the second, or null: where they have other rows, where one
 * reads what the other writes in other rows, or where there is nothing in common.
 */
export function mergeRows(a: Kernel, b: Kernel, least = LEAST): Kernel | null {
  if (a.straight !== undefined || b.straight !== undefined) return null;
  const [first, second] = [rowsOf(a), rowsOf(b)];
  if (first === null || second === null) return null;
  const { counter } = first.loop;
  if (counter.extent !== second.loop.counter.extent || counter.extent < least.rows) return null;
  if (!standsBack(least.share, first.loop, second.loop) || !keepsOrder(first, second)) return null;
  if (!staysInRows(first.loop, second.loop)) return null;
  const count = allStatements(a.body).length;
  if (count + allStatements(b.body).length > MOST_STATEMENTS) return null;

  const registers = new Map<Register, Register>();
  const own = (r: Register): Register => {
    let renamed = registers.get(r);
    if (renamed === undefined) {
      renamed = { id: count + registers.size, dtype: r.dtype };
      registers.set(r, renamed);
    }
    return renamed;
  };
  const asFirst = (c: Counter) => (c === second.loop.counter ? counter : c);
  const moved = (statements: readonly Statement[]) =>
    rewritten(statements, {
      counter: asFirst,
      register: own,
      affine: ({ offset, terms }) => ({
        offset,
        terms: terms.map((term) => ({ ...term, counter: asFirst(term.counter) })),
      }),
    });
  const loop: Loop = { kind: "loop", counter, body: [...first.loop.body, ...moved(second.loop.body)] };
  return {
    name: `${a.name}, ${b.name}`,
    body: [...first.before, ...moved(second.before), loop, ...first.after, ...moved(second.after)],
  };
}

interface Rows {
  readonly before: readonly Statement[];
  readonly loop: Loop;
  readonly after: readonly Statement[];
}

/** A kernel that is one loop, with what stands around it. */
function rowsOf({ body }: Kernel): Rows | null {
  const loops = body.filter((s): s is Loop => s.kind === "loop");
  const [loop] = loops;
  if (loop === undefined || loops.length > 1) return null;
  const at = body.indexOf(loop);
  return { before: body.slice(0, at), loop, after: body.slice(at + 1) };
}

/** Whether what stands alone in the rows is little beside the loops of them. */
function standsBack(share: number, ...loops: readonly Loop[]): boolean {
  const body = loops.flatMap((loop) => loop.body);
  const work = (statements: readonly Statement[]) => statements.reduce((sum, s) => sum + workOf(s), 0);
  const alone = work(body.filter((s) => s.kind !== "loop"));
  return work(body) - alone >= share * alone;
}

/** Whether what follows the first loop and what precedes the second do not care which of the loops has been done. */
function keepsOrder(first: Rows, second: Rows): boolean {
  const [before, after] = [touchedBy(second.before), touchedBy(first.after)];
  const [one, other] = [touchedBy([...first.before, first.loop, ...first.after]), touchedBy([second.loop])];
  const apart = (a: Touched, b: Touched) =>
    ![...a.writes].some((x) => b.reads.has(x) || b.writes.has(x)) &&
    ![...b.writes].some((x) => a.reads.has(x));
  return apart(before, one) && apart(after, other);
}

type Touched = ReturnType<typeof buffersOf>;

const touchedBy = (body: readonly Statement[]): Touched => buffersOf({ name: "", body });

/** Whether the loops share something, and each row of the one meets only that row of the other. */
function staysInRows(first: Loop, second: Loop): boolean {
  const [a, b] = [touchedBy([first]), touchedBy([second])];
  const shared = [...a.reads, ...a.writes].filter((buffer) => b.reads.has(buffer) || b.writes.has(buffer));
  const changed = shared.filter((buffer) => a.writes.has(buffer) || b.writes.has(buffer));
  return shared.length > 0 && changed.every((buffer) => isByRows(buffer, first, second));
}

/** Whether all places of a buffer in a row are apart from those of the other rows. */
function isByRows(buffer: Buffer, ...loops: readonly Loop[]): boolean {
  let step: number | null = null;
  let [lowest, highest] = [Infinity, -Infinity];
  for (const { counter, body } of loops) {
    for (const { buffer: other, at, picked } of allStatements(body).flatMap(placesOf)) {
      if (other !== buffer) continue;
      const own = at.terms.find((term) => term.counter === counter)?.step ?? 0;
      if (picked !== null || own <= 0 || (step !== null && own !== step)) return false;
      step = own;
      let [low, high] = [at.offset, at.offset];
      for (const term of at.terms) {
        if (term.counter === counter) continue;
        const reach = term.step * (term.counter.extent - 1);
        if (reach < 0) low += reach;
        else high += reach;
      }
      lowest = Math.min(lowest, low);
      highest = Math.max(highest, high);
    }
  }
  return step !== null && highest - lowest < step;
}

function placesOf(s: Statement): Place[] {
  if (s.kind === "load") return [s.from];
  return s.kind === "store" || s.kind === "combine" ? [s.to] : [];
}
