/** Runs an optimiser beside a rule in plain numbers, on one sequence of gradients. */
import { parameter, type Value, value } from "@adjoint/core";
import { expect } from "vitest";
import type { Optimizer } from "../../src/index.ts";

/** One scalar's rule: from x, its gradient and the number of the step, the next x. It keeps its own memory. */
export type ScalarRule = (x: number, g: number, t: number) => number;

const START = [1.5, -0.75, 0.3];

/** Gradients of both signs, of very different sizes, and zeros. */
export const GRADIENTS: readonly (readonly number[])[] = [
  [0.5, -2, 0],
  [-0.125, -3.5, 1e-3],
  [1.75, 0, -2e-3],
  [0.3, 4, 5],
  [-20, 0.6, 0],
  [0.01, -0.02, -7],
  [3, 1e-9, 0.4],
  [-0.4, 0.2, 100],
];

/** Holds every step of an optimiser to a rule that is started anew for each element. */
export function expectToFollow(make: (parameters: Value[]) => Optimizer, rule: () => ScalarRule): void {
  const x = parameter(START);
  const optimizer = make([x]);
  const rules = START.map(rule);
  let expected: readonly number[] = START;
  GRADIENTS.forEach((gradient, step) => {
    x.grad = value(gradient);
    optimizer.step();
    const before = expected;
    expected = before.map((e, i) => (rules[i] as ScalarRule)(e, gradient[i] as number, step + 1));
    expected.forEach((e, i) => {
      const got = x.data[i] as number;
      expect(Math.abs(got - e), `step ${step + 1}, element ${i}: ${got} against ${e}`).toBeLessThanOrEqual(
        1e-14 * Math.max(Math.abs(e), Math.abs(before[i] as number)),
      );
    });
  });
}
