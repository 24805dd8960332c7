import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interpretKernel } from "../../src/kernels/interpret.ts";
import type { Kernel } from "../../src/kernels/language.ts";
import { printKernel } from "../../src/kernels/print.ts";
import { copied, difference, type Memory, passes } from "../kernels.ts";

function interpreted(kernel: Kernel, memory: Memory): Memory {
  const own = copied(memory);
  interpretKernel(kernel, (buffer) => own.get(buffer) as never);
  return own;
}

describe("nestOf", () => {
  test("leaves in memory what all instructions in all iterations leave", () => {
    fc.assert(
      fc.property(passes, (pass) => {
        const [actual, expected] = [pass.kernel, pass.plain].map((kernel) =>
          interpreted(kernel, pass.memory),
        );
        expect(difference(pass, actual as Memory, expected as Memory), printKernel(pass.kernel)).toBeNull();
      }),
      { numRuns: 1500, seed: 1 },
    );
  });
});
