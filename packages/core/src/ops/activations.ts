/** Activation functions of networks, beyond relu, sigmoid, tanh and softplus of elementwise.ts. */

import type { Arithmetic, ScalarFunction } from "../arithmetic.ts";
import { binary, elementwise, unary } from "../elementwise.ts";
import { ArgumentError, describe, ShapeError } from "../errors.ts";
import { apply, type Defined, type Draw, define, operand, operands } from "../op.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { formatShape, normalizeAxis } from "../shape.ts";
import type { Operand, Value } from "../value.ts";
import { logistic, logOfOnePlusExp, mul, sigmoid } from "./elementwise.ts";
import { erfcFunction } from "./error-function.ts";
import { expm1Function } from "./exponential.ts";
import { reshape } from "./movement.ts";
import { type Range, slice } from "./slicing.ts";

/** An operation of two operands as one of x whose second operand, a parameter, has a default. */
function withDefault(
  f: Defined<(x: Operand, parameter: Operand) => Value>,
  usual: number,
): Defined<(x: Operand, parameter?: Operand) => Value> {
  const samples = (draw: Draw) => [...f.definition.samples(draw), [draw([2, 3], [0.7, 2])]];
  return define(
    { ...f.definition, samples },
    (x: Operand, parameter: Operand = usual): Value => f(x, parameter),
  );
}

/** x where it is positive, slope·x elsewhere. */
function leaky(name: string) {
  return binary({
    name,
    expression: (x, slope, m) => m.select(m.lt(m.zero, x), x, m.mul(slope, x)),
    pulls: [
      (dy, x, slope, _y, m) => m.select(m.lt(m.zero, x), dy, m.scale(dy, slope)),
      (dy, x, _slope, _y, m) => m.select(m.lt(m.zero, x), m.zero, m.scale(dy, x)),
    ],
    domains: [
      [-2, -0.1],
      [0.1, 0.9],
    ],
  });
}

/**
 * x for x > 0, slope·x elsewhere; the slope is 0.01 unless given.
 *
 * Shape: x and slope broadcast. Derivative: ∂/∂x = 1 for x > 0, slope for x ≤ 0 (by convention at the kink 0);
 * ∂/∂slope = min(x, 0).
 *
 * @example
 * leakyRelu([-1, 2], 0.1) // [-0.1, 2]
 */
export const leakyRelu = /* @__PURE__ */ withDefault(/* @__PURE__ */ leaky("leakyRelu"), 0.01);

const preluOf = /* @__PURE__ */ leaky("prelu");

/**
 * x for x > 0, weight·x elsewhere, with one weight a channel.
 *
 * Shape: a weight [c] belongs to axis 1 of x [n, c, …], as in PyTorch; any other broadcasts. Derivative: as that of
 * leakyRelu. Throws: ShapeError when the shapes do not broadcast.
 *
 * @example
 * prelu([[-1, -1], [2, -2]], [0.1, 0.5]) // [[-0.1, -0.5], [2, -1]]
 */
export const prelu = /* @__PURE__ */ define(
  {
    name: "prelu",
    operation: null,
    samples: (draw: Draw) => [
      [draw([2, 3, 2], [-2, -0.1]), draw([3])],
      [draw([2, 3]), draw([1])],
      [draw([3], [0.1, 2]), draw([])],
    ],
  },
  (x: Operand, weight: Operand): Value => {
    const input = operand("prelu", x);
    const slopes = operand("prelu", weight);
    if (slopes.rank !== 1 || input.rank < 3) return preluOf(x, weight);
    return preluOf(input, reshape(slopes, [slopes.size, ...input.shape.slice(2).map(() => 1)]));
  },
);

const eluOf = /* @__PURE__ */ binary({
  name: "elu",
  expression: (x, alpha, m) => m.select(m.lt(m.zero, x), x, m.mul(alpha, m.call(expm1Function, x))),
  pulls: [
    (dy, x, alpha, _y, m) => m.select(m.lt(m.zero, x), dy, m.scale(dy, m.mul(alpha, m.exp(x)))),
    (dy, x, _alpha, _y, m) => m.select(m.lt(m.zero, x), m.zero, m.scale(dy, m.call(expm1Function, x))),
  ],
  domains: [
    [-2, -0.1],
    [0.5, 2],
  ],
});

/**
 * x for x > 0, alpha·(e^x − 1) elsewhere; alpha is 1 unless given.
 *
 * Shape: x and alpha broadcast. Derivative: ∂/∂x = 1 for x > 0, alpha·e^x for x ≤ 0 (by convention at 0).
 *
 * @example
 * elu([-1, 2]) // [-0.6321205588285577, 2]
 */
