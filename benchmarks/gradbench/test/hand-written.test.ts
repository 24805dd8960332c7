import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { HandWritten } from "../hand-written.ts";
import { workloads } from "../inputs.ts";
import { problems } from "../problems/index.ts";
import { runnerOf } from "../targets.ts";
import { outputFor } from "./answer.ts";
import { firstDifference } from "./near.ts";

const hand = new HandWritten();
afterAll(() => hand.dispose());
const compiles = hand.has("lse");
const run = await runnerOf("wasm");

/** The numbers of an answer in a row. */
function numbersIn(x: unknown): number[] {
  return typeof x === "number" ? [x] : Object.values(x as object).flatMap(numbersIn);
}

describe.skipIf(!compiles)("by hand, in C", () => {
  for (const module of ["llsq", "lse", "det", "ode", "gmm", "kmeans"]) {
    for (const name of Object.keys(problems[module] ?? {})) {
      test(`${module} ${name} is what the program computes`, () => {
        for (const workload of (workloads[module] ?? []).slice(0, 2)) {
          const input = workload.input();
          const { output, nanoseconds } = hand.run(module, name, input, { runs: 3 });
          expect(nanoseconds).toHaveLength(3);
          const expected = numbersIn(outputFor(run, module, name, input));
          expect(firstDifference([...output], expected, { relative: 1e-9, absolute: 1e-12 })).toBeNull();
        }
      });
    }
  }

  test("a compiler that is not there is no error, and no module", () => {
    const nobody = new HandWritten("no-such-compiler");
    expect(nobody.has("lse")).toBe(false);
    nobody.dispose();
  });
});

test("the driver prints a line for each contender and function, with ratios", () => {
  const driver = fileURLToPath(new URL("../driver.ts", import.meta.url));
  const times = ["--rounds", "1", "--seconds", "0.001", "--min-seconds", "0.001"];
  const options = ["--problems", "det,hello", "--up-to", "2", ...times];
  const args = ["--conditions=source", "--import", "tsx", driver, ...options, "--targets", "wasm,interpret"];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  const lines = stdout.trimEnd().split("\n").slice(2);
  const contenders = ["wasm", "interpret", ...(compiles ? ["by hand"] : [])];
  const expected = [
    ...["det 5", "det 6", "det, all of these"].flatMap((size) =>
      ["primal", "gradient"].flatMap((name) => contenders.map((contender) => `${size} ${name} ${contender}`)),
    ),
    ...["square", "double"].flatMap((name) => [`hello 1 ${name} wasm`, `hello 1 ${name} interpret`]),
  ];
  const found = lines.map((line) => line.replace(/ +/g, " ").match(/^(.*?) [\d.e+-]+ ms/)?.[1]);
  expect(found).toEqual(expected);
  const gradient = lines[contenders.length];
  expect(gradient?.match(/×/g)).toHaveLength(compiles ? 3 : 1);
  const columnOf = (line: string | undefined, column: number) =>
    Number(line?.match(/[\d.e+-]+(?= ms)/g)?.[column]);
  for (const column of [0, 1, 2]) {
    const [first, second, both] = [0, 1, 2].map((k) => columnOf(lines[2 * k * contenders.length], column));
    expect(both).toBeCloseTo((first as number) + (second as number), 1);
  }
});
