/** Steps as code: what runs kernels and products in their order, branches, loops, and the stacks of these. */

import type { Evaluation, KernelStep, Passes, Product, Scan, Step } from "../../graph/steps.ts";
import type { Buffer } from "../../kernels/language.ts";
import { bytesOf } from "../../memory/arena.ts";
import type { FunctionBuilder, FunctionReference, Local, ModuleBuilder } from "./assembler.ts";

/** Bytes of a page of memory. */
export const PAGE = 65536;
/** Where the address of the first byte that no stack has taken is kept. */
export const TOP = 16;

/** Defines the function that takes an address and makes sure that memory reaches to it. */
export function defineReserve(module: ModuleBuilder): FunctionReference {
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
export class StepWriter {
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
