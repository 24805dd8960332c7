/** Kernels as C functions: innermost loops over vectors, everything else over single numbers. */

import {
  type Affine,
  type Buffer,
  bytesOf,
  type Counter,
  type Fold,
  type Kernel,
  neutral,
  type Place,
  type Register,
  type Statement,
} from "@adjoint/compiler/targets";
import type { DType } from "@adjoint/core";
import { call } from "./functions.ts";
import type { Helpers } from "./helpers.ts";
import { elementType, type Form, literal, SINGLE } from "./types.ts";

type Loop = Extract<Statement, { kind: "loop" }>;

/** What kernels are written with. */
export interface KernelContext {
  readonly helpers: Helpers;
  /** The pointer to a buffer's first element, in C; null where its name is one that is there. */
  addressOf(buffer: Buffer): string | null;
  /** The name of a buffer, in C. */
  nameOf(buffer: Buffer): string;
}

/** The statements of a kernel, the declarations of its buffers first. */
export function kernelBody(context: KernelContext, kernel: Kernel): string[] {
  const writer = new KernelWriter(context);
  writer.statements(kernel.body, "  ");
  return [...writer.declarations(), ...writer.lines];
}

/**
 * The statements of one part of a kernel, which is one loop over its parts; and the name of the part's number.
 */
export function kernelPart(context: KernelContext, kernel: Kernel): { lines: string[]; part: string } {
  const [loop] = kernel.body;
  if (loop?.kind !== "loop") throw new Error("a kernel in parts must be a loop over them");
  return { lines: kernelBody(context, { ...kernel, body: loop.body }), part: nameOfCounter(loop.counter) };
}

/** Loops of fewer elements are written for single numbers. */
const LEAST_VECTOR = 4;
/** Loops of at most so many statements that fold are unrolled, so that sums need not wait for each other. */
const UNROLLED_STATEMENTS = 10;
const UNROLLED = 4;

/** How an innermost loop's numbers are computed: so many at a time, several such in a row, and how many are left. */
class Vectors {
  readonly form: Form;
  readonly counter: Counter;
  /** In an iteration: how many lanes count, what is added to the counter, and the names of accumulators. */
  count: number;
  ahead = 0;
  readonly folds = new Map<Register, { readonly fold: Fold; readonly names: readonly string[] }>();
  readonly splats = new Map<Register, string>();
  readonly own = new Set<Register>();

  constructor(form: Form, counter: Counter) {
    this.form = form;
    this.counter = counter;
    this.count = form.lanes;
  }
}

class KernelWriter {
  readonly lines: string[] = [];
  readonly #context: KernelContext;
  readonly #helpers: Helpers;
  readonly #buffers = new Map<Buffer, boolean>();
  /** Constants of code without vectors: they are written where they are used. */
  readonly #literals = new Map<Register, string>();

  constructor(context: KernelContext) {
    this.#context = context;
    this.#helpers = context.helpers;
  }

