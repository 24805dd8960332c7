/**
 * Random numbers by counter: a key and a count give the same bits wherever and whenever they are asked for.
 *
 * Source: Salmon, Moraes, Dror & Shaw, Parallel Random Numbers: As Easy as 1, 2, 3 (2011): Threefry-2x32, 20 rounds.
 */

import { allocate, type DType, type TypedArray } from "./dtype.ts";
import { ArgumentError, DTypeError, describe } from "./errors.ts";
import { apply, operand, operation } from "./op.ts";
import { add, clip, lt, mul, sub, where } from "./ops/elementwise.ts";
import { erf, erfinv } from "./ops/error-function.ts";
import { cast, stopGradient } from "./ops/movement.ts";
import { argmax } from "./ops/reduction.ts";
import { slice } from "./ops/slicing.ts";
import { checkOptions, type OptionNames } from "./options.ts";
import { checkShape, type Shape } from "./shape.ts";
import { current } from "./state.ts";
import { type TensorType, tensorType } from "./tensor-type.ts";
import { buffer, constant, isValue, type Operand, type Value } from "./value.ts";

/**
 * A key: 64 bits that name a stream of random numbers. While a function is captured its words may be values: what is
 * drawn with it is drawn when the captured function runs.
 */
export interface Key {
  readonly words: readonly [number | Value, number | Value];
}

/** What random numbers are drawn with: a key, or a generator's next one. */
export type Source = Key | Generator;

/** A key whose words are numbers. */
interface KnownKey {
  readonly words: readonly [number, number];
}

const PARITY = 0x1bd11bda;

/** Encrypts the counters (x0 + i, x1), x0 + i below 2^32, under a key: two words of 32 random bits each. */
export function threefry(
  { words: [k0, k1] }: KnownKey,
  x0: number,
  x1: number,
  low: Uint32Array,
  high: Uint32Array,
): void {
  const k2 = PARITY ^ k0 ^ k1;
  const keys = Int32Array.of(k0, k1, k2, k0, k1, k2, k0);
  for (let i = 0; i < low.length; i++) {
    let a = (x0 + i + k0) | 0;
    let b = (x1 + k1) | 0;
    for (let group = 1; group <= 5; group++) {
      // Written out: these rounds are all the time that random numbers take.
      if (group % 2 === 1) {
        a = (a + b) | 0;
        b = ((b << 13) | (b >>> 19)) ^ a;
        a = (a + b) | 0;
        b = ((b << 15) | (b >>> 17)) ^ a;
        a = (a + b) | 0;
        b = ((b << 26) | (b >>> 6)) ^ a;
        a = (a + b) | 0;
        b = ((b << 6) | (b >>> 26)) ^ a;
      } else {
        a = (a + b) | 0;
        b = ((b << 17) | (b >>> 15)) ^ a;
        a = (a + b) | 0;
        b = ((b << 29) | (b >>> 3)) ^ a;
        a = (a + b) | 0;
        b = ((b << 16) | (b >>> 16)) ^ a;
        a = (a + b) | 0;
        b = ((b << 24) | (b >>> 8)) ^ a;
      }
      a = (a + (keys[group] as number)) | 0;
      b = (b + (keys[group + 1] as number) + group) | 0;
    }
    low[i] = a;
    high[i] = b;
  }
}

/** The key of a seed, a whole number in [0, 2^53). */
export function key(seed: number): Key {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ArgumentError({
      where: "random.key",
      expected: "seed must be a whole number in [0, 2^53)",
      received: describe(seed),
    });
  }
  return { words: [Math.floor(seed / 2 ** 32), seed | 0] };
}

/** `count` keys that are independent of each other and of the one they come from. */
export function split(from: Key, count = 2): Key[] {
  return Array.from({ length: count }, (_, i) => fold(from, i));
}

/** The key of a count under a key: for one stream a step, an epoch or a layer. */
export function fold(from: Key, count: number | Value): Key {
  const key = knownKey(from);
  const known = isValue(count) ? current(count).storage : count;
  if (key !== null && typeof known === "number") return { words: folded(key, known) };
  const inputs = [...from.words, count].map((x) => operand("random.fold", x));
  const words = apply(foldOperation, inputs, null);
  return { words: [slice(words, 0), slice(words, 1)] };
}

function folded(from: KnownKey, count: number): [number, number] {
  const [low, high] = [new Uint32Array(1), new Uint32Array(1)];
  // The high counter word sets derived keys apart from drawn bits, which count from 0 there.
  threefry(from, count, 0x80000000 + Math.floor(count / 2 ** 32), low, high);
  return [low[0] as number, high[0] as number];
}

