/** Where layers draw their first parameters from. */

import { ArgumentError, random } from "@adjoint/core";

/** Where random numbers come from: a generator, a seed, or else the package's own generator. */
export interface RandomOptions {
  /** A source of keys to share between layers. */
  readonly generator?: random.Generator;
  /** The seed of a source of one's own. */
  readonly seed?: number;
}

/** The seed of the package's own generator until `manualSeed` is called. */
const DEFAULT_SEED = 0;

let shared: random.Generator | null = null;

/**
 * Restarts the generator that layers draw from when they are given neither `generator` nor `seed`. Until it is called
 * the seed is 0, so that a program gives the same numbers each time it runs.
 *
 * @example
 * manualSeed(1);
 * const first = new Linear(2, 2).weight.toArray();
 * manualSeed(1);
 * const second = new Linear(2, 2).weight.toArray();
 * String(first) === String(second) // true
 */
export function manualSeed(seed: number): void {
  shared = new random.Generator(seed);
}

/** The generator that options ask for. */
export function generatorOf(where: string, { generator, seed }: RandomOptions): random.Generator {
  if (generator !== undefined && seed !== undefined) {
    throw new ArgumentError({ where, expected: "either generator or seed may be given", received: "both" });
  }
  if (generator !== undefined) return generator;
  if (seed !== undefined) return new random.Generator(seed);
  shared ??= new random.Generator(DEFAULT_SEED);
  return shared;
}
