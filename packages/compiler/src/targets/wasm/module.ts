/** A plan as a WebAssembly module: a function a kernel, a function a shape of product, and one that runs the steps. */

import type { DType } from "@adjoint/core";
import { allSteps, type Evaluation, type Plan, type Product, type Step } from "../../graph/steps.ts";
import {
  type Affine,
  type Buffer,
  type CalledFunction,
  type Counter,
  type Kernel,
  touchesOf,
} from "../../kernels/language.ts";
import { laneFunctions } from "../../math/functions.ts";
import type { LaneFunction } from "../../math/lanes.ts";
import { arenaOf, bytesOf } from "../../memory/arena.ts";
import { type FunctionReference, type MemoryPages, ModuleBuilder } from "./assembler.ts";
import type { KernelContext } from "./context.ts";
import { hasRelaxedSimd } from "./engine.ts";
import { defineKernel, defineScalarFunction } from "./kernels.ts";
import { scalarType } from "./numbers.ts";
import { Pool } from "./pool.ts";
import { batchUnits, batchWorkspace, defineProducts, type ProductBatch } from "./products/batch.ts";
import { defineReserve, PAGE, StepWriter, TOP } from "./steps.ts";
import { board, defineSharing, importThreads } from "./threads.ts";

/** A module, what it imports, and how its memory is laid out. */
export interface PlannedModule {
  readonly bytes: Uint8Array;
  /** Functions of numbers that kernels call, by the names that they are imported by. */
  readonly functions: Readonly<Record<string, (...xs: number[]) => number>>;
  /** What the module asks to be evaluated, by number. */
  readonly evaluations: readonly Evaluation[];
  readonly pool: Pool;
  readonly offsets: ReadonlyMap<Buffer, number>;
  /** The memory that it needs: shared, if there is work that threads can share. */
  readonly memory: MemoryPages;
  /** Bytes of memory that buffers and the workspace of products take. */
  readonly bytesUsed: number;
}

/** The most pages that a memory can have. */
const MOST_PAGES = 65536;
/** Products of fewer multiplications are not worth the meeting of threads: about a tenth of a millisecond. */
const LEAST_SHARED = 2 ** 22;
/** Addresses below this are no buffer's. */
const START = board.end;

/**
 * Makes the module of a plan for a number of threads. Its function `run` runs the steps; where threads can share work, its
 * function `help` does what they share. One that is timed calls `passed` after each of the plan's steps, with its number.
 */
export function moduleOf(plan: Plan, threads: number, { timed = false } = {}): PlannedModule {
  return new Maker(plan, threads).make(timed);
}

/** A product as this target has it, and how it is divided. */
interface PlannedProduct {
  readonly batch: ProductBatch;
  readonly parts: number;
  /** Bytes of workspace of a part. */
  readonly workspace: number;
}

class Maker {
  readonly #plan: Plan;
  readonly #threads: number;
  readonly #module = new ModuleBuilder();
  /** Behind all else that has a place of its own. */
  readonly #pool: Pool;
  readonly #offsets: ReadonlyMap<Buffer, number>;
  /** The same by the ids of buffers. */
  readonly #addresses: number[] = [];
  readonly #workspace: number;
  readonly #products = new Map<Product, PlannedProduct>();
  readonly #evaluations: Evaluation[] = [];
  readonly #functions: Record<string, (...xs: number[]) => number> = {};
  readonly #imports = new Map<string, FunctionReference>();
  readonly #scalars = new Map<string, FunctionReference>();
  readonly #names = new Map<CalledFunction, string>();

  constructor(plan: Plan, threads: number) {
    this.#plan = plan;
    this.#threads = threads;
    const { offsets, bytes } = arenaOf(plan.lifetimes, START);
    this.#offsets = offsets;
    for (const [{ id }, at] of offsets) this.#addresses[id] = at;
    this.#workspace = Math.ceil(bytes / 64) * 64;
    let needed = 0;
    for (const step of allSteps(plan.steps)) {
      if (step.kind !== "product") continue;
      const batch = batchOf(step);
      const parts = workOf(step) < LEAST_SHARED ? 1 : Math.min(threads, batchUnits(batch));
      const workspace = Math.ceil(batchWorkspace(batch) / 64) * 64;
      this.#products.set(step, { batch, parts, workspace });
      needed = Math.max(needed, parts * workspace);
    }
    this.#pool = new Pool(this.#workspace + needed);
  }

