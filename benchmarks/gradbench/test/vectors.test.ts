import { describe, expect, test } from "vitest";
import { problems } from "../problems/index.ts";
import { runnerOf } from "../targets.ts";
import { outputFor } from "./answer.ts";
import { firstDifference } from "./near.ts";
import { vectors } from "./vectors.ts";

test("there is a vector for every function of every module but ht", () => {
  const covered = vectors.map(({ module, outputs }) => [module, Object.keys(outputs)] as const);
  const functions = Object.entries(problems).map(([name, problem]) => [name, Object.keys(problem)] as const);
  expect(new Map(covered)).toEqual(new Map(functions.filter(([name]) => name !== "ht")));
});

for (const target of ["eager", "interpret", "wasm"] as const) {
  const run = await runnerOf(target);
  describe(`on ${target}, to 1e-10`, () => {
    for (const { module, input, outputs } of vectors) {
      for (const [name, expected] of Object.entries(outputs)) {
        // Half a minute in eager code; references.test.ts has a flight of it.
        const isLong =
          module === "particle" && (target === "eager" || (target === "interpret" && name !== "fr"));
        test.skipIf(isLong)(`${module} ${name} is what the C++ tool answers`, { timeout: 120_000 }, () => {
          const output = outputFor(run, module, name, input);
          expect(firstDifference(output, expected, { relative: 1e-10 })).toBeNull();
        });
      }
    }
  });
}
