/** Tests of ticks: round, inside the domain, neither too few nor too many. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatTick, linearTicks, logTicks } from "../src/ticks.ts";

describe("linearTicks", () => {
  test("are round numbers, written without rounding errors", () => {
    expect(linearTicks([0, 1], 5, false)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(linearTicks([-0.3, 0.3], 6, false)).toEqual([-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]);
    expect(linearTicks([1, 3], 8, true)).toEqual([1, 2, 3]);
    expect(linearTicks([0, 5000], 5, true)).toEqual([0, 1000, 2000, 3000, 4000, 5000]);
  });

  test("lie in the domain and are about as many as asked for", () => {
    const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(number, fc.double({ min: 1e-3, max: 1e6, noNaN: true }), (low, length) => {
        const high = low + length;
        const ticks = linearTicks([low, high], 6, false);
        expect(ticks.length).toBeGreaterThanOrEqual(3);
        expect(ticks.length).toBeLessThanOrEqual(11);
        for (const x of ticks) {
          expect(x).toBeGreaterThanOrEqual(low - 1e-6 * length);
          expect(x).toBeLessThanOrEqual(high + 1e-6 * length);
        }
      }),
    );
  });
});

describe("logTicks", () => {
  test("are powers of ten and their multiples", () => {
    expect(logTicks([0.9, 110])).toEqual([1, 2, 5, 10, 20, 50, 100]);
    expect(logTicks([1, 1e6])).toEqual([1, 10, 100, 1e3, 1e4, 1e5, 1e6]);
    expect(logTicks([1e-12, 1e12])).toEqual([1e-12, 1e-9, 1e-6, 1e-3, 1, 1e3, 1e6, 1e9, 1e12]);
    expect(logTicks([1, 2])).toEqual([1, 1.2, 1.4, 1.6, 1.8, 2]);
  });
});

test("formatTick writes decimals, and powers of ten where those are long", () => {
  expect([0, 0.25, -1500, 2e6, 1e-5].map(formatTick)).toEqual(["0", "0.25", "−1,500", "2e6", "1e−5"]);
});
