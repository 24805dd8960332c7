/** Problem: the functions of one eval, from the input of a message to what is computed of it. */

import type { Value } from "@adjoint/core";

/** What a message brings: parsed JSON. */
export type Input = unknown;

/** What functions take and give: values, numbers, null, and lists and plain objects of them. */
export type Tree = Value | number | null | readonly Tree[] | { readonly [key: string]: Tree };

/** One computation: a function, and the arguments that an input was laid out as. */
export interface Task {
  readonly f: (...args: never[]) => Tree;
  readonly args: readonly Tree[];
  /** What is sent of the result, where that is not all of it. */
  readonly answer?: (result: never) => Tree;
  /**
   * Whether what is captured depends on numbers of the input besides sizes: capturing and compiling is then part of the first
   * run, and otherwise done before it.
   */
  readonly readsInput?: true;
}

/** For each function of an eval, how an input becomes a task. Throws an InputError where it cannot. */
export type Problem = Readonly<Record<string, (input: Input) => Task>>;

/** A task whose function and arguments are checked against each other. */
export function task<A extends readonly Tree[], R extends Tree>(
  f: (...args: A) => R,
  args: NoInfer<A>,
  answer?: (result: R) => Tree,
): Task {
  return {
    f: f as unknown as Task["f"],
    args,
    ...(answer === undefined ? {} : { answer: answer as Task["answer"] & {} }),
  };
}
