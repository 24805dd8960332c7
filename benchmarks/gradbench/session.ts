/** Session: what is answered to each message of an eval. */

import { field, InputError } from "./input.ts";
import type { Problem } from "./problem.ts";
import { problems } from "./problems/index.ts";
import { type Answer, type Message, outputOf, parseMessage, type Timing } from "./protocol.ts";
import type { Runner } from "./targets.ts";
import { repeated, timed } from "./timing.ts";

/**
 * The answer to a line. Whatever goes wrong is an answer as well; to a line that is no message, one with the id −1.
 * `prepares` says that what is captured and compiled is so before the first run, where it depends on nothing but sizes.
 */
export function answerTo(line: string, run: Runner, prepares = true): Answer {
  let id = -1;
  try {
    const message = parseMessage(line);
    id = message.id;
    return reply(message, run, prepares);
  } catch (error) {
    return { id, success: false, error: error instanceof Error ? error.message : String(error) };
  }
}

function reply(message: Message, run: Runner, prepares: boolean): Answer {
  const { id, kind } = message;
  switch (kind) {
    case "start":
      return { id, tool: "adjoint" };
    case "define":
      moduleOf(message.module);
      return { id, success: true };
    case "evaluate":
      return { id, success: true, ...evaluated(message, run, prepares) };
    default:
      return { id };
  }
}

/** The object's own entry: what it inherits has no meaning here. */
function own<T>(of: Readonly<Record<string, T>>, name: unknown): T | undefined {
  return typeof name === "string" && Object.hasOwn(of, name) ? of[name] : undefined;
}

function moduleOf(name: unknown): Problem {
  const problem = own(problems, name);
  if (problem !== undefined) return problem;
  throw new Error(
    `module must be one of ${Object.keys(problems).join(", ")}, got ${JSON.stringify(name) ?? "nothing"}.`,
  );
}

function evaluated(
  message: Message,
  run: Runner,
  prepares: boolean,
): { output: unknown; timings: readonly Timing[] } {
  const problem = moduleOf(message.module);
  const taskOf = own(problem, message.function);
  if (taskOf === undefined) {
    const known = Object.keys(problem).join(", ");
    throw new Error(`function must be one of ${known}, got ${JSON.stringify(message.function)}.`);
  }
  const { input } = message;
  const { f, args, answer, readsInput = false } = taskOf(input);
  const runnable = run(f);
  try {
    const prepared =
      runnable.prepare && prepares && !readsInput
        ? [timed("prepare", () => runnable.prepare?.(...args)).timing]
        : [];
    const { result, timings } = repeated(() => runnable(...args), timesOf(input));
    const output = outputOf(answer === undefined ? (result as never) : answer(result as never));
    return { output, timings: [...prepared, ...timings] };
  } finally {
    runnable.dispose?.();
  }
}

/** How often an input asks to be run; the number of `hello` asks for nothing. */
function timesOf(input: unknown): { runs: number; seconds: number } {
  if (typeof input !== "object") return { runs: 1, seconds: 0 };
  const least = (name: string): number => {
    const n = field(input, name) ?? 1;
    if (typeof n === "number" && Number.isFinite(n) && n >= 0) return n;
    throw new InputError(`input: ${name} must be a number ≥ 0, got ${JSON.stringify(n)}.`);
  };
  return { runs: least("min_runs"), seconds: least("min_seconds") };
}
