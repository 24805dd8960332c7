import { describe, expect, test } from "vitest";
import { HandWritten } from "../hand-written.ts";
import { problems } from "../problems/index.ts";
import { runnerOf, TARGETS } from "../targets.ts";
import { outputFor } from "./answer.ts";
import { firstDifference } from "./near.ts";
import { vectors } from "./vectors.ts";

test("there is a vector for every function of every module but ht", () => {
  const covered = vectors.map(({ module, outputs }) => [module, Object.keys(outputs)] as const);
  const functions = Object.entries(problems).map(([name, problem]) => [name, Object.keys(problem)] as const);
  expect(new Map(covered)).toEqual(new Map(functions.filter(([name]) => name !== "ht")));
});

/** The targets that are there: that of C where its package and a compiler are. */
const hand = new HandWritten();
const there = TARGETS.filter((target) => target !== "c" || hand.has("lse"));
hand.dispose();

for (const target of there) {
  const run = await runnerOf(target).catch((error) => {
    if (target === "c") return null;
    throw error;
  });
  if (run === null) continue;
  describe(`on ${target}, to 1e-10`, () => {
    for (const { module, input, outputs } of vectors) {
      for (const [name, expected] of Object.entries(outputs)) {
        // Half a minute in eager code; references.test.ts has a flight of it.
        const isLong = module === "particle" && (target === "eager" || (target !== "wasm" && name !== "fr"));
        test.skipIf(isLong)(`${module} ${name} is what the C++ tool answers`, { timeout: 120_000 }, () => {
          const output = outputFor(run, module, name, input);
          expect(firstDifference(output, expected, { relative: 1e-10 })).toBeNull();
        });
      }
    }
  });
}
