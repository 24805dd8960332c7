/** Values made from nothing: constants, ranges, the identity matrix, coordinate grids. */

import { allocate, checkDType, commonDType, type DType, isFloat } from "../dtype.ts";
import { ArgumentError, describe } from "../errors.ts";
import { define, filled, operand, operands } from "../op.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { broadcastShapes, checkList, checkShape, type Shape } from "../shape.ts";
import { tensorType } from "../tensor-type.ts";
import { constant, type Operand, type Value } from "../value.ts";
import { broadcastTo, cast, reshape } from "./movement.ts";
import { lerp } from "./rounding.ts";

/** Options of a constant. */
export interface CreationOptions {
  /** Number type; by default float64. */
  readonly dtype?: DType;
}

const CREATION: OptionNames<CreationOptions> = { dtype: true };

/**
 * A constant whose elements are all one number.
 *
 * Shape: `shape`. dtype: float64 unless said.
 *
 * @example
 * full([2, 2], 7) // [[7, 7], [7, 7]]
 */
export function full(shape: Shape, fill: number, options: CreationOptions = {}): Value {
  const { dtype = "float64" } = checkOptions("full", options, CREATION);
  checkDType("full", dtype);
  return cast(filled(tensorType([...checkShape("full", shape)], "float64"), fill), dtype);
}

/**
 * A constant of zeros.
 *
 * Shape: `shape`. dtype: float64 unless said.
 *
 * @example
 * zeros([3], { dtype: "int32" }) // [0, 0, 0]
 */
export function zeros(shape: Shape, options: CreationOptions = {}): Value {
  const { dtype = "float64" } = checkOptions("zeros", options, CREATION);
  return filled(tensorType([...checkShape("zeros", shape)], checkDType("zeros", dtype)), 0);
}

/**
 * A constant of ones.
 *
 * Shape: `shape`. dtype: float64 unless said.
 *
 * @example
 * ones([2]) // [1, 1]
 */
export function ones(shape: Shape, options: CreationOptions = {}): Value {
  const { dtype = "float64" } = checkOptions("ones", options, CREATION);
  return filled(tensorType([...checkShape("ones", shape)], checkDType("ones", dtype)), 1);
}

/**
 * Zeros of a value's shape, and of its dtype unless said.
 *
 * Derivative: none; the result is a constant.
 *
 * @example
 * zerosLike([1, 2]) // [0, 0]
 */
export function zerosLike(x: Operand, options: CreationOptions = {}): Value {
  return like("zerosLike", x, 0, options);
}

/**
 * Ones of a value's shape, and of its dtype unless said.
 *
 * Derivative: none; the result is a constant.
 *
 * @example
 * onesLike([5, 6]) // [1, 1]
 */
export function onesLike(x: Operand, options: CreationOptions = {}): Value {
  return like("onesLike", x, 1, options);
}

function like(where: string, x: Operand, fill: number, options: CreationOptions): Value {
  const { shape, dtype: own } = operand(where, x);
  const { dtype = own } = checkOptions(where, options, CREATION);
  return filled(tensorType(shape, checkDType(where, dtype)), fill);
}

/** Options of `eye`. */
export interface EyeOptions extends CreationOptions {
  /** Which diagonal: 1 is the one above the main, −1 below. By default 0. */
  readonly offset?: number;
}

const EYE: OptionNames<EyeOptions> = { dtype: true, offset: true };

/**
 * Ones on a diagonal of a matrix, zeros elsewhere: the identity matrix where it is square.
 *
 * Shape: [rows, columns], square by default. `offset` counts diagonals: 1 is the one above the main, −1 below.
 *
 * @example
 * eye(2) // [[1, 0], [0, 1]]
 */
export function eye(rows: number, columns = rows, options: EyeOptions = {}): Value {
  const { dtype = "float64", offset = 0 } = checkOptions("eye", options, EYE);
  const type = tensorType(checkShape("eye", [rows, columns]), checkDType("eye", dtype));
  const data = allocate(dtype, type.size);
  for (let i = Math.max(0, -offset); i < rows && i + offset < columns; i++)
    data[i * columns + i + offset] = 1;
  return constant(type, data);
}

/**
 * Numbers from `start` on, `step` apart, up to but without `stop`; with one argument, the whole numbers below it.
 *
 * Shape: [⌈(stop − start)/step⌉], and [0] where the step leads away. dtype: float64 unless said.
 * Throws: ArgumentError for a step of 0 or ends that are not finite.
 *
 * @example
 * arange(4) // [0, 1, 2, 3]
 * arange(1, 2, 0.25) // [1, 1.25, 1.5, 1.75]
 */
