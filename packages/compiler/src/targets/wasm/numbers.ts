/** Numbers in WebAssembly: a kernel's registers as one number or as a vector of lanes, and the instructions on them. */

import type { DType } from "@adjoint/core";
import type { Operator } from "../../kernels/language.ts";
import type { Lanes } from "../../math/lanes.ts";
import type { FunctionBuilder, Local, Opcode, WasmType } from "./assembler.ts";

/** How many numbers are computed at once: 1, or the lanes of a vector of 4- or 8-byte elements. */
export type Width = 1 | 2 | 4;

/** Where constants lie in memory, so that vectors of them are loaded in one instruction. */
export interface ConstantPool {
  /** The address of a float32, float64 or int32, in 4 or 8 bytes. */
  addressOf(type: "f32" | "f64" | "i32" | "i64", value: number | bigint): number;
}

/** What instructions are written with. */
export interface Writer {
  readonly f: FunctionBuilder;
  readonly pool: ConstantPool;
  /** Whether there is a fused multiply-add. */
  readonly fused: boolean;
}

/** The WebAssembly type of one number; masks are i32. */
export function scalarType(dtype: DType): "i32" | "f32" | "f64" {
  return dtype === "float32" ? "f32" : dtype === "float64" ? "f64" : "i32";
}

/** The type of a register. */
export function typeOf(dtype: DType, width: Width): WasmType {
  return width === 1 ? scalarType(dtype) : "v128";
}

/** The name of a vector's shape in opcodes; masks have the lanes of the numbers that they were compared from. */
function shapeOf(dtype: DType, width: Width): string {
  if (dtype === "float32") return "f32x4";
  if (dtype === "float64") return "f64x2";
  return width === 4 ? "i32x4" : "i64x2";
}

/** Writes an instruction whose operands are variables, and puts its result in a new one. */
function result(w: Writer, type: WasmType, operands: readonly Local[], ...names: readonly string[]): Local {
  for (const x of operands) w.f.get(x);
  for (const name of names) w.f.op(name as Opcode);
  const to = w.f.local(type);
  w.f.set(to);
  return to;
}

/** A constant as a register. */
export function constantOf(w: Writer, dtype: DType, width: Width, value: number): Local {
  const { f, pool } = w;
  const to = f.local(typeOf(dtype, width));
  if (width === 1) {
    if (dtype === "float32") f.f32(value);
    else if (dtype === "float64") f.f64(value);
    else f.i32(value);
  } else if (dtype === "bool") f.v128(new Uint8Array(16).fill(value === 0 ? 0 : 255));
  else {
    const type = scalarType(dtype);
    f.i32(0).load(type === "f64" ? "v128.load64_splat" : "v128.load32_splat", pool.addressOf(type, value));
  }
  f.set(to);
  return to;
}

/** One number in all lanes. */
export function splat(w: Writer, x: Local, dtype: DType, width: Width): Local {
  if (dtype !== "bool") return result(w, "v128", [x], `${shapeOf(dtype, width)}.splat`);
  w.f.i32(0).get(x).op("i32.sub");
  if (width === 2) w.f.op("i64.extend_i32_s");
  const to = w.f.local("v128");
  w.f.op(width === 4 ? "i32x4.splat" : "i64x2.splat").set(to);
  return to;
}

const SIGNED = new Set(["min", "max", "lt", "le"]);

/** An instruction of the kernel language on registers of `from`, giving `to`. */
export function computed(
  w: Writer,
  operator: Operator,
  width: Width,
  to: DType,
  from: DType,
  operands: readonly Local[],
): Local {
  const { f } = w;
  const type = typeOf(to, width);
  switch (operator) {
    case "select": {
      const [mask, a, b] = operands as [Local, Local, Local];
      return result(w, type, [a, b, mask], width === 1 ? "select" : "v128.bitselect");
    }
    case "not":
      return width === 1 ? result(w, "i32", operands, "i32.eqz") : result(w, "v128", operands, "v128.not");
    case "and":
    case "or":
      return result(w, type, operands, width === 1 ? `i32.${operator}` : `v128.${operator}`);
    case "convert":
      return converted(w, width, to, from, operands[0] as Local);
  }
  const isInteger = from === "int32" || from === "bool";
  const shape = width === 1 ? scalarType(from) : shapeOf(from, width);
  if (isInteger && width === 1) {
    const [a, b] = operands as [Local, Local];
    if (operator === "neg") {
      f.i32(0).get(a).op("i32.sub");
      return taken(w, "i32");
    }
    if (operator === "abs") {
      f.get(a).i32(0).get(a).op("i32.sub").get(a).i32(0).op("i32.gt_s").op("select");
      return taken(w, "i32");
    }
    if (operator === "min" || operator === "max") {
      f.get(a)
        .get(b)
        .get(a)
        .get(b)
        .op(operator === "min" ? "i32.lt_s" : "i32.gt_s")
        .op("select");
      return taken(w, "i32");
    }
  }
  const suffix = isInteger && SIGNED.has(operator) ? "_s" : "";
  return result(w, type, operands, `${shape}.${operator}${suffix}`);
}

