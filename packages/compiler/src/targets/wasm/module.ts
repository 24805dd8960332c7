/** A plan as a WebAssembly module: a function a kernel, a function a shape of product, and one that runs the steps. */

import type { DType } from "@adjoint/core";
import {
  allSteps,
  type Evaluation,
  type KernelStep,
  type Passes,
  type Plan,
  type Product,
  type Scan,
  type Step,
} from "../../graph/steps.ts";
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
import {
  type FunctionBuilder,
  type FunctionReference,
  type Local,
  type MemoryPages,
  ModuleBuilder,
} from "./assembler.ts";
import type { KernelContext } from "./context.ts";
import { hasRelaxedSimd } from "./engine.ts";
import { defineKernel, defineScalarFunction } from "./kernels.ts";
import { scalarType } from "./numbers.ts";
import { Pool } from "./pool.ts";
import { batchUnits, batchWorkspace, defineProducts, type ProductBatch } from "./products/batch.ts";
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

const PAGE = 65536;
/** The most pages that a memory can have. */
const MOST_PAGES = 65536;
/** Products of fewer multiplications are not worth the meeting of threads: about a tenth of a millisecond. */
const LEAST_SHARED = 2 ** 22;
/** Where the address of the first byte that no stack has taken is kept. */
const TOP = 16;
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

/** Defines the function that takes an address and makes sure that memory reaches to it. */
function defineReserve(module: ModuleBuilder): FunctionReference {
  return module.define("reserve", ["i32"], [], (f, [end]) => {
    const missing = f.local("i32");
    f.get(end as Local)
      .i32(PAGE - 1)
      .op("i32.add")
      .i32(16)
      .op("i32.shr_u")
      .memorySize()
      .op("i32.sub")
      .tee(missing);
    f.i32(0).op("i32.gt_s");
    f.if(() => {
      // A quarter of what there is on top, so that a stack that grows does so seldom.
      f.get(missing).memorySize().i32(2).op("i32.shr_u").op("i32.add").memoryGrow().i32(-1).op("i32.eq");
      f.if(() => {
        f.get(missing).memoryGrow().i32(-1).op("i32.eq");
        f.if(() => f.op("unreachable"));
      });
    });
  });
}

/** What steps are written with. */
interface StepContext {
  addressOf(buffer: Buffer): number;
  readonly reserve: FunctionReference;
  perform(step: KernelStep | Product): void;
  evaluation(step: Evaluation): void;
}

/** Writes steps as code. */
class StepWriter {
  readonly #f: FunctionBuilder;
  readonly #context: StepContext;

  constructor(f: FunctionBuilder, context: StepContext) {
    this.#f = f;
    this.#context = context;
  }

  write(steps: readonly Step[]): void {
    const f = this.#f;
    for (const step of steps) {
      switch (step.kind) {
        case "kernel":
        case "product":
          this.#context.perform(step);
          break;
        case "evaluation":
          this.#context.evaluation(step);
          break;
        case "copy":
          this.#move(sizeOf(step.from), this.#at(step.to), this.#at(step.from));
          break;
        case "choice":
          f.i32(0).load("i32.load8_u", this.#context.addressOf(step.condition));
          f.if(
            () => this.write(step.whenTrue),
            () => this.write(step.whenFalse),
          );
          break;
        case "scan":
          this.#scan(step);
          break;
        case "passes":
          this.#passes(step);
          break;
      }
    }
  }

  #scan({ length, reverse, taken, body, given }: Scan): void {
    const f = this.#f;
    const i = f.local("i32");
    f.i32(reverse ? length - 1 : 0).set(i);
    f.loop((head) => {
      for (const { stream, entry } of taken)
        this.#move(sizeOf(entry), this.#at(entry), this.#entry(stream, entry, i));
      this.write(body);
      for (const { stream, entry } of given)
        this.#move(sizeOf(entry), this.#entry(stream, entry, i), this.#at(entry));
      f.get(i)
        .i32(reverse ? -1 : 1)
        .op("i32.add")
        .tee(i);
      f.i32(reverse ? -1 : length)
        .op("i32.ne")
        .branchIf(head);
    });
  }

