/** What the runner and a contender's process say to each other: one JSON object a line, a reply to each command. */

import type { Answers } from "./statistics.ts";

/** What the runner asks for. The first is always `start`. */
export type Command =
  | { readonly do: "start"; readonly workload: string; readonly contender: string }
  /** Runs steps one by one for their answers. */
  | { readonly do: "check"; readonly steps: number }
  /** Runs steps for about so many milliseconds, at least one. */
  | { readonly do: "round"; readonly milliseconds: number }
  | { readonly do: "memory" };

/** A problem made ready. */
export interface Started {
  /** False where the contender does not do this kind of work. */
  readonly able: boolean;
  /** Milliseconds for loading the contender. */
  readonly load: number;
  /** Milliseconds for giving it the problem's data. */
  readonly prepare: number;
}

/** Steps run for their answers. */
export interface Checked extends Answers {
  /** Milliseconds of each step; the first contains all that is compiled or traced on the first call. */
  readonly times: readonly number[];
}

/** Times of a round: milliseconds a step, each the mean of a batch of steps. */
export interface Round {
  readonly samples: readonly number[];
}

/** Bytes of memory at the process's peak above what it had before the contender was loaded. */
export interface Memory {
  readonly peak: number;
}

/** The reply to each command. */
export interface Replies {
  readonly start: Started;
  readonly check: Checked;
  readonly round: Round;
  readonly memory: Memory;
}
