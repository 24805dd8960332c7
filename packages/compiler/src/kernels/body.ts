/** Body: the instructions of a kernel while it is put together, each made once; and the scalar language over them. */

import type { DType } from "@adjoint/core";
import type { Arithmetic, ScalarFunction } from "@adjoint/core/operations";
import { OperandTable } from "../operands.ts";
import { sameAffine } from "./affine.ts";
import { compute, rounded } from "./compute.ts";
import type { Buffer, CalledFunction, Operator, Place, Register, Statement } from "./language.ts";

/** A statement that makes a register. */
export type Instruction = Extract<Statement, { readonly to: Register }> & {
  readonly kind: "constant" | "load" | "compute" | "call";
};

const DTYPES: readonly DType[] = ["float64", "float32", "int32", "bool"];

type Load = Extract<Instruction, { kind: "load" }>;

/** The instructions of one iteration. Asking twice for the same gives the same register. */
export class Body {
  readonly instructions: Instruction[] = [];
  /** Constants of each dtype by their numbers, −0 by its name. */
  readonly #constants = new Map<DType, Map<number | "-0", Register>>();
  /** What is computed and called, by the numbers of registers and dtypes, and the registers that it gives. */
  readonly #table: OperandTable<Operator | CalledFunction>;
  readonly #given: (Register | undefined)[] = [];
  /** Loads by their buffers and offsets. */
  readonly #places: OperandTable<Buffer>;
  readonly #loads: Load[][] = [];
  /** The numbers at hand. */
  readonly #numbers: number[] = [];
  /** The instruction that makes each register, by its id. */
  readonly #made: (Instruction | undefined)[] = [];
  readonly #arithmetics = new Map<DType, Arithmetic<Register, Register>>();

  /** A body of about as many instructions. */
  constructor(expected = 16) {
    this.#table = new OperandTable(expected);
    this.#places = new OperandTable(expected);
  }

  /** How many registers there are; their ids are below that. */
  get count(): number {
    return this.#made.length;
  }

