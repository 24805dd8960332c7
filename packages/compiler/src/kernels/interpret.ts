/** Runs kernels one number at a time: what every target is held to. */

import type { DType, TypedArray } from "@adjoint/core";
import {
  type Affine,
  type Buffer,
  type Counter,
  type Fold,
  type Kernel,
  neutral,
  type Operator,
  type Place,
  type Register,
  type Statement,
} from "./language.ts";

/** Runs a kernel on arrays, one a buffer. */
export function interpretKernel(kernel: Kernel, arrayOf: (buffer: Buffer) => TypedArray): void {
  const registers = new Map<Register, number>();
  const counters = new Map<Counter, number>();
  const read = (r: Register) => registers.get(r) as number;
  const write = (r: Register, x: number) => registers.set(r, rounded(r.dtype, x));
  const at = (affine: Affine) =>
    affine.terms.reduce(
      (sum, { counter, step }) => sum + step * (counters.get(counter) as number),
      affine.offset,
    );
  const place = ({ at: affine, picked }: Place) =>
    at(affine) + (picked === null ? 0 : picked.step * read(picked.index));
  const run = (statements: readonly Statement[]): void => {
    for (const s of statements) {
      switch (s.kind) {
        case "loop":
          for (let i = 0; i < s.counter.extent; i++) {
            counters.set(s.counter, i);
            run(s.body);
          }
          break;
        case "constant":
          write(s.to, s.value);
          break;
        case "load":
          write(s.to, arrayOf(s.from.buffer)[place(s.from)] as number);
          break;
        case "compute":
          write(s.to, compute(s.operator, s.to.dtype, s.from, s.from.map(read)));
          break;
        case "call":
          write(s.to, s.called.compute(...s.from.map(read)));
          break;
        case "store":
          arrayOf(s.to.buffer)[place(s.to)] = read(s.from);
          break;
        case "combine": {
          const array = arrayOf(s.to.buffer);
          const i = place(s.to);
          array[i] = fold(s.fold, array[i] as number, read(s.from));
          break;
        }
        case "begin":
          write(s.to, neutral(s.fold, s.to.dtype));
          break;
        case "gather":
          write(s.into, fold(s.fold, read(s.into), read(s.from)));
          break;
        case "fill":
          arrayOf(s.buffer).fill(s.value);
          break;
      }
    }
  };
  run(kernel.body);
}

function rounded(dtype: DType, x: number): number {
  if (dtype === "float32") return Math.fround(x);
  return dtype === "float64" ? x : dtype === "int32" ? x | 0 : x === 0 ? 0 : 1;
}

function fold(fold: Fold, a: number, b: number): number {
  return fold === "sum" ? a + b : fold === "max" ? Math.max(a, b) : Math.min(a, b);
}

/** An instruction on numbers; masks are 0 and 1. */
function compute(
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
