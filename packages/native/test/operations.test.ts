import * as core from "@adjoint/core";
import { isValue, type Value } from "@adjoint/core";
import type { Definition } from "@adjoint/core/operations";
import { storageOf } from "@adjoint/core/operations";
import { describe, expect, test } from "vitest";
import type { Storage } from "../../compiler/src/program.ts";
import { c } from "../src/target.ts";
import { distance, drawing, runOn, valuesIn, withGradient } from "../../compiler/test/agreement.ts";

type Public = ((...args: never[]) => unknown) & { readonly definition: Definition };

const operations = Object.values(core).filter(
  (f) => typeof f === "function" && "definition" in f,
) as unknown as Public[];

const TARGETS = [c];
const TOLERANCE = { float64: 1e-12, float32: 2e-5 } as const;

for (const target of TARGETS) {
  describe(`${target.name} programs compute what core does`, () => {
    for (const f of operations) {
      test(f.definition.name, () => {
        for (const dtype of ["float64", "float32"] as const) {
          for (const args of f.definition.samples(drawing(7, dtype))) {
            const leaves: Value[] = [];
            const collect = (x: unknown): void => {
              if (isValue(x)) leaves.push(x);
              else if (Array.isArray(x)) x.forEach(collect);
            };
            collect(args);
            if (leaves.length === 0) continue;
            const apply = (...xs: Value[]): Value[] => {
              let next = 0;
              const replace = (x: unknown): unknown =>
                isValue(x) ? xs[next++] : Array.isArray(x) ? x.map(replace) : x;
              return valuesIn(f(...(args.map(replace) as never[])));
            };
            let whole = withGradient(apply, 3);
            let expected: Value[];
            try {
              expected = whole(...leaves);
            } catch {
              whole = apply;
              expected = apply(...leaves);
            }
            let actual: Storage[];
            try {
              actual = runOn(target, whole, leaves);
            } catch (error) {
              // Some functions must see their arguments.
              if (String(error).includes("data that is known")) continue;
              throw error;
            }
            expected.forEach((y, i) => {
              const apart = distance(actual[i] as Storage, storageOf(y) as Storage);
              expect(apart, `${f.definition.name} ${dtype} output ${i}`).toBeLessThan(TOLERANCE[dtype]);
            });
          }
        }
      });
    }
  });
}