/** A vector's lanes where a mask holds, or where it does not, and 0 elsewhere. */
export function masked(w: Writer, x: Local, mask: Local, where: boolean): Local {
  return result(w, "v128", [x, mask], where ? "v128.and" : "v128.andnot");
}

/** What is on the stack, in a new variable. */
function taken(w: Writer, type: WasmType): Local {
  const to = w.f.local(type);
  w.f.set(to);
  return to;
}

function converted(w: Writer, width: Width, to: DType, from: DType, x: Local): Local {
  if (width === 1) {
    if (to === "float64")
      return result(w, "f64", [x], from === "float32" ? "f64.promote_f32" : "f64.convert_i32_s");
    if (to === "float32")
      return result(w, "f32", [x], from === "float64" ? "f32.demote_f64" : "f32.convert_i32_s");
    // As JavaScript does: towards 0, then modulo 2³², which is exact. Of infinities and NaN this makes NaN, and then 0.
    const { f } = w;
    f.get(x);
    if (from === "float32") f.op("f64.promote_f32");
    f.op("f64.trunc");
    const whole = taken(w, "f64");
    f.get(whole)
      .get(whole)
      .f64(2 ** -32)
      .op("f64.mul")
      .op("f64.floor")
      .f64(2 ** 32)
      .op("f64.mul")
      .op("f64.sub");
    f.op("i32.trunc_sat_f64_u");
    return taken(w, "i32");
  }
  if (from === "int32" && to === "float32") return result(w, "v128", [x], "f32x4.convert_i32x4_s");
  throw new Error(`a vector of ${from} must not be converted to ${to}`);
}

/** The instructions of mathematical functions, over one number or a vector. */
export class WasmLanes implements Lanes<Local, Local> {
  readonly dtype: "float32" | "float64";
  readonly #w: Writer;
  readonly #width: Width;
  readonly #shape: string;
  readonly #type: WasmType;
  readonly #constants = new Map<string, Local>();
  /** What has been computed since `release`. */
  #computed: Local[] = [];

  constructor(w: Writer, dtype: "float32" | "float64", width: Width) {
    this.#w = w;
    this.dtype = dtype;
    this.#width = width;
    this.#shape = width === 1 ? scalarType(dtype) : shapeOf(dtype, width);
    this.#type = typeOf(dtype, width);
  }

