/** Numbers in [0, 1) from a seed. Source: Steele and Vigna, Computationally easy, spectrally good multipliers (2021). */
export function generator(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = BigInt.asUintN(64, state * 0xd1342543de82ef95n + 1n);
    return Number(state >> 11n) / 2 ** 53;
  };
}