/** fold of a key or count that is known only when the captured function runs. */
const foldOperation = /* @__PURE__ */ operation<null>({
  name: "fold",
  infer: () => tensorType([2], "int32"),
  evaluate: ([a, b, count]) => {
    const words = [(a as Value).item(), (b as Value).item()] as const;
    return Int32Array.from(folded({ words }, (count as Value).item()), (word) => word | 0);
  },
});

/** Options of everything that is drawn. */
export interface DrawOptions {
  /** float32 (the default) or float64. */
  readonly dtype?: DType;
}

/** Options of `uniform`. */
export interface UniformOptions extends DrawOptions {
  /** The lower bound. By default 0. */
  readonly low?: number | Value;
  /** The upper bound, which is not reached. By default 1. */
  readonly high?: number | Value;
}

/** Options of `normal`. */
export interface NormalOptions extends DrawOptions {
  /** By default 0. */
  readonly mean?: number | Value;
  /** The standard deviation. By default 1. */
  readonly std?: number | Value;
}

/** Options of `truncatedNormal`. */
export interface TruncatedNormalOptions extends NormalOptions {
  /** The lower bound, in standard deviations. By default −2. */
  readonly low?: number;
  /** The upper bound, in standard deviations. By default 2. */
  readonly high?: number;
}

const DRAW: OptionNames<DrawOptions> = { dtype: true };
const UNIFORM: OptionNames<UniformOptions> = { dtype: true, low: true, high: true };
const NORMAL: OptionNames<NormalOptions> = { dtype: true, mean: true, std: true };
const TRUNCATED: OptionNames<TruncatedNormalOptions> = {
  dtype: true,
  mean: true,
  std: true,
  low: true,
  high: true,
};

/** The key of a source. Refuses what is none: a shape in its place is the likely slip. */
function keyOf(from: Source): Key {
  if (from instanceof Generator) return from.next();
  if (Array.isArray((from as Partial<Key> | undefined)?.words)) return from;
  throw new ArgumentError({
    where: "random",
    expected: "the first argument must be a key",
    received: describe(from),
    advice: "Make one with random.key(seed).",
  });
}

/** A key whose words are known, or null while they are not. */
function knownKey(from: Source): KnownKey | null {
  const [a, b] = keyOf(from).words.map((x) => (isValue(x) ? current(x).storage : x));
  return typeof a === "number" && typeof b === "number" ? { words: [a, b] } : null;
}

/** How many counters are encrypted at a time; even, for those who need them in pairs. */
const BLOCK = 1024;

/** Calls `visit` with blocks of pairs of 32-bit words, `count` in all, and the number of each block's first. */
function eachBlock(
  from: KnownKey,
  count: number,
  visit: (first: number, low: Uint32Array, high: Uint32Array) => void,
): void {
  const size = Math.min(BLOCK, count);
  const [low, high] = [new Uint32Array(size), new Uint32Array(size)];
  for (let first = 0; first < count; first += BLOCK) {
    const n = Math.min(BLOCK, count - first);
    const [a, b] = n === size ? [low, high] : [low.subarray(0, n), high.subarray(0, n)];
    threefry(from, first >>> 0, Math.floor(first / 2 ** 32), a, b);
    visit(first, a, b);
  }
}

/** A number in [0, 1) of 53 random bits. */
function unit53(low: number, high: number): number {
  return ((high >>> 5) * 67108864 + (low >>> 6)) / 9007199254740992;
}

/** Writes what is drawn with a key. */
type Fill = (key: KnownKey, out: TypedArray) => void;

/** What an operation that draws is told besides the key's words. */
interface DrawAttributes {
  readonly type: TensorType;
  readonly fill: Fill;
}

/** A draw with a key that is known only when the captured function runs. */
const drawOperation = /* @__PURE__ */ operation<DrawAttributes>({
  name: "draw",
  infer: (_, { type }) => type,
  evaluate: ([a, b], { type, fill }) =>
    filled(type, fill, { words: [(a as Value).item(), (b as Value).item()] }),
});

function filled(type: TensorType, fill: Fill, key: KnownKey): number | TypedArray {
  const out = allocate(type.dtype, type.size);
  fill(key, out);
  return type.shape.length === 0 ? (out[0] as number) : out;
}