  /** Pointers to the buffers, each to memory of its own. */
  declarations(): string[] {
    return [...this.#buffers].flatMap(([buffer, written]) => {
      const address = this.#context.addressOf(buffer);
      const type = `${written ? "" : "const "}${elementType(buffer.dtype)} *`;
      return address === null
        ? []
        : [`  ${type}restrict const ${this.#context.nameOf(buffer)} = (${type})(${address});`];
    });
  }

  statements(statements: readonly Statement[], indent: string): void {
    for (const s of statements) {
      if (s.kind === "loop") this.#loop(s, indent);
      else if (s.kind === "fill") this.#fill(s.buffer, s.value, indent);
      else this.#statement(s, null, indent);
    }
  }

  #loop(loop: Loop, indent: string): void {
    const { counter, body } = loop;
    if (counter.extent === 0) return;
    const { vectorBytes } = this.#helpers.features;
    const isInnermost = !body.some((s) => s.kind === "loop" || s.kind === "fill" || s.kind === "begin");
    if (isInnermost && vectorBytes > 0 && counter.extent >= LEAST_VECTOR) {
      this.#innermost(loop, indent);
      return;
    }
    const i = nameOfCounter(counter);
    this.lines.push(`${indent}for (ptrdiff_t ${i} = 0; ${i} < ${counter.extent}; ${i}++) {`);
    this.statements(body, `${indent}  `);
    this.lines.push(`${indent}}`);
  }

  /** A loop over vectors, and then what is left in part of one. */
  #innermost({ counter, body }: Loop, indent: string): void {
    const form = formOf(counter, body, this.#helpers.features.vectorBytes);
    const v = new Vectors(form, counter);
    const i = nameOfCounter(counter);
    const folds = body.filter((s) => s.kind === "gather");
    const isShort = body.filter(({ kind }) => kind !== "constant").length <= UNROLLED_STATEMENTS;
    const unrolled =
      folds.length > 0 && isShort && counter.extent >= 2 * UNROLLED * form.lanes ? UNROLLED : 1;
    const inner = `${indent}  `;
    this.lines.push(`${indent}{`);
    this.#prepare(v, body, unrolled, inner);
    const { extent } = counter;
    const chunk = form.lanes * unrolled;
    const wholeChunks = Math.floor(extent / chunk) * chunk;
    const whole = Math.floor(extent / form.lanes) * form.lanes;
    const iterate = (from: number, to: number, step: number) => {
      if (to - from < step || step === 0) return;
      this.lines.push(`${inner}for (ptrdiff_t ${i} = ${from}; ${i} < ${to}; ${i} += ${step}) {`);
      for (let ahead = 0; ahead < step; ahead += form.lanes) {
        v.ahead = ahead;
        const several = step > form.lanes;
        if (several) this.lines.push(`${inner}  {`);
        this.#iteration(v, body, several ? `${inner}    ` : `${inner}  `, ahead / form.lanes);
        if (several) this.lines.push(`${inner}  }`);
      }
      v.ahead = 0;
      this.lines.push(`${inner}}`);
    };
    iterate(0, wholeChunks, chunk);
    iterate(wholeChunks, whole, form.lanes);
    if (whole < extent) {
      v.count = extent - whole;
      this.lines.push(`${inner}{`, `${inner}  const ptrdiff_t ${i} = ${whole};`);
      this.#iteration(v, body, `${inner}  `, 0);
      this.lines.push(`${inner}}`);
    }
    this.#finish(v, inner);
    this.lines.push(`${indent}}`);
  }

  /** Before a loop over vectors: puts what comes from outside into all lanes, and begins folds in lanes. */
  #prepare(v: Vectors, body: readonly Statement[], unrolled: number, indent: string): void {
    const helpers = this.#helpers;
    const made = new Set<Register>();
    const spread = (r: Register) => {
      if (made.has(r) || v.splats.has(r)) return;
      const name = numbered("all", r);
      this.lines.push(
        `${indent}const ${helpers.type(r.dtype, v.form)} ${name} = ${helpers.splat(r.dtype, v.form, named(r))};`,
      );
      v.splats.set(r, name);
    };
    for (const s of body) {
      if (s.kind === "compute" || s.kind === "call") s.from.forEach(spread);
      else if (s.kind === "store" || s.kind === "combine") spread(s.from);
      else if (s.kind === "gather") {
        spread(s.from);
        if (v.folds.has(s.into)) continue;
        const form = this.#foldForm(v, s.into.dtype);
        const parts = v.form.lanes / form.lanes;
        const names = Array.from({ length: unrolled * parts }, (_, n) => `${numbered("fold", s.into)}_${n}`);
        const begun = helpers.constant(s.into.dtype, form, neutral(s.fold, s.into.dtype));
        for (const name of names)
          this.lines.push(`${indent}${helpers.type(s.into.dtype, form)} ${name} = ${begun};`);
        v.folds.set(s.into, { fold: s.fold, names });
      }
      if ("to" in s && "dtype" in s.to) made.add(s.to);
    }
  }

  /** The form of accumulators: as many lanes as a vector of their dtype has. */
  #foldForm({ form }: Vectors, dtype: DType): Form {
    const most = Math.max(1, this.#helpers.features.vectorBytes / (dtype === "float64" ? 8 : 4));
    return { lanes: Math.min(form.lanes, most), mask: dtype === "float64" ? 8 : 4 };
  }

  /** After a loop over vectors: folds the lanes into the register outside. */
  #finish(v: Vectors, indent: string): void {
    for (const [into, { fold, names }] of v.folds) {
      const form = this.#foldForm(v, into.dtype);
      const [first, ...others] = names as [string, ...string[]];
      for (const other of others)
        this.lines.push(`${indent}${first} = ${this.#folded(fold, into.dtype, form, first, other)};`);
      for (let lane = 0; lane < form.lanes; lane++) {
        const next = form.lanes === 1 ? first : `${first}[${lane}]`;
        this.lines.push(
          `${indent}${named(into)} = ${this.#folded(fold, into.dtype, SINGLE, named(into), next)};`,
        );
      }
    }
  }

  #iteration(v: Vectors, body: readonly Statement[], indent: string, turn: number): void {
    v.own.clear();
    for (const s of body) {
      if (s.kind === "gather") this.#gather(v, s, indent, turn);
      else if (s.kind !== "loop" && s.kind !== "fill" && s.kind !== "begin") this.#statement(s, v, indent);
    }
  }

  #gather(
    v: Vectors,
    { into, fold, from }: Extract<Statement, { kind: "gather" }>,
    indent: string,
    turn: number,
  ): void {
    const helpers = this.#helpers;
    const { names } = v.folds.get(into) as { names: readonly string[] };
    const form = this.#foldForm(v, into.dtype);
    const parts = v.form.lanes / form.lanes;
    let x = this.#read(from, v);
    if (v.count < v.form.lanes) {
      const others = helpers.constant(from.dtype, v.form, neutral(fold, from.dtype));
      x = helpers.first(from.dtype, v.form, x, v.count, others);
    }
    const add = (name: string, text: string) =>
      this.lines.push(`${indent}${name} = ${this.#folded(fold, into.dtype, form, name, text)};`);
    if (parts === 1) {
      const own =
        into.dtype === from.dtype ? x : helpers.compute("convert", into.dtype, from.dtype, v.form, [x]);
      add(names[turn] as string, own);
      return;
    }
    const part: Form = { lanes: form.lanes, mask: 4 };
    const type = helpers.type(from.dtype, part);
    const own = `parts${this.lines.length}`;
    this.lines.push(
      `${indent}${type} ${own}[${parts}];`,
      `${indent}{ const ${helpers.type(from.dtype, v.form)} x = ${x}; memcpy(${own}, &x, sizeof x); }`,
    );
    for (let n = 0; n < parts; n++)
      add(
        names[turn * parts + n] as string,
        helpers.compute("convert", into.dtype, from.dtype, part, [`${own}[${n}]`]),
      );
  }

  #statement(s: Exclude<Statement, { kind: "loop" | "fill" }>, v: Vectors | null, indent: string): void {
    const helpers = this.#helpers;
    const form = v?.form ?? SINGLE;
    switch (s.kind) {
      case "constant":
        if (helpers.features.vectorBytes === 0) this.#literals.set(s.to, literal(s.to.dtype, s.value));
        else this.#make(s.to, v, helpers.constant(s.to.dtype, form, s.value), indent);
        break;
      case "load":
        this.#load(s.to, s.from, v, indent);
        break;
      case "compute": {
        const from = s.from.at(-1)?.dtype ?? s.to.dtype;
        const operands = s.from.map((r) => this.#read(r, v));
        this.#make(s.to, v, helpers.compute(s.operator, s.to.dtype, from, form, operands), indent);
        break;
      }
      case "call": {
        const operands = s.from.map((r) => this.#read(r, v));
        this.#make(s.to, v, call(helpers, s.called, s.to.dtype, form, operands), indent);
        break;
      }
      case "store":
        this.#store(s.to, this.#read(s.from, v), v, indent);
        break;
      case "combine":
        this.#combine(s.to, s.fold, s.from, v, indent);
        break;
      case "begin":
        this.lines.push(
          `${indent}${helpers.type(s.to.dtype, SINGLE)} ${named(s.to)} = ${literal(s.to.dtype, neutral(s.fold, s.to.dtype))};`,
        );
        break;
      case "gather": {
        const wide =
          s.into.dtype === s.from.dtype
            ? this.#read(s.from, null)
            : helpers.compute("convert", s.into.dtype, s.from.dtype, SINGLE, [this.#read(s.from, null)]);
        this.lines.push(
          `${indent}${named(s.into)} = ${this.#folded(s.fold, s.into.dtype, SINGLE, named(s.into), wide)};`,
        );
        break;
      }
    }
  }

  #make(to: Register, v: Vectors | null, expression: string, indent: string): void {
    v?.own.add(to);
    this.lines.push(
      `${indent}const ${this.#helpers.type(to.dtype, v?.form ?? SINGLE)} ${named(to)} = ${expression};`,
    );
  }

  #read(r: Register, v: Vectors | null): string {
    const known = this.#literals.get(r);
    if (known !== undefined) return known;
    return v === null || v.own.has(r) ? named(r) : (v.splats.get(r) ?? named(r));
  }

  #folded(fold: Fold, dtype: DType, form: Form, a: string, b: string): string {
    return this.#helpers.compute(fold === "sum" ? "add" : fold, dtype, dtype, form, [a, b]);
  }

  #load(to: Register, place: Place, v: Vectors | null, indent: string): void {
    const { dtype } = place.buffer;
    if (v === null) {
      const at = this.#at(place, null, null);
      this.#make(to, v, dtype === "bool" ? `${at} != 0` : at, indent);
      return;
    }
    const step = stepOf(place.at, v.counter);
    if (place.picked === null && step === 1) {
      this.#make(to, v, this.#helpers.load(dtype, v.form, `&${this.#at(place, v, null)}`, v.count), indent);
    } else if (place.picked === null && step === 0) {
      const at = this.#at(place, v, null);
      this.#make(to, v, this.#helpers.splat(dtype, v.form, dtype === "bool" ? `(${at} != 0)` : at), indent);
    } else if (place.picked === null && step === 2 && dtype !== "bool") {
      const at = `&${this.#at(place, v, null)}`;
      this.#make(to, v, this.#helpers.loadEven(dtype, v.form, at, v.count), indent);
    } else {
      v.own.add(to);
      const type = this.#helpers.type(dtype, v.form);
      const at = this.#at(place, v, "l");
      const lanes = Array.from({ length: v.count }, (_, lane) => {
        const x = at.replaceAll(/\bl\b/g, String(lane));
        return dtype === "bool" ? `-(${x} != 0)` : x;
      });
      this.lines.push(`${indent}const ${type} ${named(to)} = {${lanes.join(", ")}};`);
    }
  }

  #store(place: Place, x: string, v: Vectors | null, indent: string): void {
    const { dtype } = place.buffer;
    if (v === null) {
      this.lines.push(`${indent}${this.#at(place, null, null, true)} = ${x};`);
      return;
    }
    if (place.picked === null && stepOf(place.at, v.counter) === 1) {
      const at = `&${this.#at(place, v, null, true)}`;
      this.lines.push(`${indent}${this.#helpers.store(dtype, v.form, at, x, v.count)}`);
      return;
    }
    const lane = dtype === "bool" ? `(${x})[l] & 1` : `(${x})[l]`;
    this.lines.push(
      `${indent}for (int l = 0; l < ${v.count}; l++) ${this.#at(place, v, "l", true)} = ${lane};`,
    );
  }

  #combine(place: Place, fold: Fold, from: Register, v: Vectors | null, indent: string): void {
    const { dtype } = place.buffer;
    const x = this.#read(from, v);
    if (v !== null && place.picked === null && stepOf(place.at, v.counter) === 1) {
      const at = `&${this.#at(place, v, null, true)}`;
      const old = this.#helpers.load(dtype, v.form, at, v.count);
      const next = this.#folded(fold, dtype, v.form, old, x);
      this.lines.push(`${indent}${this.#helpers.store(dtype, v.form, at, next, v.count)}`);
      return;
    }
    // Lanes may meet the same place: one after the other.
    const lane = v === null ? null : "l";
    const at = this.#at(place, v, lane, true);
    const own = v === null ? x : dtype === "bool" ? `((${x})[l] & 1)` : `(${x})[l]`;
    const next = this.#folded(fold, dtype, SINGLE, at, own);
    this.lines.push(`${indent}${v === null ? "" : `for (int l = 0; l < ${v.count}; l++) `}${at} = ${next};`);
  }

  #fill(buffer: Buffer, value: number, indent: string): void {
    if (buffer.size === 0) return;
    this.#buffers.set(buffer, true);
    const name = this.#context.nameOf(buffer);
    if (Object.is(value, 0)) {
      this.lines.push(`${indent}memset(${name}, 0, ${buffer.size * bytesOf(buffer.dtype)});`);
      return;
    }
    this.lines.push(
      `${indent}for (ptrdiff_t i = 0; i < ${buffer.size}; i++) ${name}[i] = ${literal(buffer.dtype, value)};`,
    );
  }

  /** An element, of the first lane or of another one. */
  #at({ buffer, at, picked }: Place, v: Vectors | null, lane: string | null, writes = false): string {
    this.#buffers.set(buffer, writes || this.#buffers.get(buffer) === true);
    const parts = at.terms.map(({ counter, step }) => {
      const i = nameOfCounter(counter);
      if (v?.counter !== counter) return scaled(step, i);
      const ahead = [i, ...(v.ahead === 0 ? [] : [String(v.ahead)]), ...(lane === null ? [] : [lane])];
      return scaled(step, ahead.length === 1 ? i : `(${ahead.join(" + ")})`);
    });
    if (picked !== null) {
      const { index, step } = picked;
      const isVector = v?.own.has(index) === true;
      parts.push(scaled(step, isVector ? `${named(index)}[${lane ?? 0}]` : this.#read(index, null)));
    }
    if (at.offset !== 0 || parts.length === 0) parts.push(String(at.offset));
    return `${this.#context.nameOf(buffer)}[${parts.join(" + ").replaceAll("+ -", "- ")}]`;
  }
}

