import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { type Buffer, interpretKernel, type Plan, planOf } from "@adjoint/compiler/targets";
import { exp, matmul, random, type TypedArray, type Value, value } from "@adjoint/core";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { distance, runOn } from "../../../compiler/test/agreement.ts";
import { holdControl } from "../../../compiler/test/held/control.ts";
import { holdOperations } from "../../../compiler/test/held/operations.ts";
import { holdPrograms } from "../../../compiler/test/held/programs.ts";
import { copied, difference, passes } from "../../../compiler/test/kernels.ts";
import { type Run, recording } from "../../../compiler/test/recording.ts";
import { unknownIn } from "../../src/c/segments.ts";
import { findCompiler } from "../../src/system/compiler.ts";
import { type Executed, type Prepared, prepared, sanitized } from "./sanitized.ts";

const compiler = findCompiler(undefined, 60_000);
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function build(programs: readonly Prepared[]): Promise<Executed> {
  const folder = mkdtempSync(join(tmpdir(), "adjoint-test-"));
  folders.push(folder);
  return sanitized(programs, compiler, folder, Math.min(4, availableParallelism()));
}

const runs: Run[] = [];
const recorder = recording(runs);
holdOperations(recorder);
holdControl(recorder);
holdPrograms(recorder, [10, 5]);

describe("products on recorded", () => {
  const draw = (seed: number, shape: number[], dtype: "float32" | "float64") =>
    random.uniform(random.key(seed), shape, { low: -1, high: 1, dtype });
  test.each(["float32", "float64"] as const)("of %s in all layouts, small to packed", (dtype) => {
    const shapes = [
      ...[1, 2, 3, 5, 13, 31].flatMap((n) => [
        [n, 7, 33],
        [n, 40, 1],
        [n, 1, 17],
        [n, 70, 16],
      ]),
      [3, 5, 0],
      [4, 0, 5],
      [40, 260, 70],
    ] as [number, number, number][];
    for (const [transposeA, transposeB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as [boolean, boolean][]) {
      const operands = shapes.map(([n, k, m], i) => [
        draw(2 * i, transposeA ? [k, n] : [n, k], dtype),
        draw(2 * i + 1, transposeB ? [m, k] : [k, m], dtype),
      ]);
      const f = (...xs: Value[]) =>
        operands.map((_, i) =>
          matmul(xs[2 * i] as Value, xs[2 * i + 1] as Value, { transposeA, transposeB }),
        );
      expect(runOn(recorder, f, operands.flat()).length).toBe(shapes.length);
    }
  });
});

describe("in C, where sanitizers look at every access to memory", () => {
  /** What the buffers of a run's program hold when it begins. */
  const numbersOf = (plan: Plan, { program, args, states }: Run) =>
    new Map(
      plan.inputs.flatMap((buffer, i) => {
        const data = i < program.arguments ? args[i] : states.get(i - program.arguments);
        return buffer === null || data === undefined ? [] : [[buffer, data] as const];
      }),
    );

  test("all programs run without a misstep, and compute what the interpreter does", async () => {
    const jobs = runs.flatMap((run) => {
      const plan = planOf(run.program);
      const job = prepared(plan, numbersOf(plan, run), compiler.features);
      return job === null ? [] : [{ run, plan, job }];
    });
    expect(jobs.length).toBeGreaterThan(150);
    const left = await (await build(jobs.map(({ job }) => job)))();
    jobs.forEach(({ run, plan }, i) => {
      run.results.forEach((expected, k) => {
        const found = left[i]?.get(plan.outputs[k] as Buffer) as TypedArray;
        expect(distance(found, expected, 0.01)).toBeLessThan(found instanceof Float32Array ? 2e-5 : 1e-11);
      });
    });
  }, 300_000);

  test("an element too few in what a program reads or writes is found", async () => {
    const own: Run[] = [];
    runOn(recording(own), (x) => exp(x), [value([1, 2, 3, 4, 5])]);
    const [run] = own as [Run];
    const plan = planOf(run.program);
    const job = prepared(plan, numbersOf(plan, run), compiler.features) as Prepared;
    const executed = await build([job]);
    expect((await executed())[0]?.get(plan.outputs[0] as Buffer)).toHaveLength(5);
    expect(job.memory.length).toBe(2);
    for (const short of job.memory) {
      const shorter = { ...short, begun: short.begun.subarray(0, -1) };
      const memory = job.memory.map((part) => (part === short ? shorter : part));
      await expect(executed([memory])).rejects.toThrow("heap-buffer-overflow");
    }
  });

  const widths = [0, 16, 32, 64].filter((bytes) => bytes <= compiler.features.vectorBytes);
  test.each(widths)(
    "random kernels, in vectors of %i bytes",
    async (vectorBytes) => {
      const drawn = fc
        .sample(passes, { numRuns: 100, seed: 7 + vectorBytes })
        .filter(({ kernel }) => unknownIn(kernel).length === 0);
      expect(drawn.length).toBeGreaterThan(50);
      const memory = new Map(drawn.flatMap(({ memory }) => [...memory]));
      const plan: Plan = {
        steps: drawn.map(({ kernel }) => ({ kind: "kernel", kernel, parts: 1 })),
        inputs: [...memory.keys()],
        outputs: [],
        constants: [],
        lifetimes: [...memory.keys()].map((buffer) => ({ buffer, from: 0, to: 1 })),
      };
      const job = prepared(plan, memory, { ...compiler.features, vectorBytes }) as Prepared;
      const [left] = await (await build([job]))();
      for (const pass of drawn) {
        const expected = copied(pass.memory);
        interpretKernel(pass.kernel, (buffer) => expected.get(buffer) as never);
        const found = new Map(
          [...expected.keys()].map((buffer) => [buffer, left?.get(buffer) as TypedArray]),
        );
        expect(difference(pass, found, expected)).toBeNull();
      }
    },
    120_000,
  );
});
