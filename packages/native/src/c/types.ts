/** Numbers in C: the types of single ones and of vectors, and literals. */

import type { DType } from "@adjoint/core";

/** How numbers come in a piece of code: one at a time, or in vectors whose masks have elements of 4 or 8 bytes. */
export interface Form {
  readonly lanes: number;
  readonly mask: 4 | 8;
}

/** One number at a time. */
export const SINGLE: Form = { lanes: 1, mask: 4 };

const ELEMENTS = { float64: "double", float32: "float", int32: "int32_t", bool: "uint8_t" } as const;

/** The type of a buffer's elements. */
export function elementType(dtype: DType): string {
  return ELEMENTS[dtype];
}

/** A dtype in the names of types and functions. */
export function shortName(dtype: DType, { lanes, mask }: Form): string {
  const number = { float64: "f64", float32: "f32", int32: "i32", bool: `m${8 * mask}` }[dtype];
  return lanes === 1 ? number : `${number}x${lanes}`;
}

/** The type of a register. */
export function typeName(dtype: DType, form: Form): string {
  if (form.lanes > 1) return shortName(dtype, form);
  return dtype === "bool" ? "int" : ELEMENTS[dtype];
}

/** Bytes of an element of a vector. */
export function laneBytes(dtype: DType, { mask }: Form): number {
  return dtype === "bool" ? mask : dtype === "float64" ? 8 : 4;
}

/** A number as C writes it; masks are 0 and 1. */
export function literal(dtype: DType, x: number): string {
  if (dtype === "bool") return x === 0 ? "0" : "1";
  if (dtype === "int32") return x === -(2 ** 31) ? "INT32_MIN" : String(x);
  if (Number.isNaN(x)) return dtype === "float32" ? "(float)NAN" : "(double)NAN";
  const suffix = dtype === "float32" ? "f" : "";
  if (!Number.isFinite(x)) {
    const infinity = dtype === "float32" ? "(float)INFINITY" : "(double)INFINITY";
    return x < 0 ? `(-${infinity})` : infinity;
  }
  const text = dtype === "float32" ? shortestSingle(Math.fround(x)) : Object.is(x, -0) ? "-0" : String(x);
  const whole = /^-?\d+$/.test(text) ? `${text}.0` : text;
  return x < 0 || Object.is(x, -0) ? `(${whole}${suffix})` : `${whole}${suffix}`;
}

/** The fewest digits that are a float32 and no other. */
function shortestSingle(x: number): string {
  if (Object.is(x, -0)) return "-0";
  for (let digits = 1; digits < 9; digits++) {
    const text = String(Number(x.toPrecision(digits)));
    if (Math.fround(Number(text)) === x) return text;
  }
  return String(Number(x.toPrecision(9)));
}
