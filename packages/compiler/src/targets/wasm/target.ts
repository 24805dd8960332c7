/** The WebAssembly target: one module and one memory a program. */

import type { TypedArray, Value } from "@adjoint/core";
import { constant, typeOf } from "@adjoint/core/operations";
import { planOf } from "../../graph/plan.ts";
import { printSteps } from "../../graph/print.ts";
import { allSteps, type Evaluation, type Plan } from "../../graph/steps.ts";
import type { Buffer } from "../../kernels/language.ts";
import type { Executable, Program, Storage, Target } from "../../program.ts";
import { ARRAYS, readStorage, writeStorage } from "../../storage.ts";
import { engine, hasThreads, type WasmMemory } from "./engine.ts";
import { moduleOf, type PlannedModule } from "./module.ts";
import { MOST_PARTS } from "./threads.ts";
import { join, type Membership, machineThreads } from "./workers.ts";

/** Runs programs as WebAssembly, with vectors, and with threads where memory can be shared. */
export const wasm: Target = {
  name: "wasm",
  prepare: (program, { threads = machineThreads() } = {}) => {
    const count = hasThreads() ? Math.min(threads, MOST_PARTS) : 1;
    try {
      return new WasmExecutable(program, count);
    } catch (error) {
      // Some engines have no room for a memory that is shared and may grow.
      if (count === 1 || !(error instanceof RangeError)) throw error;
      return new WasmExecutable(program, 1);
    }
  },
};

/** Lets workers forget programs that are no longer used. */
const unused = new FinalizationRegistry<Membership>((membership) => membership.leave());

class WasmExecutable implements Executable {
  readonly #program: Program;
  readonly #plan: Plan;
  readonly #module: PlannedModule;
  readonly #memory: WasmMemory;
  readonly #run: () => void;
  /** What of memory is read and written from outside, one view a buffer; new ones when memory has grown. */
  readonly #views = new Map<Buffer, TypedArray>();
  #viewed: ArrayBufferLike;
  readonly #arguments: readonly (Buffer | null)[];
  readonly #results: readonly { readonly buffer: Buffer; readonly isScalar: boolean }[];

  readonly #membership: Membership | null;

  constructor(program: Program, threads: number) {
    this.#program = program;
    const plan = planOf(program, threads);
    const module = moduleOf(plan, threads);
    this.#plan = plan;
    this.#module = module;
    const { minimum: initial, ...limits } = module.memory;
    const memory = new engine.Memory({ initial, ...limits });
    this.#memory = memory;
    this.#viewed = memory.buffer;
    module.pool.write(memory.buffer as ArrayBuffer);
    const code = new engine.Module(module.bytes);
    this.#membership = module.memory.shared
      ? join(threads, code, memory, Object.values(module.functions))
      : null;
    const instance = new engine.Instance(code, {
      program: { memory },
      functions: module.functions,
      core: { evaluate: (i: number) => this.#evaluate(module.evaluations[i] as Evaluation) },
      ...(this.#membership === null ? {} : { threads: { ...this.#membership } }),
    });
    if (this.#membership !== null) unused.register(this, this.#membership, this);
    this.#run = instance.exports["run"] as () => void;
    for (const { buffer, data } of plan.constants) {
      if (typeof data === "number") this.#view(buffer).fill(data);
      else this.#view(buffer).set(data);
    }
    this.#arguments = plan.inputs.slice(0, program.arguments);
    this.#results = plan.outputs.slice(0, program.results).map((buffer, i) => ({
      buffer,
      isScalar: (program.graph.outputs[i] as Value).rank === 0,
    }));
  }

  run(args: readonly Storage[]): Storage[] {
    for (let i = 0; i < this.#arguments.length; i++) {
      const buffer = this.#arguments[i] as Buffer | null;
      if (buffer !== null) writeStorage(this.#view(buffer), args[i] as Storage);
    }
    this.#run();
    const results: Storage[] = [];
    for (const { buffer, isScalar } of this.#results) {
      const view = this.#view(buffer);
      results.push(isScalar ? (view[0] as number) : view.slice());
    }
    return results;
  }

  writeState(index: number, data: Storage): void {
    writeStorage(this.#view(this.#stateBuffer(index)), data);
  }

  readState(index: number): Storage {
    const input = this.#program.graph.inputs[this.#program.arguments + index] as Value;
    return readStorage(this.#view(this.#stateBuffer(index)), typeOf(input));
  }

  readKept(index: number): Storage {
    const at = this.#program.results + this.#program.updates.length + index;
    const output = this.#program.graph.outputs[at] as Value;
    return readStorage(this.#view(this.#plan.outputs[at] as Buffer), typeOf(output));
  }

  explain(): string {
    const { bytes, bytesUsed } = this.#module;
    const counts = { kernel: 0, product: 0, evaluation: 0 };
    for (const { kind } of allSteps(this.#plan.steps))
      if (kind in counts) counts[kind as keyof typeof counts]++;
    return [
      `${counts.kernel} kernels, ${counts.product} products, ${counts.evaluation} evaluations by core`,
      `${bytesUsed} bytes of memory, ${bytes.length} of code`,
      printSteps(this.#plan.steps),
    ].join("\n");
  }

  dispose(): void {
    this.#views.clear();
    unused.unregister(this);
    this.#membership?.leave();
  }

  #evaluate({ op, attributes, inputs, output }: Evaluation): void {
    const values = inputs.map(({ buffer, type }) => {
      const view = this.#view(buffer);
      return constant(type, type.shape.length === 0 ? (view[0] as number) : view);
    });
    writeStorage(this.#view(output.buffer), op.evaluate(values, attributes as never, output.type));
  }

  #stateBuffer(index: number): Buffer {
    return this.#plan.inputs[this.#program.arguments + index] as Buffer;
  }

  #view(buffer: Buffer): TypedArray {
    if (this.#viewed !== this.#memory.buffer) {
      this.#viewed = this.#memory.buffer;
      this.#views.clear();
    }
    let view = this.#views.get(buffer);
    if (view === undefined) {
      const at = this.#module.offsets.get(buffer) as number;
      view = new ARRAYS[buffer.dtype](this.#viewed as ArrayBuffer, at, buffer.size);
      this.#views.set(buffer, view);
    }
    return view;
  }
}