/** Numbers drawn with a source, now or when the captured function runs. */
function draw(from: Source, type: TensorType, fill: Fill): Value {
  const key = keyOf(from);
  const known = knownKey(key);
  if (known !== null) return constant(type, filled(type, fill, known));
  return apply(
    drawOperation,
    key.words.map((x) => operand("random", x)),
    { type, fill },
  );
}

function drawn(
  from: Source,
  where: string,
  shape: Shape,
  { dtype = "float32" }: DrawOptions,
  fill: Fill,
): Value {
  if (dtype !== "float32" && dtype !== "float64") {
    throw new DTypeError({ where, expected: "dtype must be float32 or float64", received: dtype });
  }
  return draw(from, tensorType([...checkShape(where, shape)], dtype), fill);
}

/**
 * Uniform numbers in [low, high).
 *
 * Shape: `shape`, broadcast with bounds that are values. Derivative by such bounds: of low + (high − low)·u.
 *
 * @example
 * random.uniform(random.key(0), [2, 3]).shape // [2, 3]
 */
export function uniform(from: Source, shape: Shape = [], given: UniformOptions = {}): Value {
  const { low = 0, high = 1, ...options } = checkOptions("random.uniform", given, UNIFORM);
  if (isValue(low) || isValue(high)) return add(low, mul(sub(high, low), uniform(from, shape, options)));
  return drawn(from, "random.uniform", shape, options, (key, out) => {
    const single = out instanceof Float32Array;
    eachBlock(key, out.length, (first, a, b) => {
      for (let i = 0; i < a.length; i++) {
        const word = a[i] as number;
        const unit = single ? (word >>> 8) / 16777216 : unit53(word, b[i] as number);
        const x = low + (high - low) * unit;
        // Rounding may reach `high`, where low is not 0.
        out[first + i] = (single ? Math.fround(x) : x) >= high ? low : x;
      }
    });
  });
}

/**
 * Normal numbers with a mean and a standard deviation.
 *
 * Shape: `shape`, broadcast with a mean and deviation that are values. Derivative by such: of mean + std·z.
 * Source: Box & Muller, A Note on the Generation of Random Normal Deviates (1958); for the derivative Kingma & Welling,
 * Auto-Encoding Variational Bayes (2014), §2.4.
 *
 * @example
 * random.normal(random.key(0), [4]).dtype // "float32"
 */
export function normal(from: Source, shape: Shape = [], given: NormalOptions = {}): Value {
  const { mean = 0, std = 1, ...options } = checkOptions("random.normal", given, NORMAL);
  if (isValue(mean) || isValue(std)) return add(mean, mul(std, normal(from, shape, options)));
  return drawn(from, "random.normal", shape, options, (key, out) => {
    eachBlock(key, out.length + (out.length % 2), (first, a, b) => {
      for (let i = 0; i < a.length; i += 2) {
        const u = unit53(a[i] as number, b[i] as number);
        const angle = 2 * Math.PI * unit53(a[i + 1] as number, b[i + 1] as number);
        const radius = std * Math.sqrt(-2 * Math.log(1 - u));
        out[first + i] = mean + radius * Math.cos(angle);
        // Past the end of an odd number of them nothing is written.
        out[first + i + 1] = mean + radius * Math.sin(angle);
      }
    });
  });
}

/**
 * The whole numbers below n in random order, each order equally likely.
 *
 * Source: Fisher & Yates, as Durstenfeld, Algorithm 235 (1964).
 *
 * @example
 * random.permutation(random.key(0), 5).size // 5
 */
export function permutation(from: Source, n: number): Value {
  if (!Number.isInteger(n) || n < 0) {
    throw new ArgumentError({
      where: "random.permutation",
      expected: "n must be a whole number ≥ 0",
      received: describe(n),
    });
  }
  return draw(from, tensorType([n], "int32"), (key, order) => {
    for (let i = 0; i < n; i++) order[i] = i;
    eachBlock(key, Math.max(0, n - 1), (first, a, b) => {
      for (let i = 0; i < a.length; i++) {
        const last = n - 1 - first - i;
        const pick = Math.floor(unit53(a[i] as number, b[i] as number) * (last + 1));
        const kept = order[last] as number;
        order[last] = order[pick] as number;
        order[pick] = kept;
      }
    });
  });
}

/**
 * A source of keys that remembers how many it has given: for programs that draw as they go. Compiled functions draw new
 * numbers each call, those that uncompiled ones would draw.
 */
export class Generator {
  readonly #key: Key;
  readonly #count = buffer(0);

  /** Streams of `seed`, a whole number in [0, 2^53). */
  constructor(seed: number) {
    this.#key = key(seed);
  }

