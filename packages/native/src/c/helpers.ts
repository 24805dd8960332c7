/** Helpers: the small functions that generated code calls, each printed once, in the order in which they need each other. */

import type { Operator } from "@adjoint/compiler/targets";
import type { DType } from "@adjoint/core";
import { elementType, type Form, laneBytes, literal, shortName, typeName } from "./types.ts";

/** What the machine that code is made for has. */
export interface Features {
  /** Bytes of a vector; 0 for code without vectors. */
  readonly vectorBytes: number;
  /** Whether a·b + c rounded once is an instruction. */
  readonly fused: boolean;
}

const INLINE = "static inline __attribute__((always_inline))";

/** Definitions that code needs, by their names. */
export class Helpers {
  readonly features: Features;
  readonly #definitions = new Map<string, string>();

  constructor(features: Features) {
    this.features = features;
  }

  /** All definitions, in an order in which they can stand. */
  toString(): string {
    return [...this.#definitions.values()].join("\n");
  }

  /** Makes sure that a definition is there; what it needs itself comes before it. */
  define(name: string, make: () => string): string {
    if (!this.#definitions.has(name)) {
      const text = make();
      this.#definitions.set(name, text);
    }
    return name;
  }

  /** The type of a register. */
  type(dtype: DType, form: Form): string {
    const name = typeName(dtype, form);
    if (form.lanes === 1) return name;
    const element = dtype === "bool" ? (form.mask === 4 ? "int32_t" : "int64_t") : elementType(dtype);
    return this.#vector(name, element, form.lanes * laneBytes(dtype, form));
  }

  /** The integers that the bits of floating-point numbers are. */
  bits(dtype: DType, { lanes }: Form): string {
    return this.type("bool", { lanes, mask: dtype === "float64" ? 8 : 4 });
  }

  #vector(name: string, element: string, bytes: number): string {
    return this.define(name, () => `typedef ${element} ${name} __attribute__((vector_size(${bytes})));`);
  }

  /** One number in all lanes. */
  splat(dtype: DType, form: Form, x: string): string {
    if (form.lanes === 1) return x;
    const type = this.type(dtype, form);
    // A mask of one number is 0 or 1.
    if (dtype === "bool") return `(${type}){0} - (${x})`;
    const name = this.define(
      `splat_${type}`,
      () =>
        `${INLINE} ${type} splat_${type}(${elementType(dtype)} x) { return (${type}){${new Array(form.lanes).fill("x").join(", ")}}; }`,
    );
    return `${name}(${x})`;
  }

  /** A number in all lanes. */
  constant(dtype: DType, form: Form, x: number): string {
    return this.splat(dtype, form, literal(dtype, x));
  }

  /** Neighbouring numbers in memory, as many as there are lanes or only the first few, zeros after them. */
  load(dtype: DType, form: Form, at: string, count: number): string {
    if (form.lanes === 1) return dtype === "bool" ? `(*(${at}) != 0)` : `*(${at})`;
    const type = this.type(dtype, form);
    if (dtype === "bool") {
      const bytes = this.#vector(`u8x${form.lanes}`, "uint8_t", form.lanes);
      const name = this.define(
        `load_${type}`,
        () =>
          `${INLINE} ${type} load_${type}(const uint8_t *p, int n) { ${bytes} x = {0}; memcpy(&x, p, n); return (${type})(__builtin_convertvector(x, ${type}) != 0); }`,
      );
      return `${name}(${at}, ${count})`;
    }
    const element = elementType(dtype);
    if (count === form.lanes) {
      const name = this.define(
        `load_${type}`,
        () =>
          `${INLINE} ${type} load_${type}(const ${element} *p) { ${type} x; memcpy(&x, p, sizeof x); return x; }`,
      );
      return `${name}(${at})`;
    }
    return `${this.#loadFirst(dtype, form)}(${at}, ${count})`;
  }

