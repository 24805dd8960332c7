/** Arena: buffers that live at different times share memory. */

import type { DType } from "@adjoint/core";
import type { Buffer } from "../kernels/language.ts";

/** What is live from one step to another, both included. */
export interface Lifetime {
  readonly buffer: Buffer;
  readonly from: number;
  readonly to: number;
}

/** Offsets in bytes, and how far they reach. */
export interface Arena {
  readonly offsets: ReadonlyMap<Buffer, number>;
  readonly bytes: number;
}

/** Every buffer begins at a multiple of this: a cache line, so that vectors do not straddle two. */
const ALIGNMENT = 64;

const BYTES: Record<DType, number> = { float64: 8, float32: 4, int32: 4, bool: 1 };

/** Bytes of an element. */
export function bytesOf(dtype: DType): number {
  return BYTES[dtype];
}

/**
 * Places buffers so that no two overlap while both are live. Scalars take the first free place of 8 bytes in the order of
 * their making, since there may be very many; of the others the largest is placed first, each as low as it can be.
 */
export function arenaOf(lifetimes: readonly Lifetime[], start: number): Arena {
  const offsets = new Map<Buffer, number>();
  const isScalar = ({ buffer }: Lifetime) => buffer.size <= 1;
  const end = placeScalars(lifetimes.filter(isScalar), start, offsets);
  const bytes = placeArrays(
    lifetimes.filter((lifetime) => !isScalar(lifetime)),
    Math.ceil(end / ALIGNMENT) * ALIGNMENT,
    offsets,
  );
  return { offsets, bytes };
}

function placeScalars(lifetimes: readonly Lifetime[], start: number, offsets: Map<Buffer, number>): number {
  let end = start;
  const free: number[] = [];
  const ending = new Map<number, number[]>();
  let step = 0;
  for (const { buffer, from, to } of [...lifetimes].sort((a, b) => a.from - b.from)) {
    for (; step < from; step++) free.push(...(ending.get(step) ?? []));
    let at = free.pop();
    if (at === undefined) {
      at = end;
      end += 8;
    }
    offsets.set(buffer, at);
    const others = ending.get(to);
    if (others === undefined) ending.set(to, [at]);
    else others.push(at);
  }
  return end;
}

function placeArrays(lifetimes: readonly Lifetime[], start: number, offsets: Map<Buffer, number>): number {
  const placed: { from: number; to: number; begin: number; end: number }[] = [];
  let bytes = start;
  const sized = lifetimes.map((lifetime) => ({
    ...lifetime,
    size: Math.ceil((lifetime.buffer.size * bytesOf(lifetime.buffer.dtype)) / ALIGNMENT) * ALIGNMENT,
  }));
  for (const { buffer, from, to, size } of sized.sort((a, b) => b.size - a.size || a.from - b.from)) {
    const beside = placed
      .filter((other) => other.from <= to && from <= other.to)
      .sort((a, b) => a.begin - b.begin);
    let begin = start;
    for (const other of beside) {
      if (begin + size <= other.begin) break;
      begin = Math.max(begin, other.end);
    }
    placed.push({ from, to, begin, end: begin + size });
    offsets.set(buffer, begin);
    bytes = Math.max(bytes, begin + size);
  }
  return bytes;
}
