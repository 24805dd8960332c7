/** Every operation, at the samples that its laws have, with a gradient: compiled as core computes it. */

import * as core from "@adjoint/core";
import { capture, isValue, type Value } from "@adjoint/core";
import type { Definition } from "@adjoint/core/operations";
import { storageOf } from "@adjoint/core/operations";
import { describe, expect, test } from "vitest";
import type { Storage, Target } from "../../src/program.ts";
import { distance, drawing, runOn, valuesIn, withGradient } from "../agreement.ts";

type Public = ((...args: never[]) => unknown) & { readonly definition: Definition };

const operations = Object.values(core).filter(
  (f) => typeof f === "function" && "definition" in f,
) as unknown as Public[];

const TOLERANCE = { float64: 1e-12, float32: 2e-5 } as const;

/** An operation at one sample: as a function of the values among its arguments. */
interface Job {
  readonly f: (...xs: Value[]) => Value[];
  readonly xs: readonly Value[];
  readonly expected: readonly Value[];
}

/** The samples of an operation that can be captured. */
function jobsOf(f: Public, dtype: "float64" | "float32"): Job[] {
  return f.definition.samples(drawing(7, dtype)).flatMap((args): Job[] => {
    const xs: Value[] = [];
    const collect = (x: unknown): void => {
      if (isValue(x)) xs.push(x);
      else if (Array.isArray(x)) x.forEach(collect);
    };
    collect(args);
    if (xs.length === 0) return [];
    const apply = (...leaves: Value[]): Value[] => {
      let next = 0;
      const replace = (x: unknown): unknown =>
        isValue(x) ? leaves[next++] : Array.isArray(x) ? x.map(replace) : x;
      return valuesIn(f(...(args.map(replace) as never[])));
    };
    let whole = withGradient(apply, 3);
    let expected: Value[];
    try {
      expected = whole(...xs);
    } catch {
      whole = apply;
      expected = apply(...xs);
    }
    try {
      capture(whole, ...xs);
    } catch (error) {
      // Some functions must see their arguments.
      if (String(error).includes("data that is known")) return [];
      throw error;
    }
    return [{ f: whole, xs, expected }];
  });
}

/** Holds a target to core in all operations and their gradients, one program for all samples of an operation. */
export function holdOperations(target: Target): void {
  describe(`${target.name} programs compute what core does`, () => {
    test.each(operations.map((f) => [f.definition.name, f] as const))("%s", (name, f) => {
      const jobs = (["float64", "float32"] as const).flatMap((dtype) =>
        jobsOf(f, dtype).map((job) => ({ ...job, dtype })),
      );
      const all = (...leaves: Value[]): Value[] => {
        const rest = leaves[Symbol.iterator]();
        return jobs.flatMap(({ f, xs }) => f(...xs.map(() => rest.next().value as Value)));
      };
      if (jobs.length === 0) return;
      const actual = runOn(
        target,
        all,
        jobs.flatMap(({ xs }) => xs),
      )[Symbol.iterator]();
      for (const { expected, dtype } of jobs) {
        for (const [i, y] of expected.entries()) {
          const apart = distance(actual.next().value as Storage, storageOf(y) as Storage);
          expect(apart, `${name} ${dtype} output ${i}`).toBeLessThan(TOLERANCE[dtype]);
        }
      }
    });
  });
}
