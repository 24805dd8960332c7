/** Program: what a compiled function does, before any target has seen it; and what a target makes of it. */

import type { Graph, TypedArray } from "@adjoint/core";

/** A scalar's number or a tensor's array, as `Value` stores them. */
export type Storage = number | TypedArray;

/**
 * A captured function whose state lives on between calls.
 *
 * The graph's inputs are the arguments, then the states. Its outputs are the results, then the new data of the states
 * that `updates` names, in that order, then what is `kept`: computed in each call, but copied out only when asked for.
 */
export interface Program {
  readonly graph: Graph;
  /** How many of the graph's inputs are arguments; the others are states. */
  readonly arguments: number;
  /** How many of the graph's outputs are results. */
  readonly results: number;
  /** Which state each of the following outputs replaces when the call ends. */
  readonly updates: readonly number[];
}

/** A program made ready to run. */
export interface Executable {
  /** Runs it; returns the results as fresh copies, unless they may be reused. All states must have been set once. */
  run(args: readonly Storage[]): Storage[];
  /** Puts data into a state: copied. */
  writeState(index: number, data: Storage): void;
  /** The data of a state now: a fresh copy. */
  readState(index: number): Storage;
  /** A kept output of the last run: a fresh copy. */
  readKept(index: number): Storage;
  /** What the program became, for people: kernels, memory, where time goes. */
  explain(): string;
  /** Gives its memory back; it may not run again. */
  dispose(): void;
}

/** Makes programs ready to run. */
export interface Target {
  readonly name: string;
  prepare(program: Program, options?: PrepareOptions): Executable;
}

/** How a program is to run. */
export interface PrepareOptions {
  /** How many threads may share its work, the one that runs it included. What is left out the target chooses. */
  readonly threads?: number;
  /** Whether arrays of results may be those of the run before, written over. */
  readonly reuseResults?: boolean;
}
