import type { DType } from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Buffer } from "../../src/kernels/language.ts";
import { arenaOf, bytesOf, type Lifetime } from "../../src/memory/arena.ts";

const lifetimes: fc.Arbitrary<Lifetime[]> = fc
  .array(
    fc.record({
      dtype: fc.constantFrom<DType>("float64", "float32", "int32", "bool"),
      size: fc.constantFrom(0, 1, 1, 2, 7, 8, 16, 100, 1000),
      from: fc.nat({ max: 20 }),
      length: fc.nat({ max: 8 }),
    }),
    { maxLength: 60, size: "max" },
  )
  .map((list) =>
    list.map(({ dtype, size, from, length }, id) => {
      const buffer: Buffer = { id, dtype, size };
      return { buffer, from, to: from + length };
    }),
  );

describe("arenaOf", () => {
  test("keeps buffers apart that are live together, aligned, and within what it says it takes", () => {
    fc.assert(
      fc.property(lifetimes, fc.constantFrom(0, 64, 4096), (list, start) => {
        const { offsets, bytes } = arenaOf(list, start);
        const placed = list.map(({ buffer, from, to }) => {
          const begin = offsets.get(buffer) as number;
          return { buffer, from, to, begin, end: begin + buffer.size * bytesOf(buffer.dtype) };
        });
        for (const a of placed) {
          expect(a.begin).toBeGreaterThanOrEqual(start);
          expect(a.end).toBeLessThanOrEqual(bytes);
          expect(a.begin % (a.buffer.size > 1 ? 64 : 8)).toBe(0);
          for (const b of placed) {
            const together = a !== b && a.from <= b.to && b.from <= a.to;
            if (together && a.begin < b.end && b.begin < a.end)
              expect.fail(`buffers ${a.buffer.id} and ${b.buffer.id} overlap`);
          }
        }
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  test("gives memory out again: a chain needs two places, whatever its length", () => {
    const chain = (size: number) =>
      Array.from(
        { length: 50 },
        (_, id): Lifetime => ({ buffer: { id, dtype: "float64", size }, from: id, to: id + 1 }),
      );
    expect(arenaOf(chain(8), 0).bytes).toBe(2 * 64);
    expect(arenaOf(chain(1), 0).bytes).toBeLessThanOrEqual(64);
  });
});