  #passes({ test, holds, passes }: Passes): void {
    const f = this.#f;
    const steps = f.local("i32");
    const step = f.local("i32");
    const start = f.local("i32");
    const records = passes.map(({ before, after }) => {
      const sizes = [...before, ...after].map((buffer) => Math.ceil(sizeOf(buffer) / 8) * 8);
      const offsets = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, n) => sum + n, 0));
      return { base: f.local("i32"), offsets, bytes: sizes.reduce((sum, n) => sum + n, 0) };
    });
    f.i32(0).load("i32.load", TOP).set(start);
    f.i32(0).set(steps);
    /** Takes memory for the records of a pass up to a number of steps. */
    const take = (record: (typeof records)[number], count: Local, more: number) => {
      if (record.bytes === 0) return;
      const end = f.local("i32");
      f.get(count)
        .i32(more)
        .op("i32.add")
        .i32(record.bytes)
        .op("i32.mul")
        .get(record.base)
        .op("i32.add")
        .tee(end);
      f.call(this.#context.reserve);
      f.i32(0).get(end).store("i32.store", TOP);
    };
    const run = (p: number, k: Local) => {
      const { taken, before, body, after } = passes[p] as Passes["passes"][number];
      const within = (pass: number, place: number): Position => {
        const { base, offsets, bytes } = records[pass] as (typeof records)[number];
        return {
          base: () => f.get(k).i32(bytes).op("i32.mul").get(base).op("i32.add"),
          offset: offsets[place] as number,
        };
      };
      for (const { pass, place, to } of taken) this.#move(sizeOf(to), this.#at(to), within(pass, place));
      for (const [place, buffer] of before.entries())
        this.#move(sizeOf(buffer), within(p, place), this.#at(buffer));
      this.write(body);
      for (const [i, buffer] of after.entries())
        this.#move(sizeOf(buffer), within(p, before.length + i), this.#at(buffer));
    };
    passes.forEach((_, p) => {
      const record = records[p] as (typeof records)[number];
      f.i32(0).load("i32.load", TOP).set(record.base);
      if (p === 0) {
        f.block((end) => {
          f.loop((head) => {
            this.write(test);
            f.i32(0).load("i32.load8_u", this.#context.addressOf(holds)).op("i32.eqz").branchIf(end);
            take(record, steps, 1);
            run(0, steps);
            f.get(steps).i32(1).op("i32.add").set(steps);
            f.branch(head);
          });
        });
        return;
      }
      const down = p % 2 === 1;
      take(record, steps, 0);
      f.i32(down ? -1 : 0);
      if (down) f.get(steps).op("i32.add");
      f.set(step);
      f.block((end) => {
        f.loop((head) => {
          if (down) f.get(step).i32(0).op("i32.lt_s").branchIf(end);
          else f.get(step).get(steps).op("i32.ge_s").branchIf(end);
          run(p, step);
          f.get(step)
            .i32(down ? -1 : 1)
            .op("i32.add")
            .set(step);
          f.branch(head);
        });
      });
    });
    f.i32(0).get(start).store("i32.store", TOP);
  }

  /** A buffer's place. */
  #at(buffer: Buffer): Position {
    return { base: () => this.#f.i32(0), offset: this.#context.addressOf(buffer) };
  }

  /** The place of one entry of a stream. */
  #entry(stream: Buffer, entry: Buffer, i: Local): Position {
    const f = this.#f;
    return {
      base: () => f.get(i).i32(sizeOf(entry)).op("i32.mul"),
      offset: this.#context.addressOf(stream),
    };
  }

  /** Copies bytes; a few of them by loads and stores. */
  #move(bytes: number, to: Position, from: Position): void {
    const f = this.#f;
    if (bytes === 0) return;
    if (bytes > 128) {
      to.base();
      f.i32(to.offset).op("i32.add");
      from.base();
      f.i32(from.offset).op("i32.add");
      f.i32(bytes).memoryCopy();
      return;
    }
    let at = 0;
    const part = (size: number, load: "v128.load" | "i64.load" | "i32.load" | "i32.load8_u") => {
      for (; at + size <= bytes; at += size) {
        to.base();
        from.base();
        f.load(load, from.offset + at);
        f.store(
          load === "i32.load8_u" ? "i32.store8" : (load.replace("load", "store") as "v128.store"),
          to.offset + at,
        );
      }
    };
    part(16, "v128.load");
    part(8, "i64.load");
    part(4, "i32.load");
    part(1, "i32.load8_u");
  }
}

/** An address: what puts its variable part on the stack, and what is added to that. */
interface Position {
  base(): void;
  readonly offset: number;
}

function sizeOf(buffer: Buffer): number {
  return buffer.size * bytesOf(buffer.dtype);
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
