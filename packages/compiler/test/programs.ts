/** Random programs: operations of every kind on values of every kind, with gradients, and with parameters that change. */

import type { DType, TypedArray, Value } from "@adjoint/core";
import * as m from "@adjoint/core";
import fc from "fast-check";

/** One line of a program: an operation and the earlier results that it takes, all by number. */
interface Line {
  readonly op: number;
  readonly a: number;
  readonly b: number;
  readonly k: number;
}

/** What an argument, a parameter or a buffer is. */
interface Leaf {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A parameter or buffer takes on an earlier result. */
interface Assignment {
  readonly state: number;
  readonly from: number;
}

export interface RandomProgram {
  readonly args: readonly Leaf[];
  readonly states: readonly Leaf[];
  readonly lines: readonly Line[];
  /** Whether backward() is called, whether a gradient is taken, or neither. */
  readonly derivative: "none" | "backward" | "accumulated" | "gradient" | "twice";
  readonly assignments: readonly Assignment[];
  /** Lines after the assignments. */
  readonly after: readonly Line[];
  readonly outputs: readonly number[];
  /** Whether NaN, infinities and zeros are among the arguments. */
  readonly special: boolean;
  readonly seed: number;
}

/** A value of the program, and whether both ways of computing it give the same bits. */
interface Result {
  readonly x: Value;
  readonly exact: boolean;
}

/** An operation on two earlier results; `k` chooses an axis, a place or a shape. */
interface Step {
  readonly name: string;
  /** Whether results are exact where operands are. */
  readonly keeps: boolean;
  apply(a: Result, b: Result, k: number): Value;
}

const LARGEST = 150;

const isFloat = ({ dtype }: Value) => dtype === "float64" || dtype === "float32";
const product = (shape: readonly number[]) => shape.reduce((n, size) => n * size, 1);
const flat = (x: Value) => m.reshape(x, [x.size]);
/** At least rank 1. */
const lifted = (x: Value) => (x.rank === 0 ? m.reshape(x, [1]) : x);
const axisOf = (x: Value, k: number) => k % x.rank;
/** A number where sums of bits and whole numbers would be something else. */
const number = (x: Value) => (isFloat(x) ? x : m.cast(x, "float64"));
const whole = (x: Value) => (x.dtype === "int32" ? x : m.cast(isFloat(x) ? m.gt(x, 0.123) : x, "int32"));
const mask = (x: Value) => (x.dtype === "bool" ? x : m.gt(x, 0.123));
const weights = (n: number, dtype: DType) =>
  m.value(Float64Array.from({ length: n }, (_, i) => Math.cos(i + 1)) as TypedArray, { shape: [n], dtype });

/** A value's elements, again and again, in another shape. */
function fitted(x: Value, shape: readonly number[]): Value {
  const size = product(shape);
  if (x.size === 0) return m.broadcastTo(m.cast(m.sum(x), x.dtype), shape);
  if (x.size === 1) return m.broadcastTo(m.reshape(x, []), shape);
  const picks = Int32Array.from({ length: size }, (_, i) => i % x.size);
  const line = x.size === size ? flat(x) : m.take(flat(x), m.value(picks, { shape: [size] }), 0);
  return m.reshape(line, shape);
}

/** `b` where it broadcasts with `a`, otherwise made to. */
function beside(a: Value, b: Value, k: number): Value {
  const fits = b.shape.every((n, i) => {
    const other = a.shape[a.rank - b.rank + i];
    return n === 1 || other === undefined || other === 1 || other === n;
  });
  if (fits && product(a.shape) * product(b.shape) <= 10 * LARGEST) return b;
  const shape = a.shape.map((n, axis) => ((k >> axis) % 2 === 0 ? n : 1));
  return fitted(b, k % 3 === 0 ? shape.slice(1) : shape);
}

/** Apart from what it may equal but for rounding. */
const apart = ({ x, exact }: Result): Value => {
  if (exact || !isFloat(x)) return x;
  const steps = m.value(
    Float64Array.from({ length: x.size }, (_, i) => 0.01712 + 0.013716 * i) as TypedArray,
    {
      shape: x.shape,
      dtype: x.dtype,
    },
  );
  return m.add(x, steps);
};

/** All axes that `k` names as bits. */
const axesOf = (x: Value, k: number) => x.shape.flatMap((_, axis) => ((k >> axis) % 2 === 1 ? [axis] : []));
const isEmptyAlong = (x: Value, axes: readonly number[]) => axes.some((axis) => x.shape[axis] === 0);

/** Smooth, of numbers of any kind. */
const smooth = (name: string, f: (x: Value) => Value): Step => ({
  name,
  keeps: false,
  apply: ({ x }) => f(x),
});
const pair = (name: string, f: (a: Value, b: Value) => Value, keeps = false): Step => ({
  name,
  keeps,
  apply: (a, b, k) => f(a.x, beside(a.x, b.x, k)),
});
/** Moves elements. */
const moved = (name: string, f: (x: Value, k: number, b: Value) => Value): Step => ({
  name,
  keeps: true,
  apply: (a, b, k) => f(a.x, k, b.x),
});
/** Of whole numbers, which stay small. */
const integer = (name: string, f: (a: Value, b: Value) => Value): Step => ({
  name,
  keeps: true,
  apply: (a, b, k) => m.mod(f(whole(a.x), beside(a.x, whole(b.x), k)), 11 + (k % 7)),
});
/** Compares or rounds: only exact numbers, and others that no rounding takes across. */
const jumps = (name: string, f: (a: Value, b: Value) => Value): Step => ({
  name,
  keeps: true,
  apply: (a, b, k) => {
    if (a.exact && b.exact) return f(a.x, beside(a.x, b.x, k));
    const threshold = m.gt(a.x, 0.123);
    return f(threshold, beside(threshold, m.lt(b.x, 0.317), k));
  },
});

const permutation = (rank: number, k: number): number[] => {
  const left = Array.from({ length: rank }, (_, axis) => axis);
  return Array.from({ length: rank }, (_, i) => left.splice((k + i) % left.length, 1)[0] as number);
};

/** The same number of elements in another shape. */
function regrouped(x: Value, k: number): Value {
  const { size } = x;
  if (size === 0) return m.reshape(x, k % 2 === 0 ? [0] : [2, 0, 3]);
  const divisors = [1, 2, 3, 4, 5, 6, 7].filter((n) => size % n === 0);
  const first = divisors[k % divisors.length] as number;
  const rest = size / first;
  const second = [2, 3, 1].find((n) => rest % n === 0) as number;
  return m.reshape(
    x,
    k % 3 === 0 ? [first, rest] : k % 3 === 1 ? [rest, first] : [second, first, rest / second],
  );
}

/** Numbers of places along an axis, some from the end. */
function placesOf(x: Value, n: number, count: number, k: number): Value {
  if (k % 2 === 0) return m.value(Int32Array.from({ length: count }, (_, i) => ((3 * i + k) % (2 * n)) - n));
  return m.sub(m.mod(fitted(whole(x), [count]), 2 * n), n);
}

/** Each keeps numbers of ordinary size at ordinary size. */
const STEPS: readonly Step[] = [
  smooth("sin", m.sin),
  smooth("cos", m.cos),
  smooth("tanh", m.tanh),
  smooth("sigmoid", m.sigmoid),
  smooth("softplus", m.softplus),
  smooth("gelu", m.gelu),
  smooth("silu", m.silu),
  smooth("erf", m.erf),
  smooth("atan", m.atan),
  smooth("exp", (x) => m.exp(m.tanh(x))),
  smooth("expm1", (x) => m.expm1(m.sin(x))),
  smooth("log1p", (x) => m.log1p(m.square(x))),
  smooth("log", (x) => m.log(m.add(m.square(x), 0.5))),
  smooth("sqrt", (x) => m.sqrt(m.add(1, m.mul(x, x)))),
  smooth("rsqrt", (x) => m.rsqrt(m.add(1, m.mul(x, x)))),
  smooth("cbrt", (x) => m.cbrt(m.add(2, m.sin(x)))),
  smooth("reciprocal", (x) => m.reciprocal(m.add(2, m.cos(x)))),
  smooth("detached", (x) => m.mul(m.stopGradient(x), m.tanh(x))),
  { name: "relu", keeps: true, apply: (a) => m.relu(apart(a)) },
  { name: "abs", keeps: true, apply: (a) => m.abs(apart(a)) },
  { name: "clip", keeps: true, apply: (a) => m.clip(apart(a), -0.7013, 0.8017) },
  moved("neg", (x) => m.neg(x)),
  {
    name: "sign",
    keeps: true,
    apply: ({ x, exact }) => (exact ? m.sign(x) : m.cast(m.gt(x, 0.123), x.dtype)),
  },
  { name: "floor", keeps: true, apply: ({ x, exact }) => (exact ? m.floor(m.mul(x, 4)) : m.neg(x)) },
  { name: "round", keeps: true, apply: ({ x, exact }) => (exact ? m.round(m.mul(x, 4)) : m.neg(x)) },
  { name: "trunc", keeps: true, apply: ({ x, exact }) => (exact ? m.trunc(m.mul(x, 4)) : m.neg(x)) },
  { name: "ceil", keeps: true, apply: ({ x, exact }) => (exact ? m.ceil(m.mul(x, 4)) : m.neg(x)) },
  pair("add", m.add),
  pair("sub", m.sub),
  pair("mul", (a, b) => m.mul(m.sin(a), b)),
  pair("mul of leaves", (a, b) => m.tanh(m.mul(a, b))),
  pair("div", (a, b) => m.div(a, m.add(1, m.square(b)))),
  pair("pow", (a, b) => m.pow(m.add(1, m.square(m.tanh(a))), m.tanh(b))),
  pair("hypot", (a, b) => m.hypot(m.add(m.square(a), 1), b)),
  pair("atan2", (a, b) => m.atan2(a, m.add(m.square(b), 1))),
  pair("chosen", (a, b) => m.where(m.gt(a, 0.123), m.sin(a), b)),
  pair("partly undefined", (a, b) => m.where(m.gt(a, 0.123), m.log(a), b)),
  pair("chosen by a mask", (a, b) => m.where(mask(b), number(a), 0.5)),
  {
    name: "maximum",
    keeps: true,
    apply: (a, b, k) => m.maximum(a.x, apart({ x: beside(a.x, b.x, k), exact: a.exact && b.exact })),
  },
  {
    name: "minimum",
    keeps: true,
    apply: (a, b, k) => m.minimum(a.x, apart({ x: beside(a.x, b.x, k), exact: a.exact && b.exact })),
  },
  integer("whole sum", m.add),
  integer("whole difference", m.sub),
  integer("whole product", (a, b) => m.mul(m.mul(a, 1 << 29), m.add(b, 3))),
  integer("whole extremes", (a, b) => m.maximum(m.neg(a), m.minimum(b, m.abs(a)))),
  integer("whole square", (a, b) => m.add(m.square(a), m.sign(b))),
  jumps("lt", m.lt),
  jumps("le", m.le),
  jumps("eq", m.eq),
  jumps("ne", m.ne),
  jumps("ge", m.ge),
  jumps("and", m.logicalAnd),
  jumps("or", m.logicalOr),
  jumps("xor", m.logicalXor),
  jumps("not", (a) => m.logicalNot(a)),
  jumps("isNaN", (a) => m.logicalOr(m.isNaN(a), m.isInf(a))),
  { name: "as float64", keeps: true, apply: ({ x }) => m.cast(x, "float64") },
  { name: "as float32", keeps: false, apply: ({ x }) => m.cast(x, "float32") },
  {
    name: "as int32",
    keeps: true,
    apply: ({ x, exact }) => (exact ? m.cast(m.mul(x, 3), "int32") : whole(x)),
  },
  { name: "as bool", keeps: true, apply: ({ x, exact }) => (exact ? m.cast(x, "bool") : mask(x)) },
  { name: "sum", keeps: false, apply: ({ x }, _, k) => m.sum(x, axesOf(x, k), { keepDims: k % 2 === 0 }) },
  { name: "sum of all", keeps: false, apply: ({ x }) => m.sin(m.sum(x)) },
  {
    name: "mean",
    keeps: false,
    apply: ({ x }, _, k) => (isEmptyAlong(x, axesOf(x, k)) ? x : m.mean(x, axesOf(x, k))),
  },
  {
    name: "max",
    keeps: true,
    apply: (a, _, k) => {
      const axes = axesOf(a.x, k);
      return isEmptyAlong(a.x, axes) ? a.x : m.max(apart(a), axes, { keepDims: k % 5 === 0 });
    },
  },
  {
    name: "min",
    keeps: true,
    apply: (a, _, k) => {
      const axes = axesOf(a.x, k);
      return isEmptyAlong(a.x, axes) ? a.x : m.min(apart(a), axes, { keepDims: k % 5 === 0 });
    },
  },
  {
    name: "logSumExp",
    keeps: false,
    apply: ({ x }, _, k) => (x.rank === 0 ? x : m.logSumExp(x, axisOf(x, k))),
  },
  { name: "softmax", keeps: false, apply: ({ x }, _, k) => (x.rank === 0 ? x : m.softmax(x, axisOf(x, k))) },
  {
    name: "cumsum",
    keeps: false,
    apply: ({ x }, _, k) => (x.rank === 0 ? x : m.cumsum(m.sin(x), axisOf(x, k))),
  },
  {
    name: "prod",
    keeps: false,
    apply: ({ x }, _, k) => (x.rank === 0 ? x : m.prod(m.tanh(x), axisOf(x, k))),
  },
  { name: "argmax", keeps: true, apply: (a) => (a.x.size === 0 ? a.x : m.argmax(flat(apart(a)), 0)) },
  {
    name: "any and all",
    keeps: true,
    apply: ({ x }, _, k) => (k % 2 === 0 ? m.any(mask(x), axesOf(x, k)) : m.all(mask(x), axesOf(x, k))),
  },
  {
    name: "sort",
    keeps: true,
    apply: (a, _, k) => (a.x.rank === 0 ? a.x : m.sort(apart(a), axisOf(a.x, k))),
  },
  { name: "variance", keeps: false, apply: ({ x }) => (x.size < 2 ? x : m.variance(x)) },
  moved("transpose", (x, k) => m.transpose(x, permutation(x.rank, k))),
  moved("transpose all", (x) => m.transpose(x)),
  moved("flat", flat),
  moved("regrouped", regrouped),
  moved("expandDims", (x, k) => (x.rank > 4 ? m.squeeze(x) : m.expandDims(x, k % (x.rank + 1)))),
  moved("squeeze", (x) => m.squeeze(x)),
  moved("row", (x, k) => (x.rank === 0 || x.shape[0] === 0 ? x : m.slice(x, k % (x.shape[0] as number)))),
  moved("every other", (x, k) =>
    x.rank === 0
      ? x
      : m.slice(x, ...x.shape.map((_, axis) => (axis === axisOf(x, k) ? ([k % 2, null, 2] as const) : null))),
  ),
  moved("backwards", (x, k) =>
    x.rank === 0
      ? x
      : m.slice(
          x,
          ...x.shape.map((_, axis) => (axis === axisOf(x, k) ? ([null, null, -1 - (k % 3)] as const) : null)),
        ),
  ),
  moved("middle", (x, k) =>
    x.rank === 0 ? x : m.slice(x, [1, -1], ...(x.rank > 1 ? [[0, 1 + k] as const] : [])),
  ),
  moved("flip", (x, k) => m.flip(x, axesOf(x, k))),
  moved("roll", (x, k) => m.roll(lifted(x), k, axisOf(lifted(x), k))),
  moved("broadcastTo", (x, k) => m.broadcastTo(x, [1 + (k % 3), ...x.shape])),
  moved("broadcast axis", (x, k) => {
    const y = m.expandDims(x, k % (x.rank + 1));
    return m.broadcastTo(
      y,
      y.shape.map((n, axis) => (axis === k % (x.rank + 1) ? 3 : n)),
    );
  }),
  moved("pad", (x, k) =>
    m.pad(lifted(x), [k % 3, (k + 1) % 2], { value: k % 2 === 0 || x.dtype === "bool" ? 0 : 2 }),
  ),
  moved("pad one axis", (x, k) =>
    m.pad(
      lifted(x),
      lifted(x).shape.map((_, axis) =>
        axis === axisOf(lifted(x), k) ? ([2, 1] as const) : ([0, 0] as const),
      ),
    ),
  ),
  moved("crop", (x, k) =>
    x.rank === 0 || (x.shape[0] as number) < 2
      ? x
      : m.pad(
          x,
          x.shape.map((_, axis) => (axis === 0 ? ([-1, k % 2] as const) : ([k % 3, 0] as const))),
        ),
  ),
  moved("concat", (x, k, b) => {
    const y = lifted(x);
    const axis = axisOf(y, k);
    const other = fitted(
      m.cast(isFloat(y) ? b : m.gt(b, 0.123), y.dtype),
      y.shape.map((n, i) => (i === axis ? 1 + (k % 2) : n)),
    );
    return m.concat([y, other, y], axis);
  }),
  moved("stack", (x, k) =>
    m.stack(
      [x, m.neg(x), x].map((y) => m.cast(y, x.dtype)),
      k % (x.rank + 1),
    ),
  ),
  moved("take", (x, k, b) => {
    const y = lifted(x);
    const axis = axisOf(y, k);
    const n = y.shape[axis] as number;
    return n === 0 ? y : m.take(y, placesOf(b, n, 1 + (k % 4), k), axis);
  }),
  moved("take rows of rows", (x, k, b) => {
    const y = lifted(x);
    const n = y.shape[0] as number;
    return n === 0 ? y : m.take(y, m.reshape(placesOf(b, n, 4, k), [2, 2]), 0);
  }),
  moved("takeAlongAxis", (x, k, b) => {
    const y = lifted(x);
    const axis = axisOf(y, k);
    const n = y.shape[axis] as number;
    const shape = y.shape.map((size, i) => (i === axis ? 2 : size));
    return n === 0 || y.size === 0
      ? y
      : m.takeAlongAxis(y, m.reshape(placesOf(b, n, product(shape), k), shape), axis);
  }),
  {
    name: "scatterAdd",
    keeps: false,
    apply: ({ x }, b, k) => {
      const y = flat(number(x));
      const picks = placesOf(b.x, Math.max(1, y.size), 5, k);
      return y.size === 0 ? y : m.scatterAdd(y, 0, picks, m.cast(fitted(m.sin(number(b.x)), [5]), y.dtype));
    },
  },
  {
    name: "segmentSum",
    keeps: false,
    apply: ({ x }, b, k) => {
      const y = lifted(x);
      return m.segmentSum(y, m.mod(fitted(whole(b.x), [y.shape[0] as number]), 3), 3 + (k % 2));
    },
  },
  moved("indexUpdate", (x, k) => {
    const y = lifted(x);
    const range = [null, null, 1 + (k % 2)] as const;
    return m.indexUpdate(y, [range], m.slice(m.cast(m.neg(y), y.dtype), range));
  }),
  moved("oneHot", (x, k) => m.oneHot(m.mod(whole(x), 3), 3 + (k % 2))),
  moved("triangle", (x, k) => (x.rank < 2 ? x : m.tril(x, (k % 3) - 1))),
  moved("unfold", (x, k) =>
    x.rank === 0 || (x.shape[0] as number) < 3 ? x : m.unfold(x, 0, 2 + (k % 2), 1 + (k % 2)),
  ),
  moved("repeat", (x, k) => m.repeat(lifted(x), 2, axisOf(lifted(x), k))),
  moved("tile", (x, k) => m.tile(x, [2, 1 + (k % 2)])),
  {
    name: "matmul",
    keeps: false,
    apply: ({ x }, b, k) => {
      const y = x.rank < 2 ? m.reshape(x, [1, x.size]) : x;
      const [transposeA, transposeB] = [k % 2 === 0, k % 3 === 0];
      const inner = y.shape.at(transposeA ? -2 : -1) as number;
      const matrix = transposeB ? [3, inner] : [inner, 3];
      const batch =
        k % 5 === 0 ? y.shape.slice(0, -2) : k % 5 === 1 ? [2, ...y.shape.slice(0, -2).map(() => 1)] : [];
      return m.tanh(
        m.matmul(y, m.cast(fitted(b.x, [...batch, ...matrix]), y.dtype), { transposeA, transposeB }),
      );
    },
  },
  {
    name: "square matmul",
    keeps: false,
    apply: ({ x }) => {
      const y = m.reshape(x, [x.rank === 0 ? 1 : (x.shape[0] as number), product(x.shape.slice(1))]);
      return m.tanh(m.matmul(y, y, { transposeB: true }));
    },
  },
  {
    name: "outer",
    keeps: false,
    apply: (a, b) =>
      m.tanh(m.matmul(m.reshape(fitted(a.x, [7]), [7, 1]), m.reshape(fitted(b.x, [5]), [1, 5]))),
  },
  {
    name: "loop",
    keeps: false,
    apply: ({ x }, b, k) =>
      m.foriLoop(0, k % 4, (i, y) => m.sin(m.add(y, m.mul(i, m.sum(number(b.x))))), number(x)),
  },
  {
    name: "branch",
    keeps: false,
    apply: ({ x }, b) => m.cond(m.gt(m.sum(number(b.x)), 0.1), m.sin, (y) => m.mul(y, 0.5), number(x)),
  },
  {
    name: "checkpoint",
    keeps: false,
    apply: ({ x }) => m.checkpoint((y) => m.sin(m.exp(m.tanh(y as Value))))(x),
  },
];

/** Runs lines on what there is, and puts their results behind it. */
function run(lines: readonly Line[], results: Result[]): void {
  for (const { op, a, b, k } of lines) {
    const choose = (n: number) => results[results.length - 1 - (n % results.length)] as Result;
    const step = STEPS[op] as Step;
    const [first, second] = [choose(a), choose(b)];
    const y = step.apply(first, second, k);
    const exact = step.keeps && (first.exact || !isFloat(first.x)) && (second.exact || !isFloat(second.x));
    results.push({ x: y.size <= LARGEST ? y : m.slice(flat(y), [0, 97]), exact: exact || !isFloat(y) });
  }
}

/** A scalar that every element of the floating results after the first `count` weighs in. */
function scalarOf(results: readonly Result[]): Value {
  const terms = results
    .filter(({ x }) => isFloat(x))
    .map(({ x }) => m.sum(m.mul(flat(x), weights(x.size, x.dtype))));
  return terms.reduce((a, b) => m.add(a, m.cast(b, "float64")), m.value(0));
}

/** A program with parameters and buffers of its own: what a call returns, and what they hold. */
export interface Instance {
  readonly f: (...args: Value[]) => Value[];
  readonly states: readonly Value[];
}

/** A program at its beginning; every instance begins alike. */
export function instanceOf(program: RandomProgram, noise = 0): Instance {
  const { seed, derivative } = program;
  const states = drawn(program.states, seed, false, noise).map((x) =>
    isFloat(x) ? m.parameter(x) : m.buffer(x),
  );
  const parameters = states.filter((x) => x.isParameter);
  const constants: Result[] = [
    { x: m.value([0.3, -0.6, 1.1]), exact: true },
    { x: m.value(0.7), exact: true },
  ];
  const computed = (args: readonly Value[]): Result[] => {
    const own = states.map((x) => ({ x, exact: program.assignments.length === 0 || !isFloat(x) }));
    const results = [...constants, ...own, ...args.map((x) => ({ x, exact: true }))];
    run(program.lines, results);
    return results;
  };
  const f = (...args: Value[]): Value[] => {
    if (derivative === "backward") for (const w of parameters) w.grad = null;
    const results = computed(args);
    const derived: Value[] = [];
    if (derivative === "backward" || derivative === "accumulated") {
      const loss = scalarOf(results);
      if (loss.isDifferentiable) loss.backward();
      derived.push(...parameters.flatMap((w) => (w.grad === null ? [] : [w.grad])));
    } else if (derivative !== "none") {
      const floating = args.filter(isFloat);
      const whole = (...xs: Value[]): Value => {
        const rest = xs[Symbol.iterator]();
        return scalarOf(computed(args.map((x) => (isFloat(x) ? (rest.next().value as Value) : x))));
      };
      const gradient = (...xs: Value[]): Value[] => m.vjp(whole, ...xs)[1](1) as unknown as Value[];
      if (floating.length > 0) {
        derived.push(...gradient(...floating));
        if (derivative === "twice") {
          const energy = (...xs: Value[]): Value =>
            scalarOf(gradient(...xs).map((x) => ({ x: m.sin(x), exact: false })));
          derived.push(...(m.vjp(energy, ...floating)[1](1) as unknown as Value[]));
        }
      }
    }
    results.push(...derived.map((x) => ({ x, exact: false })));
    for (const { state, from } of program.assignments) {
      if (states.length === 0) break;
      const w = states[state % states.length] as Value;
      const { x, exact } = results[results.length - 1 - (from % results.length)] as Result;
      const next = isFloat(w) ? x : exact ? x : m.gt(x, 0.123);
      // Numbers that would grow from call to call are held.
      const held =
        w.dtype === "int32"
          ? m.mod(m.cast(next, "int32"), 19)
          : isFloat(w) && isFloat(x) && !states.includes(x)
            ? m.tanh(x)
            : next;
      w.assign(m.cast(fitted(held, w.shape), w.dtype));
    }
    run(program.after, results);
    return program.outputs.map((n) => (results[results.length - 1 - (n % results.length)] as Result).x);
  };
  return { f, states };
}

/** The arguments of one call of several; with noise, numbers a little beside them. */
export function argumentsOf(program: RandomProgram, call: number, noise = 0): Value[] {
  return drawn(program.args, program.seed + 7919 * (call + 1), program.special, noise);
}

/** Whether some numbers of a program are float32. */
export function isSingle({ args, states, lines, after }: RandomProgram): boolean {
  return (
    [...args, ...states].some(({ dtype }) => dtype === "float32") ||
    [...lines, ...after].some(({ op }) => ["as float32", "oneHot"].includes(STEPS[op]?.name ?? ""))
  );
}

const SPECIAL = [NaN, Infinity, -Infinity, 0, -0];

function drawn(leaves: readonly Leaf[], seed: number, special: boolean, noise: number): Value[] {
  return leaves.map(({ shape, dtype }, i) => {
    const key = m.random.fold(m.random.key(seed), i);
    const numbers = m.random.uniform(key, shape, { low: -1.5, high: 1.5, dtype: "float64" }).data;
    const chosen = m.random.uniform(m.random.fold(key, 1), shape, {
      low: 0,
      high: 20,
      dtype: "float64",
    }).data;
    const isWhole = dtype === "int32" || dtype === "bool";
    const data = Float64Array.from(numbers, (x, at) => {
      const n = special ? Math.floor(chosen[at] as number) : SPECIAL.length;
      if (isWhole) return dtype === "bool" ? Number(x > 0) : Math.floor(4 * x);
      return n < SPECIAL.length ? (SPECIAL[n] as number) : x * (1 + noise * Math.cos(at + i + 1));
    });
    return m.value(data as TypedArray, { shape, dtype });
  });
}

const SHAPES: readonly (readonly number[])[] = [
  [],
  [],
  [1],
  [3],
  [7],
  [23],
  [0],
  [2, 3],
  [3, 1],
  [1, 5],
  [4, 9],
  [0, 3],
  [2, 0, 3],
  [0, 3, 2],
  [2, 2, 2],
  [3, 1, 4],
  [1, 3, 1, 2],
  [2, 3, 2, 2],
];

const leaves = (maxLength: number): fc.Arbitrary<Leaf[]> =>
  fc.array(
    fc.record({
      shape: fc.constantFrom(...SHAPES),
      dtype: fc.constantFrom<DType>("float64", "float64", "float64", "float32", "float32", "int32", "bool"),
    }),
    { minLength: 1, maxLength, size: "max" },
  );

const lines = (minLength: number, maxLength: number): fc.Arbitrary<Line[]> =>
  fc.array(
    fc.record({
      op: fc.nat({ max: STEPS.length - 1 }),
      a: fc.nat({ max: 5 }),
      b: fc.nat({ max: 7 }),
      k: fc.nat({ max: 11 }),
    }),
    { minLength, maxLength, size: "max" },
  );

/** Programs of some lines; `states` is how many parameters and buffers there may be. */
export function programs(states: number): fc.Arbitrary<RandomProgram> {
  return fc.record({
    args: leaves(3),
    states: states === 0 ? fc.constant([]) : leaves(states),
    lines: lines(1, 12),
    derivative: fc.constantFrom<RandomProgram["derivative"]>(
      "none",
      "gradient",
      "gradient",
      "twice",
      ...(states === 0 ? [] : (["backward", "backward", "accumulated"] as const)),
    ),
    assignments: fc.array(fc.record({ state: fc.nat({ max: 5 }), from: fc.nat({ max: 29 }) }), {
      maxLength: states === 0 ? 0 : 4,
      size: "max",
    }),
    after: lines(0, states === 0 ? 0 : 4),
    outputs: fc.array(fc.nat({ max: 19 }), { minLength: 1, maxLength: 5, size: "max" }),
    special: fc.constantFrom(false, false, false, true),
    seed: fc.nat({ max: 1e6 }),
  });
}

/** A program as text, for messages. */
export function printProgram(program: RandomProgram): string {
  const lineOf = ({ op, a, b, k }: Line) => `${STEPS[op]?.name}(${a}, ${b}, ${k})`;
  const leafOf = ({ shape, dtype }: Leaf) => `${dtype} [${shape.join(", ")}]`;
  return [
    `arguments ${program.args.map(leafOf).join("; ")}${program.special ? ", special" : ""}`,
    `states ${program.states.map(leafOf).join("; ")}`,
    ...program.lines.map(lineOf),
    program.derivative,
    ...program.assignments.map(({ state, from }) => `state ${state} = ${from}`),
    ...program.after.map(lineOf),
    `return ${program.outputs.join(", ")}; seed ${program.seed}`,
  ].join("\n");
}
