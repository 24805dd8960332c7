import { compile } from "@adjoint/compiler";
import { type Value, value } from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planOf } from "../../src/graph/plan.ts";
import { allSteps } from "../../src/graph/steps.ts";
import { interpretKernel } from "../../src/kernels/interpret.ts";
import type { Kernel } from "../../src/kernels/language.ts";
import { printKernel } from "../../src/kernels/print.ts";
import { type Stretches, stretchesOf } from "../../src/kernels/stretches.ts";
import type { Program } from "../../src/program.ts";
import { moduleOf } from "../../src/targets/wasm/module.ts";
import { wasm } from "../../src/targets/wasm/target.ts";
import { copied, difference, type Memory, passes } from "../kernels.ts";

/** A kernel that does what one in stretches does. */
function joined({ fills, setup, counter, stretch, rest }: Stretches): Kernel {
  const loop = { kind: "loop", counter, body: [...setup, stretch] } as const;
  return { name: "joined", body: [...fills, loop, ...setup, ...rest] };
}

describe("stretchesOf", () => {
  test("leaves in memory what the whole loop leaves, whatever the size of stretches", () => {
    let divided = 0;
    fc.assert(
      fc.property(passes, fc.integer({ min: 1, max: 40 }), (pass, iterations) => {
        const stretches = stretchesOf(pass.kernel.body, iterations);
        if (stretches === null) return;
        divided++;
        const [expected, actual] = [pass.kernel, joined(stretches)].map((kernel): Memory => {
          const own = copied(pass.memory);
          interpretKernel(kernel, (buffer) => own.get(buffer) as never);
          return own;
        });
        expect(difference(pass, actual as Memory, expected as Memory), printKernel(pass.kernel)).toBeNull();
      }),
      { numRuns: 1500, seed: 1 },
    );
    expect(divided).toBeGreaterThan(100);
  });

  /** The first kernel of a function, in stretches. */
  const stretchesIn = (f: (...xs: Value[]) => unknown, ...shapes: number[][]): Stretches | null => {
    let found: Stretches | null = null;
    const target = {
      name: "kernels",
      prepare: (program: Program) => {
        const steps = allSteps(planOf(program).steps);
        for (const step of steps) if (step.kind === "kernel") found ??= stretchesOf(step.kernel.body);
        return wasm.prepare(program);
      },
    };
    compile(f, { target }).prepare(
      ...shapes.map((shape) => value(new Float64Array(shape.reduce((a, b) => a * b, 1)), { shape })),
    );
    return found;
  };

  test("takes 32768 iterations a stretch, rows of them where there are rows", () => {
    const vector = stretchesIn((x) => x.exp(), [1_000_000]);
    expect([vector?.counter.extent, vector?.stretch.counter.extent]).toEqual([30, 32_768]);
    const rows = stretchesIn((x) => x.sum(1), [10_000, 300]);
    expect([rows?.counter.extent, rows?.stretch.counter.extent]).toEqual([104, 96]);
    const longRows = stretchesIn((x) => x.sum(1), [8, 100_000]);
    expect([longRows?.counter.extent, longRows?.stretch.counter.extent]).toEqual([8, 1]);
  });

  test("leaves short loops, and loops that gather into one number, as they are", () => {
    expect(stretchesIn((x) => x.exp(), [4 * 32_768 - 1])).toBeNull();
    expect(stretchesIn((x) => x.exp(), [4 * 32_768])).not.toBeNull();
    expect(stretchesIn((x) => x.sum(), [1_000_000])).toBeNull();
  });
});

describe("kernels in stretches, in WebAssembly", () => {
  test("compute what core does, at the ends of stretches too", () => {
    for (const dtype of ["float64", "float32"] as const) {
      for (const n of [131_072, 131_073, 300_001]) {
        const x = value(
          Float64Array.from({ length: n }, (_, i) => (i % 1000) / 1000),
          { dtype },
        );
        const f = (x: Value) => [
          x.mul(x).add(0.5),
          x
            .slice([1, null])
            .sub(x.slice([0, -1]))
            .abs(),
        ];
        const whole = f(x);
        for (const threads of [1, 2]) {
          const compiled = compile(f, { threads })(x);
          // Matchers take seconds for that many numbers.
          const apart = whole.map((y, i) => y.data.findIndex((x, k) => x !== compiled[i]?.data[k]));
          expect(apart, `${dtype} [${n}], threads: ${threads}`).toEqual([-1, -1]);
        }
      }
    }
  });

  test("are functions of their own, in parts for threads as well", () => {
    for (const threads of [1, 2]) {
      let names = "";
      const target = {
        name: "names",
        prepare: (program: Program) => {
          names = Buffer.from(moduleOf(planOf(program, threads), threads).bytes).toString("latin1");
          return wasm.prepare(program);
        },
      };
      compile((x: Value) => x.exp(), { target }).prepare(value(new Float64Array(300_000)));
      expect(names).toContain(threads === 1 ? "exp, a stretch" : "exp in parts, a stretch");
    }
  });
});