  /** The function that loads the first few lanes, zeros after them. */
  #loadFirst(dtype: Exclude<DType, "bool">, form: Form): string {
    const type = this.type(dtype, form);
    return this.define(`load_${type}_first`, () => {
      const head = `${INLINE} ${type} load_${type}_first(const ${elementType(dtype)} *p, int n)`;
      const plain = `{ ${type} x = {0}; memcpy(&x, p, n * sizeof *p); return x; }`;
      const masked = this.#masked(dtype, form);
      return masked === null
        ? `${head} ${plain}`
        : choice(head, masked.builtin, `{ return ${masked.loaded}; }`, plain);
    });
  }

  /** Every second number in memory, as many as there are lanes or only the first few, zeros after them. */
  loadEven(dtype: Exclude<DType, "bool">, form: Form, at: string, count: number): string {
    const type = this.type(dtype, form);
    const { lanes } = form;
    const name = this.define(`load_${type}_even`, () => {
      const first = this.#loadFirst(dtype, form);
      const even = Array.from({ length: lanes }, (_, l) => 2 * l).join(", ");
      return choice(
        `${INLINE} ${type} load_${type}_even(const ${elementType(dtype)} *p, int n)`,
        "__builtin_shufflevector",
        `{ const int all = 2 * n - 1, low = all < ${lanes} ? all : ${lanes}; return __builtin_shufflevector(${first}(p, low), ${first}(p + ${lanes}, all - low), ${even}); }`,
        `{ ${type} x = {0}; for (int l = 0; l < n; l++) x[l] = p[2 * l]; return x; }`,
      );
    });
    return `${name}(${at}, ${count})`;
  }

  /** The statement that puts lanes, or the first few, into memory. */
  store(dtype: DType, form: Form, at: string, x: string, count: number): string {
    if (form.lanes === 1) return `*(${at}) = ${x};`;
    const type = this.type(dtype, form);
    if (dtype === "bool") {
      const bytes = this.#vector(`u8x${form.lanes}`, "uint8_t", form.lanes);
      const name = this.define(
        `store_${type}`,
        () =>
          `${INLINE} void store_${type}(uint8_t *p, ${type} m, int n) { ${bytes} x = __builtin_convertvector(-m, ${bytes}); memcpy(p, &x, n); }`,
      );
      return `${name}(${at}, ${x}, ${count});`;
    }
    const element = elementType(dtype);
    if (count === form.lanes) {
      const name = this.define(
        `store_${type}`,
        () => `${INLINE} void store_${type}(${element} *p, ${type} x) { memcpy(p, &x, sizeof x); }`,
      );
      return `${name}(${at}, ${x});`;
    }
    const name = this.define(
      `store_${type}_first`,
      () =>
        `${INLINE} void store_${type}_first(${element} *p, ${type} x, int n) { memcpy(p, &x, n * sizeof *p); }`,
    );
    return `${name}(${at}, ${x}, ${count});`;
  }

  /**
   * What loads the first n lanes by a mask, where that is one instruction of x86: a vector that is put together on the stack
   * must wait there for its pieces. Stores have no such form, since what was stored by a mask is not read before it is in
   * the cache.
   */
  #masked(
    dtype: Exclude<DType, "bool">,
    form: Form,
  ): { readonly builtin: string; readonly loaded: string } | null {
    const { vectorBytes } = this.features;
    const bytes = form.lanes * laneBytes(dtype, form);
    if (bytes < 16 || vectorBytes < 32) return null;
    if (vectorBytes === 64) {
      const type = { float64: "upd", float32: "ups", int32: "dqusi" }[dtype];
      const builtin = `__builtin_ia32_load${type}${8 * bytes}_mask`;
      return { builtin, loaded: `${builtin}((void *)p, (${this.type(dtype, form)}){0}, (1 << n) - 1)` };
    }
    const type = { float64: "pd", float32: "ps", int32: "d" }[dtype];
    const builtin = `__builtin_ia32_maskload${type}${bytes === 32 ? "256" : ""}`;
    const mask = `${dtype === "float64" ? "long long" : "int"} __attribute__((vector_size(${bytes})))`;
    const lanes = Array.from({ length: form.lanes }, (_, l) => `-(n > ${l})`).join(", ");
    return { builtin, loaded: `${builtin}((void *)p, (${mask}){${lanes}})` };
  }

  /** The name of a function that puts a square of as many rows as there are lanes in memory, rows as columns. */
  transpose(dtype: "float64" | "float32", form: Form): string {
    const type = this.type(dtype, form);
    const { lanes } = form;
    return this.define(`transpose_${type}`, () => {
      const element = elementType(dtype);
      const all = Array.from({ length: lanes }, (_, i) => i);
      const lines = all.map(
        (i) => `const ${type} a0_${i} = ${this.load(dtype, form, `from + ${i} * row`, lanes)};`,
      );
      // Rows that are half of all apart are shuffled like cards, until each has gone through all places.
      const half = lanes / 2;
      const low = all.map((i) => (i % 2) * lanes + (i >> 1)).join(", ");
      const high = all.map((i) => (i % 2) * lanes + (i >> 1) + half).join(", ");
      const rounds = Math.log2(lanes);
      for (let r = 0; r < rounds; r++) {
        for (let i = 0; i < half; i++) {
          const pair = `a${r}_${i}, a${r}_${i + half}`;
          lines.push(`const ${type} a${r + 1}_${2 * i} = __builtin_shufflevector(${pair}, ${low});`);
          lines.push(`const ${type} a${r + 1}_${2 * i + 1} = __builtin_shufflevector(${pair}, ${high});`);
        }
      }
      for (const i of all)
        lines.push(this.store(dtype, form, `to + ${i} * to_row`, `a${rounds}_${i}`, lanes));
      return choice(
        `static void transpose_${type}(const ${element} *from, ptrdiff_t row, ${element} *to, ptrdiff_t to_row)`,
        "__builtin_shufflevector",
        `{ ${lines.join(" ")} }`,
        `{ for (int i = 0; i < ${lanes}; i++) for (int j = 0; j < ${lanes}; j++) to[j * to_row + i] = from[i * row + j]; }`,
      );
    });
  }

  /** The first few lanes, and another vector's after them. */
  first(dtype: DType, form: Form, x: string, count: number, others: string): string {
    const lanes = Array.from({ length: form.lanes }, (_, lane) => (lane < count ? "-1" : "0")).join(", ");
    const mask: Form = { lanes: form.lanes, mask: dtype === "float64" ? 8 : 4 };
    return this.select(dtype, mask, `(${this.type("bool", mask)}){${lanes}}`, x, others);
  }

  /** a where the mask holds, b elsewhere. */
  select(dtype: DType, form: Form, mask: string, a: string, b: string): string {
    if (form.lanes === 1) return `${mask} ? ${a} : ${b}`;
    const type = this.type(dtype, form);
    const own = this.type("bool", { lanes: form.lanes, mask: laneBytes(dtype, form) as 4 | 8 });
    // In bits, since compilers make branches of lanes that are chosen one by one.
    const name = this.define(
      `select_${type}`,
      () =>
        `${INLINE} ${type} select_${type}(${own} m, ${type} a, ${type} b) { return (${type})(((${own})a & m) | ((${own})b & ~m)); }`,
    );
    return `${name}(${this.#mask(form, own, mask)}, ${a}, ${b})`;
  }

  /** A mask of the loop as one with elements of another size. */
  #mask(form: Form, own: string, mask: string): string {
    const type = this.type("bool", form);
    return type === own ? mask : `__builtin_convertvector(${mask}, ${own})`;
  }

  /** Whether a mask holds in all lanes. */
  all(form: Form, mask: string): string {
    const type = this.type("bool", form);
    const bytes = form.lanes * form.mask;
    const name = this.define(`all_${type}`, () => {
      const words = Math.max(1, bytes / 8);
      if (bytes < 16) {
        return `${INLINE} int all_${type}(${type} m) { int64_t w; memcpy(&w, &m, ${bytes}); return ${bytes === 8 ? "w" : "(int32_t)w"} == -1; }`;
      }
      const part = this.#vector("m64x2", "int64_t", 16);
      const parts = Array.from({ length: words / 2 }, (_, i) => `w[${i}]`).join(" & ");
      const plain = `{ ${part} w[${words / 2}]; memcpy(w, &m, sizeof m); const ${part} x = ${parts}; return (x[0] & x[1]) == -1; }`;
      const bits = (1n << BigInt(form.lanes)) - 1n;
      const [builtin, operand] =
        bytes === 64
          ? form.mask === 4
            ? ["__builtin_ia32_cvtd2mask512", "m"]
            : ["__builtin_ia32_cvtq2mask512", "(long long __attribute__((vector_size(64))))m"]
          : [
              `__builtin_ia32_movmskp${form.mask === 4 ? "s" : "d"}${bytes === 32 ? "256" : ""}`,
              `(${this.type(form.mask === 4 ? "float32" : "float64", form)})m`,
            ];
      return choice(
        `${INLINE} int all_${type}(${type} m)`,
        builtin,
        `{ return ${builtin}(${operand}) == ${bits}; }`,
        plain,
      );
    });
    return `${name}(${mask})`;
  }

  /** a·b + c, rounded once where that is an instruction. */
  madd(dtype: DType, form: Form, a: string, b: string, c: string): string {
    if (!this.features.fused) return `${a} * ${b} + ${c}`;
    return this.#lanewise(dtype, form, "fma", [a, b, c], `__builtin_fma${suffix(dtype)}`);
  }

  /** An instruction of the kernel language; operands are of the dtype `from`, but for a choice's mask. */
  compute(operator: Operator, to: DType, from: DType, form: Form, xs: readonly string[]): string {
    const [a, b, c] = xs as [string, string, string];
    switch (operator) {
      case "select":
        return to === "bool" && form.lanes > 1
          ? `(${a} & ${b}) | (~${a} & ${c})`
          : this.select(to, form, a, b, c);
      case "convert":
        return this.#convert(to, from, form, a);
      case "not":
        return form.lanes === 1 ? `!${a}` : `~${a}`;
      case "and":
        return `${a} & ${b}`;
      case "or":
        return `${a} | ${b}`;
      case "eq":
        return this.compare(from, form, "==", a, b);
      case "lt":
        return this.compare(from, form, "<", a, b);
      case "le":
        return this.compare(from, form, "<=", a, b);
    }
    return from === "float64" || from === "float32"
      ? this.#floating(operator, from, form, xs)
      : this.#whole(operator, form, xs);
  }

  /** A comparison; a mask of the form's own size. */
  compare(dtype: DType, form: Form, operator: "==" | "<" | "<=", a: string, b: string): string {
    if (form.lanes === 1) return `${a} ${operator} ${b}`;
    const own = this.type("bool", { lanes: form.lanes, mask: laneBytes(dtype, form) as 4 | 8 });
    const type = this.type("bool", form);
    // Masks that hold are −1, and come after those that do not, as in numbers.
    const compared =
      dtype === "bool" ? `(${own})(-${a} ${operator} -${b})` : `(${own})(${a} ${operator} ${b})`;
    return own === type ? compared : `__builtin_convertvector(${compared}, ${type})`;
  }

  #floating(operator: string, dtype: DType, form: Form, xs: readonly string[]): string {
    const [a, b] = xs as [string, string];
    switch (operator) {
      case "add":
        return `${a} + ${b}`;
      case "sub":
        return `${a} - ${b}`;
      case "mul":
        return `${a} * ${b}`;
      case "div":
        return `${a} / ${b}`;
      case "neg":
        return `-${a}`;
      case "abs":
        return this.#inBits(dtype, form, "abs", [a], (i) => `a & ${i.below}`, `fabs${suffix(dtype)}`);
      case "min":
      case "max":
        return this.#extreme(operator, dtype, form, a, b);
    }
    const name = operator === "nearest" ? "rint" : operator;
    return this.#lanewise(
      dtype,
      form,
      name,
      [a],
      form.lanes === 1 ? `${name}${suffix(dtype)}` : `__builtin_${name}${suffix(dtype)}`,
    );
  }

  /** The limit where a is greater (`min`) or less (`max`), a elsewhere: what x86 has an instruction for. */
  limit(name: "min" | "max", dtype: DType, form: Form, a: string, limit: string): string {
    const compared = name === "min" ? `${limit} < ${a}` : `${a} < ${limit}`;
    if (form.lanes === 1) return `${compared} ? ${limit} : ${a}`;
    const type = this.type(dtype, form);
    const own = `limit_${name}_${type}`;
    this.define(own, () => {
      const head = `${INLINE} ${type} ${own}(${type} a, ${type} limit)`;
      const mask = `(${this.bits(dtype, form)})(${name === "min" ? "limit < a" : "a < limit"})`;
      const plain = `{ return ${this.select(dtype, { lanes: form.lanes, mask: dtype === "float64" ? 8 : 4 }, mask, "limit", "a")}; }`;
      const bytes = form.lanes * laneBytes(dtype, form);
      if (bytes < 16) return `${head} ${plain}`;
      const wide = bytes === 64;
      const builtin = `__builtin_ia32_${name}p${dtype === "float64" ? "d" : "s"}${wide ? "512_mask" : bytes === 32 ? "256" : ""}`;
      return choice(head, builtin, `{ return ${builtin}(limit, a${wide ? ", a, -1, 4" : ""}); }`, plain);
    });
    return `${own}(${a}, ${limit})`;
  }

  /** |a| with the sign of b. */
  copySign(dtype: DType, form: Form, a: string, b: string): string {
    return this.#inBits(
      dtype,
      form,
      "copysign",
      [a, b],
      (i) => `(a & ${i.below}) | (b & ~${i.below})`,
      `copysign${suffix(dtype)}`,
    );
  }

  /** Minimum and maximum: NaN where either is, −0 less than 0. */
  #extreme(name: "min" | "max", dtype: DType, form: Form, a: string, b: string): string {
    const type = this.type(dtype, form);
    const own = `${name}_${shortName(dtype, form)}`;
    const operator = name === "min" ? "<" : ">";
    this.define(own, () => {
      if (form.lanes === 1) {
        const zero = name === "min" ? "signbit(a) ? a : b" : "signbit(a) ? b : a";
        return `static inline ${type} ${own}(${type} a, ${type} b) { return a ${operator} b ? a : b ${operator} a ? b : a == b ? (${zero}) : a + b; }`;
      }
      const bits = this.bits(dtype, form);
      const mask: Form = { lanes: form.lanes, mask: dtype === "float64" ? 8 : 4 };
      const select = (m: string, x: string, y: string) => this.select(dtype, mask, `(${bits})(${m})`, x, y);
      return `${INLINE} ${type} ${own}(${type} a, ${type} b) { const ${type} x = ${select(`a ${operator} b`, "a", "b")}; const ${type} y = ${select("a == a", "x", "a")}; return ${select("a == b", `(${type})((${bits})a ${name === "min" ? "|" : "&"} (${bits})b)`, "y")}; }`;
    });
    return `${own}(${a}, ${b})`;
  }

  #whole(operator: string, form: Form, xs: readonly string[]): string {
    const [a, b] = xs as [string, string];
    const symbol = { add: "+", sub: "-", mul: "*" }[operator];
    const single = form.lanes === 1;
    if (symbol !== undefined) {
      if (!single) return `${a} ${symbol} ${b}`;
      return `(int32_t)((uint32_t)${a} ${symbol} (uint32_t)${b})`;
    }
    switch (operator) {
      case "neg":
        return single ? `(int32_t)(0u - (uint32_t)${a})` : `-${a}`;
      case "abs":
        return single
          ? `(${a} < 0 ? (int32_t)(0u - (uint32_t)${a}) : ${a})`
          : this.select(
              "int32",
              { ...form, mask: 4 },
              `(${this.bits("float32", form)})(${a} < 0)`,
              `-${a}`,
              a,
            );
      case "min":
      case "max": {
        const sign = operator === "min" ? "<" : ">";
        if (single) return `(${a} ${sign} ${b} ? ${a} : ${b})`;
        const mask = `(${this.bits("float32", form)})(${a} ${sign} ${b})`;
        return this.select("int32", { ...form, mask: 4 }, mask, a, b);
      }
      case "div": {
        // As JavaScript has it: towards 0, and 0 where the quotient is infinite or no number.
        const name = this.define(
          "div_i32",
          () =>
            "static inline int32_t div_i32(int32_t a, int32_t b) { return b == 0 ? 0 : b == -1 ? (int32_t)(0u - (uint32_t)a) : a / b; }",
        );
        return this.each("int32", form, xs, name);
      }
    }
    // Whole numbers are their own floor.
    return a;
  }

  #convert(to: DType, from: DType, form: Form, x: string): string {
    if (to === from) return x;
    if (to === "int32") {
      // Towards 0, then modulo 2³²; 0 of infinities and NaN.
      const name = this.define(
        "to_int32",
        () =>
          "static inline int32_t to_int32(double x) { if (x > -2147483649.0 && x < 2147483648.0) return (int32_t)x; const double t = trunc(x), r = t - floor(t * 0x1p-32) * 0x1p32; return r >= 0 && r < 0x1p32 ? (int32_t)(uint32_t)r : 0; }",
      );
      return this.each("int32", form, [x], name, from);
    }
    const type = this.type(to, form);
    if (form.lanes === 1) return `(${type})${x}`;
    if (to === "float64" && from === "float32" && form.lanes === 8) {
      // GCC 12 makes several instructions of the general form.
      const operand = this.type(from, form);
      const builtin = "__builtin_ia32_cvtps2pd512_mask";
      const name = this.define("widen_f32x8", () =>
        choice(
          `${INLINE} ${type} widen_f32x8(${operand} x)`,
          builtin,
          `{ return ${builtin}(x, (${type}){0}, -1, 4); }`,
          `{ return __builtin_convertvector(x, ${type}); }`,
        ),
      );
      return `${name}(${x})`;
    }
    return `__builtin_convertvector(${x}, ${type})`;
  }

  /** A function of single numbers, lane by lane. */
  each(to: DType, form: Form, xs: readonly string[], called: string, from: DType = to): string {
    if (form.lanes === 1) return `${called}(${xs.join(", ")})`;
    const type = this.type(to, form);
    const operand = this.type(from, form);
    const name = `${called}_${type}_of_${operand}`;
    this.define(name, () => {
      const parameters = xs.map((_, i) => `${operand} x${i}`).join(", ");
      const operands = xs.map((_, i) => `x${i}[l]`).join(", ");
      return `static inline ${type} ${name}(${parameters}) { ${type} y; for (int l = 0; l < ${form.lanes}; l++) y[l] = ${called}(${operands}); return y; }`;
    });
    return `${name}(${xs.join(", ")})`;
  }

  /**
   * A function that is an instruction on vectors. Compilers find that in lanes that are computed alike, but take long to;
   * where one has a name for the instruction it is used.
   */
  #lanewise(dtype: DType, form: Form, name: string, xs: readonly string[], called: string): string {
    if (form.lanes === 1) return `${called}(${xs.join(", ")})`;
    const type = this.type(dtype, form);
    const own = `${name}_${type}`;
    const letters = xs.map((_, i) => "abc"[i] as string);
    this.define(own, () => {
      const head = `${INLINE} ${type} ${own}(${letters.map((x) => `${type} ${x}`).join(", ")})`;
      const lanes = `{ ${type} y; for (int l = 0; l < ${form.lanes}; l++) y[l] = ${called}(${letters.map((x) => `${x}[l]`).join(", ")}); return y; }`;
      const builtin = builtinOf(name, dtype, form.lanes * laneBytes(dtype, form));
      if (builtin === null) return `${head} ${lanes}`;
      return choice(head, builtin.name, `{ return ${builtin.name}(${builtin.operands}); }`, lanes);
    });
    return `${own}(${xs.join(", ")})`;
  }

  /** A function that is written over the bits of vectors, and has a name in C for single numbers. */
  #inBits(
    dtype: DType,
    form: Form,
    name: string,
    xs: readonly string[],
    expression: (constants: { readonly below: string }) => string,
    called: string,
  ): string {
    if (form.lanes === 1) return `${called}(${xs.join(", ")})`;
    const type = this.type(dtype, form);
    const bits = this.bits(dtype, form);
    const own = `${name}_${type}`;
    const letters = xs.map((_, i) => "ab"[i] as string);
    const below = dtype === "float64" ? "INT64_MAX" : "INT32_MAX";
    this.define(own, () => {
      const parameters = letters.map((x) => `${type} x${x}`).join(", ");
      const casts = letters.map((x) => `const ${bits} ${x} = (${bits})x${x};`).join(" ");
      const lanes = `{ ${type} y; for (int l = 0; l < ${form.lanes}; l++) y[l] = __builtin_${called}(${letters.map((x) => `x${x}[l]`).join(", ")}); return y; }`;
      // Clang 14 loses the sign of what copysign in bits gives where that is chosen by a mask.
      return `${INLINE} ${type} ${own}(${parameters})\n#if defined(__clang__)\n${lanes}\n#else\n{ ${casts} return (${type})(${expression({ below })}); }\n#endif`;
    });
    return `${own}(${xs.join(", ")})`;
  }

  /** A number's bits as a whole number of its size. */
  toBits(dtype: "float32" | "float64", form: Form, x: string): string {
    if (form.lanes > 1) return `(${this.bits(dtype, form)})${x}`;
    const [name, whole, type] = singleBits(dtype);
    this.define(
      `bits_${name}`,
      () =>
        `static inline ${whole} bits_${name}(${type} x) { ${whole} b; memcpy(&b, &x, sizeof b); return b; }`,
    );
    return `bits_${name}(${x})`;
  }

  /** The number of some bits. */
  fromBits(dtype: "float32" | "float64", form: Form, bits: string): string {
    if (form.lanes > 1) return `(${this.type(dtype, form)})(${bits})`;
    const [name, whole, type] = singleBits(dtype);
    this.define(
      `from_bits_${name}`,
      () =>
        `static inline ${type} from_bits_${name}(${whole} b) { ${type} x; memcpy(&x, &b, sizeof x); return x; }`,
    );
    return `from_bits_${name}(${bits})`;
  }
}