export const elu = /* @__PURE__ */ withDefault(eluOf, 1);

// Klambauer et al., Self-Normalizing Neural Networks (2017), §2.
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/**
 * λx for x > 0, λα·(e^x − 1) elsewhere, with the λ and α that keep mean 0 and variance 1 from layer to layer.
 *
 * Derivative: λ for x > 0, λα·e^x for x ≤ 0 (by convention at the kink 0).
 * Source: Klambauer et al., Self-Normalizing Neural Networks (2017).
 *
 * @example
 * selu([-1, 1]) // [-1.1113307378125625, 1.0507009873554805]
 */
export const selu = /* @__PURE__ */ unary({
  name: "selu",
  expression: (x, m) =>
    m.select(
      m.lt(m.zero, x),
      m.mul(m.constant(SELU_SCALE), x),
      m.mul(m.constant(SELU_SCALE * SELU_ALPHA), m.call(expm1Function, x)),
    ),
  partial: (x, _y, m) =>
    m.select(m.lt(m.zero, x), m.constant(SELU_SCALE), m.mul(m.constant(SELU_SCALE * SELU_ALPHA), m.exp(x))),
  domain: [-2, -0.1],
});

const celuOf = /* @__PURE__ */ binary({
  name: "celu",
  expression: (x, alpha, m) =>
    m.select(m.lt(m.zero, x), x, m.mul(alpha, m.call(expm1Function, m.div(x, alpha)))),
  pulls: [
    (dy, x, alpha, _y, m) => m.select(m.lt(m.zero, x), dy, m.scale(dy, m.exp(m.div(x, alpha)))),
    (dy, x, alpha, _y, m) => {
      const u = m.div(x, alpha);
      const slope = m.sub(m.call(expm1Function, u), m.mul(u, m.exp(u)));
      return m.select(m.lt(m.zero, x), m.zero, m.scale(dy, slope));
    },
  ],
  domains: [
    [-2, -0.1],
    [0.5, 2],
  ],
});

/**
 * x for x > 0, alpha·(e^(x/alpha) − 1) elsewhere; alpha is 1 unless given.
 *
 * Shape: x and alpha broadcast. Derivative: ∂/∂x = 1 for x > 0, e^(x/alpha) for x ≤ 0: continuous at 0.
 * Source: Barron, Continuously Differentiable Exponential Linear Units (2017).
 *
 * @example
 * celu([-1, 2], 2) // [-0.7869386805747332, 2]
 */
export const celu = /* @__PURE__ */ withDefault(celuOf, 1);

const geluExact = /* @__PURE__ */ unary({
  name: "gelu",
  expression: (x, m) => m.mul(x, normalCdf(x, m)),
  partial: (x, _y, m) => {
    const density = m.mul(
      m.constant(1 / Math.sqrt(2 * Math.PI)),
      m.exp(m.mul(m.constant(-0.5), m.mul(x, x))),
    );
    return m.add(normalCdf(x, m), m.mul(x, density));
  },
});

/** Φ(x) by erfc, which keeps its digits where it is small. */
function normalCdf<T, M>(x: T, m: Arithmetic<T, M>): T {
  return m.mul(m.constant(0.5), m.call(erfcFunction, m.mul(m.constant(-Math.SQRT1_2), x)));
}

// ½(1 + tanh u) = σ(2u), u = √(2/π)(x + 0.044715x³)
const GELU_SLOPE = 2 * Math.sqrt(2 / Math.PI);
const GELU_CUBE = 0.044715;

const geluTanh = /* @__PURE__ */ unary({
  name: "geluTanh",
  expression: (x, m) => m.mul(x, logistic(geluArgument(x, m), m)),
  partial: (x, _y, m) => {
    const u = geluArgument(x, m);
    const du = m.mul(m.constant(GELU_SLOPE), m.add(m.one, m.mul(m.constant(3 * GELU_CUBE), m.mul(x, x))));
    const s = logistic(u, m);
    return m.add(s, m.mul(m.mul(x, du), m.mul(s, logistic(m.neg(u), m))));
  },
});

function geluArgument<T, M>(x: T, m: Arithmetic<T, M>): T {
  const cube = m.mul(m.constant(GELU_CUBE), m.mul(x, m.mul(x, x)));
  return m.mul(m.constant(GELU_SLOPE), m.add(x, cube));
}

/** Options of `gelu`. */
export interface GeluOptions {
  /** "tanh" for Hendrycks and Gimpel's approximation by tanh; by default "none". */
  readonly approximate?: "none" | "tanh";
}

