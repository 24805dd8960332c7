/** CLanes: the instructions of mathematical functions as statements in C, over single numbers or vectors. */

import type { Lanes } from "@adjoint/compiler/targets";
import type { Helpers } from "./helpers.ts";
import type { Form } from "./types.ts";

/** Lanes whose forms are C's names and literals. What they compute becomes statements, one after the other. */
export class CLanes implements Lanes<string, string> {
  readonly dtype: "float32" | "float64";
  readonly statements: string[] = [];
  readonly #helpers: Helpers;
  readonly #form: Form;
  readonly #constants = new Map<string, string>();
  #count = 0;

  constructor(helpers: Helpers, dtype: "float32" | "float64", lanes: number) {
    this.#helpers = helpers;
    this.dtype = dtype;
    this.#form = { lanes, mask: dtype === "float64" ? 8 : 4 };
  }

  constant(x: number): string {
    const key = Object.is(x, -0) ? "-0" : String(x);
    let known = this.#constants.get(key);
    if (known === undefined) {
      const text = this.#helpers.constant(this.dtype, this.#form, x);
      known = this.#form.lanes === 1 ? text : this.#number(text);
      this.#constants.set(key, known);
    }
    return known;
  }

  add(a: string, b: string): string {
    return this.#number(`${a} + ${b}`);
  }
  sub(a: string, b: string): string {
    return this.#number(`${a} - ${b}`);
  }
  mul(a: string, b: string): string {
    return this.#number(`${a} * ${b}`);
  }
  div(a: string, b: string): string {
    return this.#number(`${a} / ${b}`);
  }
  madd(a: string, b: string, c: string): string {
    return this.#number(this.#helpers.madd(this.dtype, this.#form, a, b, c));
  }
  neg(a: string): string {
    return this.#number(`-${a}`);
  }
  abs(a: string): string {
    return this.#compute("abs", a);
  }
  sqrt(a: string): string {
    return this.#compute("sqrt", a);
  }
  floor(a: string): string {
    return this.#compute("floor", a);
  }
  ceil(a: string): string {
    return this.#compute("ceil", a);
  }
  trunc(a: string): string {
    return this.#compute("trunc", a);
  }
  nearest(a: string): string {
    return this.#compute("nearest", a);
  }
  min(a: string, b: string): string {
    return this.#compute("min", a, b);
  }
  max(a: string, b: string): string {
    return this.#compute("max", a, b);
  }
  atMost(a: string, limit: string): string {
    return this.#number(this.#helpers.limit("min", this.dtype, this.#form, a, limit));
  }
  atLeast(a: string, limit: string): string {
    return this.#number(this.#helpers.limit("max", this.dtype, this.#form, a, limit));
  }
  copySign(a: string, b: string): string {
    return this.#number(this.#helpers.copySign(this.dtype, this.#form, a, b));
  }

  exponent(a: string): string {
    const bits = this.#helpers.toBits(this.dtype, this.#form, a);
    if (this.dtype === "float32") {
      const whole = `((${bits}) >> 23 & 255) - 127`;
      if (this.#form.lanes === 1) return this.#number(`(float)(int32_t)(${whole})`);
      return this.#number(`__builtin_convertvector(${whole}, ${this.#type()})`);
    }
    // The exponent as the last bits of a number near 2⁵².
    const near = `((${bits}) >> 52 & 2047) | 0x4330000000000000`;
    const biased = this.#number(this.#helpers.fromBits(this.dtype, this.#form, near));
    return this.sub(biased, this.constant(2 ** 52 + 1023));
  }

  significand(a: string): string {
    const bits = this.#helpers.toBits(this.dtype, this.#form, a);
    const own =
      this.dtype === "float32"
        ? `((${bits}) & 0x7fffff) | 0x3f800000`
        : `((${bits}) & 0xfffffffffffff) | 0x3ff0000000000000`;
    return this.#number(this.#helpers.fromBits(this.dtype, this.#form, own));
  }

  power2(n: string): string {
    // Added to a large power of two, a whole number stands in the last bits.
    const single = this.dtype === "float32";
    const shifted = this.add(n, this.constant(single ? 2 ** 23 + 127 : 2 ** 52 + 1023));
    const bits = this.#helpers.toBits(this.dtype, this.#form, shifted);
    return this.#number(this.#helpers.fromBits(this.dtype, this.#form, `(${bits}) << ${single ? 23 : 52}`));
  }

  eq(a: string, b: string): string {
    return this.#mask(this.#helpers.compare(this.dtype, this.#form, "==", a, b));
  }
  lt(a: string, b: string): string {
    return this.#mask(this.#helpers.compare(this.dtype, this.#form, "<", a, b));
  }
  le(a: string, b: string): string {
    return this.#mask(this.#helpers.compare(this.dtype, this.#form, "<=", a, b));
  }
  and(a: string, b: string): string {
    return this.#mask(`${a} & ${b}`);
  }
  or(a: string, b: string): string {
    return this.#mask(`${a} | ${b}`);
  }
  not(a: string): string {
    return this.#mask(this.#helpers.compute("not", "bool", "bool", this.#form, [a]));
  }
  select(mask: string, a: string, b: string): string {
    return this.#number(this.#helpers.select(this.dtype, this.#form, mask, a, b));
  }

  #type(): string {
    return this.#helpers.type(this.dtype, this.#form);
  }

  #compute(
    operator: "abs" | "sqrt" | "floor" | "ceil" | "trunc" | "nearest" | "min" | "max",
    ...xs: string[]
  ) {
    return this.#number(this.#helpers.compute(operator, this.dtype, this.dtype, this.#form, xs));
  }

  #number(expression: string): string {
    return this.#variable(this.#type(), expression);
  }

  #mask(expression: string): string {
    return this.#variable(this.#helpers.type("bool", this.#form), expression);
  }

  #variable(type: string, expression: string): string {
    const name = `t${this.#count++}`;
    this.statements.push(`const ${type} ${name} = ${expression};`);
    return name;
  }
}
