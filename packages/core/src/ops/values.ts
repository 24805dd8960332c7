/** The scalar language over values: a derivative written in it is a graph that can be differentiated again. */

import { type Arithmetic, numbers, type ScalarFunction } from "../arithmetic.ts";
import { binary } from "../elementwise.ts";
import { Value } from "../value.ts";
import {
  abs,
  add,
  cos,
  div,
  eq,
  exp,
  le,
  log,
  log1p,
  lt,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  sign,
  sin,
  sqrt,
  sub,
  tanh,
  where,
} from "./elementwise.ts";

type T = number | Value;
type M = boolean | Value;

/**
 * The product of a cotangent with a partial derivative, 0 where `dy` is 0 whatever the partial is. Its own derivative
 * by dy is the partial even there: it is the product's.
 */
const scale = /* @__PURE__ */ binary({
  name: "scale",
  dtypes: "number",
  expression: (dy, partial, m) => m.scale(dy, partial),
  partials: [(_dy, partial) => partial, (dy) => dy],
});

/** Numbers stay numbers until they meet a value. */
function lift1(f: (x: number) => number, g: (x: Value) => Value): (x: T) => T {
  return (x) => (x instanceof Value ? g(x) : f(x));
}

function lift2(f: (a: number, b: number) => number, g: (a: T, b: T) => Value): (a: T, b: T) => T {
  return (a, b) => (typeof a === "number" && typeof b === "number" ? f(a, b) : g(a, b));
}

function compare(f: (a: number, b: number) => boolean, g: (a: T, b: T) => Value): (a: T, b: T) => M {
  return (a, b) => (typeof a === "number" && typeof b === "number" ? f(a, b) : g(a, b));
}

function call(f: ScalarFunction, ...xs: T[]): T {
  if (xs.every((x) => typeof x === "number")) return f.compute(...xs);
  return (f.operation() as (...xs: T[]) => Value)(...xs);
}

/** The instance over values. */
export const valueArithmetic: Arithmetic<T, M> = {
  zero: 0,
  one: 1,
  constant: (x) => x,
  add: lift2(numbers.add, add),
  sub: lift2(numbers.sub, sub),
  mul: (a, b) => (a === 1 ? b : b === 1 ? a : lift2(numbers.mul, mul)(a, b)),
  div: lift2(numbers.div, div),
  neg: lift1(numbers.neg, neg),
  pow: lift2(numbers.pow, pow),
  eq: compare(numbers.eq, eq),
  lt: compare(numbers.lt, lt),
  le: compare(numbers.le, le),
  and: (a, b) => (typeof a === "boolean" ? (a ? b : a) : typeof b === "boolean" ? (b ? a : b) : mul(a, b)),
  not: (a) => (typeof a === "boolean" ? !a : eq(a, 0)),
  select: (condition, a, b) =>
    typeof condition === "boolean" ? (condition ? a : b) : where(condition, a, b),
  scale: (dy, partial) => (partial === 1 ? dy : lift2(numbers.scale, scale)(dy, partial)),
  call,
  abs: lift1(numbers.abs, abs),
  sign: lift1(numbers.sign, sign),
  sqrt: lift1(numbers.sqrt, sqrt),
  exp: lift1(numbers.exp, exp),
  log: lift1(numbers.log, log),
  log1p: lift1(numbers.log1p, log1p),
  sin: lift1(numbers.sin, sin),
  cos: lift1(numbers.cos, cos),
  tanh: lift1(numbers.tanh, tanh),
  min: lift2(numbers.min, minimum),
  max: lift2(numbers.max, maximum),
};
