/**
 * The scalar language that elementwise operations are written in, and its instances over numbers and over source text.
 *
 * An expression is a function of operands and of an `Arithmetic`. What it means depends on the instance it is given:
 * with `numbers` it computes, with `sourceArithmetic` it writes JavaScript, with values (ops/values.ts) it builds a
 * graph that can be differentiated again.
 */

/** The language's functions that are JavaScript's own: their names in `Math`. */
const MATH_1 = ["abs", "sign", "sqrt", "exp", "log", "log1p", "sin", "cos", "tanh"] as const;
const MATH_2 = ["min", "max"] as const;

type Math1 = (typeof MATH_1)[number];
type Math2 = (typeof MATH_2)[number];

/**
 * A function that the language itself lacks, for `call`. Generated code calls `compute`; over values it is `operation`,
 * stated as a function since that operation is made of an expression that calls this.
 */
export interface ScalarFunction {
  readonly name: string;
  compute(...xs: number[]): number;
  operation(): (...xs: never[]) => unknown;
}

/** A function of JavaScript's `Math` for `call`, by its name there. */
export function fromMath(
  name: Exclude<keyof Math, symbol>,
  operation: ScalarFunction["operation"],
): ScalarFunction {
  return { name, compute: Math[name] as (...xs: number[]) => number, operation };
}

/** The scalar language: `T` is a number in some form, `M` (a mask) the outcome of a comparison. */
export type Arithmetic<T, M> = {
  readonly zero: T;
  readonly one: T;
  constant(x: number): T;
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  div(a: T, b: T): T;
  neg(a: T): T;
  /** IEEE 754's pow: 1 to any power is 1, and −1 to ±Infinity, where JavaScript says NaN. */
  pow(a: T, b: T): T;
  eq(a: T, b: T): M;
  lt(a: T, b: T): M;
  le(a: T, b: T): M;
  and(a: M, b: M): M;
  not(a: M): M;
  select(condition: M, a: T, b: T): T;
  /**
   * The product of a cotangent or tangent with a partial derivative: 0 where `dy` is 0, whatever the partial is, so
   * that an infinite partial behind a branch not taken does no harm. (CppAD calls it azmul.)
   */
  scale(dy: T, partial: T): T;
  /** A function from outside the language. */
  call(f: ScalarFunction, ...xs: T[]): T;
} & { readonly [name in Math1]: (a: T) => T } & { readonly [name in Math2]: (a: T, b: T) => T };

/** An expression of the scalar language, over any instance. */
export type Expression = <T, M>(operands: readonly T[], m: Arithmetic<T, M>) => T;

type FromMath = Pick<Arithmetic<number, boolean>, Math1 | Math2>;

/** The instance that computes with JavaScript numbers. */
export const numbers: Arithmetic<number, boolean> = {
  zero: 0,
  one: 1,
  constant: (x) => x,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  neg: (a) => -a,
  pow: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b),
  eq: (a, b) => a === b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  and: (a, b) => a && b,
  not: (a) => !a,
  select: (condition, a, b) => (condition ? a : b),
  scale: (dy, partial) => (dy === 0 ? 0 : dy * partial),
  call: (f, ...xs) => f.compute(...xs),
  ...(Object.fromEntries([...MATH_1, ...MATH_2].map((name) => [name, Math[name]])) as unknown as FromMath),
};

/** The same over 32-bit integers, where a product must wrap before it loses low bits. */
export const integers: Arithmetic<number, boolean> = { ...numbers, mul: Math.imul };

/**
 * The instance that writes JavaScript. Every operation appends one `const` statement to `statements` and returns its
 * name, so a subexpression used twice is computed once. What is called from outside the language is added to `scope`
 * under the name that the source gives it. With `wraps`, products are 32-bit integer ones.
 */
export function sourceArithmetic(
  statements: string[],
  scope: Record<string, unknown>,
  wraps = false,
): Arithmetic<string, string> {
  const bind = (source: string): string => {
    const name = `t${statements.length}`;
    statements.push(`const ${name} = ${source};`);
    return name;
  };
  const infix = (operator: string) => (a: string, b: string) => bind(`${a} ${operator} ${b}`);
  const prefix = (operator: string) => (a: string) => bind(`${operator}${a}`);
  const call =
    (name: string) =>
    (...operands: string[]) =>
      bind(`Math.${name}(${operands.join(", ")})`);
  const product = wraps ? call("imul") : infix("*");
  return {
    zero: "0",
    one: "1",
    constant: (x) => (x < 0 || Object.is(x, -0) ? `(-${-x})` : `${x}`),
    add: infix("+"),
    sub: infix("-"),
    mul: (a, b) => (a === "1" ? b : b === "1" ? a : product(a, b)),
    div: infix("/"),
    neg: prefix("-"),
    pow: (a, b) => bind(`${a} === 1 || (${a} === -1 && Math.abs(${b}) === Infinity) ? 1 : ${a} ** ${b}`),
    eq: infix("==="),
    lt: infix("<"),
    le: infix("<="),
    and: infix("&&"),
    not: prefix("!"),
    select: (condition, a, b) => bind(`${condition} ? ${a} : ${b}`),
    scale: (dy, partial) => (partial === "1" ? dy : bind(`${dy} === 0 ? 0 : ${dy} * ${partial}`)),
    call: (f, ...xs) => {
      scope[`$${f.name}`] = f.compute;
      return bind(`$${f.name}(${xs.join(", ")})`);
    },
    ...(Object.fromEntries([...MATH_1, ...MATH_2].map((name) => [name, call(name)])) as unknown as Pick<
      Arithmetic<string, string>,
      Math1 | Math2
    >),
  };
}
