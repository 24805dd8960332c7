import type { TypedArray } from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interpretKernel } from "../../../src/kernels/interpret.ts";
import type { Buffer, Kernel } from "../../../src/kernels/language.ts";
import { printKernel } from "../../../src/kernels/print.ts";
import { engine } from "../../../src/targets/wasm/engine.ts";
import { moduleOf } from "../../../src/targets/wasm/module.ts";
import { copied, difference, type Memory, passes } from "../../kernels.ts";

/** What a kernel leaves in memory, in WebAssembly. */
function inWasm(kernel: Kernel, memory: Memory): Memory {
  const buffers = [...memory.keys()];
  const module = moduleOf({
    steps: [{ kind: "kernel", kernel }],
    inputs: buffers,
    outputs: [],
    constants: [],
    lifetimes: buffers.map((buffer) => ({ buffer, from: 0, to: 1 })),
  });
  const wasm = new engine.Memory({ initial: module.pages });
  module.pool.write(wasm.buffer as ArrayBuffer);
  const { exports } = new engine.Instance(new engine.Module(module.bytes), {
    program: { memory: wasm },
    functions: module.functions,
    core: { evaluate: () => undefined },
  });
  const view = ({ dtype, size }: Buffer, at: number): TypedArray => {
    const bytes = wasm.buffer as ArrayBuffer;
    if (dtype === "float64") return new Float64Array(bytes, at, size);
    if (dtype === "float32") return new Float32Array(bytes, at, size);
    return dtype === "int32" ? new Int32Array(bytes, at, size) : new Uint8Array(bytes, at, size);
  };
  const viewOf = (buffer: Buffer) => view(buffer, module.offsets.get(buffer) as number);
  for (const [buffer, data] of memory) viewOf(buffer).set(data);
  (exports["run"] as () => void)();
  return new Map(buffers.map((buffer) => [buffer, viewOf(buffer).slice()]));
}

describe("kernels in WebAssembly", () => {
  test("leave in memory what the interpreter leaves", () => {
    fc.assert(
      fc.property(passes, (pass) => {
        const expected = copied(pass.memory);
        interpretKernel(pass.kernel, (buffer) => expected.get(buffer) as never);
        const found = difference(pass, inWasm(pass.kernel, pass.memory), expected);
        expect(found, printKernel(pass.kernel)).toBeNull();
      }),
      { numRuns: 600, seed: 1 },
    );
  });
});
