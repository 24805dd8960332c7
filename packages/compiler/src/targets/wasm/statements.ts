/** StatementWriter: statements that are no loops, as instructions on one number or on a vector. */

import type { DType } from "@adjoint/core";
import {
  type CalledFunction,
  type Fold,
  neutral,
  type Place,
  type Register,
  type Statement,
} from "../../kernels/language.ts";
import { bytesOf } from "../../memory/arena.ts";
import type { Addresses } from "./addresses.ts";
import type { FunctionBuilder, FunctionReference, LoadOpcode, Local, StoreOpcode } from "./assembler.ts";
import type { KernelContext } from "./context.ts";
import {
  computed,
  constantOf,
  masked,
  scalarType,
  splat,
  typeOf,
  WasmLanes,
  type Width,
  type Writer,
} from "./numbers.ts";

/** The instruction that loads one number. */
function loadOf(dtype: DType): LoadOpcode {
  return dtype === "bool" ? "i32.load8_u" : `${scalarType(dtype)}.load`;
}

/** The instruction that stores one number. */
export function storeOf(dtype: DType): StoreOpcode {
  return dtype === "bool" ? "i32.store8" : `${scalarType(dtype)}.store`;
}

/** A fold in lanes. */
interface LaneFold {
  readonly fold: Fold;
  /** One vector, or two of a wider dtype. */
  readonly lanes: readonly Local[];
  /** Where extremes have met NaN: they are found by the instruction that engines are quick at, which passes it over. */
  readonly lost: Local | null;
}

/** Writes statements that are no loops, one number or a vector at a time. */
export class StatementWriter {
  readonly #w: Writer;
  readonly #f: FunctionBuilder;
  readonly #context: KernelContext;
  readonly #outer: Map<Register, Local>;
  readonly #width: Width;
  readonly #addresses: Addresses;
  /** Registers of the kernel that are 0, and not −0. */
  readonly #zeros: Set<Register>;
  /** Registers of this loop, and those from outside in all lanes. */
  readonly #own = new Map<Register, Local>();
  /** Indices of this loop, each lane's by itself. */
  readonly #indices = new Map<Register, readonly Local[]>();
  readonly #lanes = new Map<DType, WasmLanes>();
  readonly #folds = new Map<Register, LaneFold>();

  constructor(
    w: Writer,
    context: KernelContext,
    outer: Map<Register, Local>,
    width: Width,
    addresses: Addresses,
    zeros: Set<Register>,
  ) {
    this.#w = w;
    this.#f = w.f;
    this.#context = context;
    this.#outer = outer;
    this.#width = width;
    this.#addresses = addresses;
    this.#zeros = zeros;
  }

