/** The kernel language's instructions on JavaScript's numbers; masks are 0 and 1. */

import type { DType } from "@adjoint/core";
import type { Fold, Operator, Register } from "./language.ts";

/** A number as a register of a dtype holds it. */
export function rounded(dtype: DType, x: number): number {
  if (dtype === "float32") return Math.fround(x);
  return dtype === "float64" ? x : dtype === "int32" ? x | 0 : x === 0 ? 0 : 1;
}

/** What an instruction makes of numbers, before it is rounded to the dtype of its register. */
export function compute(
  operator: Operator,
  dtype: DType,
  registers: readonly Register[],
  [a = 0, b = 0, c = 0]: readonly number[],
): number {
  switch (operator) {
    case "neg":
      return -a;
    case "abs":
      return Math.abs(a);
    case "sqrt":
      return Math.sqrt(a);
    case "floor":
      return Math.floor(a);
    case "ceil":
      return Math.ceil(a);
    case "trunc":
      return Math.trunc(a);
    case "nearest":
      return nearest(a);
    case "not":
      return a === 0 ? 1 : 0;
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return dtype === "int32" ? Math.imul(a, b) : a * b;
    case "div":
      return a / b;
    case "min":
      return Math.min(a, b);
    case "max":
      return Math.max(a, b);
    case "eq":
      return a === b ? 1 : 0;
    case "lt":
      return a < b ? 1 : 0;
    case "le":
      return a <= b ? 1 : 0;
    case "and":
      return a !== 0 && b !== 0 ? 1 : 0;
    case "or":
      return a !== 0 || b !== 0 ? 1 : 0;
    case "select":
      return a !== 0 ? b : c;
    case "convert":
      return registers[0]?.dtype === dtype ? a : rounded(dtype, a);
  }
}

/** To the nearest whole number, ties to even. */
function nearest(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : Math.ceil(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Two numbers gathered into one. */
export function fold(fold: Fold, a: number, b: number): number {
  return fold === "sum" ? a + b : fold === "max" ? Math.max(a, b) : Math.min(a, b);
}
