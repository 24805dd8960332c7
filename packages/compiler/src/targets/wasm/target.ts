/** The WebAssembly target: one module and one memory a program. */

import type { DType, TypedArray, Value } from "@adjoint/core";
import { constant, type TensorType, typeOf } from "@adjoint/core/operations";
import { type Evaluation, type Plan, type Product, planOf } from "../../graph/plan.ts";
import type { Affine, Buffer, CalledFunction, Counter, Kernel, Statement } from "../../kernels/language.ts";
import { printKernel } from "../../kernels/print.ts";
import { laneFunctions } from "../../math/functions.ts";
import { arenaOf, bytesOf } from "../../memory/arena.ts";
import type { Executable, Program, Storage, Target } from "../../program.ts";
import { type FunctionBuilder, type FunctionReference, ModuleBuilder } from "./assembler.ts";
import { engine, hasRelaxedSimd, type WasmMemory } from "./engine.ts";
import { defineKernel, defineScalarFunction, type KernelContext } from "./kernels.ts";
import { type ConstantPool, scalarType } from "./numbers.ts";
import { batchUnits, batchWorkspace, defineProducts, type ProductBatch } from "./products/batch.ts";

/** Runs programs as WebAssembly, with vectors. */
export const wasm: Target = { name: "wasm", prepare: (program) => new WasmExecutable(program) };