  /** A register for a statement that is no instruction, as the beginning of a fold. */
  register(dtype: DType): Register {
    return { id: this.#made.push(undefined) - 1, dtype };
  }

  constant(dtype: DType, value: number): Register {
    const x = dtype === "float32" ? Math.fround(value) : dtype === "int32" ? value | 0 : value;
    const known = valueFor(this.#constants, dtype, () => new Map<number | "-0", Register>());
    const key = Object.is(x, -0) ? "-0" : x;
    const same = known.get(key);
    if (same !== undefined) return same;
    const to = this.register(dtype);
    known.set(key, to);
    return this.#push({ kind: "constant", to, value: x });
  }

  load(from: Place): Register {
    const { buffer, at, picked } = from;
    const numbers = this.#numbers;
    numbers[0] = at.offset;
    numbers[1] = at.terms.length;
    const place = this.#places.numberOf(buffer, numbers, 2);
    this.#loads[place] ??= [];
    const loads = this.#loads[place];
    for (const { to, from: other } of loads) {
      const alike = other.picked?.index === picked?.index && other.picked?.step === picked?.step;
      if (alike && sameAffine(other.at, at)) return to;
    }
    const load = { kind: "load", to: this.register(buffer.dtype), from } as const;
    loads.push(load);
    return this.#push(load);
  }

  compute(operator: Operator, dtype: DType, ...from: Register[]): Register {
    if (this.#isKnown(from)) {
      const known = from.map((r) => this.valueOf(r) as number);
      return this.constant(dtype, rounded(dtype, compute(operator, dtype, from, known)));
    }
    const number = this.#numberOf(operator, dtype, from);
    const same = this.#given[number];
    if (same !== undefined) return same;
    const to = this.register(dtype);
    this.#given[number] = to;
    return this.#push({ kind: "compute", to, operator, from });
  }

  call(called: CalledFunction, dtype: DType, ...from: Register[]): Register {
    const number = this.#numberOf(called, dtype, from);
    const same = this.#given[number];
    if (same !== undefined) return same;
    const to = this.register(dtype);
    this.#given[number] = to;
    return this.#push({ kind: "call", to, called, from });
  }

  #isKnown(from: readonly Register[]): boolean {
    for (const r of from) if (this.#made[r.id]?.kind !== "constant") return false;
    return true;
  }

  #numberOf(what: Operator | CalledFunction, dtype: DType, from: readonly Register[]): number {
    const numbers = this.#numbers;
    numbers[0] = DTYPES.indexOf(dtype);
    for (let k = 0; k < from.length; k++) numbers[k + 1] = (from[k] as Register).id;
    return this.#table.numberOf(what, numbers, from.length + 1);
  }

  /** The scalar language over registers of a dtype: what elementwise operations are written in becomes instructions. */
  arithmetic(dtype: DType): Arithmetic<Register, Register> {
    let known = this.#arithmetics.get(dtype);
    if (known === undefined) {
      known = registerArithmetic(this, dtype);
      this.#arithmetics.set(dtype, known);
    }
    return known;
  }

  /** The number of a constant register; undefined for others. */
  valueOf(r: Register): number | undefined {
    const maker = this.#made[r.id];
    return maker?.kind === "constant" ? maker.value : undefined;
  }

  /** The instruction that makes a register. */
  makerOf(r: Register): Instruction | undefined {
    return this.#made[r.id];
  }

  /** A register's number in another dtype. */
  convert(r: Register, dtype: DType): Register {
    if (r.dtype === dtype) return r;
    const value = this.valueOf(r);
    if (value !== undefined) return this.constant(dtype, dtype === "bool" ? Number(value !== 0) : value);
    if (r.dtype === "bool")
      return this.compute("select", dtype, r, this.constant(dtype, 1), this.constant(dtype, 0));
    if (dtype === "bool")
      return this.compute("not", "bool", this.compute("eq", "bool", r, this.constant(r.dtype, 0)));
    return this.compute("convert", dtype, r);
  }

  #push(instruction: Instruction): Register {
    this.#made[instruction.to.id] = instruction;
    this.instructions.push(instruction);
    return instruction.to;
  }
}

/** The entry of a key, made where there is none. */
function valueFor<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let known = map.get(key);
  if (known === undefined) {
    known = make();
    map.set(key, known);
  }
  return known;
}

function fromJavaScript(name: "exp" | "log" | "log1p" | "sin" | "cos" | "tanh"): CalledFunction {
  return { name, compute: Math[name] };
}

const EXP = fromJavaScript("exp");
const LOG = fromJavaScript("log");
const LOG1P = fromJavaScript("log1p");
const SIN = fromJavaScript("sin");
const COS = fromJavaScript("cos");
const TANH = fromJavaScript("tanh");
/** IEEE 754's pow, as the scalar language has it. */
const POW: CalledFunction = {
  name: "pow",
  compute: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b),
};

/** Functions that are instructions, by their names in `Math`. */
const INSTRUCTIONS = new Set(["floor", "ceil", "trunc", "nearest"]);

/**
 * The scalar language over registers of a dtype: what elementwise operations are written in becomes instructions.
 *
 * Whole numbers and masks are computed with in int32, and in float64 together with numbers that int32 does not have.
 */
