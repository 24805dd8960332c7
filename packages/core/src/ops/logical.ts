/** Logical operations and tests for NaN and infinities: bool results, without derivatives. */

import type { Arithmetic } from "../arithmetic.ts";
import { binary, unary } from "../elementwise.ts";

type Test = <T, M>(x: T, m: Arithmetic<T, M>) => M;

function test(name: string, mask: Test) {
  return unary({
    name,
    dtypes: "comparison",
    expression: (x, m) => m.select(mask(x, m), m.one, m.zero),
  });
}

/** An operation of two truths, each as "is 0". */
function logical(name: string, mask: <T, M>(notA: M, notB: M, m: Arithmetic<T, M>) => M) {
  return binary({
    name,
    dtypes: "comparison",
    expression: (a, b, m) => m.select(mask(m.eq(a, m.zero), m.eq(b, m.zero), m), m.one, m.zero),
  });
}

/**
 * Whether each element is NaN.
 *
 * dtype: bool. Derivative: none.
 *
 * @example
 * isNaN([1, NaN]) // [0, 1]
 */
export const isNaN = /* @__PURE__ */ test("isNaN", (x, m) => m.not(m.eq(x, x)));

/**
 * Whether each element is neither NaN nor infinite.
 *
 * dtype: bool. Derivative: none.
 *
 * @example
 * isFinite([1, NaN, -Infinity]) // [1, 0, 0]
 */
export const isFinite = /* @__PURE__ */ test("isFinite", (x, m) => m.lt(m.abs(x), m.constant(Infinity)));

/**
 * Whether each element is Infinity or −Infinity.
 *
 * dtype: bool. Derivative: none.
 *
 * @example
 * isInf([1, NaN, -Infinity]) // [0, 0, 1]
 */
export const isInf = /* @__PURE__ */ test("isInf", (x, m) => m.eq(m.abs(x), m.constant(Infinity)));

/**
 * Whether each element is 0 (false).
 *
 * dtype: bool. Every number but 0 is true, NaN too. Derivative: none.
 *
 * @example
 * logicalNot([0, 2]) // [1, 0]
 */
export const logicalNot = /* @__PURE__ */ test("logicalNot", (x, m) => m.eq(x, m.zero));

/**
 * Whether both are true.
 *
 * Shape: operands broadcast. dtype: bool. Every number but 0 is true, NaN too. Derivative: none.
 *
 * @example
 * logicalAnd([0, 1, 2], 1) // [0, 1, 1]
 */
export const logicalAnd = /* @__PURE__ */ logical("logicalAnd", (notA, notB, m) =>
  m.and(m.not(notA), m.not(notB)),
);

/**
 * Whether at least one is true.
 *
 * Shape: operands broadcast. dtype: bool. Every number but 0 is true, NaN too. Derivative: none.
 *
 * @example
 * logicalOr([0, 1, 0], [0, 0, 3]) // [0, 1, 1]
 */
export const logicalOr = /* @__PURE__ */ logical("logicalOr", (notA, notB, m) => m.not(m.and(notA, notB)));

/**
 * Whether exactly one is true.
 *
 * Shape: operands broadcast. dtype: bool. Every number but 0 is true, NaN too. Derivative: none.
 *
 * @example
 * logicalXor([0, 1, 2], 1) // [1, 0, 0]
 */
export const logicalXor = /* @__PURE__ */ logical("logicalXor", (notA, notB, m) =>
  m.and(m.not(m.and(notA, notB)), m.not(m.and(m.not(notA), m.not(notB)))),
);