const ARRAYS = { float64: Float64Array, float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

const PAGE = 65536;
/** Addresses below this are never used, so that a bug that reads address 0 shows. */
const START = 64;
/** How many different constants the pool has room for, in 8 bytes each. */
const POOL = 4096;

class WasmExecutable implements Executable {
  readonly #program: Program;
  readonly #plan: Plan;
  readonly #memory: WasmMemory;
  readonly #run: () => void;
  readonly #offsets: ReadonlyMap<Buffer, number>;
  readonly #bytes: number;
  readonly #moduleBytes: number;
  /** What of memory is read and written from outside, one view a buffer. */
  readonly #views = new Map<Buffer, TypedArray>();
  readonly #arguments: readonly (TypedArray | null)[];
  readonly #results: readonly { readonly view: TypedArray; readonly isScalar: boolean }[];

  constructor(program: Program) {
    this.#program = program;
    const plan = planOf(program);
    this.#plan = plan;
    const pool = new Pool(START);
    const last = plan.steps.length;
    const lasting = [...plan.inputs.filter((b) => b !== null), ...plan.constants.map(({ buffer }) => buffer)];
    const lifetimes = [...lasting.map((buffer) => ({ buffer, from: 0, to: last })), ...plan.lifetimes];
    const { offsets, bytes: workspace } = arenaOf(lifetimes, START + 8 * POOL);
    this.#offsets = offsets;
    const batches = plan.steps.map((step) => (step.kind === "product" ? batchOf(step) : null));
    const needed = batches.map((batch) => (batch === null ? 0 : batchWorkspace(batch)));
    this.#bytes = workspace + Math.max(0, ...needed);
    const pages = Math.ceil(this.#bytes / PAGE) + 1;
    const code = moduleOf(plan, offsets, pool, pages, batches, workspace);
    this.#moduleBytes = code.bytes.length;
    this.#memory = new engine.Memory({ initial: pages });
    pool.write(this.#memory.buffer);
    const instance = new engine.Instance(new engine.Module(code.bytes), {
      program: { memory: this.#memory },
      functions: code.functions,
      core: { evaluate: (step: number) => this.#evaluate(plan.steps[step] as Evaluation) },
    });
    this.#run = instance.exports["run"] as () => void;
    for (const { buffer, data } of plan.constants) {
      if (typeof data === "number") this.#view(buffer).fill(data);
      else this.#view(buffer).set(data);
    }
    this.#arguments = plan.inputs
      .slice(0, program.arguments)
      .map((buffer) => (buffer === null ? null : this.#view(buffer)));
    this.#results = plan.outputs.slice(0, program.results).map((buffer, i) => ({
      view: this.#view(buffer),
      isScalar: (program.graph.outputs[i] as Value).rank === 0,
    }));
  }

  run(args: readonly Storage[]): Storage[] {
    const views = this.#arguments;
    for (let i = 0; i < views.length; i++) {
      const view = views[i] as TypedArray | null;
      if (view !== null) write(view, args[i] as Storage);
    }
    this.#run();
    const results = this.#results.map(({ view, isScalar }) =>
      isScalar ? (view[0] as number) : view.slice(),
    );
    this.#commit();
    return results;
  }

  writeState(index: number, data: Storage): void {
    write(this.#stateView(index), data);
  }

  readState(index: number): Storage {
    return read(
      this.#stateView(index),
      typeOf(this.#program.graph.inputs[this.#program.arguments + index] as Value),
    );
  }

  readKept(index: number): Storage {
    const at = this.#program.results + this.#program.updates.length + index;
    return read(
      this.#view(this.#plan.outputs[at] as Buffer),
      typeOf(this.#program.graph.outputs[at] as Value),
    );
  }

  explain(): string {
    const { steps } = this.#plan;
    const kernels = steps.filter(({ kind }) => kind === "kernel").length;
    const products = steps.filter(({ kind }) => kind === "product").length;
    const head = [
      `${kernels} kernels, ${products} products, ${steps.length - kernels - products} evaluations by core`,
      `${this.#bytes} bytes of memory, ${this.#moduleBytes} of code`,
    ];
    const body = steps.map((step) => {
      if (step.kind === "kernel") return printKernel(step.kernel);
      if (step.kind === "product") {
        const batch = step.counters.map(({ extent }) => extent).join("×");
        return `product ${step.dtype} [${step.n}×${step.k}]·[${step.k}×${step.m}]${batch === "" ? "" : ` ${batch} times`}`;
      }
      return `evaluation of ${step.op.name}`;
    });
    return [...head, ...body].join("\n");
  }

  dispose(): void {
    this.#views.clear();
  }

  /** New data of states that could not be written in place. */
  #commit(): void {
    const { commits } = this.#plan;
    if (commits.length === 0) return;
    for (const { from, to } of commits) this.#view(to).set(this.#view(from));
  }

  #evaluate({ op, attributes, inputs, output }: Evaluation): void {
    const values = inputs.map(({ buffer, type }) => {
      const view = this.#view(buffer);
      return constant(type, type.shape.length === 0 ? (view[0] as number) : view);
    });
    write(this.#view(output.buffer), op.evaluate(values, attributes as never, output.type));
  }

  #stateView(index: number): TypedArray {
    return this.#view(this.#plan.inputs[this.#program.arguments + index] as Buffer);
  }

  #view(buffer: Buffer): TypedArray {
    let view = this.#views.get(buffer);
    if (view === undefined) {
      view = new ARRAYS[buffer.dtype](
        this.#memory.buffer as ArrayBuffer,
        this.#offsets.get(buffer) as number,
        buffer.size,
      );
      this.#views.set(buffer, view);
    }
    return view;
  }
}

function write(view: TypedArray, data: Storage): void {
  if (typeof data === "number") view[0] = data;
  else view.set(data);
}

function read(view: TypedArray, { shape }: TensorType): Storage {
  return shape.length === 0 ? (view[0] as number) : view.slice();
}

/** The module of a plan, and the functions that it imports. */
function moduleOf(
  plan: Plan,
  offsets: ReadonlyMap<Buffer, number>,
  pool: Pool,
  pages: number,
  batches: readonly (ProductBatch | null)[],
  workspace: number,
): { bytes: Uint8Array; functions: Record<string, (...xs: number[]) => number> } {
  const module = new ModuleBuilder();
  module.importMemory("program", "memory", { minimum: pages });
  const evaluate = module.importFunction("core", "evaluate", ["i32"], []);
  const { steps } = plan;
  const functions: Record<string, (...xs: number[]) => number> = {};
  const imports = new Map<string, FunctionReference>();
  const named = new Map<CalledFunction, string>();
  const keyOf = (called: CalledFunction, dtype: DType) => {
    let name = named.get(called);
    if (name === undefined) {
      name = `${called.name}${named.size}`;
      named.set(called, name);
    }
    return `${name}_${scalarType(dtype)}`;
  };
  for (const step of steps) {
    if (step.kind !== "kernel") continue;
    forEachCall(step.kernel, (called, dtype, arity) => {
      const key = keyOf(called, dtype);
      if (imports.has(key)) return;
      functions[key] = called.compute;
      const type = scalarType(dtype);
      imports.set(key, module.importFunction("functions", key, new Array(arity).fill(type), [type]));
    });
  }
  const scalars = new Map<string, FunctionReference>();
  const context: KernelContext = {
    module,
    pool,
    fused: hasRelaxedSimd(),
    addressOf: (buffer) => offsets.get(buffer) as number,
    importOf: (called, dtype) => imports.get(keyOf(called, dtype)) as FunctionReference,
    laneFunction: (called) => laneFunctions.get(called.name) ?? null,
    scalarFunction(called, dtype) {
      const key = keyOf(called, dtype);
      let known = scalars.get(key);
      if (known === undefined) {
        known = defineScalarFunction(context, called, laneFunctions.get(called.name) as never, dtype);
        scalars.set(key, known);
      }
      return known;
    },
  };
  const calls = steps.map((step, at): ((f: FunctionBuilder) => void) => {
    if (step.kind === "kernel") {
      const kernel = defineKernel(context, step.kernel);
      return (f) => f.call(kernel);
    }
    if (step.kind === "evaluation") return (f) => f.i32(at).call(evaluate);
    const batch = batches[at] as ProductBatch;
    const product = defineProducts(module, batch);
    return (f) => {
      for (const { buffer, at: first } of [step.a, step.b, step.c])
        f.i32((offsets.get(buffer) as number) + first.offset * bytesOf(buffer.dtype));
      f.i32(workspace).i32(0).i32(batchUnits(batch)).call(product);
    };
  });
  module.define(
    "run",
    [],
    [],
    (f) => {
      for (const call of calls) call(f);
    },
    { exported: true },
  );
  return { bytes: module.toBytes(), functions };
}

/** A planned product as the products of this target have it. */
function batchOf({ dtype, n, m, k, a, b, c, counters }: Product): ProductBatch {
  const stepOf = ({ terms }: Affine, counter: Counter) =>
    terms.find((term) => term.counter === counter)?.step ?? 0;
  return {
    product: {
      dtype,
      n,
      m,
      k,
      a: { row: a.row, column: a.column },
      b: { row: b.row, column: b.column },
      c: c.row,
      accumulate: false,
      fused: hasRelaxedSimd(),
    },
    axes: counters.map((counter) => ({
      extent: counter.extent,
      a: stepOf(a.at, counter),
      b: stepOf(b.at, counter),
      c: stepOf(c.at, counter),
    })),
  };
}

function forEachCall(
  kernel: Kernel,
  visit: (called: CalledFunction, dtype: DType, arity: number) => void,
): void {
  const search = (statements: readonly Statement[]): void => {
    for (const s of statements) {
      if (s.kind === "loop") search(s.body);
      else if (s.kind === "call") visit(s.called, s.to.dtype, s.from.length);
    }
  };
  search(kernel.body);
}

/** Constants in memory. */
class Pool implements ConstantPool {
  readonly #start: number;
  readonly #entries = new Map<
    string,
    { readonly type: string; readonly value: number | bigint; readonly at: number }
  >();

  constructor(start: number) {
    this.#start = start;
  }

  addressOf(type: "f32" | "f64" | "i32" | "i64", value: number | bigint): number {
    const key = `${type} ${Object.is(value, -0) ? "-0" : value}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      if (this.#entries.size === POOL)
        throw new Error(`a program must have at most ${POOL} vector constants`);
      entry = { type, value, at: this.#start + 8 * this.#entries.size };
      this.#entries.set(key, entry);
    }
    return entry.at;
  }

  write(memory: ArrayBufferLike): void {
    const view = new DataView(memory);
    for (const { type, value, at } of this.#entries.values()) {
      if (type === "f32") view.setFloat32(at, value as number, true);
      else if (type === "f64") view.setFloat64(at, value as number, true);
      else if (type === "i32") view.setInt32(at, Number(value), true);
      else view.setBigUint64(at, value as bigint, true);
    }
  }
}