export function arange(start: number, stop?: number, step = 1, options: CreationOptions = {}): Value {
  const { dtype = "float64" } = checkOptions("arange", options, CREATION);
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (![from, to, step, count].every(Number.isFinite)) {
    throw new ArgumentError({
      where: "arange",
      expected: "ends must be finite and step must not be 0",
      received: `start ${from}, stop ${to}, step ${step}`,
    });
  }
  const data = allocate(checkDType("arange", dtype), count);
  for (let i = 0; i < count; i++) data[i] = from + i * step;
  return constant(tensorType([count], dtype), data);
}

/** Options of `linspace`. */
export interface LinspaceOptions {
  /** Whether the last number is `stop`. By default true. */
  readonly endpoint?: boolean;
}

const LINSPACE: OptionNames<LinspaceOptions> = { endpoint: true };

/**
 * `count` numbers evenly apart from `start` to `stop`, both included; `stop` left out with `endpoint: false`.
 *
 * Shape: start and stop broadcast to s → [count, ...s]. One number is `start`. Integers give float64.
 * Derivative: with t from 0 to 1, 1 − t to start and t to stop, summed over the count.
 * Throws: ArgumentError unless count is a whole number ≥ 0.
 *
 * @example
 * linspace(0, 1, 5) // [0, 0.25, 0.5, 0.75, 1]
 */
export const linspace = /* @__PURE__ */ define(
  {
    name: "linspace",
    operation: null,
    samples: (draw) => [
      [draw([]), draw([]), 4],
      [draw([2]), draw([3, 1]), 3, { endpoint: false }],
      [draw([2]), 3, 1],
      [draw([2]), draw([]), 0],
    ],
  },
  (start: Operand, stop: Operand, count = 50, options: LinspaceOptions = {}): Value => {
    const { endpoint = true } = checkOptions("linspace", options, LINSPACE);
    if (!Number.isInteger(count) || count < 0) {
      throw new ArgumentError({
        where: "linspace",
        expected: "count must be a whole number ≥ 0",
        received: describe(count),
      });
    }
    const [from, to] = operands("linspace", [start, stop]).map((x) =>
      isFloat(x.dtype) ? x : cast(x, "float64"),
    ) as [Value, Value];
    const rank = Math.max(from.rank, to.rank);
    const dtype = commonDType([from, to]);
    const data = allocate(dtype, count);
    const steps = Math.max(1, endpoint ? count - 1 : count);
    for (let i = 0; i < count; i++) data[i] = i / steps;
    const t = constant(tensorType([count, ...new Array<number>(rank).fill(1)], dtype), data);
    return lerp(from, to, t);
  },
);

/** Options of `meshgrid`. */
export interface MeshgridOptions {
  /**
   * "xy" (NumPy's default): the first vector runs along the columns; "ij" (matrix indexing): each along its own axis.
   */
  readonly indexing?: "xy" | "ij";
}

const MESHGRID: OptionNames<MeshgridOptions> = { indexing: true };

/**
 * Coordinates on a grid: each vector repeated along the others' axes.
 *
 * Shape: vectors of n0, n1, … numbers → as many values of shape [n1, n0, …] ("xy") or [n0, n1, …] ("ij"); a scalar
 * counts as a vector of one. Derivative: to each vector its cotangent summed over what was repeated.
 *
 * @example
 * meshgrid([[1, 2, 3], [4, 5]])[0] // [[1, 2, 3], [1, 2, 3]]
 */
export const meshgrid = /* @__PURE__ */ define(
  {
    name: "meshgrid",
    operation: null,
    samples: (draw) => [
      [[draw([3]), draw([2])]],
      [[draw([3]), draw([2]), draw([1])], { indexing: "ij" }],
      [[draw([2])]],
    ],
  },
  (xs: readonly Operand[], options: MeshgridOptions = {}): Value[] => {
    const { indexing = "xy" } = checkOptions("meshgrid", options, MESHGRID);
    const count = checkList("meshgrid", "an array of vectors", xs).length;
    const swap = indexing === "xy" && count > 1;
    const vectors = xs.map((x, i) => {
      const input = operand("meshgrid", x);
      const shape = xs.map(() => 1);
      shape[swap && i < 2 ? 1 - i : i] = input.size;
      return reshape(input, shape);
    });
    const shape =
      vectors.length === 0
        ? []
        : broadcastShapes(
            "meshgrid",
            vectors.map((x) => x.shape),
          );
    return vectors.map((x) => broadcastTo(x, shape));
  },
);
