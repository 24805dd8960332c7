/** Checks that numeric options lie in their ranges. */

import { ArgumentError } from "@adjoint/core";

function check(where: string, name: string, x: number, holds: boolean, range: string): number {
  if (holds) return x;
  throw new ArgumentError({
    where,
    expected: `${name} must be ${range}`,
    received: typeof x === "number" ? String(x) : typeof x,
  });
}

/** A finite number > 0. */
export function positive(where: string, name: string, x: number): number {
  return check(where, name, x, Number.isFinite(x) && x > 0, "> 0");
}

/** A finite number ≥ 0. */
export function nonNegative(where: string, name: string, x: number): number {
  return check(where, name, x, Number.isFinite(x) && x >= 0, "≥ 0");
}

/** A number in [0, 1). */
export function fraction(where: string, name: string, x: number): number {
  return check(where, name, x, x >= 0 && x < 1, "in [0, 1)");
}

/** A whole number ≥ 1. */
export function count(where: string, name: string, x: number): number {
  return check(where, name, x, Number.isInteger(x) && x >= 1, "a whole number ≥ 1");
}
