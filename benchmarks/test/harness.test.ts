import { expect, test } from "vitest";
import { deepChain } from "../cases/chain.ts";
import { regressionStep } from "../cases/mlp.ts";
import { tiny } from "../cases/tiny.ts";
import { type Entry, entries } from "../contenders/index.ts";
import { type Effort, refusal, runWorkload } from "../harness.ts";

const effort: Effort = { rounds: 2, round: 5, warmUp: 5, patience: 1000, deadline: 20_000 };

function contenders(...ids: string[]): Entry[] {
  return ids.map((id) => entries.find((entry) => entry.id === id) as Entry);
}

test("refusal says what was answered, what was expected, and how far they are apart", () => {
  const [right, wrong] = [2.5, 2].map((value) => ({ values: [1, value], gradients: [] }));
  expect(refusal(wrong as never, right as never, 1e-3)).toBe(
    "answers 2.000000, not 2.500000, 2.0e-1 apart in value or gradient",
  );
  expect(refusal(right as never, right as never, 0)).toBeNull();
});

test("runWorkload times contenders in processes of their own and compares their answers", async () => {
  const rows = await runWorkload(regressionStep, contenders("hand", "eager", "closures"), effort);
  // The engine of scalars has no tensors: it has no row.
  expect(rows.map(({ contender, state }) => [contender, state])).toEqual([
    ["hand", "timed"],
    ["eager", "timed"],
  ]);
  for (const row of rows) {
    if (row.state !== "timed") throw new Error(row.reason);
    expect(row.minimum).toBeGreaterThan(0);
    expect(row.median).toBeGreaterThanOrEqual(row.minimum);
    expect(row.first).toBeGreaterThan(row.minimum);
    expect(row.samples).toBeGreaterThanOrEqual(effort.rounds);
    expect(row.memory).toBeGreaterThanOrEqual(0);
    expect(row.difference).toBeLessThan(1e-5);
  }
});

test("runWorkload refuses answers that differ", async () => {
  // Float32 sums of another order differ in the last digit.
  const rows = await runWorkload({ ...tiny, tolerance: 0 }, contenders("hand", "eager"), effort);
  expect(rows[0]?.state).toBe("timed");
  expect(rows[1]).toMatchObject({ contender: "eager", state: "refused" });
  expect(rows[1]).toHaveProperty("reason", expect.stringMatching(/^answers \S+, not \S+, \S+ apart/));
});

test("runWorkload shows in its own words why a contender fails", async () => {
  const rows = await runWorkload(deepChain, contenders("closures"), effort);
  expect(rows).toEqual([
    {
      workload: "deep-chain",
      contender: "closures",
      state: "fails",
      reason: "Maximum call stack size exceeded",
    },
  ]);
});

test("runWorkload gives up a contender that does not answer in time", async () => {
  const rows = await runWorkload(tiny, contenders("hand"), { ...effort, deadline: 1 });
  expect(rows).toMatchObject([{ state: "fails", reason: "no answer within 0.001 s" }]);
});
