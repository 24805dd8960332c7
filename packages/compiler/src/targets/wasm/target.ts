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
import { PAGE } from "./steps.ts";
import { MOST_PARTS } from "./threads.ts";
import { join, type Membership, machineThreads } from "./workers.ts";

/** Runs programs as WebAssembly, with vectors, and with threads where memory can be shared. */
export const wasm: Target = {
  name: "wasm",
  prepare: (program, { threads = machineThreads(), reuseResults = false } = {}) => {
    const count = hasThreads() ? Math.min(threads, MOST_PARTS) : 1;
    try {
      return new WasmExecutable(program, count, reuseResults);
    } catch (error) {
      // Some engines have no room for a memory that is shared and may grow.
      if (count === 1 || !(error instanceof RangeError)) throw error;
      return new WasmExecutable(program, 1, reuseResults);
    }
  },
};

/** Lets workers forget programs that are no longer used. */
const unused = new FinalizationRegistry<Membership>((membership) => membership.leave());

/** A result's place in memory, and how it is given. */
interface Result {
  readonly buffer: Buffer;
  /** As a number, as the memory itself, or as a copy. */
  readonly as: "number" | "memory" | "copy";
}

class WasmExecutable implements Executable {
  readonly #program: Program;
  readonly #plan: Plan;
  readonly #module: PlannedModule;
  readonly #views: Views;
  readonly #run: () => void;
  readonly #arguments: readonly (Buffer | null)[];
  readonly #results: readonly Result[];

  readonly #membership: Membership | null;
  /** What it was last run with, to be explained by; null before. */
  #given: readonly Storage[] | null = null;