const GELU: OptionNames<GeluOptions> = { approximate: true };

/**
 * x·Φ(x), Φ the normal distribution function.
 *
 * Derivative: Φ(x) + x·φ(x). Domain: all reals; NaN at −Infinity, as in PyTorch. Throws: ArgumentError for another
 * `approximate`. Source: Hendrycks and Gimpel, Gaussian Error Linear Units (2016).
 *
 * @example
 * gelu([0, 1]) // [0, 0.8413447460685…]
 */
export const gelu = /* @__PURE__ */ define(
  {
    name: "gelu",
    operation: null,
    samples: (draw: Draw) => [[draw([2, 3])], [draw([3]), { approximate: "tanh" }], [draw([])]],
  },
  (x: Operand, options: GeluOptions = {}): Value => {
    const { approximate = "none" } = checkOptions("gelu", options, GELU);
    if (approximate === "none") return geluExact(x);
    if (approximate === "tanh") return geluTanh(x);
    throw new ArgumentError({
      where: "gelu",
      expected: 'approximate must be "none" or "tanh"',
      received: describe(approximate),
    });
  },
);

const siluFunction: ScalarFunction = {
  name: "silu",
  compute: (x) => x / (1 + Math.exp(-x)),
  operation: () => silu,
};

/**
 * x·σ(x), also called swish.
 *
 * Derivative: σ(x)(1 + x·σ(−x)). Domain: all reals; NaN at −Infinity, as in PyTorch.
 *
 * @example
 * silu([0, 1]) // [0, 0.7310585786300049]
 */
export const silu = /* @__PURE__ */ unary({
  name: "silu",
  expression: (x, m) => m.call(siluFunction, x),
  partial: (x, _y, m) => m.mul(logistic(x, m), m.add(m.one, m.mul(x, logistic(m.neg(x), m)))),
});

/**
 * x·tanh(ln(1 + e^x)).
 *
 * Derivative: t + x(1 − t²)σ(x) with t = tanh(ln(1 + e^x)). Domain: all reals; NaN at −Infinity, as in PyTorch.
 * Source: Misra, Mish: A Self Regularized Non-Monotonic Activation Function (2019).
 *
 * @example
 * mish([0, 1]) // [0, 0.8650983882673…]
 */
export const mish = /* @__PURE__ */ unary({
  name: "mish",
  expression: (x, m) => m.mul(x, mishGate(x, m)),
  partial: (x, _y, m) => {
    const t = mishGate(x, m);
    const slope = m.mul(m.mul(m.sub(m.one, t), m.add(m.one, t)), logistic(x, m));
    return m.add(t, m.mul(x, slope));
  },
});

/** tanh(ln(1 + e^x)). */
function mishGate<T, M>(x: T, m: Arithmetic<T, M>): T {
  return m.tanh(logOfOnePlusExp(x, m));
}

/**
 * x/(1 + |x|).
 *
 * Derivative: 1/(1 + |x|)². Domain: all reals; NaN at ±Infinity, as in PyTorch. The second derivative jumps at 0; it is
 * 0 there by convention.
 *
 * @example
 * softsign([-1, 0, 3]) // [-0.5, 0, 0.75]
 */
export const softsign = /* @__PURE__ */ unary({
  name: "softsign",
  expression: (x, m) => m.div(x, m.add(m.one, m.abs(x))),
  partial: (x, _y, m) => {
    const d = m.add(m.one, m.abs(x));
    return m.div(m.one, m.mul(d, d));
  },
});

const softshrinkOf = /* @__PURE__ */ binary({
  name: "softshrink",
  expression: (x, by, m) =>
    m.select(
      m.lt(by, x),
      m.sub(x, by),
      m.select(m.lt(x, m.neg(by)), m.add(x, by), m.select(m.eq(x, x), m.zero, x)),
    ),
  pulls: [
    (dy, x, by, _y, m) => m.select(m.lt(by, x), dy, m.select(m.lt(x, m.neg(by)), dy, m.zero)),
    (dy, x, by, _y, m) => m.select(m.lt(by, x), m.neg(dy), m.select(m.lt(x, m.neg(by)), dy, m.zero)),
  ],
  domains: [
    [-2, -0.7],
    [0.1, 0.6],
  ],
});

/**
 * x brought nearer to 0 by `by`, ½ unless given, and 0 where |x| ≤ by.
 *
 * Shape: x and by broadcast; by ≥ 0. Derivative: 1 for |x| > by, 0 elsewhere (at the kinks ±by by convention).
 *
 * @example
 * softshrink([-2, 0.3, 1]) // [-1.5, 0, 0.5]
 */