function singleBits(dtype: "float32" | "float64"): [name: string, whole: string, type: string] {
  return dtype === "float64" ? ["f64", "uint64_t", "double"] : ["f32", "uint32_t", "float"];
}

function suffix(dtype: DType): string {
  return dtype === "float32" ? "f" : "";
}

/** A function whose body is one that calls a compiler's own function where it has that, and another where it has not. */
function choice(head: string, builtin: string, body: string, otherwise: string): string {
  return `${head}\n#if HAS_BUILTIN(${builtin})\n${body}\n#else\n${otherwise}\n#endif`;
}

/** How roundings are numbered: to the nearest, down, up, towards 0; and not to raise flags. */
const ROUNDINGS: Readonly<Record<string, number>> = { rint: 8, floor: 9, ceil: 10, trunc: 11 };

/** The name that GCC, and mostly Clang, has for an instruction of x86 on vectors. */
function builtinOf(name: string, dtype: DType, bytes: number): { name: string; operands: string } | null {
  const type = dtype === "float64" ? "pd" : "ps";
  const size = bytes === 16 ? "" : String(8 * bytes);
  if (bytes < 16) return null;
  if (bytes === 64) {
    if (name === "fma") return { name: `__builtin_ia32_vfmadd${type}512_mask`, operands: "a, b, c, -1, 4" };
    if (name === "sqrt") return { name: `__builtin_ia32_sqrt${type}512_mask`, operands: "a, a, -1, 4" };
    return { name: `__builtin_ia32_rndscale${type}_mask`, operands: `a, ${ROUNDINGS[name]}, a, -1, 4` };
  }
  if (name === "fma") return { name: `__builtin_ia32_vfmadd${type}${size}`, operands: "a, b, c" };
  if (name === "sqrt") return { name: `__builtin_ia32_sqrt${type}${size}`, operands: "a" };
  return { name: `__builtin_ia32_round${type}${size}`, operands: `a, ${ROUNDINGS[name]}` };
}
