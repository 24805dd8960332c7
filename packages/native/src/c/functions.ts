/** Functions that kernels call, as C: by our own lane instructions, and by those of the C library. */

import { type CalledFunction, type LaneFunction, laneFunctions } from "@adjoint/compiler/targets";
import type { DType } from "@adjoint/core";
import type { Helpers } from "./helpers.ts";
import { CLanes } from "./lanes.ts";
import { type Form, SINGLE } from "./types.ts";

/** Functions of the C library that are what JavaScript and core call the same. */
const LIBRARY = new Set([
  ...[
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "pow",
    "cbrt",
    "hypot",
    "erf",
    "erfc",
    "lgamma",
  ],
  ...[
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "atan2",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
  ],
  ...["floor", "ceil", "trunc", "rint"],
]);
const RENAMED: Readonly<Record<string, string>> = { nearest: "rint" };

/** Functions that the C library lacks, of x and y, in float64. */
const OWN: Readonly<Record<string, string>> = {
  mod: "const double r = fmod(x, y); if (r != 0) return (r < 0) != (y < 0) ? r + y : r; return signbit(y) ? -0.0 : r == r ? 0.0 : r;",
  sigmoid: "return 1 / (1 + exp(-x));",
  silu: "return x / (1 + exp(-x));",
  softplus: "return (x < 0 ? 0 : x) + log1p(exp(-fabs(x)));",
};

/** Whether a function can be computed in C. */
export function isKnown({ name }: CalledFunction): boolean {
  return laneFunctions.has(name) || LIBRARY.has(RENAMED[name] ?? name);
}

/** A call of a function in an expression. */
export function call(
  helpers: Helpers,
  { name }: CalledFunction,
  dtype: DType,
  form: Form,
  xs: readonly string[],
): string {
  const lanes = laneFunctions.get(name);
  if (dtype === "float32" || dtype === "float64") {
    const own = helpers.features.vectorBytes > 0 && lanes !== undefined;
    const called = own
      ? defineLanes(helpers, lanes, dtype, form.lanes)
      : inLibrary(helpers, name, dtype, xs.length);
    return own ? `${called}(${xs.join(", ")})` : helpers.each(dtype, form, xs, called);
  }
  // Whole numbers are computed with as float64.
  const whole = `${name}_i32`;
  helpers.define(whole, () => {
    const operands = xs.map((_, i) => `x${i}`);
    const inner = call(helpers, { name, compute: () => 0 }, "float64", SINGLE, operands);
    const parameters = operands.map((x) => `int32_t ${x}`).join(", ");
    const converted = helpers.compute("convert", "int32", "float64", SINGLE, [inner]);
    return `static int32_t ${whole}(${parameters}) { return ${converted}; }`;
  });
  return helpers.each("int32", form, xs, whole);
}

/** The name of a function of single numbers that calls the C library. */
function inLibrary(helpers: Helpers, name: string, dtype: "float32" | "float64", arity: number): string {
  const operands = ["x", "y"].slice(0, arity);
  const parameters = (type: string) => operands.map((x) => `${type} ${x}`).join(", ");
  const own = OWN[name];
  const called =
    own === undefined
      ? (RENAMED[name] ?? name)
      : helpers.define(
          `${name}_double`,
          () => `static double ${name}_double(${parameters("double")}) { ${own} }`,
        );
  if (dtype === "float64") return called;
  // In float64, and rounded: more accurate than the library's own.
  return helpers.define(
    `${name}_single`,
    () =>
      `static inline float ${name}_single(${parameters("float")}) { return (float)${called}(${operands.join(", ")}); }`,
  );
}

/** Defines a function of lanes: fast where that holds, by the C library in the lanes where it does not. */
function defineLanes(helpers: Helpers, f: LaneFunction, dtype: "float32" | "float64", lanes: number): string {
  const form: Form = { lanes, mask: dtype === "float64" ? 8 : 4 };
  const type = helpers.type(dtype, form);
  const name = `${f.name}_${lanes === 1 ? (dtype === "float64" ? "f64" : "f32") : type}`;
  return helpers.define(name, () => {
    const xs = ["x", "y"].slice(0, f.arity);
    const parameters = xs.map((x) => `${type} ${x}`).join(", ");
    const m = new CLanes(helpers, dtype, lanes);
    const fast = f.fast(xs, m);
    const covered = f.covers?.(xs, m) ?? null;
    // Straight lines of scalars call it thousands of times: Clang, where it may, takes forty times as long for them.
    const own = lanes === 1 ? "static" : "static inline";
    const how = lanes === 1 ? "__attribute__((noinline))" : "__attribute__((always_inline))";
    const lines = [`${own} ${how} ${type} ${name}(${parameters}) {`, ...m.statements.map((s) => `  ${s}`)];
    if (covered === null) return [...lines, `  return ${fast};`, "}"].join("\n");
    const slow = inLibrary(helpers, f.name, dtype, f.arity);
    if (lanes === 1) {
      return [...lines, `  return ${covered} ? ${fast} : ${slow}(${xs.join(", ")});`, "}"].join("\n");
    }
    const mask = helpers.type("bool", form);
    const outside = [
      `static __attribute__((noinline)) ${type} ${name}_outside(${parameters}, ${type} fast, ${mask} covered) {`,
      `  for (int l = 0; l < ${lanes}; l++) if (!covered[l]) fast[l] = ${slow}(${xs.map((x) => `${x}[l]`).join(", ")});`,
      "  return fast;",
      "}",
    ];
    return [
      ...outside,
      ...lines,
      `  if (__builtin_expect(${helpers.all(form, covered)}, 1)) return ${fast};`,
      `  return ${name}_outside(${xs.join(", ")}, ${fast}, ${covered});`,
      "}",
    ].join("\n");
  });
}