export const softshrink = /* @__PURE__ */ withDefault(softshrinkOf, 0.5);

const hardTanhOperation = /* @__PURE__ */ elementwise({
  name: "hardTanh",
  dtypes: "number",
  expression: <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => {
    const [x, low, high] = xs as [T, T, T];
    return m.min(m.max(x, low), high);
  },
  pulls: [
    <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => {
      const [x, low, high, , dy] = xs as [T, T, T, T, T];
      return m.select(m.and(m.lt(low, x), m.lt(x, high)), dy, m.zero);
    },
    null,
    null,
  ],
});

/**
 * x brought into [low, high], [−1, 1] unless given.
 *
 * Derivative: 1 for low < x < high, 0 elsewhere: at the bounds too by PyTorch's convention, where clip passes dy. The
 * bounds have no derivative.
 *
 * @example
 * hardTanh([-3, 0.5, 2]) // [-1, 0.5, 1]
 */
export const hardTanh = /* @__PURE__ */ define(
  {
    name: "hardTanh",
    operation: hardTanhOperation,
    samples: (draw: Draw) => [
      [draw([2, 3], [-0.9, 0.9])],
      [draw([3], [1.1, 2])],
      [draw([], [-2, 1.9]), -3, 2],
    ],
  },
  (x: Operand, low: Operand = -1, high: Operand = 1): Value =>
    apply(hardTanhOperation, operands("hardTanh", [x, low, high]), null),
);

/**
 * min(max(x + 3, 0), 6)/6, a piecewise linear sigmoid.
 *
 * Derivative: 1/6 for −3 < x < 3, 0 elsewhere (at the kinks ±3 by convention).
 *
 * @example
 * hardSigmoid([-4, 0, 3]) // [0, 0.5, 1]
 */
export const hardSigmoid = /* @__PURE__ */ unary({
  name: "hardSigmoid",
  expression: (x, m) => hardGate(x, m),
  partial: (x, _y, m) => m.select(m.lt(m.abs(x), m.constant(3)), m.constant(1 / 6), m.zero),
});

function hardGate<T, M>(x: T, m: Arithmetic<T, M>): T {
  const six = m.constant(6);
  return m.div(m.min(m.max(m.add(x, m.constant(3)), m.zero), six), six);
}

/**
 * x·hardSigmoid(x).
 *
 * Derivative: 0 for x ≤ −3, x/3 + ½ for −3 < x < 3, 1 for x ≥ 3 (at the kinks ±3 by convention).
 * Source: Howard et al., Searching for MobileNetV3 (2019), §5.2.
 *
 * @example
 * hardSwish([-4, 1, 3]) // [0, 0.6666666666666666, 3]
 */
export const hardSwish = /* @__PURE__ */ unary({
  name: "hardSwish",
  expression: (x, m) => m.mul(x, hardGate(x, m)),
  partial: (x, _y, m) => {
    const three = m.constant(3);
    const inside = m.add(m.div(x, three), m.constant(0.5));
    return m.select(m.le(x, m.neg(three)), m.zero, m.select(m.le(three, x), m.one, inside));
  },
});

/**
 * a·σ(b), a and b being the halves of x along an axis, by default the last.
 *
 * Shape: x [.., 2n, ..] → [.., n, ..]. Derivative: that of its parts. Throws: ShapeError when the size is odd or x a
 * scalar. Source: Dauphin et al., Language Modeling with Gated Convolutional Networks (2017).
 *
 * @example
 * glu([1, 2, 0, 0]) // [0.5, 1]
 */
export const glu = /* @__PURE__ */ define(
  {
    name: "glu",
    operation: null,
    samples: (draw: Draw) => [[draw([2, 4])], [draw([4, 3]), 0], [draw([1, 2, 1]), -2], [draw([0, 2])]],
  },
  (x: Operand, axis = -1): Value => {
    const input = operand("glu", x);
    const along = normalizeAxis("glu", axis, input.rank);
    const size = input.shape[along] as number;
    if (size % 2 !== 0) {
      throw new ShapeError({
        where: "glu",
        expected: `axis ${axis} must have an even size`,
        received: `${size} (x ${formatShape(input.shape)})`,
      });
    }
    const half = (start: number, end: number) => {
      const ranges: Range[] = input.shape.map((_, i) => (i === along ? [start, end] : null));
      return slice(input, ...ranges);
    };
    return mul(half(0, size / 2), sigmoid(half(size / 2, size)));
  },
);
