/** Parameters of an emitted function: what it reads and writes, under names that C, C++ and generated code leave free. */

import { ArgumentError, type Value } from "@adjoint/core";
import { elementType } from "../c/types.ts";

/** Something that the C function reads or writes. */
export interface Parameter {
  readonly name: string;
  readonly example: Value;
  /** Whether it is passed by value. */
  readonly isScalar: boolean;
}

const words = (text: string) => text.trim().split(/\s+/);

/** Words of C and of C++, whose compilers read the header too. */
const KEYWORDS = new Set(
  words(`
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl concept const const_cast consteval
    constexpr constinit continue decltype default delete do double dynamic_cast else enum explicit export extern false float
    for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected
    public register reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct
    switch template this thread_local throw true try typedef typeid typename typeof union unsigned using virtual void
    volatile wchar_t while xor xor_eq main linux unix
  `),
);

/** Functions and macros of the C library that generated code or its headers may mean. */
const LIBRARY = new Set(
  words(`
    NULL NAN INFINITY EOF abs acos acosh asin asinh atan atan2 atanh calloc cbrt ceil copysign cos cosh div erf erfc exit exp
    exp2 expm1 fabs floor fma fmod free gamma hypot index isinf isnan j0 j1 jn labs lgamma log log10 log1p log2 logb malloc
    memcpy memset nan pow printf qsort rand random realloc remainder rint round scalb select signbit signgam signgamma sin
    sinh sqrt stderr stdin stdout strlen system tan tanh tgamma trunc y0 y1 yn
  `),
);

/** What generated code calls its own. */
const GENERATED =
  /^(failed|done|left|m|reserve|release|mod|div_i32|to_int32|KERNEL|stack_left|steps?|stack\d*|(buffer|constant)\d+|[ipr]\d+|i|product_\w+|\w+_(i32|single|f64|f32)|\w*int\d+_t|(ptrdiff|size)_t)$/;

/** What results are called, and the direction of a Hessian's product. */
const RESULTS = /^(value\d*|gradient_\w+|jacobian|hessian|product|direction)$/;

function isFree(name: string): boolean {
  return ![KEYWORDS, LIBRARY].some((set) => set.has(name)) && ![GENERATED, RESULTS].some((x) => x.test(name));
}

const IDENTIFIER = /^[A-Za-z_]\w*$/;

/** The function's name, as C allows it. */
export function checkName(name: string): void {
  if (IDENTIFIER.test(name) && !KEYWORDS.has(name) && !LIBRARY.has(name)) return;
  throw new ArgumentError({
    where: "emitC",
    expected: "name must be one that C has for functions, and that its library leaves free",
    received: JSON.stringify(name),
  });
}

/** A name that is not used yet, which is from now on. */
export function unused(wanted: string, used: Set<string>): string {
  let name = wanted;
  while (used.has(name)) name += "_";
  used.add(name);
  return name;
}

/** The arguments of a function, by the names that they are wished to have as far as C has them. */
export function named(
  xs: readonly Value[],
  wishes: readonly string[],
  used: Set<string>,
): readonly Parameter[] {
  return xs.map((example, i) => {
    const wish = wishes[i];
    const wanted = wish !== undefined && IDENTIFIER.test(wish) ? wish : `x${i}`;
    return {
      name: unused(isFree(wanted) ? wanted : `${wanted}_`, used),
      example,
      isScalar: example.rank === 0,
    };
  });
}

/** The names of a function's parameters as it was written, where they are plain. */
export function parametersOf(f: (...args: never[]) => unknown): string[] {
  const text = f.toString();
  const list =
    /^(?:function\b)?\s*\w*\s*\(([^()=]*)\)/.exec(text)?.[1] ?? /^(\w+)\s*=>/.exec(text)?.[1] ?? "";
  return list.split(",").map((name) => name.trim());
}

/** Lines of source are at most so long, where they can be. */
const WIDTH = 120;

/** The declaration of the C function; without restrict, C++ can read it. */
export function prototype(
  name: string,
  read: readonly Parameter[],
  written: readonly Parameter[],
  restrict: boolean,
): string {
  const pointer = restrict ? "*restrict " : "*";
  const parameters = [
    ...read.map(({ name, example, isScalar }) =>
      isScalar
        ? `${elementType(example.dtype)} ${name}`
        : `const ${elementType(example.dtype)} ${pointer}${name}`,
    ),
    ...written.map(({ name, example }) => `${elementType(example.dtype)} ${pointer}${name}`),
  ];
  const line = `int ${name}(${parameters.join(", ")})`;
  return line.length < WIDTH ? line : `int ${name}(\n    ${parameters.join(",\n    ")})`;
}

/** Text in lines of the width, broken after commas. */
export function wrapped(head: string, parts: readonly string[], tail: string, indent: string): string {
  const lines: string[] = [];
  let line = head;
  parts.forEach((part, i) => {
    const text = part + (i === parts.length - 1 ? tail : ",");
    const joint = line === head || line === indent ? "" : " ";
    if (line.length + joint.length + text.length > WIDTH && line !== indent) {
      lines.push(line.trimEnd());
      line = indent + text;
    } else line += joint + text;
  });
  return [...lines, parts.length === 0 ? head + tail : line].join("\n");
}
