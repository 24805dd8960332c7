/** Protocol: messages of GradBench as lines of JSON, and their answers. */

import { isValue, type NestedNumbers } from "@adjoint/core";
import type { Tree } from "./problem.ts";

/** What an eval sends. Other kinds are answered with their id alone. */
export interface Message {
  readonly id: number;
  readonly kind: string;
  readonly module?: unknown;
  readonly function?: unknown;
  readonly input?: unknown;
}

/** How long one run took, or another part of the work. */
export interface Timing {
  readonly name: "evaluate" | "prepare";
  /** A whole number. */
  readonly nanoseconds: number;
}

/** What is answered. */
export interface Answer {
  readonly id: number;
  readonly tool?: string;
  readonly success?: boolean;
  readonly error?: string;
  readonly output?: unknown;
  readonly timings?: readonly Timing[];
}

/** A line as a message. Throws where it is none. */
export function parseMessage(line: string): Message {
  const expected = "a line must be a JSON object with a whole id and a kind";
  let message: Partial<Message> | null;
  try {
    message = JSON.parse(line);
  } catch (error) {
    throw new Error(`${expected}, got ${line.slice(0, 40)} (${(error as Error).message}).`);
  }
  if (typeof message !== "object" || !Number.isInteger(message?.id) || typeof message?.kind !== "string")
    throw new Error(`${expected}, got ${line.slice(0, 40)}.`);
  return message as Message;
}

/** Whole lines of bytes that come in chunks of any size; a last line may end without a line feed. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  const taken = () => {
    const line = Buffer.concat(parts).toString("utf8").trim();
    parts = [];
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      parts.push(chunk.subarray(start, end));
      start = end + 1;
      const line = taken();
      if (line !== "") yield line;
    }
    parts.push(chunk.subarray(start));
  }
  const line = taken();
  if (line !== "") yield line;
}

/** A result as it is sent: values as nested lists of numbers. Throws where a number is NaN or infinite: JSON has neither. */
export function outputOf(result: Tree): unknown {
  if (isValue(result)) {
    const wrong = result.data.find((x) => !Number.isFinite(x));
    if (wrong !== undefined) throw new Error(`the result must be finite, got ${wrong} in it.`);
    return result.toArray() satisfies NestedNumbers;
  }
  if (typeof result === "number" && !Number.isFinite(result))
    throw new Error(`the result must be finite, got ${result} in it.`);
  if (Array.isArray(result)) return result.map(outputOf);
  if (typeof result !== "object" || result === null) return result;
  return Object.fromEntries(Object.entries(result).map(([key, entry]) => [key, outputOf(entry)]));
}
