/**
 * Random numbers by counter: a key and a count give the same bits wherever and whenever they are asked for.
 *
 * Source: Salmon, Moraes, Dror & Shaw, Parallel Random Numbers: As Easy as 1, 2, 3 (2011): Threefry-2x32, 20 rounds.
 */

import { allocate, type DType, type TypedArray } from "./dtype.ts";
import { ArgumentError, DTypeError, describe } from "./errors.ts";
import { checkShape, type Shape } from "./shape.ts";
import { constant, tensorType, type Value } from "./value.ts";

/** A key: 64 bits that name a stream of random numbers. */
export interface Key {
  readonly words: readonly [number, number];
}

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const PARITY = 0x1bd11bda;

/** Encrypts the counter (x0, x1) under a key: two words of 32 random bits, written to `out`. */
export function threefry(key: Key, x0: number, x1: number, out: Uint32Array): void {
  const [k0, k1] = key.words;
  const k2 = PARITY ^ k0 ^ k1;
  let a = (x0 + k0) | 0;
  let b = (x1 + k1) | 0;
  for (let group = 1; group <= 5; group++) {
    const at = group % 2 === 1 ? 0 : 4;
    for (let r = at; r < at + 4; r++) {
      const bits = ROTATIONS[r] as number;
      a = (a + b) | 0;
      b = ((b << bits) | (b >>> (32 - bits))) ^ a;
    }
    a = (a + (group % 3 === 0 ? k0 : group % 3 === 1 ? k1 : k2)) | 0;
    b = (b + (group % 3 === 0 ? k1 : group % 3 === 1 ? k2 : k0) + group) | 0;
  }
  out[0] = a;
  out[1] = b;
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
export function fold(from: Key, count: number): Key {
  const words = new Uint32Array(2);
  // The high counter word sets derived keys apart from drawn bits, which count from 0 there.
  threefry(from, count, 0x80000000 + Math.floor(count / 2 ** 32), words);
  return { words: [words[0] as number, words[1] as number] };
}

/** Options of `uniform` and `normal`. */
export interface DrawOptions {
  /** float32 (the default) or float64. */
  readonly dtype?: DType;
}

/** Calls `visit` with pairs of 32-bit words, enough for `count` of them. */
function eachPair(from: Key, count: number, visit: (index: number, low: number, high: number) => void): void {
  const words = new Uint32Array(2);
  for (let i = 0; i < count; i++) {
    threefry(from, i >>> 0, Math.floor(i / 2 ** 32), words);
    visit(i, words[0] as number, words[1] as number);
  }
}

/** A number in [0, 1) of 53 random bits. */
function unit53(low: number, high: number): number {
  return ((high >>> 5) * 67108864 + (low >>> 6)) / 9007199254740992;
}

function drawn(
  where: string,
  shape: Shape,
  { dtype = "float32" }: DrawOptions,
  fill: (out: TypedArray) => void,
): Value {
  if (dtype !== "float32" && dtype !== "float64") {
    throw new DTypeError({ where, expected: "dtype must be float32 or float64", received: dtype });
  }
  const type = tensorType([...checkShape(where, shape)], dtype);
  const out = allocate(dtype, type.size);
  fill(out);
  return constant(type, type.shape.length === 0 ? (out[0] as number) : out);
}

/**
 * Uniform numbers in [low, high).
 *
 * @example
 * random.uniform(random.key(0), [2, 3]).shape // [2, 3]
 */
export function uniform(
  from: Key,
  shape: Shape = [],
  { low = 0, high = 1, ...options }: DrawOptions & { readonly low?: number; readonly high?: number } = {},
): Value {
  return drawn("random.uniform", shape, options, (out) => {
    const unit = out instanceof Float32Array ? (_: number, word: number) => (word >>> 8) / 16777216 : unit53;
    eachPair(from, out.length, (i, a, b) => {
      out[i] = low + (high - low) * unit(a, b);
      // Rounding may reach `high`, where low is not 0.
      if ((out[i] as number) >= high) out[i] = low;
    });
  });
}

/**
 * Normal numbers with a mean and a standard deviation.
 *
 * Source: Box & Muller, A Note on the Generation of Random Normal Deviates (1958).
 *
 * @example
 * random.normal(random.key(0), [4]).dtype // "float32"
 */
export function normal(
  from: Key,
  shape: Shape = [],
  { mean = 0, std = 1, ...options }: DrawOptions & { readonly mean?: number; readonly std?: number } = {},
): Value {
  return drawn("random.normal", shape, options, (out) => {
    const words = new Uint32Array(2);
    for (let i = 0; i < out.length; i += 2) {
      threefry(from, i >>> 0, Math.floor(i / 2 ** 32), words);
      const u = unit53(words[0] as number, words[1] as number);
      threefry(from, (i + 1) >>> 0, Math.floor(i / 2 ** 32), words);
      const angle = 2 * Math.PI * unit53(words[0] as number, words[1] as number);
      const radius = std * Math.sqrt(-2 * Math.log(1 - u));
      out[i] = mean + radius * Math.cos(angle);
      if (i + 1 < out.length) out[i + 1] = mean + radius * Math.sin(angle);
    }
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
export function permutation(from: Key, n: number): Value {
  if (!Number.isInteger(n) || n < 0) {
    throw new ArgumentError({
      where: "random.permutation",
      expected: "n must be a whole number ≥ 0",
      received: describe(n),
    });
  }
  const order = Int32Array.from({ length: n }, (_, i) => i);
  eachPair(from, Math.max(0, n - 1), (step, a, b) => {
    const last = n - 1 - step;
    const pick = Math.floor(unit53(a, b) * (last + 1));
    const kept = order[last] as number;
    order[last] = order[pick] as number;
    order[pick] = kept;
  });
  return constant(tensorType([n], "int32"), order);
}

/** A source of keys that remembers how many it has given: for programs that draw as they go. */
export class Generator {
  readonly #key: Key;
  #count = 0;

  /** Streams of `seed`, a whole number in [0, 2^53). */
  constructor(seed: number) {
    this.#key = key(seed);
  }

  /** The next key: never the same twice. */
  next(): Key {
    return fold(this.#key, this.#count++);
  }

  /** How many keys were given: with the seed, the whole state. */
  get count(): number {
    return this.#count;
  }

  set count(count: number) {
    this.#count = count;
  }
}