  make(timed: boolean): PlannedModule {
    const module = this.#module;
    const all = allSteps(this.#plan.steps);
    const kernels = all.filter((step) => step.kind === "kernel");
    const parts = new Map<Step, number>([
      // Workers have what a kernel calls outside only of the thread that runs the program.
      ...kernels.map((step) => [step, this.#isAlone(step.kernel) ? 1 : step.parts] as const),
      ...[...this.#products].map(([step, { parts }]) => [step, parts] as const),
    ]);
    const tasks = [...parts.keys()].filter((step) => (parts.get(step) as number) > 1);
    const isShared = tasks.length > 0;
    // Constants are still to come: the memory that it is given will be larger.
    module.importMemory("program", "memory", this.#memory(isShared, true));
    const evaluate = module.importFunction("core", "evaluate", ["i32"], []);
    const passed = timed ? module.importFunction("time", "passed", ["i32"], []) : null;
    const threads = isShared ? importThreads(module) : null;
    for (const step of kernels) this.#importCalls(step.kernel);

    const context = this.#context();
    const functions = new Map<Step, FunctionReference>();
    for (const step of kernels)
      functions.set(step, defineKernel(context, step.kernel, parts.get(step) as number));
    for (const [step, product] of this.#products) functions.set(step, this.#defineProduct(step, product));
    const share =
      threads === null
        ? null
        : defineSharing(
            module,
            tasks.map((step) => functions.get(step) as FunctionReference),
            threads,
          );
    const reserve = defineReserve(module);
    module.define(
      "run",
      [],
      [],
      (f) => {
        f.i32(0).i32(this.#pool.end).store("i32.store", TOP);
        const writer = new StepWriter(f, {
          addressOf: (buffer) => this.#addressOf(buffer),
          reserve,
          perform: (step) => {
            const task = tasks.indexOf(step);
            if (task < 0 || share === null) f.call(functions.get(step) as FunctionReference);
            else
              f.i32(task)
                .i32(parts.get(step) as number)
                .call(share);
          },
          evaluation: (step) => f.i32(this.#evaluations.push(step) - 1).call(evaluate),
        });
        for (const [i, step] of this.#plan.steps.entries()) {
          writer.write([step]);
          if (passed !== null) f.i32(i).call(passed);
        }
      },
      { exported: true },
    );
    return {
      bytes: module.toBytes(),
      functions: this.#functions,
      evaluations: this.#evaluations,
      pool: this.#pool,
      offsets: this.#offsets,
      memory: this.#memory(
        isShared,
        all.some(({ kind }) => kind === "passes"),
      ),
      bytesUsed: this.#pool.end,
    };
  }

  #memory(shared: boolean, grows: boolean): MemoryPages {
    const minimum = Math.ceil(this.#pool.end / PAGE) + 1;
    return shared ? { minimum, maximum: grows ? MOST_PAGES : minimum, shared } : { minimum };
  }

  /** Defines the function of a product's step; of one of several parts, that of a part's number. */
  #defineProduct(step: Product, { batch, parts, workspace }: PlannedProduct): FunctionReference {
    const compute = defineProducts(this.#module, batch);
    const units = batchUnits(batch);
    const name = `${compute.name}${parts > 1 ? ", a part" : ""}`;
    return this.#module.define(name, parts > 1 ? ["i32"] : [], [], (f, [part]) => {
      for (const { buffer, at } of [step.a, step.b, step.c])
        f.i32(this.#addressOf(buffer) + at.offset * bytesOf(buffer.dtype));
      f.i32(this.#workspace);
      if (part === undefined) f.i32(0).i32(units);
      else {
        f.get(part).i32(workspace).op("i32.mul").op("i32.add");
        f.get(part).i32(units).op("i32.mul").i32(parts).op("i32.div_u");
        f.get(part).i32(1).op("i32.add").i32(units).op("i32.mul").i32(parts).op("i32.div_u");
      }
      f.call(compute);
    });
  }

  #addressOf(buffer: Buffer): number {
    return this.#addresses[buffer.id] as number;
  }

  #context(): KernelContext {
    const context: KernelContext = {
      module: this.#module,
      pool: this.#pool,
      fused: hasRelaxedSimd(),
      addressOf: (buffer) => this.#addressOf(buffer),
      importOf: (called, dtype) => this.#imports.get(this.#nameOf(called, dtype)) as FunctionReference,
      laneFunction: (called) => laneFunctions.get(called.name) ?? null,
      scalarFunction: (called, dtype) => {
        const name = this.#nameOf(called, dtype);
        let known = this.#scalars.get(name);
        if (known === undefined) {
          const lanes = laneFunctions.get(called.name) as LaneFunction;
          known = defineScalarFunction(context, called, lanes, dtype);
          this.#scalars.set(name, known);
        }
        return known;
      },
    };
    return context;
  }

  /** The name by which a function of numbers is imported for a dtype. */
  #nameOf(called: CalledFunction, dtype: DType): string {
    let name = this.#names.get(called);
    if (name === undefined) {
      name = `${called.name}${this.#names.size}`;
      this.#names.set(called, name);
    }
    return `${name}_${scalarType(dtype)}`;
  }

  /** Whether one thread has to do a kernel: there is no other, or it calls functions that lanes do not compute. */
  #isAlone(kernel: Kernel): boolean {
    if (this.#threads === 1) return true;
    return touchesOf(kernel).calls.some(({ called }) => !laneFunctions.has(called.name));
  }

  #importCalls(kernel: Kernel): void {
    for (const { called, dtype, arity } of touchesOf(kernel).calls) {
      const name = this.#nameOf(called, dtype);
      if (this.#imports.has(name)) continue;
      const type = scalarType(dtype);
      const parameters = new Array(arity).fill(type);
      this.#functions[name] = called.compute;
      this.#imports.set(name, this.#module.importFunction("functions", name, parameters, [type]));
    }
  }
}

/** How many multiplications a product takes. */
function workOf({ n, m, k, counters }: Product): number {
  return counters.reduce((work, { extent }) => work * extent, n * m * k);
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