function registerArithmetic(body: Body, dtype: DType): Arithmetic<Register, Register> {
  const own = dtype === "bool" ? "int32" : dtype;
  const real = own === "int32" ? "float64" : own;
  const zero = body.constant(own, 0);
  const one = body.constant(own, 1);
  const isNumber = (r: Register, x: number) => Object.is(body.valueOf(r), x);
  /** The dtype that registers meet in. */
  const common = (...rs: readonly Register[]) => (rs.some((r) => r.dtype === "float64") ? "float64" : own);
  /** Masks count as 0 and 1 among numbers. */
  const number = (r: Register) => body.convert(r, common(r));
  const all = (rs: readonly Register[], as: DType) => rs.map((r) => body.convert(r, as));
  const computing =
    (operator: Operator, as: (...rs: Register[]) => DType = common) =>
    (...rs: Register[]) =>
      body.compute(operator, as(...rs), ...all(rs, as(...rs)));
  const compare = (operator: Operator) => (a: Register, b: Register) =>
    body.compute(operator, "bool", ...all([a, b], common(a, b)));
  const called = (f: CalledFunction) => (a: Register) => body.call(f, real, body.convert(a, real));
  const not = (a: Register): Register => {
    const maker = body.makerOf(a);
    if (maker?.kind === "compute" && maker.operator === "not") return maker.from[0] as Register;
    return body.compute("not", "bool", a);
  };
  const mul = (a: Register, b: Register): Register => {
    if (isNumber(a, 1)) return number(b);
    if (isNumber(b, 1)) return number(a);
    if (isNumber(b, -1)) return computing("neg")(a);
    if (isNumber(a, -1)) return computing("neg")(b);
    return computing("mul")(a, b);
  };
  const select = (mask: Register, a: Register, b: Register): Register => {
    if (a === b) return a;
    const known = body.valueOf(mask);
    if (known !== undefined) return known !== 0 ? a : b;
    // A mask told in numbers is the mask.
    if (isNumber(a, 1) && isNumber(b, 0)) return mask;
    if (isNumber(a, 0) && isNumber(b, 1)) return not(mask);
    const maker = body.makerOf(mask);
    if (maker?.kind === "compute" && maker.operator === "not") return select(maker.from[0] as Register, b, a);
    const as = a.dtype === "bool" && b.dtype === "bool" ? "bool" : common(a, b);
    return body.compute("select", as, mask, ...all([a, b], as));
  };
  return {
    zero,
    one,
    constant: (x) => body.constant(Object.is(x | 0, x) ? own : real, x),
    add: computing("add"),
    sub: (a, b) => (isNumber(b, 0) ? number(a) : computing("sub")(a, b)),
    mul,
    div: (a, b) => (isNumber(b, 1) ? number(a) : computing("div", () => real)(a, b)),
    neg: computing("neg"),
    pow: (a, b) => {
      if (isNumber(b, 1)) return number(a);
      if (isNumber(b, 2)) return mul(a, a);
      return body.call(POW, common(a, b), ...all([a, b], common(a, b)));
    },
    eq: (a, b) => {
      if (a.dtype === "bool" && isNumber(b, 0)) return not(a);
      if (b.dtype === "bool" && isNumber(a, 0)) return not(b);
      return compare("eq")(a, b);
    },
    lt: compare("lt"),
    le: compare("le"),
    and: (a, b) => body.compute("and", "bool", a, b),
    not,
    select,
    scale: (dy, partial) => {
      const known = body.valueOf(partial);
      // Only an infinite or undefined partial makes a difference where dy is 0.
      if (known !== undefined && Number.isFinite(known)) return mul(dy, partial);
      const given = body.valueOf(dy);
      if (given !== undefined) return given === 0 ? zero : mul(dy, partial);
      return select(compare("eq")(dy, zero), zero, mul(dy, partial));
    },
    call: (f: ScalarFunction, ...xs) => {
      const as = common(...xs);
      if (INSTRUCTIONS.has(f.name) && as !== "int32")
        return computing(f.name as "floor" | "ceil" | "trunc" | "nearest")(xs[0] as Register);
      return body.call(f, as, ...all(xs, as));
    },
    abs: computing("abs"),
    sign: (a) => {
      const negative = select(compare("lt")(a, zero), body.constant(own, -1), a);
      return select(compare("lt")(zero, a), one, negative);
    },
    sqrt: computing("sqrt", () => real),
    exp: called(EXP),
    log: called(LOG),
    log1p: called(LOG1P),
    sin: called(SIN),
    cos: called(COS),
    tanh: called(TANH),
    min: computing("min"),
    max: computing("max"),
  };
}
