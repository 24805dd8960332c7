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

/** Places buffers so that no two overlap while both are live: the largest first, each as low as it can be. */
export function arenaOf(lifetimes: readonly Lifetime[], start: number): Arena {
  const placed: { from: number; to: number; begin: number; end: number }[] = [];
  const offsets = new Map<Buffer, number>();
  let bytes = start;
  const sized = lifetimes.map((lifetime) => ({
    ...lifetime,
    size:
      Math.max(1, Math.ceil((lifetime.buffer.size * bytesOf(lifetime.buffer.dtype)) / ALIGNMENT)) * ALIGNMENT,
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
  return { offsets, bytes };
}