  /** The next key: never the same twice. */
  next(): Key {
    const next = fold(this.#key, this.#count);
    this.#count.assign(add(this.#count, 1));
    return next;
  }

  /** How many keys were given: with the seed, the whole state. */
  get count(): number {
    return this.#count.item();
  }

  set count(count: number) {
    this.#count.assign(count);
  }
}

/**
 * Uniform 32-bit integers, any of them equally likely. dtype: int32.
 *
 * @example
 * random.bits(random.key(0), [3]).dtype // "int32"
 */
export function bits(from: Source, shape: Shape = []): Value {
  return draw(from, tensorType([...checkShape("random.bits", shape)], "int32"), (key, out) => {
    eachBlock(key, out.length, (first, words) => out.set(words, first));
  });
}

/**
 * Truth with a probability, one number or one an element. dtype: bool.
 *
 * Shape: that of `probability`, unless another to which it broadcasts is given.
 *
 * @example
 * random.bernoulli(random.key(0), 1, [3]) // [1, 1, 1]
 */
export function bernoulli(from: Source, probability: Operand = 0.5, shape?: Shape): Value {
  const p = operand("random.bernoulli", probability);
  return lt(uniform(from, shape ?? p.shape, { dtype: "float64" }), cast(p, "float64"));
}

/**
 * Standard Gumbel numbers, −ln(−ln u): the largest of logits and these is a draw from their softmax.
 *
 * @example
 * random.gumbel(random.key(0), [2, 3]).shape // [2, 3]
 */
export function gumbel(from: Source, shape: Shape = [], options: DrawOptions = {}): Value {
  return drawn(from, "random.gumbel", shape, checkOptions("random.gumbel", options, DRAW), (key, out) => {
    eachBlock(key, out.length, (first, low, high) => {
      // From the open interval: half a step away from 0 and 1.
      for (let i = 0; i < low.length; i++)
        out[first + i] = -Math.log(-Math.log(unit53(low[i] as number, high[i] as number) + 2 ** -54));
    });
  });
}

/**
 * Indices drawn with probabilities proportional to e^logits along an axis, by default the last. dtype: int32.
 *
 * Shape: logits without the axis. Source: Gumbel, Statistical Theory of Extreme Values (1954): the Gumbel-max trick.
 *
 * @example
 * random.categorical(random.key(0), [-Infinity, 0, -Infinity]) // 1
 */
export function categorical(from: Source, logits: Operand, axis = -1): Value {
  const x = cast(stopGradient(logits), "float64");
  return argmax(add(x, gumbel(from, x.shape, { dtype: "float64" })), axis);
}

/**
 * Normal numbers conditioned to lie in [low, high], which count in standard deviations from the mean.
 *
 * Derivative by a mean and deviation that are values: of mean + std·z. By the inverse of the distribution function, so the same uniform numbers give neighbours for neighbouring bounds.
 *
 * @example
 * random.truncatedNormal(random.key(0), [4]).shape // [4]
 */
export function truncatedNormal(
  from: Source,
  shape: Shape = [],
  options: TruncatedNormalOptions = {},
): Value {
  const {
    low = -2,
    high = 2,
    mean = 0,
    std = 1,
    dtype = "float32",
  } = checkOptions("random.truncatedNormal", options, TRUNCATED);
  if (!(low < high)) {
    throw new ArgumentError({
      where: "random.truncatedNormal",
      expected: "low must be below high",
      received: `${low} and ${high}`,
    });
  }
  const [a, b] = [low, high].map((x) => erf(x / Math.SQRT2).item()) as [number, number];
  const u = uniform(from, shape, { low: a, high: b, dtype: "float64" });
  const standard = clip(mul(erfinv(u), Math.SQRT2), low, high);
  return add(mul(cast(standard, dtype), std), mean);
}

/**
 * x with elements set to 0 at a rate, the others scaled up so that the mean stays: x·mask/(1 − rate).
 *
 * Derivative: dy·mask/(1 − rate).
 * Source: Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov, Dropout (2014).
 *
 * @example
 * random.dropout(random.key(0), [1, 2, 3], 0) // [1, 2, 3]
 */
export function dropout(from: Source, x: Operand, rate: number): Value {
  if (!(rate >= 0 && rate < 1)) {
    throw new ArgumentError({
      where: "random.dropout",
      expected: "rate must be in [0, 1)",
      received: String(rate),
    });
  }
  const input = operand("random.dropout", x);
  return where(bernoulli(from, 1 - rate, input.shape), mul(input, 1 / (1 - rate)), 0);
}
