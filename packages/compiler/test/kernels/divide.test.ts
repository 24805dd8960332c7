import type { TypedArray } from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { divide, type Portion } from "../../src/kernels/divide.ts";
import { interpretKernel } from "../../src/kernels/interpret.ts";
import type { Affine, Kernel, Place, Statement } from "../../src/kernels/language.ts";
import { printKernel } from "../../src/kernels/print.ts";
import { copied, difference, divided, type Memory, passes } from "../kernels.ts";

/** A loop over parts that begins with the last one. */
function backwards({ kernel, parts }: Portion): Kernel {
  const [loop] = kernel.body as [Extract<Statement, { kind: "loop" }>];
  const affine = ({ offset, terms }: Affine): Affine => ({
    offset: terms.reduce((sum, t) => sum + (t.counter === loop.counter ? t.step * (parts - 1) : 0), offset),
    terms: terms.map((t) => (t.counter === loop.counter ? { ...t, step: -t.step } : t)),
  });
  const place = (p: Place): Place => ({ ...p, at: affine(p.at) });
  const statement = (s: Statement): Statement => {
    if (s.kind === "loop") return { ...s, body: s.body.map(statement) };
    if (s.kind === "load") return { ...s, from: place(s.from) };
    return s.kind === "store" || s.kind === "combine" ? { ...s, to: place(s.to) } : s;
  };
  return { name: kernel.name, body: [statement(loop)] };
}

function run(kernels: readonly Kernel[], memory: Memory): Memory {
  const own = copied(memory);
  for (const kernel of kernels) interpretKernel(kernel, (buffer) => own.get(buffer) as TypedArray);
  return own;
}

describe("divide", () => {
  test("kernels leave in memory what the whole one leaves, whatever part is done first", () => {
    let divisions = 0;
    let folds = 0;
    fc.assert(
      fc.property(passes, fc.integer({ min: 2, max: 4 }), (pass, parts) => {
        const { portions, memory } = divided(pass, parts);
        const isDivided = portions.some((portion) => portion.parts > 1);
        if (isDivided) divisions++;
        if (isDivided && portions.some(({ kernel }) => kernel.name.endsWith(" last"))) folds++;
        const expected = run([pass.kernel], memory);
        const text = () => portions.map(({ kernel }) => printKernel(kernel)).join("\n");
        const forwards = run(
          portions.map(({ kernel }) => kernel),
          memory,
        );
        expect(difference(pass, forwards, expected), text()).toBeNull();
        const other = run(
          portions.map((portion) => (portion.parts > 1 ? backwards(portion) : portion.kernel)),
          memory,
        );
        expect(difference(pass, other, forwards), text()).toBeNull();
      }),
      { numRuns: 2500, seed: 2 },
    );
    // The property is about something.
    expect(divisions).toBeGreaterThan(200);
    expect(folds).toBeGreaterThan(40);
  });

  test("what is little is left whole", () => {
    const counter = { id: 0, extent: 64 };
    const at = { offset: 0, terms: [{ counter, step: 1 }] };
    const to = { buffer: { id: 0, dtype: "float64", size: 64 }, at, picked: null } as const;
    const register = { id: 0, dtype: "float64" } as const;
    const kernel: Kernel = {
      name: "k",
      body: [
        { kind: "constant", to: register, value: 1 },
        { kind: "loop", counter, body: [{ kind: "store", to, from: register }] },
      ],
    };
    const refuse = () => {
      throw new Error("no buffer must be asked for");
    };
    expect(divide(kernel, 2, refuse)).toEqual([{ kernel, parts: 1 }]);
    expect(divide(kernel, 2, refuse, 0).map(({ parts }) => parts)).toEqual([2]);
  });
});
