/** Determinants and their logarithms. */

import { apply, define, type Operation, operation } from "../../op.ts";
import { type TensorType, tensorType } from "../../tensor-type.ts";
import type { Operand, Value } from "../../value.ts";
import { add, div, mul, sub } from "../elementwise.ts";
import { stack } from "../joining.ts";
import { broadcastTo, expandDims } from "../movement.ts";
import { matmul } from "../products.ts";
import { sum } from "../reduction.ts";
import { slice } from "../slicing.ts";
import { cofactorMatrix, determinant, logDeterminant } from "./factorisations.ts";
import { mapMatrices, squareMatrix, transposed } from "./matrices.ts";
import { inverse, regular } from "./solve.ts";
import { cofactorChange } from "./spectra.ts";

/** One number a matrix, as a matrix that multiplies it. */
function perMatrix(x: Value): Value {
  return expandDims(x, [-2, -1]);
}

/** The matrix of cofactors: the derivative of the determinant. */
const cofactorsOperation: Operation<null> = /* @__PURE__ */ operation({
  name: "cofactors",
  infer: ([a]) => a as TensorType,
  evaluate: ([a], _, type) => mapMatrices(a as Value, type, cofactorMatrix),
  vjp: [(dy, { inputs: [a] }) => cofactorsAlong(a as Value, dy)],
  jvp: ([ta], { inputs: [a] }) => cofactorsAlong(a as Value, ta as Value),
  batch: ([a]) => cofactors(a as Value),
});

function cofactors(a: Value): Value {
  return apply(cofactorsOperation, [a], null);
}

/** How the cofactors of a change along t: linear in t, and symmetric. */
const cofactorsAlongOperation: Operation<null> = /* @__PURE__ */ operation({
  name: "cofactorsAlong",
  infer: ([a]) => a as TensorType,
  evaluate: ([a, t], _, type) => {
    const along = (t as Value).data;
    return mapMatrices(a as Value, type, (x, n, _, k) => cofactorChange(x, along.subarray(k * n * n), n));
  },
  vjp: [
    (dy, { inputs: [a, t], output }) => thirdDerivative(a as Value, t as Value, dy, output),
    (dy, { inputs: [a] }) => cofactorsAlong(a as Value, dy),
  ],
  jvp: ([ta, tt], { inputs: [a, t], output }) => {
    const first = ta ? thirdDerivative(a as Value, t as Value, ta, output) : null;
    const second = tt ? cofactorsAlong(a as Value, tt) : null;
    return first && second ? add(first, second) : (first ?? second);
  },
  batch: (inputs, batched, _, size) => {
    const [a, t] = inputs.map((x, i) => (batched[i] ? x : broadcastTo(x, [size, ...x.shape])));
    return cofactorsAlong(a as Value, t as Value);
  },
});

function cofactorsAlong(a: Value, t: Value): Value {
  return apply(cofactorsAlongOperation, [a, t], null);
}

/**
 * How the change e of the cofactors c along t changes along z, symmetric in t and z. By differentiating
 * e = (⟨c, t⟩ c − c tᵀ c)/det(a), for invertible matrices only.
 */
function thirdDerivative(a: Value, t: Value, z: Value, e: Value): Value {
  const c = cofactors(a);
  const size = perMatrix(det(a));
  const dotted = (x: Value, y: Value) => perMatrix(sum(mul(x, y), [-2, -1]));
  const crossed = (x: Value, y: Value) => matmul(matmul(x, c, { transposeB: true }), y);
  const scaled = add(mul(t, dotted(c, z)), mul(z, dotted(c, t)));
  const change = div(sub(scaled, add(crossed(z, t), crossed(t, z))), size);
  return sub(cofactorsAlong(a, change), mul(div(dotted(z, e), size), c));
}

const detOperation: Operation<null> = /* @__PURE__ */ operation({
  name: "det",
  infer: ([a]) => tensorType((a as TensorType).shape.slice(0, -2), (a as TensorType).dtype),
  evaluate: ([a], _, type) => mapMatrices(a as Value, type, (x, n) => [determinant(x, n)]),
  vjp: [(dy, { inputs: [a] }) => mul(perMatrix(dy), cofactors(a as Value))],
  jvp: ([ta], { inputs: [a] }) => sum(mul(cofactors(a as Value), ta as Value), [-2, -1]),
  batch: ([a]) => det(a as Value),
});

/**
 * The determinant of square matrices.
 *
 * Shape: [..., n, n] → [...]; of no rows it is 1. Derivative: dy times the cofactors. First and second derivatives
 * hold for singular matrices too; third ones are NaN there.
 * Throws: ShapeError when not square. Source: Giles (2008), §2.2.4.
 *
 * @example
 * det([[1, 2], [3, 4]]) // ~-2
 */
export const det = /* @__PURE__ */ define(
  {
    name: "det",
    operation: detOperation,
    samples: (draw) => [[regular(draw, [3, 3])], [regular(draw, [2, 2, 2])], [regular(draw, [1, 1])]],
  },
  (a: Operand): Value => apply(detOperation, [squareMatrix("det", a)], null),
);

const slogdetOperation: Operation<null> = /* @__PURE__ */ operation({
  name: "slogdet",
  infer: ([a]) => tensorType([...(a as TensorType).shape.slice(0, -2), 2], (a as TensorType).dtype),
  evaluate: ([a], _, type) => mapMatrices(a as Value, type, logDeterminant),
  vjp: [(dy, { inputs: [a] }) => mul(perMatrix(last(dy, 1)), transposed(inverse(a as Value)))],
  jvp: ([ta], { inputs: [a] }) => {
    const change = sum(mul(ta as Value, transposed(inverse(a as Value))), [-2, -1]);
    return stack([mul(change, 0), change], -1);
  },
  batch: ([a]) => apply(slogdetOperation, [a as Value], null),
});

/** One place of the last axis. */
function last(x: Value, place: number): Value {
  return slice(x, ...new Array<null>(x.rank - 1).fill(null), place);
}

/**
 * The sign of the determinant of square matrices, and the natural logarithm of its size, which does not overflow.
 *
 * Shape: [..., n, n] → { sign [...], logAbsDet [...] }; a singular matrix has sign 0 and −Infinity.
 * Derivative: of the logarithm a⁻ᵀ, infinite or NaN where singular; of the sign 0.
 * Throws: ShapeError when not square. Source: Giles (2008), §2.2.4.
 *
 * @example
 * slogdet([[0, 1], [1, 0]]).sign // -1
 */
export const slogdet = /* @__PURE__ */ define(
  {
    name: "slogdet",
    operation: slogdetOperation,
    samples: (draw) => [[regular(draw, [3, 3])], [regular(draw, [2, 2, 2])]],
  },
  (a: Operand): { sign: Value; logAbsDet: Value } => {
    const y = apply(slogdetOperation, [squareMatrix("slogdet", a)], null);
    return { sign: last(y, 0), logAbsDet: last(y, 1) };
  },
);
