/** What functions of problems answer, without the protocol around it. */

import type { Input } from "../problem.ts";
import { problems } from "../problems/index.ts";
import { outputOf } from "../protocol.ts";
import type { Runner } from "../targets.ts";

/** The output of a function of a module on an input, on a target. */
export function outputFor(run: Runner, module: string, name: string, input: Input): unknown {
  const taskOf = problems[module]?.[name];
  if (taskOf === undefined) throw new Error(`no function ${name} in ${module}`);
  const { f, args, answer } = taskOf(input);
  const runnable = run(f);
  const result = runnable(...args) as never;
  const output = outputOf(answer === undefined ? result : answer(result));
  runnable.dispose?.();
  return output;
}
