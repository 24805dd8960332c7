/** Schedules: their values at the marked epochs, and options out of range. */
import { describe, expect, test } from "vitest";
import {
  constantRate,
  cosineDecay,
  exponentialDecay,
  type Schedule,
  stepDecay,
  warmup,
} from "../src/index.ts";
import { saying } from "./saying.ts";

const at = (schedule: Schedule, epochs: readonly number[]) => epochs.map((epoch) => schedule(epoch));

test("constantRate never changes", () => {
  expect(at(constantRate(0.3), [0, 1, 1000])).toEqual([0.3, 0.3, 0.3]);
});

test("stepDecay drops every so many epochs", () => {
  expect(at(stepDecay({ initial: 0.8, every: 3, factor: 0.5 }), [0, 2, 3, 5, 6, 9])).toEqual([
    0.8, 0.8, 0.4, 0.4, 0.2, 0.1,
  ]);
});

test("exponentialDecay multiplies each epoch, or over a span of them", () => {
  expect(at(exponentialDecay({ initial: 2, factor: 0.5 }), [0, 1, 3])).toEqual([2, 1, 0.25]);
  const slow = exponentialDecay({ initial: 2, factor: 0.25, every: 4 });
  expect(at(slow, [0, 2, 4, 8])).toEqual([2, 1, 0.5, 0.125]);
});

test("cosineDecay goes down half a wave and stays there", () => {
  const schedule = cosineDecay({ initial: 1, final: 0.1, over: 10 });
  expect(schedule(0)).toBe(1);
  // cos(π/3) = ½ and cos(π/2) = 0: 0.1 + 0.45 · 1.5 and 0.1 + 0.45.
  expect(schedule(10 / 3)).toBeCloseTo(0.775, 14);
  expect(schedule(5)).toBeCloseTo(0.55, 14);
  expect(at(schedule, [10, 11, 1e6])).toEqual([0.1, 0.1, 0.1]);
  expect(cosineDecay({ initial: 1, over: 7 })(7)).toBe(0);
});

test("warmup rises to the first rate and then starts the schedule", () => {
  const schedule = warmup(stepDecay({ initial: 1, every: 2, factor: 0.5 }), { over: 4 });
  expect(at(schedule, [0, 1, 2, 3, 4, 5, 6])).toEqual([0.2, 0.4, 0.6, 0.8, 1, 1, 0.5]);
});

describe("options out of range", () => {
  test.each<[string, () => unknown]>([
    ["constantRate: rate must be ≥ 0, got -1.", () => constantRate(-1)],
    ["stepDecay: initial must be ≥ 0, got -1.", () => stepDecay({ initial: -1, every: 1, factor: 1 })],
    [
      "stepDecay: every must be a whole number ≥ 1, got 1.5.",
      () => stepDecay({ initial: 1, every: 1.5, factor: 1 }),
    ],
    ["stepDecay: factor must be > 0, got 0.", () => stepDecay({ initial: 1, every: 1, factor: 0 })],
    ["exponentialDecay: factor must be > 0, got -2.", () => exponentialDecay({ initial: 1, factor: -2 })],
    ["cosineDecay: over must be > 0, got 0.", () => cosineDecay({ initial: 1, over: 0 })],
    ["warmup: over must be a whole number ≥ 1, got 0.", () => warmup(constantRate(1), { over: 0 })],
    ["constantRate: rate must be ≥ 0, got string.", () => constantRate("0.1" as unknown as number)],
  ])("%s", (message, make) => {
    expect(make).toThrow(saying(message));
  });
});
