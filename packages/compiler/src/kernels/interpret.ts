/** Runs kernels one number at a time: what every target is held to. */

import type { TypedArray } from "@adjoint/core";
import { compute, fold, rounded } from "./compute.ts";
import {
  type Affine,
  type Buffer,
  type Counter,
  type Kernel,
  neutral,
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
  /** What is put in memory; other targets take the dtype of the register for the buffer's. */
  const stored = ({ buffer }: Place, from: Register): number => {
    if (from.dtype !== buffer.dtype)
      throw new Error(
        `what is stored must be ${buffer.dtype}, as its buffer is, got ${from.dtype} (${kernel.name})`,
      );
    return read(from);
  };
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
          arrayOf(s.to.buffer)[place(s.to)] = stored(s.to, s.from);
          break;
        case "combine": {
          const array = arrayOf(s.to.buffer);
          const i = place(s.to);
          array[i] = fold(s.fold, array[i] as number, stored(s.to, s.from));
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
