import { describe, expect, test } from "vitest";
import { problems } from "../problems/index.ts";
import { runnerOf } from "../targets.ts";
import { outputFor } from "./answer.ts";
import { firstDifference } from "./near.ts";
import { vectors } from "./vectors.ts";

test("there is a vector for every function of every module but ht", () => {
  const names = Object.entries(problems).map(([name, problem]) => [name, Object.keys(problem)]);
  const covered = vectors.map(({ module, outputs }) => [module, Object.keys(outputs)]);
  expect(covered).toEqual(names.filter(([name]) => name !== "ht"));
});

for (const target of ["eager", "interpret", "wasm"] as const) {
  const run = await runnerOf(target);
  describe(`on ${target}, to 1e-10`, () => {
    for (const { module, input, outputs } of vectors) {
      // Seconds each; saddle takes the same loops through all nestings.
      const isLong = module === "particle" && target !== "wasm";
      for (const [name, expected] of Object.entries(outputs)) {
        test.skipIf(isLong && name !== "fr")(`${module} ${name} is what the C++ tool answers`, () => {
          const output = outputFor(run, module, name, input);
          expect(firstDifference(output, expected, { relative: 1e-10 })).toBeNull();
        });
      }
    }
  });
}
