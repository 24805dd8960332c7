/** Reading inputs: fields of a message as values of the shapes that a function wants. */

import { type Value, value } from "@adjoint/core";
import type { Input } from "./problem.ts";

/** An input that is not what the function takes. */
export class InputError extends Error {}

function refuse(path: string, expected: string, got: unknown): never {
  const text = JSON.stringify(got) ?? "nothing";
  const shown = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  throw new InputError(`input: ${path} must be ${expected}, got ${shown}.`);
}

/** The entry of an object. */
export function field(input: Input, name: string): Input {
  if (typeof input !== "object" || input === null || Array.isArray(input))
    refuse("the input", `an object with ${JSON.stringify(name)}`, input);
  return (input as Record<string, unknown>)[name];
}

/** A number. */
export function number(x: Input, path: string): number {
  return typeof x === "number" ? x : refuse(path, "a number", x);
}

/** A number as a value. */
export function scalar(x: Input, path: string): Value {
  return value(number(x, path));
}

/** A whole number that is not below `least`. */
export function count(input: Input, name: string, least = 0): number {
  const n = field(input, name);
  return Number.isInteger(n) && (n as number) >= least
    ? (n as number)
    : refuse(name, `a whole number ≥ ${least}`, n);
}

/** A list, and how long it is if that is known. */
export function list(x: Input, path: string, length?: number): readonly unknown[] {
  if (!Array.isArray(x)) refuse(path, "a list", x);
  if (length !== undefined && x.length !== length) refuse(path, `a list of ${length}`, x);
  return x;
}

/**
 * Nested lists of numbers as a value. A size that is null may be any; lists of lists must all have one length.
 */
export function tensor(input: Input, name: string, ...sizes: readonly (number | null)[]): Value {
  return shaped(field(input, name), name, ...sizes);
}

/** The same of what is at hand already. */
export function shaped(x: Input, path: string, ...sizes: readonly (number | null)[]): Value {
  const shape: number[] = [];
  let inner = x;
  for (const size of sizes) {
    const n: number = size ?? list(inner, path).length;
    shape.push(n);
    inner = Array.isArray(inner) ? inner[0] : undefined;
  }
  const data = new Float64Array(shape.reduce((a, b) => a * b, 1));
  let at = 0;
  const fill = (part: Input, depth: number): void => {
    if (depth === shape.length) {
      if (typeof part !== "number") refuse(path, `numbers in lists of ${shape.join(" × ")}`, part);
      data[at++] = part;
      return;
    }
    for (const entry of list(part, path, shape[depth])) fill(entry, depth + 1);
  };
  fill(x, 0);
  return value(data, { shape });
}

/** A list of whole numbers in [low, high). */
export function indices(x: Input, path: string, low: number, high: number): Int32Array {
  return Int32Array.from(list(x, path), (i) =>
    Number.isInteger(i) && (i as number) >= low && (i as number) < high
      ? (i as number)
      : refuse(path, `a list of whole numbers in [${low}, ${high - 1}]`, i),
  );
}
