import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ARRAYS, type Buffer, interpretKernel, type Plan, printSteps } from "@adjoint/compiler/targets";
import type { TypedArray } from "@adjoint/core";
import fc from "fast-check";
import koffi from "koffi";
import { expect, test } from "vitest";
import { copied, difference, type Memory, passes } from "../../../compiler/test/kernels.ts";
import { programOf, segmentName } from "../../src/c/program.ts";
import { unknownIn } from "../../src/c/segments.ts";
import { findCompiler, makeLibrary } from "../../src/system/compiler.ts";

const compiler = findCompiler(undefined, 60_000);

/** What kernels leave in memory, each in its own; compiled together, since a compiler takes long to start. */
function inC(
  kernels: readonly Plan["steps"][number][],
  memories: readonly Memory[],
  vectorBytes: number,
): Memory[] {
  const buffers = memories.flatMap((memory) => [...memory.keys()]);
  const { source, offsets, bytes, segments } = programOf(
    {
      steps: kernels,
      inputs: buffers,
      outputs: [],
      constants: [],
      lifetimes: buffers.map((buffer) => ({ buffer, from: 0, to: 1 })),
    },
    { ...compiler.features, vectorBytes },
  );
  const arena = new ArrayBuffer(bytes + 64);
  const address = koffi.address(arena);
  const start = Number(-address & 63n);
  const viewOf = (buffer: Buffer): TypedArray =>
    new ARRAYS[buffer.dtype](arena, start + (offsets.get(buffer) as number), buffer.size);
  for (const memory of memories) for (const [buffer, data] of memory) viewOf(buffer).set(data);
  const folder = mkdtempSync(join(tmpdir(), "adjoint-test-"));
  try {
    const file = join(folder, "kernels.so");
    makeLibrary(compiler, source, file);
    const library = koffi.load(file);
    for (const { index } of segments.all) {
      expect(library.func(segmentName(index), "int", ["void *"])(address + BigInt(start))).toBe(0);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return memories.map(
    (memory) => new Map([...memory.keys()].map((buffer) => [buffer, viewOf(buffer).slice()])),
  );
}

test.each([0, 16, 32, 64].filter((bytes) => bytes <= compiler.features.vectorBytes))(
  "random kernels leave in memory what the interpreter leaves, in vectors of %i bytes",
  (vectorBytes) => {
    const drawn = fc.sample(passes, { numRuns: 500, seed: 7 + vectorBytes });
    const known = drawn.filter(({ kernel }) => unknownIn(kernel).length === 0);
    expect(known.length).toBeGreaterThan(250);
    const found = inC(
      known.map(({ kernel }) => ({ kind: "kernel", kernel, parts: 1 })),
      known.map(({ memory }) => memory),
      vectorBytes,
    );
    for (const [i, pass] of known.entries()) {
      const expected = copied(pass.memory);
      interpretKernel(pass.kernel, (buffer) => expected.get(buffer) as never);
      const apart = difference(pass, found[i] as Memory, expected);
      expect(apart, printSteps([{ kind: "kernel", kernel: pass.kernel, parts: 1 }])).toBeNull();
    }
  },
  120_000,
);