  /**
   * Before a loop over vectors: puts what comes from outside into all lanes, and begins folds in lanes. Said is also what
   * the loop loads for nothing but to pick by.
   */
  prepare(body: readonly Statement[], indices: ReadonlySet<Register>): void {
    for (const index of indices) {
      this.#indices.set(
        index,
        Array.from({ length: this.#width }, () => this.#f.local("i32")),
      );
    }
    const made = new Set<Register>();
    const spread = (r: Register) => {
      if (made.has(r) || this.#own.has(r)) return;
      this.#own.set(r, splat(this.#w, this.#outer.get(r) as Local, r.dtype, this.#width));
    };
    for (const s of body) {
      if (s.kind === "compute" || s.kind === "call") s.from.forEach(spread);
      else if (s.kind === "store" || s.kind === "combine") spread(s.from);
      else if (s.kind === "gather") {
        spread(s.from);
        if (this.#folds.has(s.into)) continue;
        const { dtype } = s.into;
        const count = dtype === "float64" && this.#width === 4 ? 2 : 1;
        const lanes = Array.from({ length: count }, () => {
          const begun = constantOf(
            this.#w,
            dtype,
            dtype === "float64" ? 2 : this.#width,
            neutral(s.fold, dtype),
          );
          const own = this.#f.local("v128");
          this.#f.get(begun).set(own);
          return own;
        });
        const isExtreme = s.fold !== "sum" && dtype !== "int32";
        const lost = isExtreme ? this.#f.local("v128") : null;
        if (lost !== null) this.#f.v128(new Uint8Array(16)).set(lost);
        this.#folds.set(s.into, { fold: s.fold, lanes, lost });
      }
      if ("to" in s && "dtype" in s.to) made.add(s.to);
    }
  }

  /** After a loop over vectors: folds the lanes into the register outside. */
  finish(): void {
    const f = this.#f;
    for (const [into, { fold, lanes, lost }] of this.#folds) {
      const sum = this.#outer.get(into) as Local;
      for (const vector of lanes) {
        // All bits set are NaN.
        if (lost !== null) f.get(vector).get(lost).op("v128.or").set(vector);
        const count = into.dtype === "float64" ? 2 : 4;
        const shape = into.dtype === "float64" ? "f64x2" : into.dtype === "float32" ? "f32x4" : "i32x4";
        for (let lane = 0; lane < count; lane++) {
          const x = f.local(scalarType(into.dtype));
          f.get(vector).lane(`${shape}.extract_lane`, lane).set(x);
          const next = this.#folded(fold, into.dtype, 1, sum, x);
          f.get(next).set(sum);
        }
      }
    }
  }

  write(s: Statement): void {
    switch (s.kind) {
      case "constant":
        if (Object.is(s.value, 0)) this.#zeros.add(s.to);
        this.#make(s.to, constantOf(this.#w, s.to.dtype, this.#width, s.value));
        break;
      case "load":
        if (this.#indices.has(s.to)) this.#loadIndices(s);
        else this.#make(s.to, this.#load(s.from));
        break;
      case "compute": {
        const from = s.from.at(-1)?.dtype ?? s.to.dtype;
        const operands = s.from.map((r) => this.#read(r));
        this.#make(s.to, this.#compute(s, from, operands));
        break;
      }
      case "call":
        this.#make(
          s.to,
          this.#call(
            s.called,
            s.to.dtype,
            s.from.map((r) => this.#read(r)),
          ),
        );
        break;
      case "store":
        this.#store(s.to, this.#read(s.from));
        break;
      case "combine":
        this.#combine(s.to, s.fold, s.from);
        break;
      case "gather":
        this.#gather(s.into, s.fold, s.from);
        break;
      default:
        throw new Error(`an innermost loop must not hold a ${s.kind}`);
    }
  }

  #make(to: Register, local: Local): void {
    if (this.#width === 1) this.#outer.set(to, local);
    else this.#own.set(to, local);
  }

  #read(r: Register): Local {
    return (this.#width === 1 ? this.#outer.get(r) : this.#own.get(r)) as Local;
  }

  #compute(
    { operator, to, from }: Extract<Statement, { kind: "compute" }>,
    dtype: DType,
    operands: readonly Local[],
  ): Local {
    if (operator === "select" && this.#width > 1) {
      const [mask, a, b] = operands as [Local, Local, Local];
      // Products with a cotangent are 0 where it is: nothing else is selected as often.
      if (this.#zeros.has(from[1] as Register)) return masked(this.#w, b, mask, false);
      if (this.#zeros.has(from[2] as Register)) return masked(this.#w, a, mask, true);
    }
    return computed(this.#w, operator, this.#width, to.dtype, dtype, operands);
  }

  #call(called: CalledFunction, dtype: DType, xs: readonly Local[]): Local {
    const f = this.#f;
    const lanes = dtype === "float32" || dtype === "float64" ? this.#context.laneFunction(called) : null;
    if (lanes === null || this.#width === 1) {
      const callee =
        lanes === null
          ? this.#context.importOf(called, dtype)
          : this.#context.scalarFunction(called, dtype as "float32" | "float64");
      if (this.#width > 1) return this.#callLanes(callee, dtype, xs);
      for (const x of xs) f.get(x);
      const to = f.local(typeOf(dtype, 1));
      f.call(callee).set(to);
      return to;
    }
    const m = this.#lanesOf(dtype as "float32" | "float64");
    const fast = lanes.fast(xs, m);
    if (lanes.covers === null) {
      m.release(fast);
      return fast;
    }
    const covered = lanes.covers(xs, m);
    const y = f.local("v128");
    f.get(fast).set(y);
    f.get(covered)
      .op(this.#width === 4 ? "i32x4.all_true" : "i64x2.all_true")
      .op("i32.eqz");
    f.if(() => {
      const slow = this.#callLanes(this.#context.importOf(called, dtype), dtype, xs);
      f.get(fast).get(slow).get(covered).op("v128.bitselect").set(y);
    });
    m.release(y);
    return y;
  }

  /** A function of numbers, lane by lane. */
  #callLanes(callee: FunctionReference, dtype: DType, xs: readonly Local[]): Local {
    const f = this.#f;
    const shape = dtype === "float64" ? "f64x2" : dtype === "float32" ? "f32x4" : "i32x4";
    const y = f.local("v128");
    for (let lane = 0; lane < this.#width; lane++) {
      f.get(y);
      for (const x of xs) f.get(x).lane(`${shape}.extract_lane`, lane);
      f.call(callee).lane(`${shape}.replace_lane`, lane).set(y);
    }
    return y;
  }

  #lanesOf(dtype: "float32" | "float64"): WasmLanes {
    let lanes = this.#lanes.get(dtype);
    if (lanes === undefined) {
      lanes = new WasmLanes(this.#w, dtype, this.#width);
      this.#lanes.set(dtype, lanes);
    }
    return lanes;
  }

  #load(place: Place): Local {
    const f = this.#f;
    const { buffer } = place;
    const to = f.local(typeOf(buffer.dtype, this.#width));
    if (this.#width === 1) {
      const offset = this.#scalarAddress(place, 0);
      f.load(loadOf(buffer.dtype), offset).set(to);
      return to;
    }
    if (place.picked === null) {
      const step = this.#stepOf(place);
      if (buffer.dtype === "bool") return this.#loadMask(place, step);
      const wide = buffer.dtype === "float64";
      if (step === 0 || step === 1) {
        const offset = this.#addresses.address(place, 0);
        f.load(step === 1 ? "v128.load" : wide ? "v128.load64_splat" : "v128.load32_splat", offset).set(to);
        return to;
      }
    }
    const name = buffer.dtype === "float64" ? "v128.load64_lane" : "v128.load32_lane";
    for (let lane = 0; lane < this.#width; lane++) {
      const offset = this.#scalarAddress(place, lane);
      f.get(to).laneMemory(name, lane, offset).set(to);
    }
    return to;
  }

  #loadIndices({ to, from }: Extract<Statement, { kind: "load" }>): void {
    (this.#indices.get(to) as readonly Local[]).forEach((index, lane) => {
      const offset = this.#addresses.address(from, lane);
      this.#f.load("i32.load", offset).set(index);
    });
  }

  /** How a place steps in the loop. */
  #stepOf(place: Place): number {
    return this.#addresses.stepOf(place);
  }

  /** The address of one lane's number on the stack, but for what is returned and the buffer's own. */
  #scalarAddress(place: Place, lane: number): number {
    const f = this.#f;
    const offset = this.#addresses.address(place, lane);
    if (place.picked !== null) {
      const own = this.#indices.get(place.picked.index)?.[lane];
      const index = this.#own.get(place.picked.index);
      if (own !== undefined) f.get(own);
      else if (index === undefined) f.get(this.#outer.get(place.picked.index) as Local);
      else f.get(index).lane("i32x4.extract_lane", lane);
      f.i32(place.picked.step * bytesOf(place.buffer.dtype))
        .op("i32.mul")
        .op("i32.add");
    }
    return offset;
  }

  #loadMask(place: Place, step: number): Local {
    const f = this.#f;
    const to = f.local("v128");
    const shape = this.#width === 4 ? "i32x4" : "i64x2";
    if (this.#width === 4 && step === 1) {
      const offset = this.#addresses.address(place, 0);
      f.load("v128.load32_zero", offset);
      f.op("i16x8.extend_low_i8x16_u").op("i32x4.extend_low_i16x8_u").set(to);
    } else
      for (let lane = 0; lane < this.#width; lane++) {
        f.get(to);
        const offset = this.#scalarAddress(place, lane);
        if (this.#width === 4) f.load("i32.load8_u", offset).lane("i32x4.replace_lane", lane).set(to);
        else f.load("i64.load8_u", offset).lane("i64x2.replace_lane", lane).set(to);
      }
    f.get(to).v128(new Uint8Array(16)).op(`${shape}.ne`).set(to);
    return to;
  }

  #store(place: Place, x: Local): void {
    const f = this.#f;
    const { buffer } = place;
    if (this.#width === 1) {
      const offset = this.#scalarAddress(place, 0);
      f.get(x).store(storeOf(buffer.dtype), offset);
      return;
    }
    if (buffer.dtype !== "bool" && this.#stepOf(place) === 1) {
      const offset = this.#addresses.address(place, 0);
      f.get(x).store("v128.store", offset);
      return;
    }
    for (let lane = 0; lane < this.#width; lane++) {
      const offset = this.#scalarAddress(place, lane);
      if (buffer.dtype === "bool") {
        f.get(x).lane(this.#width === 4 ? "i32x4.extract_lane" : "i64x2.extract_lane", lane);
        if (this.#width === 2) f.op("i32.wrap_i64");
        f.i32(1).op("i32.and").store("i32.store8", offset);
      } else
        f.get(x).laneMemory(
          buffer.dtype === "float64" ? "v128.store64_lane" : "v128.store32_lane",
          lane,
          offset,
        );
    }
  }

  #combine(place: Place, fold: Fold, from: Register): void {
    const f = this.#f;
    const x = this.#read(from);
    const { buffer } = place;
    if (place.picked === null || this.#width === 1) {
      this.#store(place, this.#folded(fold, buffer.dtype, this.#width, this.#load(place), x));
      return;
    }
    // Lanes may pick the same place: one after the other.
    const type = scalarType(buffer.dtype);
    const shape = buffer.dtype === "float64" ? "f64x2" : buffer.dtype === "float32" ? "f32x4" : "i32x4";
    for (let lane = 0; lane < this.#width; lane++) {
      const at = f.local("i32");
      const offset = this.#scalarAddress(place, lane);
      f.set(at);
      const old = f.local(type);
      f.get(at).load(loadOf(buffer.dtype), offset).set(old);
      const own = f.local(type);
      f.get(x).lane(`${shape}.extract_lane`, lane).set(own);
      const next = this.#folded(fold, buffer.dtype, 1, old, own);
      f.get(at).get(next).store(storeOf(buffer.dtype), offset);
    }
  }

  #gather(into: Register, fold: Fold, from: Register): void {
    const f = this.#f;
    const x = this.#read(from);
    if (this.#width === 1) {
      const sum = this.#outer.get(into) as Local;
      const wide =
        into.dtype === from.dtype ? x : computed(this.#w, "convert", 1, into.dtype, from.dtype, [x]);
      f.get(this.#folded(fold, into.dtype, 1, sum, wide)).set(sum);
      return;
    }
    const { lanes, lost } = this.#folds.get(into) as LaneFold;
    const [low, high] = lanes as [Local, Local | undefined];
    if (lost !== null) {
      const shape = into.dtype === "float64" ? "f64x2" : "f32x4";
      f.get(lost).get(x).get(x).op(`${shape}.ne`).op("v128.or").set(lost);
      f.get(low)
        .get(x)
        .op(`${shape}.${fold === "max" ? "pmax" : "pmin"}`)
        .set(low);
      return;
    }
    if (high === undefined) {
      f.get(this.#folded(fold, into.dtype, this.#width, low, x)).set(low);
      return;
    }
    f.get(low).get(x).op("f64x2.promote_low_f32x4").op("f64x2.add").set(low);
    f.get(high).get(x).get(x).shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
    f.op("f64x2.promote_low_f32x4").op("f64x2.add").set(high);
  }

  #folded(fold: Fold, dtype: DType, width: Width, a: Local, b: Local): Local {
    return computed(this.#w, fold === "sum" ? "add" : fold, width, dtype, dtype, [a, b]);
  }
}
