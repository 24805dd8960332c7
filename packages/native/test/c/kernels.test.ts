import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ARRAYS, type Buffer, interpretKernel, type Plan, printSteps } from "@adjoint/compiler/targets";
import type { TypedArray } from "@adjoint/core";
import fc from "fast-check";
import koffi from "koffi";
import { expect, test } from "vitest";
import {
  copied,
  difference,
  divided,
  type Memory,
  type Pass,
  passes,
} from "../../../compiler/test/kernels.ts";
import { HEADER, programOf, segmentName } from "../../src/c/program.ts";
import { unknownIn } from "../../src/c/segments.ts";
import { findCompiler, makeLibrary } from "../../src/system/compiler.ts";
import { sharing } from "../../src/system/threads.ts";

const compiler = findCompiler(undefined, 60_000);

/**
 * What kernels leave in memory, each in its own; compiled together, since a compiler takes long to start. Parts are done one
 * after the other, or by as many threads as are named.
 */
function inC(
  kernels: readonly Plan["steps"][number][],
  memories: readonly Memory[],
  vectorBytes: number,
  threads = 1,
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
  new DataView(arena, start).setBigUint64(HEADER.share, sharing(threads, compiler, undefined) ?? 0n, true);
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

test.each([
  ["one after the other", 1],
  ["on three threads", 3],
] as const)(
  "random kernels in parts leave in memory what the interpreter leaves, %s",
  (_, threads) => {
    const drawn = fc.sample(passes, { numRuns: 300, seed: 3 });
    const known = drawn.filter(({ kernel }) => unknownIn(kernel).length === 0);
    const all = known.map((pass) => {
      const { portions, memory } = divided(pass, 3);
      return { steps: portions.map((portion) => ({ kind: "kernel", ...portion }) as const), memory };
    });
    const steps = all.flatMap(({ steps }) => steps);
    expect(steps.filter(({ parts }) => parts === 3).length).toBeGreaterThan(50);
    const memories = all.map(({ memory }) => memory);
    const found = inC(steps, memories, compiler.features.vectorBytes, threads);
    for (const [i, { steps, memory }] of all.entries()) {
      const expected = copied(memory);
      for (const { kernel } of steps) interpretKernel(kernel, (buffer) => expected.get(buffer) as never);
      expect(difference(known[i] as Pass, found[i] as Memory, expected), printSteps(steps)).toBeNull();
    }
  },
  120_000,
);