/** How many numbers a loop goes through at a time: as many as a vector has of the widest dtype in it. */
function formOf({ extent }: Counter, body: readonly Statement[], vectorBytes: number): Form {
  let mask: 4 | 8 = 4;
  const meet = ({ dtype }: { readonly dtype: DType }) => {
    if (dtype === "float64") mask = 8;
  };
  for (const s of body) {
    if (s.kind === "gather") {
      meet(s.from);
      if (s.fold !== "sum" || s.from.dtype !== "float32") meet(s.into);
    } else if (s.kind === "store" || s.kind === "combine") {
      meet(s.from);
      meet(s.to.buffer);
    } else if ("to" in s && "dtype" in s.to) {
      meet(s.to);
      if (s.kind === "compute" || s.kind === "call") s.from.forEach(meet);
    }
  }
  let lanes = vectorBytes / mask;
  // What was written in pieces cannot be read as one soon after: where a loop adds to memory, vectors are whole.
  const least = body.some(({ kind }) => kind === "combine") ? extent : 2 * extent - 1;
  while (lanes > least) lanes /= 2;
  return { lanes, mask };
}

function nameOfCounter({ id }: Counter): string {
  return `i${id}`;
}

function named(register: Register): string {
  return numbered("r", register);
}

/** A name with a register's number, which may be below 0. */
function numbered(prefix: string, { id }: Register): string {
  return id < 0 ? `${prefix}_${-id}` : `${prefix}${id}`;
}

function scaled(step: number, x: string): string {
  return step === 1 ? x : step === -1 ? `-${x}` : `${step} * ${x}`;
}

function stepOf({ terms }: Affine, counter: Counter): number {
  return terms.find((term) => term.counter === counter)?.step ?? 0;
}
