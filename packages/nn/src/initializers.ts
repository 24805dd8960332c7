/** Initialisers: the first numbers of a layer's parameters. */

import { type DType, random, type Shape, ShapeError, type Value, value } from "@adjoint/core";
import { formatShape } from "@adjoint/core/operations";
import { nonNegative } from "./ranges.ts";

/** Gives a parameter's first numbers: a constant of the shape and dtype, drawn with the key where it is random. */
export type Initializer = (shape: Shape, key: random.Key, dtype?: DType) => Value;

/** Numbers of inputs and outputs that one weight tensor joins. */
interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/** Fans of a weight [out, in, ...receptive]: sizes in and out, each times the size of the receptive field. */
function fansOf(where: string, shape: Shape): Fans {
  const [out, into, ...receptive] = shape;
  if (out === undefined || into === undefined) {
    throw new ShapeError({
      where,
      expected: "a weight must have at least the axes [out, in]",
      received: `shape ${formatShape(shape)}`,
      advice: "Use zeros, constant, uniform or normal for vectors.",
    });
  }
  const field = receptive.reduce((size, n) => size * n, 1);
  return { fanIn: into * field, fanOut: out * field };
}

function symmetric(shape: Shape, key: random.Key, dtype: DType, bound: number): Value {
  return random.uniform(key, shape, { low: -bound, high: bound, dtype });
}

/**
 * Uniform in ±√(6/(fanIn + fanOut)): keeps the variance of signals and of their gradients, for tanh and sigmoid.
 *
 * Shape: [out, in, ...receptive]; fanIn and fanOut are `in` and `out` times the size of the receptive field.
 * Throws: ShapeError for fewer than two axes.
 * Source: Glorot & Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks (2010), eq. 16.
 *
 * @example
 * const weight = xavierUniform([2, 4], random.key(0), "float32");
 * Math.max(...weight.data.map(Math.abs)) <= 1 // true
 */
export function xavierUniform(shape: Shape, key: random.Key, dtype: DType = "float32"): Value {
  const { fanIn, fanOut } = fansOf("xavierUniform", shape);
  return symmetric(shape, key, dtype, Math.sqrt(6 / (fanIn + fanOut)));
}

/**
 * Normal with standard deviation √(2/(fanIn + fanOut)).
 *
 * Shape: as `xavierUniform`. Throws: ShapeError for fewer than two axes.
 * Source: Glorot & Bengio (2010), eq. 12.
 *
 * @example
 * xavierNormal([2, 4], random.key(0), "float64").shape // [2, 4]
 */
export function xavierNormal(shape: Shape, key: random.Key, dtype: DType = "float32"): Value {
  const { fanIn, fanOut } = fansOf("xavierNormal", shape);
  return random.normal(key, shape, { std: Math.sqrt(2 / (fanIn + fanOut)), dtype });
}

/**
 * Uniform in ±√(6/fanIn): keeps the variance of signals through relu.
 *
 * Shape: [out, in, ...receptive]; fanIn is `in` times the size of the receptive field.
 * Throws: ShapeError for fewer than two axes.
 * Source: He, Zhang, Ren & Sun, Delving Deep into Rectifiers (2015), eq. 10, as a uniform distribution of that variance.
 *
 * @example
 * heUniform([2, 6], random.key(0)).shape // [2, 6]
 */
export function heUniform(shape: Shape, key: random.Key, dtype: DType = "float32"): Value {
  return symmetric(shape, key, dtype, Math.sqrt(6 / fansOf("heUniform", shape).fanIn));
}

/**
 * Normal with standard deviation √(2/fanIn).
 *
 * Shape: as `heUniform`. Throws: ShapeError for fewer than two axes.
 * Source: He, Zhang, Ren & Sun (2015), eq. 10.
 *
 * @example
 * heNormal([2, 6], random.key(0)).shape // [2, 6]
 */
export function heNormal(shape: Shape, key: random.Key, dtype: DType = "float32"): Value {
  return random.normal(key, shape, { std: Math.sqrt(2 / fansOf("heNormal", shape).fanIn), dtype });
}

/**
 * Uniform in ±1/√fanIn: what a `Linear` starts from unless told otherwise, as in PyTorch.
 *
 * Shape: as `heUniform`. Throws: ShapeError for fewer than two axes.
 * Source: LeCun, Bottou, Orr & Müller, Efficient BackProp (1998), §4.6, at a third of its variance: PyTorch's
 * kaiming_uniform_ with a = √5.
 *
 * @example
 * const weight = fanInUniform([2, 4], random.key(0));
 * Math.max(...weight.data.map(Math.abs)) <= 0.5 // true
 */
export function fanInUniform(shape: Shape, key: random.Key, dtype: DType = "float32"): Value {
  return symmetric(shape, key, dtype, 1 / Math.sqrt(fansOf("fanInUniform", shape).fanIn));
}

/**
 * The same number everywhere.
 *
 * @example
 * constant(0.5)([2], random.key(0)) // [0.5, 0.5]
 */
export function constant(x: number): Initializer {
  return (shape, _key, dtype = "float32") => {
    const size = shape.reduce((product, n) => product * n, 1);
    return value(new Float64Array(size).fill(x), { shape, dtype });
  };
}

/**
 * 0 everywhere.
 *
 * @example
 * zeros([2], random.key(0)) // [0, 0]
 */
export function zeros(shape: Shape, key: random.Key, dtype: DType = "float32"): Value {
  return constant(0)(shape, key, dtype);
}

/**
 * 1 everywhere.
 *
 * @example
 * ones([2], random.key(0)) // [1, 1]
 */
export function ones(shape: Shape, key: random.Key, dtype: DType = "float32"): Value {
  return constant(1)(shape, key, dtype);
}

/**
 * Uniform in [low, high).
 *
 * @example
 * uniform(-0.1, 0.1)([3], random.key(0)).shape // [3]
 */
export function uniform(low: number, high: number): Initializer {
  return (shape, key, dtype = "float32") => random.uniform(key, shape, { low, high, dtype });
}

/**
 * Normal with a mean, by default 0, and a standard deviation.
 * Throws: ArgumentError for a negative deviation.
 *
 * @example
 * normal(0.01)([3], random.key(0)).shape // [3]
 */
export function normal(std: number, mean = 0): Initializer {
  nonNegative("normal", "std", std);
  return (shape, key, dtype = "float32") => random.normal(key, shape, { std, mean, dtype });
}