  constructor(program: Program, threads: number, reuseResults: boolean) {
    this.#program = program;
    const plan = planOf(program, threads);
    const module = moduleOf(plan, threads);
    this.#plan = plan;
    this.#module = module;
    const { minimum: initial, ...limits } = module.memory;
    const memory = new engine.Memory({ initial, ...limits });
    this.#views = new Views(memory, module.offsets);
    module.pool.write(memory.buffer as ArrayBuffer);
    const code = new engine.Module(module.bytes);
    this.#membership = module.memory.shared
      ? join(threads, code, memory, Object.values(module.functions))
      : null;
    const instance = new engine.Instance(code, {
      program: { memory },
      functions: module.functions,
      core: evaluating(module, this.#views),
      ...(this.#membership === null ? {} : { threads: { ...this.#membership } }),
    });
    if (this.#membership !== null) unused.register(this, this.#membership, this);
    this.#run = instance.exports["run"] as () => void;
    for (const { buffer, data } of plan.constants) {
      if (typeof data === "number") this.#views.of(buffer).fill(data);
      else this.#views.of(buffer).set(data);
    }
    this.#arguments = plan.inputs.slice(0, program.arguments);
    // What arguments and states are written to changes before the next run has read its arguments: results of this one, perhaps.
    const written = new Set(plan.inputs);
    this.#results = plan.outputs.slice(0, program.results).map((buffer, i): Result => {
      const isScalar = (program.graph.outputs[i] as Value).rank === 0;
      return { buffer, as: isScalar ? "number" : reuseResults && !written.has(buffer) ? "memory" : "copy" };
    });
  }

  run(args: readonly Storage[]): Storage[] {
    this.#given = args;
    this.#take(args, this.#views);
    this.#run();
    const results: Storage[] = [];
    for (let i = 0; i < this.#results.length; i++) {
      const { buffer, as } = this.#results[i] as Result;
      const view = this.#views.of(buffer);
      results.push(as === "number" ? (view[0] as number) : as === "memory" ? view : view.slice());
    }
    return results;
  }

  writeState(index: number, data: Storage): void {
    writeStorage(this.#views.of(this.#stateBuffer(index)), data);
  }

  readState(index: number): Storage {
    const input = this.#program.graph.inputs[this.#program.arguments + index] as Value;
    return readStorage(this.#views.of(this.#stateBuffer(index)), typeOf(input));
  }

  readKept(index: number): Storage {
    const at = this.#program.results + this.#program.updates.length + index;
    const output = this.#program.graph.outputs[at] as Value;
    return readStorage(this.#views.of(this.#plan.outputs[at] as Buffer), typeOf(output));
  }

  explain(): string {
    const { bytes, bytesUsed, memory } = this.#module;
    const { steps } = this.#plan;
    const counts = { kernel: 0, product: 0, evaluation: 0 };
    for (const { kind } of allSteps(steps)) if (kind in counts) counts[kind as keyof typeof counts]++;
    const lines = [
      `${counts.kernel} kernels, ${counts.product} products, ${counts.evaluation} evaluations by core`,
      `${bytesUsed} bytes of memory${memory.shared ? ", shared with workers" : ""}, ${bytes.length} of code`,
    ];
    if (this.#given === null) return [...lines, "not run yet", printSteps(steps)].join("\n");
    const times = this.#times(this.#given);
    const sum = times.reduce((a, b) => a + b, 0);
    const notes = times.map((time) => `${microseconds(time)}, ${((100 * time) / sum).toFixed(0)}%: `);
    return [...lines, `${microseconds(sum)} a run on one thread`, printSteps(steps, notes)].join("\n");
  }

  #take(args: readonly Storage[], views: Views): void {
    for (let i = 0; i < this.#arguments.length; i++) {
      const buffer = this.#arguments[i] as Buffer | null;
      if (buffer !== null) writeStorage(views.of(buffer), args[i] as Storage);
    }
  }

  /** Microseconds that each step takes on one thread: means over runs with arguments, on a copy of the memory. */
  #times(args: readonly Storage[]): number[] {
    const module = moduleOf(this.#plan, 1, { timed: true });
    const bytes = new Uint8Array(this.#views.memory.buffer);
    const memory = new engine.Memory({ initial: Math.max(bytes.length / PAGE, module.memory.minimum) });
    new Uint8Array(memory.buffer).set(bytes);
    const views = new Views(memory, module.offsets);
    // Constants of this module's own code.
    module.pool.write(memory.buffer as ArrayBuffer);
    const times = this.#plan.steps.map(() => 0);
    let last = 0;
    const instance = new engine.Instance(new engine.Module(module.bytes), {
      program: { memory },
      functions: module.functions,
      core: evaluating(module, views),
      time: {
        passed: (i: number) => {
          const now = clock.now();
          (times[i] as number) += now - last;
          last = now;
        },
      },
    });
    const run = instance.exports["run"] as () => void;
    /** Runs for some milliseconds, and once more; returns how often. */
    const runFor = (milliseconds: number): number => {
      const end = clock.now() + milliseconds;
      for (let runs = 1; ; runs++) {
        this.#take(args, views);
        last = clock.now();
        run();
        if (last >= end) return runs;
      }
    };
    // Engines make code better while it runs; what runs for long has had that in its first run.
    const start = clock.now();
    let runs = runFor(30);
    if (clock.now() - start < 300) {
      times.fill(0);
      runs = runFor(50);
    }
    return times.map((sum) => (1000 * sum) / runs);
  }

  dispose(): void {
    this.#given = null;
    this.#views.clear();
    unused.unregister(this);
    this.#membership?.leave();
  }

  #stateBuffer(index: number): Buffer {
    return this.#plan.inputs[this.#program.arguments + index] as Buffer;
  }
}

/** What of memory is read and written from outside, one view a buffer; new ones when memory has grown. */
class Views {
  readonly memory: WasmMemory;
  readonly #offsets: ReadonlyMap<Buffer, number>;
  readonly #views = new Map<Buffer, TypedArray>();
  #viewed: ArrayBufferLike;

  constructor(memory: WasmMemory, offsets: ReadonlyMap<Buffer, number>) {
    this.memory = memory;
    this.#offsets = offsets;
    this.#viewed = memory.buffer;
  }

  of(buffer: Buffer): TypedArray {
    if (this.#viewed !== this.memory.buffer) {
      this.#viewed = this.memory.buffer;
      this.#views.clear();
    }
    let view = this.#views.get(buffer);
    if (view === undefined) {
      const at = this.#offsets.get(buffer) as number;
      view = new ARRAYS[buffer.dtype](this.#viewed as ArrayBuffer, at, buffer.size);
      this.#views.set(buffer, view);
    }
    return view;
  }

  clear(): void {
    this.#views.clear();
  }
}

/** What a module imports to have core evaluate operations. */
function evaluating({ evaluations }: PlannedModule, views: Views) {
  return {
    evaluate: (i: number) => {
      const { op, attributes, inputs, output } = evaluations[i] as Evaluation;
      const values = inputs.map(({ buffer, type }) => {
        const view = views.of(buffer);
        return constant(type, type.shape.length === 0 ? (view[0] as number) : view);
      });
      writeStorage(views.of(output.buffer), op.evaluate(values, attributes as never, output.type));
    },
  };
}

/** The clock of the platform, which the language's own library types leave out. */
const clock = (globalThis as unknown as { readonly performance: { now(): number } }).performance;

function microseconds(time: number): string {
  return `${time >= 100 ? time.toFixed(0) : time.toPrecision(2)} µs`;
}
