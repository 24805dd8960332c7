/** What Adjoint computes of every workload is what plain loops compute; the two share no code. */

import { describe, expect, test } from "vitest";
import type { Chain } from "../cases/chain.ts";
import { leNet } from "../cases/lenet.ts";
import { classifier, regression } from "../cases/mlp.ts";
import { product } from "../cases/product.ts";
import { scalarGraph } from "../cases/scalar-graph.ts";
import { smooth } from "../cases/smooth.ts";
import { handWritten } from "../contenders/hand-written.ts";
import { entries } from "../contenders/index.ts";
import type { Contender, Kind, Problems, Run } from "../problem.ts";
import { uniform } from "../seeded.ts";
import { type Answers, difference, digest } from "../statistics.ts";

const chain: Chain = { length: 40, repeats: 2, x: 0.5, y: 0.9 };

/** A small problem of each workload's kind, the steps to take, and how far answers may be apart. */
const problems: readonly {
  title: string;
  kind: Kind;
  problem: () => unknown;
  steps: number;
  tolerance: number;
}[] = [
  {
    title: "tiny",
    kind: "tiny",
    problem: () => ({ x: uniform(1, 4), y: uniform(2, 4), z: uniform(3, 4) }),
    ...{ steps: 2, tolerance: 1e-6 },
  },
  ...[true, false].map((train) => ({
    title: train ? "regression" : "regression, loss alone",
    kind: "mlp" as const,
    problem: () => regression(20, train),
    ...{ steps: 5, tolerance: 1e-5 },
  })),
  {
    title: "classifier",
    kind: "mlp",
    problem: () => classifier([30, 12, 10], 8),
    ...{ steps: 5, tolerance: 1e-5 },
  },
  { title: "LeNet", kind: "lenet", problem: () => leNet(2), steps: 3, tolerance: 1e-5 },
  { title: "smooth, value", kind: "smooth", problem: () => smooth(1000, false), steps: 1, tolerance: 1e-5 },
  { title: "smooth, gradient", kind: "smooth", problem: () => smooth(1000, true), steps: 2, tolerance: 1e-5 },
  {
    title: "second derivative",
    kind: "second",
    problem: () => ({ x: uniform(1, 50) }),
    steps: 2,
    tolerance: 1e-6,
  },
  { title: "product", kind: "product", problem: () => product(24, false), steps: 1, tolerance: 1e-5 },
  {
    title: "product, gradients",
    kind: "product",
    problem: () => product(24, true),
    steps: 2,
    tolerance: 1e-5,
  },
  { title: "scalar graph", kind: "scalarGraph", problem: () => scalarGraph(10), steps: 4, tolerance: 1e-12 },
  { title: "chain", kind: "chain", problem: () => chain, steps: 2, tolerance: 1e-12 },
];

async function answersOf<K extends Kind>(
  contender: Contender,
  kind: K,
  problem: unknown,
  steps: number,
): Promise<Answers> {
  const start = contender[kind] as (problem: Problems[K]) => Run | Promise<Run>;
  const run = await start(problem as Problems[K]);
  const values: number[] = [];
  for (let i = 0; i < steps; i++) values.push(await run.step());
  return { values, gradients: run.gradients?.().map(digest) ?? [] };
}

describe.each(["eager", "compiled", "closures"])("%s", (id) => {
  const entry = entries.find((one) => one.id === id);

  test.each(problems)("agrees with plain loops on $title", async (one) => {
    const contender = (await entry?.load?.()) as Contender;
    if (contender[one.kind] === undefined) {
      // Only the engine of scalars is excused from tensors.
      expect(id).toBe("closures");
      return;
    }
    const expected = await answersOf(handWritten, one.kind, one.problem(), one.steps);
    const received = await answersOf(contender, one.kind, one.problem(), one.steps);
    expect(difference(received, expected)).toBeLessThan(one.tolerance);
  });
});

test("training lowers the losses, and not because nothing is computed", async () => {
  for (const { title, kind, problem } of problems) {
    if (kind !== "mlp" && kind !== "lenet" && kind !== "scalarGraph") continue;
    if (title.endsWith("alone")) continue;
    const { values } = await answersOf(handWritten, kind, problem(), 30);
    expect(values.at(-1), title).toBeLessThan((values[0] as number) * 0.95);
  }
});
