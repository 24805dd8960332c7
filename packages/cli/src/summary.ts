/** What a classifier got right and wrong, in words. */

import type { Value } from "@adjoint/core";
import { counted, percent } from "./output.ts";

/** How many classes a summary names. */
const SHOWN = 3;

/** Counts which class each example was taken for. */
export class Confusion {
  readonly classes: readonly string[];
  /** By true class, then by predicted one. */
  readonly counts: readonly Int32Array[];

  constructor(classes: readonly string[]) {
    this.classes = classes;
    this.counts = classes.map(() => new Int32Array(classes.length));
  }

  /** Counts a batch. */
  add(logits: Value, targets: Value): void {
    const predicted = logits.argmax(-1).data;
    targets.data.forEach((target, i) => {
      const row = this.counts[target] as Int32Array;
      const column = predicted[i] as number;
      row[column] = (row[column] as number) + 1;
    });
  }

  /** How many examples were counted, and how many were taken for another class. */
  get totals(): { examples: number; wrong: number } {
    let examples = 0;
    let right = 0;
    this.counts.forEach((row, i) => {
      for (const n of row) examples += n;
      right += row[i] as number;
    });
    return { examples, wrong: examples - right };
  }

  /** The classes with the smallest part right, and what they are most often taken for. */
  worst(): string[] {
    return this.counts
      .map((row, i) => {
        const size = row.reduce((sum, n) => sum + n, 0);
        const right = row[i] as number;
        const [count, taken] = Array.from(row)
          .map((n, j) => (j === i ? ([-1, j] as const) : ([n, j] as const)))
          .reduce((most, other) => (other[0] > most[0] ? other : most));
        return { name: this.classes[i] as string, size, right, part: right / size, count, taken };
      })
      .filter(({ size, right }) => size > 0 && right < size)
      .sort((a, b) => a.part - b.part)
      .slice(0, SHOWN)
      .map(
        ({ name, part, count, taken }) =>
          `${name}, ${percent(part, 1)} right, ${counted(count, "time")} taken for ${this.classes[taken]}`,
      );
  }
}
