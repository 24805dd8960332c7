/** What Fortran takes by address besides matrices: letters, whole numbers, 0 and 1. */

import koffi from "koffi";

/** Letters that say which half of a matrix is meant, which way it is read, and what is wanted. */
export type Letter = "L" | "N" | "R" | "S" | "T" | "U" | "V";

const LETTERS = "LNRSTUV";

/** Places of whole numbers, of 64 bits each: a library may read the first 32. */
const PLACES = 8;

// All in one memory: as long as `words` is known, it stays where it is.
const memory = new ArrayBuffer(8 * PLACES + 32);
const start = koffi.address(memory);
const words = new Int32Array(memory);
const numbers = start + BigInt(8 * PLACES);
new Float64Array(memory, 8 * PLACES, 2).set([0, 1]);
new Float32Array(memory, 8 * PLACES + 16, 2).set([0, 1]);
new Uint8Array(memory, 8 * PLACES + 24).set(Array.from(LETTERS, (text) => text.charCodeAt(0)));

/** Where 0 is. */
export const zero = { float64: numbers, float32: numbers + 16n } as const;

/** Where 1 is. */
export const one = { float64: numbers + 8n, float32: numbers + 20n } as const;

const letters = new Map(Array.from(LETTERS, (text, i) => [text, numbers + 24n + BigInt(i)]));

/** Where a letter is. */
export function letter(text: Letter): bigint {
  return letters.get(text) as bigint;
}

const places = Array.from({ length: PLACES }, (_, i) => start + BigInt(8 * i));

/** Where a whole number is: in one of eight places, until it has another. */
export function word(place: number, x: number): bigint {
  words[2 * place] = x;
  words[2 * place + 1] = x < 0 ? -1 : 0;
  return places[place] as bigint;
}

/** The whole number in a place. */
export function wordAt(place: number): number {
  return words[2 * place] as number;
}
