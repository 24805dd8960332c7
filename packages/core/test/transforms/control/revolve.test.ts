import { grad, parameter, random, scan, type Value, value } from "@adjoint/core";
import { expect, test } from "vitest";
import { state } from "../../../src/state.ts";

const entries = (n: number) => random.uniform(random.key(1), [n, 2], { low: -1, dtype: "float64" });

/** A recurrence whose start, entries and weight all have gradients. */
const loss = (options: { snapshots?: number; reverse?: boolean }) => (w: Value, xs: Value) => {
  const step = (h: Value, x: Value) => [h.mul(w).add(x).sin(), h.mul(x)] as const;
  const [h, ys] = scan(step, value([0.1, 0.2]), xs, options);
  return h.sum().add(ys.square().sum());
};

/** How many steps are taken and how many elements are made on the way to a gradient. */
function work(n: number, options: { snapshots?: number }): { steps: number; elements: number } {
  let [steps, elements] = [0, 0];
  state.inspector = (node) => {
    if (node.op?.name === "sin") steps++;
    elements += node.size;
  };
  try {
    grad(loss(options), { argnums: [0, 1] })(value(0.9), entries(n));
  } finally {
    state.inspector = null;
  }
  return { steps, elements };
}

test("a scan with snapshots takes the steps of the binomial schedule", () => {
  // C(s + r, s) steps with s snapshots are run r times to get back to, once forward, and once to be reversed.
  for (const [n, snapshots, repetitions] of [
    [10, 2, 3],
    [35, 3, 4],
    [126, 5, 4],
    [1001, 10, 4],
  ] as const) {
    const { steps } = work(n, { snapshots });
    expect(steps / n).toBeGreaterThan(2);
    expect(steps / n).toBeLessThanOrEqual(repetitions + 2);
  }
});

test("a scan's work grows with its steps as they do, gradients of long streams included", () => {
  for (const options of [{}, { snapshots: 4 }, { snapshots: 20 }]) {
    const [short, long] = [work(250, options), work(2000, options)];
    const perStep = (of: typeof short) => of.elements / of.steps;
    // Eight times the steps would be eight times the work a step, were each to touch its whole stream.
    expect(perStep(long) / perStep(short)).toBeLessThan(3);
  }
});

test("a scan with snapshots keeps a number of carries that does not grow with its steps", () => {
  const alive = (n: number, options: { snapshots?: number }) => {
    const seen = new Set<Value>([loss(options)(parameter(0.9), entries(n))]);
    for (const x of seen) for (const input of x.inputs) seen.add(input);
    return seen.size;
  };
  expect(alive(2000, {})).toBeGreaterThan(2000);
  expect(alive(2000, { snapshots: 4 })).toBeLessThan(200);
  expect(alive(200, { snapshots: 4 })).toBeLessThan(200);
});

test("a scan of 5000 steps gives the same gradients with snapshots, taken backward as well", () => {
  const at = [value(0.9), entries(5000)] as const;
  const all = grad(loss({ reverse: true }), { argnums: [0, 1] })(...at);
  const few = grad(loss({ reverse: true, snapshots: 30 }), { argnums: [0, 1] })(...at);
  expect(few[0].item() / all[0].item()).toBeCloseTo(1, 12);
  const differences = Array.from(few[1].data, (d, i) => Math.abs(d - (all[1].data[i] as number)));
  expect(Math.max(...differences)).toBeLessThan(1e-13);
});
