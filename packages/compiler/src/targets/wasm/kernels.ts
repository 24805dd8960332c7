/** Kernels as WebAssembly functions: innermost loops over vectors, everything else over single numbers. */

import type { DType } from "@adjoint/core";
import {
  type Buffer,
  type CalledFunction,
  type Counter,
  type Fold,
  type Kernel,
  neutral,
  type Place,
  type Register,
  type Statement,
} from "../../kernels/language.ts";
import { stretchesOf } from "../../kernels/stretches.ts";
import type { LaneFunction } from "../../math/lanes.ts";
import { bytesOf } from "../../memory/arena.ts";
import { Induction } from "./addresses.ts";
import type { FunctionBuilder, FunctionReference, Local } from "./assembler.ts";
import type { KernelContext } from "./context.ts";
import { constantOf, scalarType, typeOf, WasmLanes, type Width, type Writer } from "./numbers.ts";
import { StatementWriter, storeOf } from "./statements.ts";

type Loop = Extract<Statement, { kind: "loop" }>;

/** Defines a kernel's function; that of one of several parts takes the part's number. */
export function defineKernel(context: KernelContext, kernel: Kernel, parts: number): FunctionReference {
  const { module } = context;
  const part = parts > 1 ? (kernel.body[0] as Loop) : null;
  const body = part?.body ?? kernel.body;
  const parameter = part === null ? [] : (["i32"] as const);
  const writerOf = (f: FunctionBuilder, which: Local | undefined) => {
    const writer = new KernelWriter(context, f);
    if (part !== null) writer.counts(part.counter, which as Local);
    return writer;
  };
  const stretches = stretchesOf(body);
  if (stretches === null)
    return module.define(kernel.name, parameter, [], (f, [which]) => writerOf(f, which).statements(body));

  const { fills, setup, counter, stretch, rest } = stretches;
  const one = module.define(`${kernel.name}, a stretch`, ["i32", ...parameter], [], (f, [at, which]) => {
    const writer = writerOf(f, which);
    writer.counts(counter, at as Local);
    writer.statements([...setup, stretch]);
  });
  return module.define(kernel.name, parameter, [], (f, [which]) => {
    const writer = writerOf(f, which);
    writer.statements(fills);
    const i = f.local("i32");
    f.i32(0).set(i);
    f.loop((head) => {
      f.get(i);
      if (which !== undefined) f.get(which);
      f.call(one);
      f.get(i).i32(1).op("i32.add").tee(i).i32(counter.extent).op("i32.lt_u").branchIf(head);
    });
    if (rest.length > 0) writer.statements([...setup, ...rest]);
  });
}

/** Defines a function of one number, or of several, by its lane instructions. */
export function defineScalarFunction(
  context: KernelContext,
  called: CalledFunction,
  lanes: LaneFunction,
  dtype: "float32" | "float64",
): FunctionReference {
  const type = scalarType(dtype);
  const slow = context.importOf(called, dtype);
  return context.module.define(
    `${called.name}_${type}`,
    new Array(lanes.arity).fill(type),
    [type],
    (f, xs) => {
      const m = new WasmLanes({ f, pool: context.pool, fused: context.fused }, dtype, 1);
      const fast = lanes.fast(xs, m);
      if (lanes.covers !== null) {
        f.get(lanes.covers(xs, m)).op("i32.eqz");
        f.if(() => {
          for (const x of xs) f.get(x);
          f.call(slow).set(fast);
        });
      }
      f.get(fast);
    },
  );
}

class KernelWriter {
  readonly #context: KernelContext;
  readonly #f: FunctionBuilder;
  readonly #w: Writer;
  readonly #registers = new Map<Register, Local>();
  readonly #counters = new Map<Counter, Local>();
  readonly #zeros = new Set<Register>();
  /** Writes statements outside of innermost loops. */
  readonly #scalar: StatementWriter;

  constructor(context: KernelContext, f: FunctionBuilder) {
    this.#context = context;
    this.#f = f;
    this.#w = { f, pool: context.pool, fused: context.fused };
    const addresses = { address: (place: Place) => this.#address(place), stepOf: () => 0 };
    this.#scalar = new StatementWriter(this.#w, context, this.#registers, 1, addresses, this.#zeros);
  }

  /** Says where a counter of a loop around what is written is. */
  counts(counter: Counter, local: Local): void {
    this.#counters.set(counter, local);
  }

  statements(statements: readonly Statement[]): void {
    for (const s of statements) {
      if (s.kind === "loop") this.#loop(s);
      else if (s.kind === "fill") this.#fill(s.buffer, s.value);
      else if (s.kind === "begin") this.#begin(s.to, s.fold);
      else this.#scalar.write(s);
    }
  }

  #loop(loop: Loop): void {
    const { counter, body } = loop;
    if (counter.extent === 0) return;
    if (!body.some((s) => s.kind === "loop")) {
      this.#innermost(loop);
      return;
    }
    const f = this.#f;
    const i = f.local("i32");
    this.#counters.set(counter, i);
    f.i32(0).set(i);
    f.loop((head) => {
      this.statements(body);
      f.get(i).i32(1).op("i32.add").tee(i).i32(counter.extent).op("i32.lt_u").branchIf(head);
    });
  }

