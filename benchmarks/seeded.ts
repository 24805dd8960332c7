/** Seeded numbers that every contender gets, drawn without any of the libraries under test. */

/** Pseudo-random numbers in (−1, 1): Numerical Recipes' linear congruential generator. */
export function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2147483648;
  };
}

/** `size` numbers in (−scale, scale). */
export function uniform(seed: number, size: number, scale = 1): Float32Array {
  const draw = sequence(seed);
  return Float32Array.from({ length: size }, () => draw() * scale);
}
