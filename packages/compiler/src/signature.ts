/** Signatures: what a program takes for granted of its arguments. */

import { ArgumentError, type DType, isValue, type Shape, type Value } from "@adjoint/core";
import { describe, sameShape, storageOf, type TensorType, tensorType } from "@adjoint/core/operations";

/** What a call brings for one leaf of the arguments. */
export type Leaf = Value | number;

/**
 * What one argument must be like. A value: its shape and dtype. A number: any. A parameter or buffer: the same one, since
 * the function may assign to it. Texts, booleans, null and undefined: the same. Arrays and plain objects: their entries.
 */
export interface Pattern {
  readonly kind: "value" | "number" | "same" | "array" | "object";
  readonly shape: Shape;
  readonly dtype: DType;
  readonly same: unknown;
  readonly keys: readonly string[];
  readonly entries: readonly Pattern[];
}

const NONE: Pattern = { kind: "same", shape: [], dtype: "float64", same: undefined, keys: [], entries: [] };

/** The pattern of an argument. */
export function patternOf(x: unknown, path: string): Pattern {
  if (isValue(x)) {
    if (x.isAssignable) return { ...NONE, same: x };
    return { ...NONE, kind: "value", shape: x.shape, dtype: x.dtype };
  }
  if (typeof x === "number") return { ...NONE, kind: "number" };
  if (typeof x === "string" || typeof x === "boolean" || x === null || x === undefined) {
    return { ...NONE, same: x };
  }
  if (Array.isArray(x)) {
    return { ...NONE, kind: "array", entries: x.map((entry, i) => patternOf(entry, `${path}[${i}]`)) };
  }
  if (isPlainObject(x)) {
    const keys = Object.keys(x);
    return { ...NONE, kind: "object", keys, entries: keys.map((key) => patternOf(x[key], `${path}.${key}`)) };
  }
  throw new ArgumentError({
    where: "compile",
    expected: `${path} must be a value, a number, a text, a boolean, or an array or plain object of such`,
    received: describe(x),
    advice: "Let the function read other things from outside.",
  });
}

/** Whether an argument is as a pattern says; puts its values and numbers at the end of `leaves`. */
export function matches(pattern: Pattern, x: unknown, leaves: Leaf[]): boolean {
  const { kind } = pattern;
  if (kind === "value") {
    if (!isValue(x) || x.dtype !== pattern.dtype || !sameShape(x.shape, pattern.shape)) return false;
    if (x.isAssignable || storageOf(x) === null) return false;
    leaves.push(x);
    return true;
  }
  if (kind === "number") {
    if (typeof x !== "number") return false;
    leaves.push(x);
    return true;
  }
  if (kind === "same") return x === pattern.same;
  const { entries, keys } = pattern;
  if (kind === "array") {
    if (!Array.isArray(x) || x.length !== entries.length) return false;
    return entries.every((entry, i) => matches(entry, x[i], leaves));
  }
  if (!isPlainObject(x)) return false;
  const found = Object.keys(x);
  return (
    found.length === keys.length &&
    entries.every((entry, i) => keys[i] === found[i] && matches(entry, x[keys[i] as string], leaves))
  );
}

/** The types of the values and numbers of patterns, in order. */
export function typesOf(patterns: readonly Pattern[]): TensorType[] {
  return patterns.flatMap((pattern) => {
    if (pattern.kind === "value" || pattern.kind === "number")
      return [tensorType(pattern.shape, pattern.dtype)];
    return typesOf(pattern.entries);
  });
}

/** An argument as a pattern says, with the next of `leaves` for each of its values and numbers. */
export function build(pattern: Pattern, leaves: Iterator<Value>): unknown {
  const { kind, entries, keys } = pattern;
  if (kind === "value" || kind === "number") return leaves.next().value;
  if (kind === "same") return pattern.same;
  if (kind === "array") return entries.map((entry) => build(entry, leaves));
  return Object.fromEntries(entries.map((entry, i) => [keys[i], build(entry, leaves)]));
}

/** A pattern as text: `float32 [32, 784]`. */
export function formatPattern({ kind, shape, dtype, same, keys, entries }: Pattern): string {
  if (kind === "number") return "number";
  if (kind === "value") return `${dtype} [${shape.join(", ")}]`;
  if (kind === "array") return `[${entries.map(formatPattern).join(", ")}]`;
  if (kind === "object") return `{ ${entries.map((x, i) => `${keys[i]}: ${formatPattern(x)}`).join(", ")} }`;
  if (!isValue(same)) return String(same);
  return `${same.isParameter ? "parameter" : "buffer"} ${same.label === null ? "" : `${JSON.stringify(same.label)} `}[${same.shape.join(", ")}]`;
}

/** Whether `x` is an object without a class. */
export function isPlainObject(x: unknown): x is Record<string, unknown> {
  if (typeof x !== "object" || x === null) return false;
  const prototype = Object.getPrototypeOf(x);
  return prototype === Object.prototype || prototype === null;
}