  /** Releases the variables of all that has been computed, but for constants and for one result. */
  release(result: Local): void {
    for (const local of this.#computed) if (local !== result) this.#w.f.release(local);
    this.#computed = [];
  }

  constant(x: number): Local {
    const key = Object.is(x, -0) ? "-0" : String(x);
    let known = this.#constants.get(key);
    if (known === undefined) {
      known = constantOf(this.#w, this.dtype, this.#width, x);
      this.#constants.set(key, known);
    }
    return known;
  }

  add(a: Local, b: Local): Local {
    return this.#number("add", a, b);
  }
  sub(a: Local, b: Local): Local {
    return this.#number("sub", a, b);
  }
  mul(a: Local, b: Local): Local {
    return this.#number("mul", a, b);
  }
  div(a: Local, b: Local): Local {
    return this.#number("div", a, b);
  }
  madd(a: Local, b: Local, c: Local): Local {
    if (this.#width !== 1 && this.#w.fused) return this.#number("relaxed_madd", a, b, c);
    return this.add(this.mul(a, b), c);
  }
  neg(a: Local): Local {
    return this.#number("neg", a);
  }
  abs(a: Local): Local {
    return this.#number("abs", a);
  }
  sqrt(a: Local): Local {
    return this.#number("sqrt", a);
  }
  floor(a: Local): Local {
    return this.#number("floor", a);
  }
  ceil(a: Local): Local {
    return this.#number("ceil", a);
  }
  trunc(a: Local): Local {
    return this.#number("trunc", a);
  }
  nearest(a: Local): Local {
    return this.#number("nearest", a);
  }
  min(a: Local, b: Local): Local {
    return this.#number("min", a, b);
  }
  max(a: Local, b: Local): Local {
    return this.#number("max", a, b);
  }
  atMost(a: Local, limit: Local): Local {
    return this.#width === 1 ? this.select(this.lt(limit, a), limit, a) : this.#number("pmin", a, limit);
  }
  atLeast(a: Local, limit: Local): Local {
    return this.#width === 1 ? this.select(this.lt(a, limit), limit, a) : this.#number("pmax", a, limit);
  }
  copySign(a: Local, b: Local): Local {
    if (this.#width === 1) return this.#number("copysign", a, b);
    const sign = this.constant(-0);
    return this.#own(result(this.#w, "v128", [b, a, sign], "v128.bitselect"));
  }

  exponent(a: Local): Local {
    const { f } = this.#w;
    const single = this.dtype === "float32";
    if (this.#width === 1) {
      if (single)
        f.get(a)
          .op("i32.reinterpret_f32")
          .i32(23)
          .op("i32.shr_u")
          .i32(255)
          .op("i32.and")
          .i32(127)
          .op("i32.sub")
          .op("f32.convert_i32_s");
      else
        f.get(a)
          .op("i64.reinterpret_f64")
          .i64(52n)
          .op("i64.shr_u")
          .i64(2047n)
          .op("i64.and")
          .i64(1023n)
          .op("i64.sub")
          .op("f64.convert_i64_s");
      return this.#own(taken(this.#w, this.#type));
    }
    if (single) {
      f.get(a).i32(23).op("i32x4.shr_u");
      this.#bits("i32", 255);
      f.op("v128.and").op("f32x4.convert_i32x4_s");
      const biased = this.#own(taken(this.#w, "v128"));
      return this.sub(biased, this.constant(127));
    }
    // The exponent as the last bits of a number near 2⁵².
    f.get(a).i32(52).op("i64x2.shr_u");
    this.#bits("i64", 2047n);
    f.op("v128.and");
    this.#bits("i64", 0x4330000000000000n);
    f.op("v128.or");
    const biased = this.#own(taken(this.#w, "v128"));
    return this.sub(biased, this.constant(2 ** 52 + 1023));
  }

  significand(a: Local): Local {
    const { f } = this.#w;
    const single = this.dtype === "float32";
    if (this.#width === 1) {
      if (single)
        f.get(a)
          .op("i32.reinterpret_f32")
          .i32(0x7fffff)
          .op("i32.and")
          .i32(0x3f800000)
          .op("i32.or")
          .op("f32.reinterpret_i32");
      else
        f.get(a)
          .op("i64.reinterpret_f64")
          .i64(0xfffffffffffffn)
          .op("i64.and")
          .i64(0x3ff0000000000000n)
          .op("i64.or")
          .op("f64.reinterpret_i64");
      return this.#own(taken(this.#w, this.#type));
    }
    f.get(a);
    this.#bits(single ? "i32" : "i64", single ? 0x7fffff : 0xfffffffffffffn);
    f.op("v128.and");
    this.#bits(single ? "i32" : "i64", single ? 0x3f800000 : 0x3ff0000000000000n);
    f.op("v128.or");
    return this.#own(taken(this.#w, "v128"));
  }

  power2(n: Local): Local {
    // Added to a large power of two, a whole number stands in the last bits.
    const single = this.dtype === "float32";
    const shifted = this.add(n, this.constant(single ? 2 ** 23 + 127 : 2 ** 52 + 1023));
    const { f } = this.#w;
    f.get(shifted);
    if (this.#width === 1) {
      if (single) f.op("i32.reinterpret_f32").i32(23).op("i32.shl").op("f32.reinterpret_i32");
      else f.op("i64.reinterpret_f64").i64(52n).op("i64.shl").op("f64.reinterpret_i64");
    } else f.i32(single ? 23 : 52).op(single ? "i32x4.shl" : "i64x2.shl");
    return this.#own(taken(this.#w, this.#type));
  }

  eq(a: Local, b: Local): Local {
    return this.#mask("eq", a, b);
  }
  lt(a: Local, b: Local): Local {
    return this.#mask("lt", a, b);
  }
  le(a: Local, b: Local): Local {
    return this.#mask("le", a, b);
  }
  and(a: Local, b: Local): Local {
    return this.#own(computed(this.#w, "and", this.#width, "bool", "bool", [a, b]));
  }
  or(a: Local, b: Local): Local {
    return this.#own(computed(this.#w, "or", this.#width, "bool", "bool", [a, b]));
  }
  not(a: Local): Local {
    return this.#own(computed(this.#w, "not", this.#width, "bool", "bool", [a]));
  }
  select(mask: Local, a: Local, b: Local): Local {
    return this.#own(computed(this.#w, "select", this.#width, this.dtype, this.dtype, [mask, a, b]));
  }

  #number(name: string, ...operands: Local[]): Local {
    return this.#own(result(this.#w, this.#type, operands, `${this.#shape}.${name}`));
  }

  #mask(name: string, a: Local, b: Local): Local {
    return this.#own(result(this.#w, typeOf("bool", this.#width), [a, b], `${this.#shape}.${name}`));
  }

  #own(local: Local): Local {
    this.#computed.push(local);
    return local;
  }

  /** Bits in all lanes, on the stack. */
  #bits(type: "i32" | "i64", bits: number | bigint): void {
    const load = type === "i32" ? "v128.load32_splat" : "v128.load64_splat";
    this.#w.f.i32(0).load(load, this.#w.pool.addressOf(type, bits));
  }
}
