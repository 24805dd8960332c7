import type { TypedArray } from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Plan } from "../../../src/graph/steps.ts";
import { counted } from "../../../src/kernels/affine.ts";
import { Body } from "../../../src/kernels/body.ts";
import { divide } from "../../../src/kernels/divide.ts";
import { interpretKernel } from "../../../src/kernels/interpret.ts";
import type { Buffer, Counter, Kernel, Register, Statement } from "../../../src/kernels/language.ts";
import { nestOf } from "../../../src/kernels/nest.ts";
import { printKernel } from "../../../src/kernels/print.ts";
import { engine } from "../../../src/targets/wasm/engine.ts";
import { moduleOf } from "../../../src/targets/wasm/module.ts";
import { copied, difference, type Memory, passes } from "../../kernels.ts";

/** A kernel as a module, in parts where there are to be some and it can be divided. */
function moduleOfKernel(kernel: Kernel, given: readonly Buffer[], parts: number) {
  const buffers = [...given];
  const buffer = (dtype: Buffer["dtype"], size: number): Buffer => {
    const made = { id: 1000 + buffers.length, dtype, size };
    buffers.push(made);
    return made;
  };
  const portions = divide(kernel, parts, buffer, 0);
  const plan: Plan = {
    steps: portions.map((portion) => ({ kind: "kernel", ...portion })),
    inputs: given,
    outputs: [],
    constants: [],
    lifetimes: buffers.map((buffer) => ({ buffer, from: 0, to: 1 })),
  };
  return moduleOf(plan, parts);
}

/** What a kernel leaves in memory, in WebAssembly. */
function inWasm(kernel: Kernel, memory: Memory, parts = 1): Memory {
  const buffers = [...memory.keys()];
  const module = moduleOfKernel(kernel, buffers, parts);
  const { minimum: initial, ...limits } = module.memory;
  const wasm = new engine.Memory({ initial, ...limits });
  module.pool.write(wasm.buffer as ArrayBuffer);
  const { exports } = new engine.Instance(new engine.Module(module.bytes), {
    program: { memory: wasm },
    functions: module.functions,
    core: { evaluate: () => undefined },
    threads: { wake: () => undefined, answer: () => undefined, pause: () => undefined },
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

  test("leave the same in parts", () => {
    fc.assert(
      fc.property(passes, fc.integer({ min: 2, max: 4 }), (pass, parts) => {
        const whole = inWasm(pass.kernel, pass.memory);
        const found = difference(pass, inWasm(pass.kernel, pass.memory, parts), whole);
        expect(found, printKernel(pass.kernel)).toBeNull();
      }),
      { numRuns: 400, seed: 3 },
    );
  });

  test("may call a thousand functions: engines bound the number of variables", () => {
    const buffer: Buffer = { id: 0, dtype: "float64", size: 5 };
    const counter: Counter = { id: 0, extent: 5 };
    const place = { buffer, at: counted(counter), picked: null };
    const body = new Body();
    const sin = { name: "sin", compute: Math.sin };
    let x = body.load(place);
    for (let i = 0; i < 1500; i++) x = body.call(sin, "float64", x);
    const sinks = [{ to: place, from: x, fold: "store", last: true }] as const;
    const kernel: Kernel = { name: "deep", body: nestOf(body, [counter], sinks) };
    const memory: Memory = new Map([[buffer, Float64Array.of(-2, -1, 0, 1, 2)]]);
    const expected = copied(memory);
    interpretKernel(kernel, (b) => expected.get(b) as never);
    const after = inWasm(kernel, memory).get(buffer) as TypedArray;
    after.forEach((y, i) => {
      expect(y).toBeCloseTo((expected.get(buffer) as TypedArray)[i] as number, 14);
    });
  });

  test.each(["float64", "float32"] as const)("may load 10 000 constants into vectors of %s", (dtype) => {
    const buffer: Buffer = { id: 0, dtype, size: 9 };
    const counter: Counter = { id: 0, extent: 9 };
    const place = { buffer, at: counted(counter), picked: null };
    const body: Statement[] = [];
    let registers = 0;
    const register = (): Register => ({ id: registers++, dtype });
    let x = register();
    body.push({ kind: "load", to: x, from: place });
    for (let i = 0; i < 10_000; i++) {
      const [c, next] = [register(), register()];
      body.push({ kind: "constant", to: c, value: 1 + i / 1024 });
      body.push({ kind: "compute", to: next, operator: i % 2 === 0 ? "add" : "sub", from: [x, c] });
      x = next;
    }
    body.push({ kind: "store", to: place, from: x });
    const kernel: Kernel = { name: "constants", body: [{ kind: "loop", counter, body }] };
    const start = dtype === "float64" ? new Float64Array(9).fill(0.5) : new Float32Array(9).fill(0.5);
    const memory: Memory = new Map([[buffer, start]]);
    const expected = copied(memory);
    interpretKernel(kernel, (b) => expected.get(b) as never);
    expect(inWasm(kernel, memory).get(buffer)).toEqual(expected.get(buffer));
  });
});
