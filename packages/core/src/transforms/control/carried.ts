/** Loops as operations whose steps may assign to parameters and buffers outside: what they assign is carried as well. */

import { type Cell, state } from "../../state.ts";
import type { Value } from "../../value.ts";

/** A loop that is being captured: what it carries is its own carry, then what its steps assign to. */
export interface CarryingLoop {
  /** What it starts from. */
  readonly initial: readonly Value[];
  /** Where a step or a test begins: what arrives is put where it is read. Returns the loop's own carry. */
  enter(carry: readonly Value[]): readonly Value[];
  /** Where a step ends, with its own next carry: that, and what the step leaves outside. */
  leave(carry: readonly Value[]): readonly Value[];
}

/**
 * What `capture` makes of a loop from a carry. What its steps assign to outside is assigned once more, as the loop leaves
 * it. Null where a gradient is there before a step and not after it, or the reverse: such steps are not alike.
 */
export function captureLoop<T extends { readonly carry: readonly Value[] }>(
  carry: readonly Value[],
  capture: (loop: CarryingLoop) => T,
): T | null {
  const mark = state.tracer?.mark();
  let cells: readonly Cell[] = [];
  for (;;) {
    const before = cells.map((cell) => cell.get());
    const isHeld = (_: unknown, i: number) => before[i] !== null;
    /** What the last step that was captured assigned to. */
    let changes: readonly Cell[] | null = [];
    const place = (xs: readonly Value[]): readonly Value[] => {
      let next = carry.length;
      cells.forEach((cell, i) => {
        cell.set(before[i] === null ? null : (xs[next++] as Value));
      });
      return xs.slice(0, carry.length);
    };
    const ended = capture({
      initial: [...carry, ...(before.filter(isHeld) as Value[])],
      enter(xs) {
        mark?.rewind();
        return place(xs);
      },
      leave(next) {
        changes = mark === undefined ? [] : mark.changes();
        // A gradient that is gone makes the attempt void when it is done.
        const now = cells.map((cell, i) => cell.get() ?? before[i]);
        return [...next, ...(now.filter(isHeld) as Value[])];
      },
    });
    mark?.rewind();
    if (changes === null) return null;
    const more = changes.filter((cell) => !cells.includes(cell));
    if (more.length === 0) return { ...ended, carry: place(ended.carry) };
    cells = [...cells, ...more];
  }
}
