import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  combined,
  counted,
  flattened,
  isInjective,
  sameAffine,
  unflattened,
} from "../../src/kernels/affine.ts";
import type { Affine, Counter } from "../../src/kernels/language.ts";

const shapes = fc.array(fc.constantFrom(1, 1, 2, 3, 4, 6), { maxLength: 4, size: "max" });

/** The values of an index over the space of counters, in order. */
function valuesOf({ offset, terms }: Affine, counters: readonly Counter[]): number[] {
  const stepOf = (counter: Counter) => terms.find((term) => term.counter === counter)?.step ?? 0;
  return counters.reduce(
    (found, counter) =>
      found.flatMap((x) => Array.from({ length: counter.extent }, (_, i) => x + i * stepOf(counter))),
    [offset],
  );
}

const countersOf = (extents: readonly number[]) => extents.map((extent, id): Counter => ({ id, extent }));

describe("affine indices", () => {
  test("unflattened takes apart what flattened put together", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const counters = countersOf(shape);
        const flat = flattened(counters.map(counted), shape);
        const indices = unflattened(flat, shape);
        expect(indices).not.toBeNull();
        indices?.forEach((index, axis) => {
          expect(sameAffine(index, counted(counters[axis] as Counter))).toBe(true);
        });
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test("unflattened says of any index where each element lies, or nothing", () => {
    let taken = 0;
    fc.assert(
      fc.property(shapes, shapes, fc.nat({ max: 8 }), fc.nat({ max: 5 }), (extents, shape, offset, k) => {
        const counters = countersOf(extents);
        const size = shape.reduce<number>((n, m) => n * m, 1);
        const steps = extents.map((_, i) => [1, 0, 2, 3, 4, 6, 12, 24][(i * (k + 1) + k) % 8] as number);
        const rowMajor = flattened(counters.map(counted), extents);
        const forward = k % 2 === 0 ? rowMajor : combined(offset, steps, counters.map(counted));
        // Every other one backwards along some axes.
        const index = forward.terms.reduce((whole, { counter, step }, i) => {
          if ((k + i) % 3 !== 0) return whole;
          return combined(step * (counter.extent - 1), [1, -2 * step], [whole, counted(counter)]);
        }, forward);
        const values = valuesOf(index, counters);
        if (values.some((x) => x >= size)) return;
        const indices = unflattened(index, shape);
        if (indices === null) return;
        taken++;
        const along = indices.map((one) => valuesOf(one, counters));
        values.forEach((x, at) => {
          let flat = 0;
          shape.forEach((n, axis) => {
            const i = (along[axis] as number[])[at] as number;
            expect(i).toBeGreaterThanOrEqual(0);
            expect(i).toBeLessThan(n);
            flat = flat * n + i;
          });
          expect(flat).toBe(x);
        });
      }),
      { numRuns: 3000, seed: 1 },
    );
    expect(taken).toBeGreaterThan(200);
  });

  test("unflattened refuses an index that runs across the end of an axis", () => {
    const [counter] = countersOf([4]) as [Counter];
    expect(unflattened(counted(counter), [2, 2])).toBeNull();
    expect(unflattened(combined(1, [1], [counted(counter)]), [2, 3])).toBeNull();
    expect(unflattened(combined(2, [-1], [counted(counter)]), [4])).toBeNull();
    expect(unflattened(combined(3, [-1], [counted(counter)]), [2, 2])).toBeNull();
  });

  test("unflattened takes indices apart that go backwards", () => {
    const [rows, columns] = countersOf([3, 4]) as [Counter, Counter];
    const backwards = combined(11, [-4, -1], [counted(rows), counted(columns)]);
    expect(unflattened(backwards, [3, 4])).toEqual([
      { offset: 2, terms: [{ counter: rows, step: -1 }] },
      { offset: 3, terms: [{ counter: columns, step: -1 }] },
    ]);
    expect(unflattened(combined(3, [4, -1], [counted(rows), counted(columns)]), [3, 4])).toEqual([
      { offset: 0, terms: [{ counter: rows, step: 1 }] },
      { offset: 3, terms: [{ counter: columns, step: -1 }] },
    ]);
  });

  test("isInjective is never wrong where it says that no element is met twice", () => {
    let found = 0;
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ extent: fc.constantFrom(0, 1, 2, 3, 5), step: fc.integer({ min: -7, max: 7 }) }),
          {
            maxLength: 4,
            size: "max",
          },
        ),
        (axes) => {
          const counters = countersOf(axes.map(({ extent }) => extent));
          const steps = axes.map(({ step }) => step);
          const index = combined(0, steps, counters.map(counted));
          const values = valuesOf(index, counters);
          if (!isInjective(index, counters)) return;
          found++;
          expect(new Set(values).size).toBe(values.length);
        },
      ),
      { numRuns: 2000, seed: 1 },
    );
    expect(found).toBeGreaterThan(300);
    const [rows, columns] = countersOf([3, 4]) as [Counter, Counter];
    const flat = flattened([counted(rows), counted(columns)], [3, 4]);
    expect(isInjective(flat, [rows, columns])).toBe(true);
    expect(isInjective(flat, [rows, columns, { id: 2, extent: 2 }])).toBe(false);
  });
});