  #innermost(loop: Loop): void {
    const { extent } = loop.counter;
    const indices = indicesOf(loop.body);
    const width = widthOf(loop, indices);
    const whole = Math.floor(extent / width) * width;
    const induction = new Induction(
      this.#f,
      loop,
      (index) => this.#counters.get(index) as Local,
      (buffer) => this.#context.addressOf(buffer),
    );
    if (width > 1 && whole > 0) {
      const inside = new StatementWriter(
        this.#w,
        this.#context,
        this.#registers,
        width,
        induction,
        this.#zeros,
      );
      inside.prepare(loop.body, indices);
      induction.loop(whole, width, () => {
        for (const s of loop.body) inside.write(s);
      });
      inside.finish();
    }
    if (width === 1 || whole < extent) {
      const inside = new StatementWriter(this.#w, this.#context, this.#registers, 1, induction, this.#zeros);
      induction.loop(extent - (width === 1 ? 0 : whole), 1, () => {
        for (const s of loop.body) inside.write(s);
      });
    }
  }

  #begin(to: Register, fold: Fold): void {
    const x = constantOf(this.#w, to.dtype, 1, neutral(fold, to.dtype));
    // A variable of its own, since it changes.
    const own = this.#f.local(typeOf(to.dtype, 1));
    this.#f.get(x).set(own);
    this.#registers.set(to, own);
  }

  #fill(buffer: Buffer, value: number): void {
    const f = this.#f;
    const bytes = buffer.size * bytesOf(buffer.dtype);
    const start = this.#context.addressOf(buffer);
    if (buffer.size === 0) return;
    if (Object.is(value, 0)) {
      f.i32(start).i32(0).i32(bytes).memoryFill();
      return;
    }
    const x = constantOf(this.#w, buffer.dtype, 1, value);
    const at = f.local("i32");
    f.i32(0).set(at);
    f.loop((head) => {
      f.get(at).get(x).store(storeOf(buffer.dtype), start);
      f.get(at).i32(bytesOf(buffer.dtype)).op("i32.add").tee(at).i32(bytes).op("i32.lt_u").branchIf(head);
    });
  }

  /** The whole address on the stack. */
  #address({ at, buffer }: Place): number {
    const bytes = bytesOf(buffer.dtype);
    const f = this.#f;
    f.i32(this.#context.addressOf(buffer) + at.offset * bytes);
    for (const { counter, step } of at.terms) {
      f.get(this.#counters.get(counter) as Local);
      f.i32(step * bytes)
        .op("i32.mul")
        .op("i32.add");
    }
    return 0;
  }
}

/** How many numbers at a time a loop can go through: as many as vectors have lanes, where all numbers are of one size. */
function widthOf({ counter, body }: Loop, indices: ReadonlySet<Register>): Width {
  let width: Width = 0 as Width;
  const meet = (dtype: DType): boolean => {
    if (dtype === "bool") return true;
    const own: Width = dtype === "float64" ? 2 : 4;
    if (width === (0 as Width)) width = own;
    return width === own;
  };
  for (const s of body) {
    if (s.kind === "loop" || s.kind === "fill" || s.kind === "begin") return 1;
    if (s.kind === "load" && indices.has(s.to)) continue;
    if (s.kind === "gather") {
      const widens = s.into.dtype === "float64" && s.from.dtype === "float32" && s.fold === "sum";
      if (!meet(s.from.dtype) || (!widens && s.into.dtype !== s.from.dtype)) return 1;
      continue;
    }
    if (s.kind === "store" || s.kind === "combine") {
      if (s.to.picked !== null && s.kind === "store") return 1;
      if (!meet(s.to.buffer.dtype)) return 1;
      continue;
    }
    if (!meet(s.to.dtype)) return 1;
    if (s.kind === "load" && s.from.picked !== null && s.from.buffer.dtype === "bool") return 1;
    // Numbers that kernels make of numbers of another size are made one by one.
    if (s.kind === "compute" || s.kind === "call") if (!s.from.every((r) => meet(r.dtype))) return 1;
    if (s.kind === "compute" && s.operator === "convert" && s.to.dtype === "int32") return 1;
    if (s.kind === "compute" && s.operator === "div" && s.to.dtype === "int32") return 1;
  }
  // Masks alone are as wide as floats.
  if (width === (0 as Width)) width = 4;
  const isOther = (s: Statement) =>
    "to" in s && "dtype" in s.to && s.to.dtype === "int32" && !indices.has(s.to);
  if (width === 2 && body.some(isOther)) return 1;
  return counter.extent < width ? 1 : width;
}

/** Integers that are loaded for nothing but to pick elements by, lane by lane, whatever the size of these. */
function indicesOf(body: readonly Statement[]): ReadonlySet<Register> {
  const indices = new Set<Register>();
  for (const s of body)
    if (s.kind === "load" && s.to.dtype === "int32" && s.from.picked === null) indices.add(s.to);
  for (const s of body) {
    if (s.kind === "compute" || s.kind === "call") for (const r of s.from) indices.delete(r);
    else if (s.kind === "store" || s.kind === "combine" || s.kind === "gather") indices.delete(s.from);
  }
  return indices;
}
